"""What is run on a GPU, pretended or real: tiny runs of all models, and how often a step waits."""

import signal
from pathlib import Path

import pytest
import torch
from click import Context
from torch import Tensor
from typer.main import get_group

from gantext import models
from gantext.cli.eval import app as eval_app
from gantext.data.vocabulary import EOS, PAD
from gantext.evaluation import measures
from gantext.evaluation.judges import attribute_classifier, caption_judge, picture_classifier
from gantext.nn.text.fitting import mean_nll
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.lstm import Init
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import mean_of_words, share_of_words, words_at
from gantext.nn.text.rewards import policy_weights, standardised
from gantext.training.loop import Trainer
from tests import conftest
from tests.models.test_contract import overrides
from tests.torture import FILE, SENTENCES, on_short

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


def language_model() -> LanguageModel:
    config = GeneratorConfig(6, 5, 1, True, 0.0, 0.0, Init.mixed)
    return LanguageModel(130, config, torch.Generator().manual_seed(1))


def sentences() -> Tensor:
    tokens = torch.randint(4, 130, (5, 7), generator=torch.Generator().manual_seed(2))
    lengths = torch.tensor([7, 3, 1, 5, 2])[:, None]
    tokens = torch.where(torch.arange(7) == lengths - 1, EOS, tokens)
    return torch.where(torch.arange(7) < lengths, tokens, PAD)


def losses(model: LanguageModel, tokens: Tensor) -> list[Tensor]:
    """A likelihood, a policy's loss of random rewards, and the gradients of both."""
    rewards = torch.rand(tokens.shape, generator=torch.Generator().manual_seed(3)).to(tokens.device)
    weights = policy_weights(standardised(rewards, tokens != PAD), tokens != PAD, 12)
    given = model.output_layer(True), model.valid_features(tokens), words_at(tokens)
    policy = policy_nll(*given, weights, share_of_words(tokens, 0.1))
    nll = mean_nll(model, tokens, None)
    (nll + policy.loss).backward()
    entropy = mean_of_words(policy.entropy, tokens)
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    return [nll, policy.loss, entropy, model.token_log_prob(tokens), *gradients]
