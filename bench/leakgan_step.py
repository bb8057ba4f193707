"""Speed of model=leakgan's steps, beside a plain implementation that does what the formulas say.

The plain one goes word by word: the discriminator reads the whole padded prefix anew at each word,
O_t (B, V, k) is made, rollouts go position by position and each from its first word. Its numbers
are checked against the model's on the same weights: losses and gradients of a pretraining step,
sampled words, greedy rollouts and their scores, losses of an adversarial step. Plain rollouts are
timed at some positions and extrapolated. An untrained generator writes sentences of full length,
the worst case; `--eos` raises the odds of <eos> so that sentences have the length of captions.
With one thread the seconds are of CPU time, so that other programs do not count.

    python bench/leakgan_step.py [--threads 2] [--eos 0 5]
"""

import argparse
import time

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table

from gantext.config.compose import compose
from gantext.data.vocabulary import BOS, EOS, PAD
from gantext.models.build import build
from gantext.models.contract import Task
from gantext.models.leakgan.manager_worker import GoalSchedule, goal_cosines, intrinsic_rewards
from gantext.nn.optim import clipped_step
from gantext.nn.text.output_layer import OutputLayer
from gantext.nn.text.rewards import leave_one_out_mean, policy_gradient_loss
from gantext.nn.text.rollouts import roll_out, rolled_positions, valid_lengths
from gantext.nn.text.sampling import SamplingOptions, decode

SIZES = {"default": "model=leakgan", "paper": "experiment=leakgan_coco"}
# No dropout, so that both ways give the same numbers.
EXACT = ["model.generator.dropout=0", "model.generator.word_dropout=0", "model.mle.unk_rate=0"]
WORDS, LENGTH, ROWS = 4661, 37, 64
GREEDY = SamplingOptions(temperature=0.0)


