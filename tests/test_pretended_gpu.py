"""All of the product on a GPU that is not there; see tests/pretended_gpu.py."""

import collections
import math
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from click import Context
from rich.console import Console
from torch import Tensor
from typer.main import get_group

from gantext import models
from gantext.cli.eval import app as eval_app
from gantext.config.compose import compose
from gantext.data.vocabulary import EOS, PAD
from gantext.evaluation import measures
from gantext.evaluation.judges import attribute_classifier, caption_judge, picture_classifier
from gantext.models.leakgan.manager_worker import GoalSchedule
from gantext.models.vae.networks import GivenLatent, Injection
from gantext.nn.optim import Metrics
from gantext.nn.text.fitting import mean_nll
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import mean_of_words, share_of_words, words_at
from gantext.nn.text.rewards import policy_weights, standardised
from gantext.nn.text.sampling import Policy, SamplingOptions, decode
from gantext.training.loop import Trainer
from gantext.training.preparation import prepare
from gantext.training.stepper import Stepper
from gantext.training.tracker import to_floats
from tests import conftest
from tests.conftest import Command
from tests.models.test_contract import overrides
from tests.models.test_device import latent_decoder, leak_generator
from tests.pretended_gpu import counted, pretended_gpu
from tests.torture import FILE, SENTENCES, on_short

CUDA = torch.device("cuda")
FEW = [
    "device=cuda",
    "data.train_size=16",
    "data.test_size=8",
    "data.validation_size=4",
    "eval.samples=20",
    "log.every_steps=1000",
    "log.sample_every_steps=0",
    "checkpoint.every_steps=0",
]
FEW_MLE = [*FEW, "model.mle.epochs=1"]
# On sentences of three words: of those of scenes, each has up to 29.
FEW_GAN = [
    *(word for word in FEW_MLE if not word.startswith("data")),
    "model.d_training.pretrain_steps=1",
    "model.adversarial.steps=2",
    "model.adversarial.kl_weight=0.1",
    "model.adversarial.ema=0.5",
]
TEXT = {
    "mle": [*conftest.SMALL_MLE, *FEW_MLE],
    "gan": [*on_short(conftest.SMALL_GAN), *FEW_GAN],
    "gan_sentence": [
        *(*on_short(conftest.SMALL_GAN), *FEW_GAN, "model.adversarial.reward=sentence"),
        *("model.adversarial.baseline=mean", "model.adversarial.reward_less=words"),
    ],
    "cot": [*conftest.SMALL_COT, *FEW_MLE, "model.cooperative.steps=2"],
    "jsdgan": [*conftest.SMALL_JSDGAN, *FEW_MLE, "model.divergence.steps=2"],
    "dpgan": [
        *(*conftest.SMALL_DPGAN, *FEW_MLE, "model.adversarial.steps=2"),
        "model.d_training.pretrain_steps=1",
    ],
    "leakgan": [*on_short(conftest.SMALL_LEAKGAN), *FEW_GAN, "model.d_training.alone_steps=1"],
    "vae": [
        *conftest.SMALL_VAE,
        *FEW_MLE,
        "model.aggressive.inner_steps=3",
        "data.test_size=30",  # of which some have words of the few training sentences alone
    ],
}
# Of those whose sizes nothing else names the contract's own.
TEXT |= {
    name: [
        *(*overrides(name), *FEW_MLE, "model.d_training.balance=fixed"),
        *("model.d_training.pretrain_steps=1", "model.adversarial.steps=2"),
    ]
    for name in ("relgan", "sentigan", "catgan")
}
FEW_PICTURES = [word for word in FEW if "data" not in word]
PICTURES = {
    "image_gan": [*conftest.SMALL_IMAGE_GAN, *FEW_PICTURES, "model.steps=2"],
    "dpr_gan": [
        *conftest.SMALL_DPR_GAN,
        *FEW,
        "model.fitting.steps=1",
        "model.decoding.steps=1",
        "model.composing.steps=1",
        "model.adversarial.steps=2",
        "eval.samples=6",
    ],
}
# An adversarial step waits for the longest of its samples, and for their lengths, of which it makes
# rollouts. A VAE's inner loop waits for the losses of each of its windows, of which one is full
# here, and its information is computed by the host. A mediator, a loss, or a likelihood is waited
# for at looks at held-out sentences. SentiGAN writes class by class, whose rows the host has to
# know, for either network; CatGAN's children are compared there, after the seed of their noise.
WAITS = {
    **{"gan": 2, "gan_sentence": 1, "leakgan": 2, "vae": 2, "cot": 1, "jsdgan": 1},
    **{"relgan": 1, "sentigan": 3, "catgan": 3},
}
# Of each kind of model that which all commands are tried with, of text one that has all abilities.
ALL_COMMANDS = {"vae", "image_gan"}


