"""Rows of models of text: teacher-forced steps, sampling, the discriminator, rollouts, steps of G.

Tokens are random and no sentence ends before its length, for the product as for the plain ways.
Untrained generators hardly ever draw <eos>, so theirs have full length too: "13 words" is a task
whose longest sentence has 13.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial

import torch

from bench.floor import alone, discriminating, sampling, teacher_forced
from bench.plain_leakgan import EXACT, PlainLeakGAN
from bench.plain_seqgan import PlainDiscriminator, PlainLanguageModel, PlainVAE, updated
from bench.row import Row, Sizes, Ways, milliseconds, seconds
from gantext.config.compose import compose
from gantext.models.build import build
from gantext.models.contract import Task
from gantext.nn.text.sampling import SamplingOptions

GAN = ("model=gan",)
PAPER_GAN = (
    "model=gan", "model.generator.embedding=32", "model.generator.hidden=32",
    "model.generator.tie_weights=false", "model.generator.dropout=0",
    "model.generator.word_dropout=0", "model.adversarial.rollouts=16",
    "model.discriminator.widths=[1,2,3,4,5,6,7,8,9,10,15,20]",
    "model.discriminator.filters=[100,200,200,200,200,100,100,100,100,100,160,160]",
)  # fmt: skip
MLE, VAE = ("model=mle",), ("model=vae",)
LEAKGAN = ("model=leakgan", *EXACT, "model.d_training.pretrain_steps=0")
PAPER_LEAKGAN = (
    "experiment=leakgan_coco_paper", "model.generator.goal_schedule=block", *EXACT,
    "model.d_training.pretrain_steps=0",
)  # fmt: skip
LANGUAGE_MODEL = ("model.generator.embedding=8", "model.generator.hidden=8")
TEXT_CNN = (
    "model.discriminator.embedding=8", "model.discriminator.widths=[2,3]",
    "model.discriminator.filters=[4,4]",
)  # fmt: skip
SMALLEST = {
    "mle": LANGUAGE_MODEL,
    "gan": (*LANGUAGE_MODEL, *TEXT_CNN),
    "leakgan": (
        *LANGUAGE_MODEL, *TEXT_CNN, "model.generator.manager_hidden=8",
        "model.generator.goal_size=4",
    ),
    "vae": (
        "model.encoder.embedding=8", "model.encoder.hidden=8", "model.decoder.embedding=8",
        "model.decoder.hidden=8", "model.latent_size=4",
    ),
}  # fmt: skip
DEMO_WORDS = 200  # about as many as the scenes have
POSITIONS = 2  # of the plain rollouts that are timed; the others are taken to cost as much
Length = Callable[[Sizes], int]


def captions(sizes: Sizes) -> int:
    """T of a caption."""
    return sizes.captions


def whole(sizes: Sizes) -> int:
    """T of the longest captions."""
    return sizes.length


def rng(sizes: Sizes, seed: int = 1) -> torch.Generator:
    """Draws of a row."""
    return torch.Generator(sizes.device).manual_seed(seed)


settings_of = cache(compose)


def made(overrides: Sequence[str], sizes: Sizes, length: int, words: int = 0, graphs: bool = True):
    """An untrained model over a vocabulary like COCO's, or of `words`."""
    words = min(words or sizes.words, sizes.words)
    name = "leakgan" if PAPER_LEAKGAN[0] in overrides else overrides[0].partition("=")[2]
    small = SMALLEST[name] if sizes.smallest else ()
    settings = settings_of((f"model.mle.batch_size={sizes.rows}", *overrides, *small))
    rare = torch.zeros(words, dtype=torch.bool)
    task = Task(words, length, 10_000, rare, sizes.device, graphs)
    return build(settings.model, settings.seed, task)


def drawn(model, rows: int, seed: int = 2) -> torch.Tensor:
    """Random sentences (B, T) without an end."""
    size, device = (rows, model.task.max_length), model.task.device
    draws = torch.Generator(device).manual_seed(seed)
    return torch.randint(4, model.task.vocab_size, size, generator=draws, device=device)


