"""All keys of all models and kinds of data, with values that nobody means (see walk.py)."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from rich.console import Console

from gantext import data, models
from gantext.config.compose import compose
from gantext.config.settings import Settings
from gantext.nn.text.sampling import SamplingOptions
from gantext.training.finite import Lookout
from gantext.training.preparation import prepare, settled
from tests.config.walk import fault, places, walk
from tests.models.test_contract import Small, made, overrides

# What makes keys count that the defaults leave idle, and the groups that they are in.
OTHERS = [
    ("dpr_gan", ["model.variant=faithful"], "model.faithful"),
    ("dpr_gan", ["model.hard_negatives.steps=1"], "model.hard_negatives"),
    ("gan", ["model.adversarial.reward=prefix"], "model.adversarial"),
    ("gan", ["model.adversarial.rollout_lag=0.5"], "model.adversarial"),
    ("gan", ["model.d_training.balance=adaptive"], "model.d_training"),
    ("image_gan", ["model.arch=mlp", "model.generator.norm=batch"], "model"),
    ("leakgan", ["model.generator.goal_schedule=block"], "model.generator"),
    ("leakgan", ["model.d_training.prefixes=true"], "model.d_training"),
    ("relgan", ["model.adversarial.schedule=sigmoid"], "model.adversarial"),
    ("vae", ["model.aggressive.enabled=true", "model.pretrain_ae=1"], "model"),
    ("vae", ["model.objective.anneal.schedule=logistic"], "model.objective"),
    ("vae", ["model.objective.anneal.schedule=cyclical"], "model.objective"),
]
LINES = "a cat sat\na dog ran\na cat ran far\nthe dog sat\nthe dog ran far away\na bird sang\n"
CAP = 4  # no size of a model is above it
# Fewer layers of the same kinds, which are built, copied and loaded anew for each case.
FEWER = {"dpr_gan": ["model.generator.rounds=1", "model.encoder.channels=[4,4]"]}
WALKS = [*((name, [], "model") for name in models.available()), *OTHERS]


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Words for the shortest text that goes, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("lines.txt").write_text(LINES)
    return ["data=text", "data.train=lines.txt"]


@pytest.mark.parametrize(
    ("name", "words", "group"), WALKS, ids=[" ".join([row[0], *row[1]]) for row in WALKS]
)
def test_every_key_of_a_model_is_refused_or_trains(
    lines: list[str], name: str, words: list[str], group: str
) -> None:
    settings = [*overrides(name, CAP), *FEWER.get(name, []), *words]
    if models.reads(name) is data.Reads.text:  # these lines have no classes
        settings = [*without_data(settings), *lines]
    base = compose(settings)
    loaded = data.load_for(base.data, models.reads(name))
    trained = once(lambda settings: broken(made(settings, loaded)))
    assert not list(faults(base, group, trained))


def without_data(words: list[str]) -> list[str]:
    """The words that are not about data."""
    return [word for word in words if not word.startswith("data")]


@pytest.mark.parametrize("group", ["", "checkpoint", "log", "eval"])
def test_every_key_of_a_run_is_refused_or_trains(group: str, tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    base = compose([*overrides("mle", CAP), f"runs_dir={tmp_path}"])
    assert not list(faults(base, group, once(prepared)))
    torch.set_num_threads(threads)


SIZES = {
    "scenes": ["data.train_size=24", "data.validation_size=0", "data.test_size=8"],
    "oracle": ["data.vocab_size=8", "data.train_size=8", "data.test_size=8", "data.length=4"],
    "text": ["data.train=lines.txt"],
}


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.usefixtures("lines")
def test_every_key_of_made_or_own_text_is_refused_or_trains(kind: str) -> None:
    base = compose([*without_data(overrides("mle", CAP)), f"data={kind}", *SIZES[kind]])
    assert not list(faults(base, "data", once(prepared)))


def prepared(settings: Settings) -> str | None:
    """What is not finite after a step as `gantext train` takes it, or in a sample."""
    job = prepare(settled(settings), Console(file=io.StringIO()))
    small = made(job.settings, job.data)
    found = broken(small)
    options = SamplingOptions(settings.eval.temperature)
    small.algorithm.sample(2, small.noise, options)
    return found


def once(train: Callable[[Settings], str | None]) -> Callable[[Settings], str | None]:
    """The same for settings that are equal, as most of what a switch is set to."""
    known: dict[str, str | None] = {}

    def cached(settings: Settings) -> str | None:
        key = repr(settings)
        if key not in known:
            known[key] = train(settings)
        return known[key]

    return cached


def faults(base: Settings, group: str, train: Callable[[Settings], str | None]) -> Iterator[str]:
    """What is wrong with the cases of a group and all in it."""
    for place in places(base):
        if place.prefix == group or (group and place.prefix.startswith(f"{group}.")):
            for case in walk(place):
                found = fault(case, base, train)
                if found is not None:
                    yield found


def broken(small: Small) -> str | None:
    """What is not finite after one step of each phase, of the model as it is before the first."""
    start = small.state()
    lookout = Lookout(small.algorithm.networks())
    for place, phase in enumerate(small.phases()):
        if place:
            small.load(start)
        error, metrics = None, dict[str, float]()
        try:
            metrics = small.step(phase)
        except Exception as caught:  # as of networks that broke amid the step
            error = caught
        lookout.note(1, metrics)
        found = lookout.broken()
        if found is not None:
            return f"{phase.name}: {found.what}"
        if error is not None:
            raise error
    return None
