"""Speed of teacher-forced steps beside their floor: the matrix products of a step alone.

The products have a step's own shapes and lie in memory that is there already; nothing else is
computed: no softmax, no activation, no optimiser. A step may be below its floor, as its output
layer works on chunks that stay in a cache. CPU seconds, the two alternated, the least of several.

    python bench/teacher_forced.py [--threads 1] [--repeats 7] [--memory keep] [--only NAME ...]
"""

import argparse
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from gantext.config.compose import compose
from gantext.models.build import build
from gantext.models.contract import Task

PAPER_GAN = [
    "model=gan", "model.generator.embedding=32", "model.generator.hidden=32",
    "model.generator.tie_weights=false",
]  # fmt: skip
SIZES = {
    "gan, paper": PAPER_GAN,
    "gan, default": ["model=gan"],
    "mle, default": ["model=mle"],
    "leakgan, default": ["model=leakgan"],
    "leakgan, paper": ["experiment=leakgan_coco"],
    "vae, default": ["model=vae"],
}
WORDS, LENGTH, ROWS = 4661, 37, 64
TOKENS = ROWS * LENGTH

Product = tuple[int, int, int, int]  # (m, k) times (k, n), and how often


def linear(rows: int, inputs: int, outputs: int, times: int = 1, passes: int = 3) -> list[Product]:
    """A layer's products: its forward pass, and of 3 passes the gradients of inputs and weights."""
    shapes = [(rows, inputs, outputs), (rows, outputs, inputs), (outputs, rows, inputs)]
    return [(*shape, times) for shape in shapes[:passes]]


def lstm(inputs: int, hidden: int) -> list[Product]:
    """All steps of a layer; the gradient of its recurrent weights is one product."""
    gates = 4 * hidden
    return [
        *linear(TOKENS, inputs, gates),
        *linear(ROWS, hidden, gates, LENGTH, passes=2),
        (gates, TOKENS, hidden, 1),
    ]


def language_model(config, extra: int = 0) -> list[Product]:
    """An LSTM that reads words (and `extra` numbers), and its output layer."""
    width, hidden = config.embedding, config.hidden
    tied = linear(TOKENS, hidden, width) if config.tie_weights else []
    read = width if config.tie_weights else hidden
    return [*lstm(width + extra, hidden), *tied, *linear(TOKENS, read, WORDS)]


def leak_generator(config, discriminator, features: int, different: int) -> list[Product]:
    """Worker, manager, and the features of all prefixes, which get no gradient."""
    outer, taps = config.goal_size * config.hidden, 0
    for width, filters in zip(discriminator.widths, discriminator.filters, strict=True):
        taps += width * filters if width <= LENGTH else 0
    tied = linear(TOKENS, outer, config.embedding) if config.tie_weights else []
    read = config.embedding if config.tie_weights else outer
    return [
        *lstm(config.embedding, config.hidden),
        *tied,
        *linear(TOKENS, read + config.goal_size, WORDS),
        *lstm(features, config.manager_hidden),
        *linear(TOKENS, config.manager_hidden, features),
        *linear(TOKENS, features, config.goal_size, passes=2),
        *linear(different, discriminator.embedding, taps, passes=1),
        *linear(TOKENS, features, features, times=2, passes=1),
    ]


def vae(config) -> list[Product]:
    """Encoder and decoder."""
    size = config.latent_size
    return [
        *lstm(config.encoder.embedding, config.encoder.hidden),
        *linear(ROWS, config.encoder.hidden, 2 * size),
        *linear(ROWS, size, config.decoder.hidden),
        *language_model(config.decoder, size),
    ]


def products(model, config, tokens: torch.Tensor) -> list[Product]:
    """Those of one step of a model on tokens (ROWS, LENGTH) in which no sentence ends."""
    if config.name == "vae":
        return vae(config)
    if config.name != "leakgan":
        return language_model(config.generator)
    features, different = model.discriminator.size, len(tokens.unique())
    return leak_generator(config.generator, config.discriminator, features, different)


def floor(shapes: list[Product]) -> Callable[[], None]:
    """Compute these products, in memory that is there."""
    made = [
        (torch.randn(m, k), torch.randn(k, n), torch.randn(m, n), times)
        for m, k, n, times in shapes
    ]

    def compute() -> None:
        for left, right, result, times in made:
            for _ in range(times):
                torch.mm(left, right, out=result)

    return compute


def step(model, tokens: torch.Tensor) -> Callable[[], object]:
    """One update by maximum likelihood, of the VAE by its bound."""
    rng = torch.Generator().manual_seed(1)
    if hasattr(model, "fitter"):
        return lambda: model.update(tokens, rng)
    if hasattr(model, "mle_loss"):
        return lambda: model.trainer.update(model.mle_loss(tokens, rng)[0])
    return lambda: model.trainer.step(tokens, rng)


def seconds(function: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    began = time.process_time()
    function()
    return time.process_time() - began


def measured(overrides: list[str], repeats: int) -> tuple[float, float]:
    """The least CPU seconds of a step and of its floor."""
    settings = compose(overrides)
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, LENGTH, 10_000, rare, torch.device("cpu"))
    model = build(settings.model, settings.seed, task)
    rng = torch.Generator().manual_seed(2)
    tokens = torch.randint(4, WORDS, (ROWS, LENGTH), generator=rng)
    both = step(model, tokens), floor(products(model, settings.model, tokens))
    times = [[seconds(function) for function in both] for _ in range(repeats + 1)][1:]
    return min(row[0] for row in times), min(row[1] for row in times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--memory", choices=["keep", "release"], default="keep")
    parser.add_argument("--only", choices=SIZES, nargs="+", default=list(SIZES))
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.memory == "keep":
        from gantext.nn.memory import keep_blocks

        keep_blocks()
    size = f"{ROWS} x {LENGTH} tokens, V = {WORDS:,}, {chosen.threads} threads"
    title = f"{size}, memory={chosen.memory}; CPU milliseconds"
    table = Table("model", "step", "floor", "step / floor", title=title)
    for name in chosen.only:
        took, least = measured(SIZES[name], chosen.repeats)
        table.add_row(name, f"{1e3 * took:.0f}", f"{1e3 * least:.0f}", f"{took / least:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