# Teacher forcing


def step_ways(overrides: Sequence[str], length: Length, rows: int, sizes: Sizes) -> Ways:
    """One update by maximum likelihood, of the VAE by its bound."""
    rows = rows or sizes.rows
    model = made((*overrides, f"model.mle.batch_size={rows}"), sizes, length(sizes))
    tokens = drawn(model, rows)
    phase = next(phase for phase in model.phases() if phase.steps)
    draws = rng(sizes)
    return {
        "gantext": milliseconds(lambda: phase.step(tokens, draws)),
        "plain": milliseconds(plain_step(model, tokens)),
        "floor": milliseconds(alone(teacher_forced(model, tokens), sizes.device)),
    }


def plain_step(model, tokens: torch.Tensor) -> Callable[[], None]:
    """The same update of the plain twin."""
    name = model.config.name
    if name == "leakgan":
        twin = PlainLeakGAN(model)
        return lambda: updated(twin, twin.pretraining_loss(tokens))
    if name == "vae":
        vae = PlainVAE(model)
        return lambda: updated(vae, vae.loss(tokens))
    language_model = PlainLanguageModel(model.generator)
    return lambda: updated(language_model, language_model.nll(tokens))


# Sampling


def twin_of(model) -> PlainLanguageModel | PlainLeakGAN:
    """The plain generator, without dropout."""
    if model.config.name == "leakgan":
        return PlainLeakGAN(model)
    twin = PlainLanguageModel(model.generator)
    twin.dropout.eval()  # alone: cuDNN refuses an LSTM's backward pass in evaluation
    return twin


def sample_ways(
    overrides: Sequence[str], length: Length, rows: int, sizes: Sizes, graphs: bool = True
) -> Ways:
    """Draw `rows` sentences, word by word."""
    model = made(overrides, sizes, length(sizes), graphs=graphs)
    rows = min(rows, sizes.rows) if sizes.smallest else rows
    twin, none, options = twin_of(model), drawn(model, rows), SamplingOptions()
    draws = rng(sizes)
    return {
        "gantext": milliseconds(lambda: model.sample(rows, draws, options)),
        "plain": milliseconds(lambda: twin.complete(none, 0)),
        "floor": milliseconds(alone(sampling(model, rows), sizes.device)),
    }


# Adversarial training


def discriminator_ways(overrides: Sequence[str], length: Length, words: int, sizes: Sizes) -> Ways:
    """One update of the discriminator on real and generated sentences."""
    model = made(overrides, sizes, length(sizes), words)
    twin, draws = PlainDiscriminator(model.discriminator), rng(sizes)
    real, fake = drawn(model, sizes.rows), drawn(model, sizes.rows, 3)
    return {
        "gantext": milliseconds(lambda: model.d_trainer.step(real, fake, draws)),
        "plain": milliseconds(lambda: updated(twin, twin.loss(real, fake))),
        "floor": milliseconds(alone(discriminating(model, real), sizes.device)),
    }