@pytest.fixture(autouse=True)
def short_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `on_short` looks for them."""
    (tmp_path.parent / FILE).write_text("\n".join(SENTENCES[::4]))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def gpu() -> Iterator[None]:
    with pretended_gpu():
        yield


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[collections.Counter[str]]:
    """Of each training step, as it is made."""
    take, seen = Stepper.take, list[collections.Counter[str]]()

    def watched(stepper: Stepper) -> Metrics:
        found: list[Metrics] = []
        seen.append(counted(lambda: found.append(take(stepper)))[1])
        return found[0]

    monkeypatch.setattr(Stepper, "take", watched)
    return seen


@pytest.fixture(autouse=True)
def brief_judges(monkeypatch: pytest.MonkeyPatch, brief_judge: None) -> None:
    """Networks that judge are trained for a step or two, on the CPU, as ever."""
    monkeypatch.setattr(picture_classifier, "STEPS", 2)
    monkeypatch.setattr(attribute_classifier, "STEPS", 2)
    monkeypatch.setattr(caption_judge, "EPOCHS", 0)


def stop_in_the_last_phase(trainer: Trainer, saved: float) -> bool:
    """In the place of `_save_due`, after a step that is not its phase's last."""
    if trainer.stepper.current is trainer.job.phases[-1]:
        signal.raise_signal(signal.SIGTERM)
    return False


@pytest.mark.parametrize("model", [*TEXT, *PICTURES])
def test_a_run_waits_seldom(
    gpu: None,
    cli: Command,
    waits: list[collections.Counter[str]],
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    """It trains, is stopped, goes on from there, samples and is scored."""
    words = {**TEXT, **PICTURES}[model]
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save_due", stop_in_the_last_phase)
        result = cli("train", *words, "runs_dir=.", "name=run")
    assert result.code == 128 + signal.SIGTERM, result.err
    assert "on cuda (TF32), 1 thread, data" in result.err
    for command in (["train", "--resume", "run"], ["sample", "run", "-n", "2"]):
        result = cli(*command)
        assert result.code == 0, result.err
    most = max(waits, key=lambda step: step.total())
    assert most.total() <= WAITS.get(model, 0), most
    scored = ["pictures" if model in PICTURES else "likelihood"]
    for name in eval_commands() if model in ALL_COMMANDS else scored:
        result = cli("eval", name, "run", *options_of(name))
        assert result.code == (0 if is_for(name, model) else 2), f"{name}: {result.err}"


def eval_commands() -> list[str]:
    """Of `gantext eval`, of measures and others, but those by networks of other packages."""
    names = get_group(eval_app).list_commands(Context(get_group(eval_app)))
    foreign = {row.name for row in measures.table().values() if row.package is not None}
    return [name for name in names if name not in {*foreign, "all"}]  # which computes those too


def options_of(name: str) -> list[str]:
    """Such that a command of `gantext eval` takes no minute."""
    rows = [row for row in measures.table().values() if row.name == name]
    has_draws = any(row.command and "k" in row.command.options for row in rows)
    return ["--k", "2"] if has_draws else []


def is_for(name: str, model: str) -> bool:
    """Whether a command of `gantext eval` scores a model."""
    row = measures.table().get(name)
    if row is None:
        return model not in PICTURES
    if model == "image_gan" and "classify" in row.needs:
        return False  # it is trained without classes here
    able = not row.needs or {*row.needs} & {one.name for one in models.abilities(model)}
    return bool(able) and row.pictures == (model in PICTURES)


@pytest.mark.parametrize("model", [*TEXT, *PICTURES])
def test_steps_in_bf16_and_the_same_each_time(gpu: None, model: str) -> None:
    """One of each phase; none does what torch then refuses."""
    words = {**TEXT, **PICTURES}[model]
    settings = compose([*words, "precision=bf16", "deterministic=true"])
    stepper = Stepper(prepare(settings, Console(quiet=True)))
    for phase in stepper.phases:
        found = to_floats(stepper.take())
        assert all(map(math.isfinite, found.values())), f"{phase.name}: {found}"
        stepper.end_phase()
    assert not torch.are_deterministic_algorithms_enabled()


def test_words_are_drawn_without_casts(gpu: None) -> None:
    policy = language_model().to(CUDA)
    launches = launches_a_word(policy)
    with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
        assert launches_a_word(policy) == launches


def launches_a_word(policy: Policy) -> float:
    """Of decoding: ten words more take ten times as many."""

    def decoded(length: int) -> int:
        rng = torch.Generator(CUDA).manual_seed(1)
        launches, waits = counted(lambda: decode(policy, 4, length, rng, SamplingOptions()))
        assert not waits
        return launches

    decoded(6)  # tables that are kept
    return (decoded(16) - decoded(6)) / 10


def test_launches_a_word(gpu: None) -> None:
    """Measured; with an LSTM's cell of 3 launches, one of `gan` had 42 and of `leakgan` 80 before
    draws took Gumbel noise and windows one row of sums."""
    assert launches_a_word(language_model().to(CUDA)) <= 18
    leaking = leak_generator(GoalSchedule.sliding)
    leaking._leak[0].to(CUDA)
    assert launches_a_word(leaking.to(CUDA)) <= 40
    latent = GivenLatent(latent_decoder(Injection.both).to(CUDA), torch.zeros(4, 3).to(CUDA))
    assert launches_a_word(latent) <= 24


def language_model() -> LanguageModel:
    config = GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed)
    return LanguageModel(130, config, torch.Generator().manual_seed(1))


