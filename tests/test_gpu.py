"""All of the product on a real NVIDIA GPU: `make test-gpu`.

What the pretended GPU (tests/test_pretended_gpu.py) cannot know: whether CUDA's kernels take what
they are given, whether steps are the same each time where that is asked for, whether graphs can be
captured and draw what is drawn without them, and where the host truly waits.
"""

import gc
import math
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from gantext.config.compose import compose
from gantext.data.vocabulary import PAD
from gantext.models.leakgan.generator import LeakGenerator
from gantext.models.leakgan.manager_worker import GoalSchedule
from gantext.models.vae.networks import GivenLatent, Injection
from gantext.nn import cuda_graphs
from gantext.nn.cuda_graphs import Static
from gantext.nn.optim import Metrics
from gantext.nn.rng import generator
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.lstm import WordModel
from gantext.nn.text.sampling import SamplingOptions, decode
from gantext.training.arithmetic import arithmetic
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
from tests.models.test_device import latent_decoder, leak_generator
from tests.torture import difference

pytestmark = pytest.mark.gpu
CUDA, CPU = torch.device("cuda"), torch.device("cpu")
ALL = {**TEXT, **PICTURES}
ARCHS = {
    "transformer": ["width=8", "layers=1", "heads=2", "feed_forward=8"],
    "relational": ["embedding=8", "heads=2", "head_size=4"],
}
LONGER = {
    "model.mle.epochs=1": "model.mle.epochs=4",
    "model.adversarial.steps=2": "model.adversarial.steps=6",
}
# Of which sentences are drawn, or updates made, by graphs.
GRAPHED = {
    **{name: TEXT[name] for name in ("gan", "gan_sentence", "leakgan", "mle", "relgan", "cot")},
    **{
        f"gan of arch {arch}": [
            *TEXT["gan"],
            f"model.generator.arch={arch}",
            *(f"model.generator.{arch}.{size}" for size in sizes),
        ]
        for arch, sizes in ARCHS.items()
    },
    "vae": [*TEXT["vae"], "model.aggressive.enabled=false"],
    "gan bf16": [*TEXT["gan"], "precision=bf16"],
    "leakgan bf16": [*TEXT["leakgan"], "precision=bf16"],
    "gan by prefixes": [*TEXT["gan"], "model.adversarial.reward=prefix"],
    "gan with weighed words": [*TEXT["gan"], "model.mle.weighting=tailr"],
}
SAID = "called a synchronizing CUDA operation"
OPTIONS = [SamplingOptions(), SamplingOptions(0.7, 5, 0.9), SamplingOptions(0.0)]


def close(there: Tensor, here: Tensor) -> None:
    torch.testing.assert_close(there.detach().cpu(), here.detach(), rtol=1e-4, atol=1e-6)


def stepper_of(*words: str) -> Stepper:
    return Stepper(prepare(compose(list(words)), Console(quiet=True)))


@pytest.mark.parametrize("model", ALL)
def test_a_run_that_was_stopped_ends_as_one_that_was_not(
    cli: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str
) -> None:
    """Bit for bit, where steps are the same each time; then it samples and is scored."""
    words = [*ALL[model], "deterministic=true", "name=run"]
    result = cli("train", *words, "runs_dir=whole")
    assert result.code == 0, result.err
    assert "on cuda (deterministic), 1 thread" in result.err
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save_due", stop_in_the_last_phase)
        assert cli("train", *words, "runs_dir=.").code != 0
    result = cli("train", "--resume", "run")
    assert result.code == 0, result.err
    assert difference(tmp_path / "run", tmp_path / "whole" / "run") == ""
    assert cli("sample", "run", "-n", "2").code == 0
    scored = ["pictures" if model in PICTURES else "likelihood"]
    for name in eval_commands() if model in ALL_COMMANDS else scored:
        result = cli("eval", name, "run", *options_of(name))
        assert result.code == (0 if is_for(name, model) else 2), f"{name}: {result.err}"


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("model", ALL)
def test_a_step_waits_no_more_than_where_it_is_pretended(model: str, precision: str) -> None:
    """The second of each phase, by what torch says of CUDA's own waits."""
    stepper = stepper_of(*ALL[model], f"precision={precision}")
    for phase in stepper.phases:
        for _ in range(min(2, phase.steps)):
            found, waits = waits_of(stepper.take)
        assert all(map(math.isfinite, to_floats(found).values())), f"{phase.name}: {found}"
        assert len(waits) <= WAITS.get(model, 0), f"{phase.name}: {waits}"
        stepper.end_phase()