def plain_rollouts(model, twin, tokens: torch.Tensor) -> float:
    """Milliseconds of a batch's rollouts and their scores, one position after the other.

    A few positions are timed, spread over the sentence, with one rollout each.
    """
    leaks, steps = model.config.name == "leakgan", tokens.shape[1]
    every = model.config.generator.goal_steps if leaks else 1
    places = list(range(every, steps, every))
    chosen = places[len(places) // (2 * POSITIONS) :: max(1, len(places) // POSITIONS)]
    judge = PlainDiscriminator(model.discriminator).eval()

    @torch.no_grad()
    def roll(kept: int) -> None:
        judge(twin.complete(tokens, kept)).sigmoid()

    one = sum(seconds(partial(roll, kept)) for kept in chosen) / len(chosen)
    return 1e3 * one * len(places) * model.config.adversarial.rollouts


def rollout_ways(overrides: Sequence[str], length: Length, sizes: Sizes) -> Ways:
    """The reward of each word: its prefix completed, and what the discriminator says of it."""
    model = made(overrides, sizes, length(sizes))
    tokens, twin, draws = drawn(model, sizes.rows), twin_of(model), rng(sizes)
    real = [tokens[:0]] if model.config.name == "leakgan" else []
    return {
        "gantext": milliseconds(lambda: model.policy.rewards(tokens, *real, draws)),
        "plain": lambda: plain_rollouts(model, twin, tokens),
    }


def generator_ways(overrides: Sequence[str], length: Length, rows: int, sizes: Sizes) -> Ways:
    """One adversarial update of the generator: samples, rollouts, policy gradient."""
    rows = rows or sizes.rows
    model = made((*overrides, f"model.adversarial.batch_size={rows}"), sizes, length(sizes))
    tokens, twin, draws = drawn(model, rows), twin_of(model), rng(sizes)
    real = tokens[:0] if model.config.name == "leakgan" else None

    def plain() -> float:
        written = seconds(lambda: twin.complete(tokens, 0))
        rewards = torch.rand(tokens.shape, device=tokens.device)
        learnt = seconds(lambda: updated(twin, twin.policy_loss(tokens, rewards)))
        return 1e3 * (written + learnt) + plain_rollouts(model, twin, tokens)

    return {"gantext": milliseconds(lambda: model.g_step(real, draws)), "plain": plain}


STEPS = [
    ("gan", "paper", PAPER_GAN, whole),
    ("gan", "default", GAN, captions),
    ("gan", "default", GAN, whole),
    ("mle", "default", MLE, captions),
    ("mle", "default", MLE, whole),
    ("leakgan", "default", LEAKGAN, captions),
    ("leakgan", "default", LEAKGAN, whole),
    ("leakgan", "paper", PAPER_LEAKGAN, captions),
    ("vae", "default", VAE, captions),
    ("vae", "default", VAE, whole),
]
SAMPLES = [
    ("gan", "default", GAN, whole, 64),
    ("gan", "paper", PAPER_GAN, whole, 64),
    ("leakgan", "default", LEAKGAN, whole, 64),
    ("leakgan", "default", LEAKGAN, captions, 1000),
    ("leakgan", "paper", PAPER_LEAKGAN, captions, 64),
]
DISCRIMINATORS = [
    ("gan", "demo's sizes", GAN, captions, DEMO_WORDS),
    ("gan", "default", GAN, captions, 0),
    ("gan", "default", GAN, whole, 0),
    ("gan", "paper", PAPER_GAN, whole, 0),
]
ADVERSARIAL = [
    ("gan", "default", GAN, captions),
    ("gan", "paper", PAPER_GAN, captions),
    ("leakgan", "default", LEAKGAN, captions),
]


def rows(sizes: Sizes) -> list[Row]:
    """All of them."""
    made = [
        Row(group, f"{group}, {size}, {length(sizes)} words: maximum-likelihood step",
            partial(step_ways, overrides, length, 0), tokens=sizes.rows * length(sizes))
        for group, size, overrides, length in STEPS
    ]  # fmt: skip
    made += [
        Row(group, f"{group}, {size}, {length(sizes)} words: sample {count:,}",
            partial(sample_ways, overrides, length, count), tokens=count * length(sizes))
        for group, size, overrides, length, count in SAMPLES
    ]  # fmt: skip
    made += [
        Row(group, f"{group}, {size}, {length(sizes)} words: discriminator's update",
            partial(discriminator_ways, overrides, length, words),
            tokens=2 * sizes.rows * length(sizes))
        for group, size, overrides, length, words in DISCRIMINATORS
    ]  # fmt: skip
    for group, size, overrides, length in ADVERSARIAL:
        name, tokens = f"{group}, {size}, {length(sizes)} words", sizes.rows * length(sizes)
        made += [
            Row(group, f"{name}: rollouts", partial(rollout_ways, overrides, length),
                tokens=tokens),
            Row(group, f"{name}: generator's update",
                partial(generator_ways, overrides, length, 0), tokens=tokens),
        ]  # fmt: skip
    return made