def sentences() -> Tensor:
    tokens = torch.randint(4, 130, (5, 7), generator=torch.Generator().manual_seed(2))
    lengths = torch.tensor([7, 3, 1, 5, 2])[:, None]
    tokens = torch.where(torch.arange(7) == lengths - 1, EOS, tokens)
    return torch.where(torch.arange(7) < lengths, tokens, PAD)


def close(there: Tensor, here: Tensor) -> None:
    torch.testing.assert_close(there.detach().cpu(), here.detach(), rtol=1e-5, atol=1e-7)


def test_padding_counts_nothing() -> None:
    """A GPU, which computes <pad> as well, has the losses and gradients of a CPU."""
    tokens, rewards = sentences(), torch.rand(5, 7, generator=torch.Generator().manual_seed(3))

    def losses(model: LanguageModel, tokens: Tensor, rewards: Tensor) -> list[Tensor]:
        weights = policy_weights(standardised(rewards, tokens != PAD), tokens != PAD, 12)
        given = model.output_layer(True), model.valid_features(tokens), words_at(tokens)
        policy = policy_nll(*given, weights, share_of_words(tokens, 0.1))
        nll = mean_nll(model, tokens, None)
        (nll + policy.loss).backward()
        entropy = mean_of_words(policy.entropy, tokens)
        gradients = [weight.grad for weight in model.parameters()]
        return [nll, policy.loss, entropy, model.token_log_prob(tokens), *gradients]

    here = losses(language_model(), tokens, rewards)
    with pretended_gpu():
        there = losses(language_model().to(CUDA), tokens.to(CUDA), rewards.to(CUDA))
        for found, wanted in zip(there, here, strict=True):
            close(found, wanted)


def test_leaked_features_of_padding() -> None:
    here = leak_generator(GoalSchedule.sliding)._leak[0]
    wanted = here.leaked_features(sentences())
    with pretended_gpu():
        there = leak_generator(GoalSchedule.sliding)._leak[0].to(CUDA)
        close(there.leaked_features(sentences().to(CUDA)), wanted)


def test_what_a_gpu_refuses_is_refused(gpu: None) -> None:
    there, here = torch.zeros(2, device=CUDA), torch.ones(2)
    with pytest.raises(RuntimeError, match="both devices"):
        there + here
    with pytest.raises(TypeError, match="numpy"):
        there.numpy()
    with pytest.raises(RuntimeError, match="generator"):
        torch.rand(2, device=CUDA, generator=torch.Generator())
    assert counted(lambda: bool(there.any()))[1].total() == 1
    assert there.cpu().equal(here * 0)