def waits_of(step: Callable[[], Metrics]) -> tuple[Metrics, list[str]]:
    """What a step returns, and where it made the host wait."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            found = step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    said = [f"{one.filename}:{one.lineno}" for one in seen if SAID in str(one.message)]
    return found, said


def test_losses_and_gradients_are_a_cpus() -> None:
    """In fp32, <pad> computed as well."""
    here = losses(language_model(), sentences())
    with arithmetic(compose(["tf32=none"]), CUDA):
        there = losses(language_model().to(CUDA), sentences().to(CUDA))
    for found, wanted in zip(there, here, strict=True):
        close(found, wanted)


def test_likeliest_sentences_and_leaked_features_are_a_cpus() -> None:
    for schedule in GoalSchedule:
        here, there = leak_generator(schedule), leak_generator(schedule)
        there._leak[0].to(CUDA)
        there.to(CUDA)
        close(
            there._leak[0].leaked_features(sentences().to(CUDA)),
            here._leak[0].leaked_features(sentences()),
        )
        greedy = SamplingOptions(0.0)
        wanted = decode(here, 3, 9, generator(1, "a", CPU), greedy)
        assert decode(there, 3, 9, generator(1, "a", CUDA), greedy).cpu().equal(wanted)


def policies() -> dict[str, Callable[[], object]]:
    """Of each kind one that draws words."""

    def latent() -> object:
        return GivenLatent(latent_decoder(Injection.both).to(CUDA), torch.zeros(4, 3).to(CUDA))

    return {
        "gan": lambda: language_model().to(CUDA),
        "leakgan": lambda: leaking(GoalSchedule.sliding),
        "vae": latent,
    }


@pytest.mark.parametrize("policy", policies())
def test_decoding_does_not_wait(policy: str) -> None:
    made, rng = policies()[policy](), generator(1, "a", CUDA)
    decode(made, 4, 6, rng, SamplingOptions())  # what libraries set up

    def drawn() -> Metrics:
        decode(made, 4, 6, rng, SamplingOptions(), compact=False)
        return {}

    assert waits_of(drawn)[1] == []


@torch.no_grad()
def change_weights(*models: nn.Module) -> None:
    for model in models:
        for number, weight in enumerate(model.parameters()):
            weight.normal_(0, 0.3, generator=generator(number, "weights", CUDA))


def leaking(schedule: GoalSchedule) -> LeakGenerator:
    made = leak_generator(schedule)
    made._leak[0].to(CUDA)
    return made.to(CUDA)


def graphable(kind: str) -> tuple[WordModel, list[nn.Module]]:
    """What draws words, and what else has weights that these depend on."""
    if kind == "gan":
        return language_model().to(CUDA), []
    made = leaking(GoalSchedule(kind))
    return made, [made._leak[0]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", ["gan", *(schedule.value for schedule in GoalSchedule)])
def test_a_graph_draws_what_is_drawn_without_it(kind: str, options: SamplingOptions) -> None:
    """Bit for bit, of several numbers of rows, and after the weights have changed; sentences from
    their first words too, with graphs that share their memory."""
    (model, others), length = graphable(kind), 9
    sampler, plain = Sampler(model, length, graphs=True), Sampler(model, length, graphs=False)
    one, two = generator(1, "a", CUDA), generator(1, "a", CUDA)
    for rows in (7, 40, 3, 7, 40):
        wanted = decode(model, rows, length, two, options, compact=False)
        assert torch.equal(sampler(rows, one, options), wanted)
        given = torch.where(torch.arange(length, device=CUDA) < 2, wanted, PAD)
        completed = plain.complete(given[:, :6], 1, two, options)
        assert torch.equal(sampler.complete(given[:, :6], 1, one, options), completed)
        change_weights(model, *others)


def test_graphs_that_nobody_has_any_more_end_no_capture() -> None:
    """Python would collect them at any time, also while another is captured."""
    before = gc.get_threshold()
    gc.set_threshold(10, 1, 1)
    try:
        for _ in range(4):
            model, options = language_model().to(CUDA), SamplingOptions()
            sampler = Sampler(model, 9, graphs=True)
            vars(sampler)["itself"] = sampler
            for rows in (3, 4):
                rng = generator(1, "a", CUDA)
                wanted = sampler(rows, rng, options)
                assert torch.equal(sampler(rows, generator(1, "a", CUDA), options), wanted)
    finally:
        gc.set_threshold(*before)


@pytest.mark.parametrize("model", GRAPHED)
def test_a_run_with_graphs_ends_as_one_without(
    cli: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str
) -> None:
    """Of enough steps that shapes come twice."""
    kinds, capture = set[str](), cuda_graphs.captured

    def captured(static: Static, other: torch.cuda.CUDAGraph | None) -> torch.cuda.CUDAGraph:
        kinds.add(type(static).__name__)
        return capture(static, other)

    monkeypatch.setattr(cuda_graphs, "captured", captured)
    words = [LONGER.get(word, word) for word in GRAPHED[model]]
    for folder, graphs in (("with", "true"), ("without", "false")):
        again = ["deterministic=true", f"cuda_graphs={graphs}", f"runs_dir={folder}", "name=run"]
        result = cli("train", *words, *again)
        assert result.code == 0, result.err
        assert kinds == {"StaticUpdate", "StaticDecode"}
    found = difference(tmp_path / "with" / "run", tmp_path / "without" / "run")
    assert found in ("", "result")  # in which the words are
