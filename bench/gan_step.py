"""Speed of a generator step of model=gan, beside the plain loops that it replaces.

The plain step completes each prefix from its first word (no stored state), one position after the
other, draws with torch.multinomial, and scores every completed sentence by convolution. It is
timed on some positions spread over the sentence and extrapolated by their cost. An untrained
generator writes sentences of full length, the worst case; `--eos` raises the odds of <eos> so that
sentences have the length of captions.

    python bench/gan_step.py [--threads 2] [--eos 0]
"""

import argparse
import time

import torch
from rich.console import Console
from rich.table import Table

from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD
from gantext.models.build import build
from gantext.models.contract import Task
from gantext.nn.text.rollouts import roll_out, valid_lengths
from gantext.nn.text.sampling import SamplingOptions

PAPER = [
    "model.generator.embedding=32", "model.generator.hidden=32",
    "model.generator.tie_weights=false", "model.adversarial.rollouts=16",
    "model.discriminator.widths=[1,2,3,4,5,6,7,8,9,10,15,20]",
    "model.discriminator.filters=[100,200,200,200,200,100,100,100,100,100,160,160]",
]  # fmt: skip
SIZES = {"default, R = 2": [], "paper, R = 16": PAPER}
WORDS, LENGTH, ROWS = 4661, 37, 64
PLAIN_POSITIONS = (4, 12, 20, 28)


def timed(function) -> float:
    """Wall seconds of one call."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def make(overrides: list[str], eos: float):
    """An untrained GAN of some size over a vocabulary like COCO's."""
    settings = compose(["model=gan", *overrides])
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, LENGTH, 10_000, rare, torch.device("cpu"))
    model = build(settings.model, settings.seed, task)
    with torch.no_grad():
        model.generator.output.bias[EOS] = eos
    return model


@torch.no_grad()
def plain_position(model, tokens: torch.Tensor, t: int, count: int) -> int:
    """Rollouts of one position by plain loops; returns the LSTM steps it took."""
    generator, discriminator = model.generator, model.discriminator
    for _ in range(count):
        state, row = generator.start(len(tokens)), tokens.clone()
        ended = torch.zeros(len(tokens), dtype=torch.bool)
        for step in range(LENGTH):
            if step > t:
                drawn = torch.multinomial(generator.logits(state).softmax(-1), 1)[:, 0]
                row[:, step] = torch.where(ended, PAD, drawn)
            ended |= row[:, step] == EOS
            state = generator.advance(state, row[:, step])
        discriminator.logits(row).sigmoid()
    return count * LENGTH


def plain_seconds(model, tokens: torch.Tensor, count: int) -> float:
    """Seconds of all rollouts of a step by plain loops, from a few positions, one rollout each."""
    tokens = torch.nn.functional.pad(tokens, (0, LENGTH - tokens.shape[1]))
    seconds = [timed(lambda t=t: plain_position(model, tokens, t, 1)) for t in PLAIN_POSITIONS]
    return sum(seconds) / len(seconds) * count * (LENGTH - 1)


def row(model, eos: float) -> list[float]:
    """Seconds of: sampling, rollouts, scoring, a whole step, the plain rollouts."""
    rng = torch.Generator().manual_seed(1)
    count = model.config.adversarial.rollouts
    model.g_step(None, rng)
    tokens = model.sample(ROWS, rng, SamplingOptions())
    made = roll_out(model.generator, tokens, count, 1, rng)
    return [
        timed(lambda: model.sample(ROWS, rng, SamplingOptions())),
        timed(lambda: roll_out(model.generator, tokens, count, 1, rng)),
        timed(lambda: model.discriminator.score(made.tokens)),
        timed(lambda: model.g_step(None, rng)),
        plain_seconds(model, tokens, count),
        valid_lengths(tokens).float().mean().item(),
        len(made.tokens),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--eos", type=float, nargs="+", default=[0.0, 6.0])
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    title = f"batch {ROWS}, T = {LENGTH}, V = {WORDS:,}, {chosen.threads} CPU threads; seconds"
    table = Table("sizes", "mean length", "rollouts", "sample", "roll out", "score", "whole step",
                  "plain rollouts", "ratio", title=title)  # fmt: skip
    for eos in chosen.eos:
        for name, overrides in SIZES.items():
            *times, whole, plain, length, rollouts = row(make(overrides, eos), eos)
            ratio = f"{plain / (times[1] + times[2]):.1f}x"
            cells = [f"{value:.2f}" for value in [*times, whole]]
            table.add_row(
                name, f"{length:.1f}", f"{int(rollouts):,}", *cells, f"{plain:.1f}", ratio
            )
    Console().print(table)


if __name__ == "__main__":
    main()