def rng(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(overrides: str, eos: float):
    """An untrained LeakGAN of some size over a vocabulary like COCO's, and its plain twin."""
    settings = compose([overrides, *EXACT])
    rare = torch.zeros(WORDS, dtype=torch.bool)
    model = build(
        settings.model, settings.seed, Task(WORDS, LENGTH, 10_000, rare, torch.device("cpu"))
    )
    bias = torch.zeros(WORDS).index_fill(0, torch.tensor(EOS), eos)
    if eos:
        scores, layer = model.generator.worker.scores, model.generator.output_layer
        model.generator.worker.scores = lambda *given: scores(*given) + bias
        model.generator.output_layer = lambda written=False: shifted(layer(written), bias)
    return model, Plain(model, bias)


def shifted(layer: OutputLayer, bias: torch.Tensor) -> OutputLayer:
    return layer._replace(bias=layer.bias + bias)


class Plain:
    """The same weights, read word by word."""

    def __init__(self, model, bias: torch.Tensor) -> None:
        self.model, self.bias, self.discriminator = model, bias, model.discriminator
        self.manager, self.worker = model.generator.manager, model.generator.worker
        self.config = model.config.generator

    @torch.no_grad()
    def features(self, tokens: torch.Tensor, read: int) -> torch.Tensor:
        """The discriminator on the whole padded sentence, of which `read` words are generated."""
        d, steps = self.discriminator, torch.arange(LENGTH)
        seen = torch.where(steps < read, tokens, PAD)
        ended = (seen == EOS).any(1) | (seen == PAD)[:, :read].any(1)
        words = d.embedding(seen)  # (B, T, E)
        to_come = (steps >= read)[None, :, None] & ~ended[:, None, None]
        words = torch.where(to_come, d.not_yet, words).transpose(1, 2)
        found = []
        for convolution in d.convolutions:
            width = convolution.weight.shape[2]
            after = torch.where(ended[:, None, None], 0.0, d.not_yet[None, :, None])
            padded = torch.cat([words, after.expand(-1, -1, width - 1)], 2)
            windows = convolution(padded)  # (B, F_w, T)
            begun = (seen != PAD) if read else (steps < 1).expand_as(seen)
            found.append(windows.masked_fill(~begun[:, None], -torch.inf).amax(2))
        return d.highway(torch.cat(found, 1).relu())

    def cell(self, lstm, x, state):
        weights = [
            getattr(lstm, f"{n}_l0") for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        return torch.lstm_cell(x, state, *weights)

    def start(self, rows: int):
        zeros = torch.zeros(rows, self.config.hidden)
        manager = torch.zeros(rows, self.config.manager_hidden)
        return (zeros, zeros), (manager, manager), [], []

    def step(self, state, tokens: torch.Tensor, read: int):
        """The next word's logits (B, V) after `read` words; remembers goal and features."""
        worker, manager, goals, features = state
        rows, every = len(tokens), self.config.goal_steps
        before = tokens[:, read - 1] if read else torch.full((rows,), BOS)
        worker = self.cell(self.worker.lstm, self.worker.embedding(before), worker)
        features.append(self.features(tokens, read))
        block = self.config.goal_schedule is GoalSchedule.block
        first = read // every * every if block else read
        initial = F.normalize(self.worker.initial_goal, dim=-1).expand(rows, -1)
        last = [goals[i].detach() if i >= 0 else initial for i in range(first - every, first)]
        followed = self.worker.goal_embedding(sum(last))
        followed = F.normalize(followed, dim=-1) if block else followed
        manager = self.cell(self.manager.lstm, features[-1], manager)
        goals.append(F.normalize(self.manager.output(manager[0]), dim=-1))
        scores = (self.output(worker[0]) @ followed[:, :, None])[:, :, 0] + self.bias
        return scores, (worker, manager, goals, features)

    def output(self, hidden: torch.Tensor) -> torch.Tensor:
        """O_t, (B, V, k)."""
        size = self.config.goal_size
        weights = self.worker.bilinear.weight.view(-1, self.config.hidden)  # (E or V) * k rows
        made = (hidden @ weights.T).view(len(hidden), -1, size)
        if self.config.tie_weights:
            made = self.worker.embedding.weight @ made
        return made + self.worker.goal_scores.weight

    def read(self, tokens: torch.Tensor, written: bool):
        """log p(x_t), features (B, T + 1, F) and goals (B, T, F), word by word."""
        state, found = self.start(len(tokens)), []
        for t in range(LENGTH):
            scores, state = self.step(state, tokens, t)
            log_probs = self.model.generator.ban(scores, written).log_softmax(-1)
            found.append(log_probs.gather(1, tokens[:, t : t + 1]))
        features = torch.stack([*state[3], self.features(tokens, LENGTH)], 1)
        log_prob = torch.where(tokens == PAD, 0.0, torch.cat(found, 1))
        return log_prob, features, torch.stack(state[2], 1)

    def pretraining_loss(self, tokens: torch.Tensor) -> torch.Tensor:
        valid = tokens != PAD
        log_prob, features, goals = self.read(tokens, written=False)
        cosines = goal_cosines(features, goals, self.config.goal_steps)
        return -log_prob[valid].mean() - cosines[valid].mean()

    def policy_loss(self, tokens: torch.Tensor, rewards: torch.Tensor) -> torch.Tensor:
        valid, every = tokens != PAD, self.config.goal_steps
        log_prob, features, goals = self.read(tokens, written=True)
        advantage = intrinsic_rewards(features, goals.detach(), every) * valid
        if self.model.config.adversarial.worker_reward.value == "quality":
            advantage = rewards
        if self.model.config.adversarial.baseline.value == "mean":
            rewards = rewards - leave_one_out_mean(rewards, valid)
            advantage = advantage - leave_one_out_mean(advantage, valid)
        manager = policy_gradient_loss(goal_cosines(features, goals, every), rewards, valid)
        return manager + policy_gradient_loss(log_prob, advantage, valid)

    @torch.no_grad()
    def complete(self, tokens: torch.Tensor, kept: int, draw) -> torch.Tensor:
        """Keep the first words of (B, T) and draw the others."""
        tokens = torch.where(torch.arange(LENGTH) < kept, tokens, PAD)
        state = self.start(len(tokens))
        ended = torch.zeros(len(tokens), dtype=torch.bool)
        for t in range(LENGTH):
            scores, state = self.step(state, tokens, t)
            if t >= kept:
                scores = self.model.generator.ban(scores, written=True)
                tokens[:, t] = torch.where(ended, PAD, draw(scores))
            ended |= tokens[:, t] == EOS
        return tokens


def multinomial(scores: torch.Tensor) -> torch.Tensor:
    """One word a row, as plain code draws it."""
    return torch.multinomial(scores.softmax(-1), 1)[:, 0]


def greedy(scores: torch.Tensor) -> torch.Tensor:
    """The likeliest word of each row."""
    return scores.argmax(1)


def by_inverse(generator: torch.Generator):
    """Draws by the inverse of the whole cumulative distribution, from the model's own numbers."""

    def draw(scores: torch.Tensor) -> torch.Tensor:
        uniform = torch.rand(len(scores), generator=generator, dtype=torch.float64)
        cumulative = scores.softmax(-1).double().cumsum(-1)
        return (cumulative < uniform[:, None] * cumulative[:, -1:]).sum(1)

    return draw


def timed(function, times: int = 3) -> float:
    """Seconds of one call, the least of some."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    seconds = []
    for _ in range(times):
        began = clock()
        function()
        seconds.append(clock() - began)
    return min(seconds)


def update(model, loss: torch.Tensor) -> float:
    """One generator update."""
    return float(clipped_step(model.g_optimiser, model.generator, loss, 1e9))


def gradients(model, loss: torch.Tensor) -> torch.Tensor:
    parameters = list(model.generator.parameters())
    found = torch.autograd.grad(loss, parameters, allow_unused=True)
    pairs = zip(found, parameters, strict=True)
    return torch.cat(
        [torch.zeros_like(p).flatten() if g is None else g.flatten() for g, p in pairs]
    )


def apart(model, fast: torch.Tensor, slow: torch.Tensor) -> str:
    one, two = gradients(model, fast), gradients(model, slow)
    return f"loss {abs(1 - slow / fast):.0e}, gradient {(one - two).norm() / one.norm():.0e}"


def differences(model, plain: Plain, tokens: torch.Tensor) -> list[str]:
    """How far the plain numbers are from the model's: of losses and gradients relative ones."""
    fast, slow = model.mle_loss(tokens, None)[0], plain.pretraining_loss(tokens)
    found = [f"pretraining: {apart(model, fast, slow)}"]
    samples = decode(model.generator, ROWS, LENGTH, rng(2), SamplingOptions(), compact=False)
    again = plain.complete(torch.zeros_like(samples), 0, by_inverse(rng(2)))
    found.append(f"equal samples: {(again == samples).all(1).float().mean():.0%}")
    every = model.config.generator.goal_steps
    made = roll_out(model.generator, samples, 1, every, rng(), GREEDY)
    for t in rolled_positions(LENGTH, every)[1::4]:
        rows = made.position == t
        wanted = plain.complete(samples, t + 1, greedy)[made.sentence[rows]]
        equal = (made.tokens[rows] == wanted).all(1).float().mean()
        found.append(f"equal greedy rollouts from word {t + 1}: {equal:.0%} of {int(rows.sum())}")
    rewards = torch.rand(samples.shape, generator=rng(3)) * (samples != PAD)
    fast, slow = model.policy_loss(samples, rewards)[0], plain.policy_loss(samples, rewards)
    return [*found, f"adversarial: {apart(model, fast, slow)}"]


def rows(
    model, plain: Plain, positions: int
) -> tuple[list[tuple[str, float, float]], list[str], float]:
    """(step, seconds, plain seconds), how far the numbers differ, and the mean length."""
    options = SamplingOptions()
    tokens = model.sample(ROWS, rng(), options)
    said = differences(model, plain, tokens)
    every, count = model.config.generator.goal_steps, model.config.adversarial.rollouts
    rolled = rolled_positions(LENGTH, every)
    chosen = rolled[1 :: max(1, len(rolled) // positions)][:positions]
    pretraining = timed(lambda: update(model, model.mle_loss(tokens, None)[0]))
    plain_pretraining = timed(lambda: update(model, plain.pretraining_loss(tokens)), 1)
    sampling = timed(lambda: model.sample(ROWS, rng(), options))
    plain_sampling = timed(lambda: plain.complete(tokens, 0, multinomial), 1)
    adversarial = timed(lambda: model.g_step(tokens[:0], rng()), 2)

    def roll(t: int) -> None:
        model.discriminator.logits(plain.complete(tokens, t + 1, multinomial)).sigmoid()

    one = sum(timed(lambda t=t: roll(t), 1) for t in chosen) / len(chosen)
    rollouts = one * len(rolled) * count
    rewards = torch.rand(tokens.shape, generator=rng(3)) * (tokens != PAD)
    learning = timed(lambda: update(model, plain.policy_loss(tokens, rewards)), 1)
    found = [
        ("pretraining", pretraining, plain_pretraining),
        ("sampling", sampling, plain_sampling),
        ("adversarial", adversarial, plain_sampling + rollouts + learning),
    ]
    return found, said, valid_lengths(tokens).float().mean().item()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--eos", type=float, nargs="+", default=[0.0, 6.0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--positions", type=int, default=2, help="positions of plain rollouts")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    title = f"batch {ROWS}, T = {LENGTH}, V = {WORDS:,}, {chosen.threads} CPU threads; seconds"
    table = Table("sizes", "mean length", "step", "seconds", "plain", "ratio", title=title)
    console = Console()
    for eos in chosen.eos:
        for name in chosen.sizes:
            found, said, length = rows(*make(SIZES[name], eos), chosen.positions)
            console.print(f"{name}, mean length {length:.1f}: {'; '.join(said)}")
            for step, seconds, plain in found:
                ratio = f"{plain / seconds:.1f}x"
                table.add_row(name, f"{length:.1f}", step, f"{seconds:.3f}", f"{plain:.2f}", ratio)
    console.print(table)


if __name__ == "__main__":
    main()
