"""All of the product on a GPU that is not there; see tests/pretended_gpu.py."""

import collections
import math
import signal
from collections.abc import Iterator

import pytest
import torch
from rich.console import Console
from torch import Tensor

from gantext.config.compose import compose
from gantext.models.leakgan.manager_worker import GoalSchedule
from gantext.models.vae.networks import GivenLatent, Injection
from gantext.nn.optim import Metrics
from gantext.nn.text.sampling import Policy, SamplingOptions, decode
from gantext.training.loop import Trainer
from gantext.training.preparation import prepare
from gantext.training.stepper import Stepper
from gantext.training.tracker import to_floats
from tests.conftest import Command
from tests.gpu_runs import (
    ALL_COMMANDS,
    PICTURES,
    TEXT,
    WAITS,
    eval_commands,
    is_for,
    language_model,
    losses,
    options_of,
    sentences,
    stop_in_the_last_phase,
)
from tests.gpu_runs import brief_judges as brief_judges  # fixtures
from tests.gpu_runs import short_sentences as short_sentences
from tests.graphs import graphed as graphed  # a fixture
from tests.models.test_device import latent_decoder, leak_generator
from tests.pretended_gpu import counted, pretended_gpu

CUDA = torch.device("cuda")


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


def close(there: Tensor, here: Tensor) -> None:
    torch.testing.assert_close(there.detach().cpu(), here.detach(), rtol=1e-5, atol=1e-7)


def test_padding_counts_nothing() -> None:
    """A GPU, which computes <pad> as well, has the losses and gradients of a CPU."""
    here = losses(language_model(), sentences())
    with pretended_gpu():
        there = losses(language_model().to(CUDA), sentences().to(CUDA))
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


@pytest.mark.parametrize("model", ["mle", "gan", "leakgan", "vae"])
def test_steps_by_graphs_are_those_without(graphed: list[object], model: str) -> None:
    """All that the next step depends on, and what is logged, bit for bit."""
    states = []
    for graphs in ("true", "false"):
        words = [*TEXT[model], "model.mle.epochs=2", f"cuda_graphs={graphs}"]
        words = [word.replace("enabled=true", "enabled=false") for word in words]
        stepper, logged = Stepper(prepare(compose(words), Console(quiet=True))), list[object]()
        for phase in stepper.phases:
            for _ in range(min(4, phase.steps)):
                logged.append(to_floats(stepper.take()))
            stepper.end_phase()
        assert bool(graphed)
        states.append([stepper.state(), logged])
    assert same(*states)


def same(one: object, other: object) -> bool:
    """Whether all numbers are."""
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and torch.equal(one.cpu(), other.cpu())
    if isinstance(one, dict):
        return isinstance(other, dict) and same([*one.items()], [*other.items()])
    if isinstance(one, (list, tuple)):
        assert isinstance(other, (list, tuple))
        return len(one) == len(other) and all(map(same, one, other))
    return one == other
