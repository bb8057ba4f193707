"""All of the product on a GPU that is not there; see tests/pretended_gpu.py."""

import collections
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD
from gantext.evaluation.judges import picture_classifier
from gantext.models.leakgan.manager_worker import GoalSchedule
from gantext.models.vae.networks import GivenLatent, Injection
from gantext.nn.optim import Metrics
from gantext.nn.text.fitting import mean_nll
from gantext.nn.text.language_model import GeneratorConfig, LanguageModel
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import mean_of_words, share_of_words, words_at
from gantext.nn.text.rewards import policy_weights, standardised
from gantext.nn.text.sampling import Policy, SamplingOptions, decode
from gantext.training.stepper import Stepper
from tests import conftest
from tests.conftest import Command
from tests.models.test_device import latent_decoder, leak_generator
from tests.pretended_gpu import counted, pretended_gpu

CUDA = torch.device("cuda")
FEW = [
    "device=cuda",
    "data.train_size=16",
    "data.test_size=6",
    "data.validation_size=4",
    "eval.samples=20",
    "log.every_steps=1000",
    "log.sample_every_steps=0",
]
FEW_MLE = [*FEW, "model.mle.epochs=1"]
FEW_GAN = [*FEW_MLE, "model.d_training.pretrain_steps=1", "model.adversarial.steps=1"]
TEXT = {
    "mle": [*conftest.SMALL_MLE, *FEW_MLE],
    "gan": [*conftest.SMALL_GAN, *FEW_GAN],
    "leakgan": [*conftest.SMALL_LEAKGAN, *FEW_GAN, "model.d_training.alone_steps=1"],
    "vae": [*conftest.SMALL_VAE, *FEW_MLE],
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
        "model.adversarial.steps=1",
    ],
}
# An adversarial step waits for the longest of its samples, and for their lengths, of which it makes
# rollouts. A VAE's inner loop waits for the losses that end it, and its information is computed by
# the host.
WAITS = {"gan": 2, "leakgan": 2, "vae": 5}


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
    monkeypatch.setattr(picture_classifier, "STEPS", 2)
    return seen


@pytest.mark.parametrize("model", [*TEXT, *PICTURES])
def test_a_run_waits_seldom(
    gpu: None,
    cli: Command,
    waits: list[collections.Counter[str]],
    model: str,
) -> None:
    """It trains, is gone on with, samples and is scored."""
    words = {**TEXT, **PICTURES}[model]
    result = cli("train", *words, "runs_dir=.", "name=run")
    assert result.code == 0, result.err
    most = max(waits, key=lambda step: step.total())
    assert most.total() <= WAITS.get(model, 0), most
    scored = ["pictures" if model in PICTURES else "likelihood", "run"]
    for command in (["train", "--resume", "run"], ["sample", "run", "-n", "2"], ["eval", *scored]):
        result = cli(*command)
        assert result.code == 0, result.err


@pytest.mark.parametrize("model", ["gan", "vae"])
def test_bf16(gpu: None, cli: Command, model: str) -> None:
    result = cli("train", *TEXT[model], "precision=bf16", "runs_dir=.", "name=run")
    assert result.code == 0, result.err


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
    config = GeneratorConfig(6, 5, 1, True, 0.0, 0.0)
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
        weights = policy_weights(standardised(rewards, tokens != PAD), tokens != PAD)
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
