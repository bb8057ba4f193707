"""What a frontier samples, in which order, and what becomes of the scores; with scores by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.errors import UserError
from gantext.evaluation import frontier as module
from gantext.evaluation import scorebook
from gantext.evaluation.frontier import Frontier, frontier, mle_phase
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject, label
from gantext.inference.candidates import KnowsNothing
from gantext.inference.request import Candidates, SamplingRequest
from gantext.metrics.score import Score
from gantext.metrics.text.planes import bleu
from gantext.runs.kinds import PICTURES, TEXT

X, Y, PLANE = "self-bleu-4", "bleu-4", bleu(4)
ENDS = {"ae": 1, "mle": 3, "warm": 5, "adversarial": 9}


def model(phase: str | None = None, scored: Sequence[str] = tuple(ENDS)) -> Any:
    def scores(name: str) -> object:
        return {} if name.removeprefix("phase-") in scored else None

    run = SimpleNamespace(
        path=Path("run"), name_in=lambda folder: "run", phase_steps=lambda: ENDS, scores=scores
    )
    brief = {"samples": 50}
    return SimpleNamespace(run=run, phase=phase, checkpoint=(9, "", ""), brief=brief, kind=TEXT)


class Asking(SimpleNamespace):
    """A run and a file, whose samples are known by what was asked of the run."""

    def __init__(self, size: int = 100, n: int | None = None, **more: Any) -> None:
        super().__init__(
            n=n,
            runs_dir=Path("runs"),
            protocol=Protocol(preset="texygen", seed=0),
            notes=["noticed before"],
            requests=list[SamplingRequest](),
            **{"candidates": None, "refused": (), "phase": None, **more},
        )
        self.real = Ground("hash", size=size)

    def files(self) -> list[Subject]:
        source = lambda: ((), None)  # noqa: E731
        return [Subject("one.txt", {}, {}, source, 20, path=Path("one.txt"))]

    def models(self) -> list[Any]:
        return [model(self.phase)]

    def ground(self, models: Sequence[Any]) -> Ground:
        return self.real

    def at(self, own: Any, phase: str | None) -> Any:
        return SimpleNamespace(**{**vars(own), "phase": phase})

    def note(self, notes: Any) -> None:
        self.notes.extend(notes)

    def subject(self, own: Any, request: SamplingRequest) -> Subject:
        self.requests.append(request)

        def ready(say: Any) -> Mapping[str, Any]:
            if request.temperature in self.refused:
                raise KnowsNothing("the judge knows nothing")
            return {}

        path = Path("runs/run")
        name = label(own, self.runs_dir)
        return Subject(
            name,
            {},
            {},
            lambda: ((), None),
            60,
            path=path,
            model=request,
            ready=ready,  # type: ignore[arg-type]
        )


@pytest.fixture
def asked_of(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What scores were asked for; BLEU is a tenth of the seed, Self-BLEU the temperature."""
    given = list[Any]()

    def score(
        names: Any, subject: Subject, ground: Any, protocol: Protocol, say: Any, stored: bool
    ) -> list[Score]:
        given.append((subject.name, names, protocol.temperature, stored))
        if subject.name == "real":
            return [Score(Y, 0.4), Score(X, 0.75), Score("unique-real", 0.9)]
        request: Any = subject.model
        if request is None:
            return [Score(Y, 0.5), Score("length", 3.0)]
        if request.seed == 5:  # not stored
            return []
        return [Score(Y, request.seed / 10), Score(X, request.temperature)]

    monkeypatch.setattr(scorebook, "score", score)
    return given


def run(asking: Asking, say: Any = lambda line: None, **more: Any) -> Frontier:
    asked: Any = asking
    return frontier(asked, PLANE, (0.5, 1.0, 0.5), (2, 4, 4), say, **more)


def test_runs_their_starts_and_files_are_drawn_at_each_temperature_and_seed(
    asked_of: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once, and what is real is asked for last; curves have means over the seeds."""
    asking, said = Asking(), list[str]()
    monkeypatch.setattr(module, "remarks", lambda table: [f"{len(table)} columns"])
    found = run(asking, said.append)
    heats = [(0.5, 2), (0.5, 4), (1.0, 2), (1.0, 4)]
    drawn = [(point.label, point.group, point.temperature, point.seed) for point in found.points]
    assert drawn == [
        *(("run", "run", *one) for one in heats),
        *(("run@warm", "run", *one) for one in heats),
        ("one.txt", "one.txt", None, None),
    ]
    assert found.points[1].values == {X: 0.5, Y: 0.4} and found.points[-1].values == {Y: 0.5}
    assert found.real.values == {X: 0.75, Y: 0.4, "unique": 0.9}
    assert [(one.label, one.value) for one in found.readings] == [
        ("run", pytest.approx(0.3)),
        ("run@warm", pytest.approx(0.3)),
    ]
    assert found.place.at == 0.75
    assert said == [
        *(f"{n} of 9: run at temperature {t:g}, seed {s}" for n, (t, s) in enumerate(heats, 1)),
        *(
            f"{n} of 9: run@warm at temperature {t:g}, seed {s}"
            for n, (t, s) in enumerate(heats, 5)
        ),
        "9 of 9: one.txt",
    ]
    assert [one.name for one in found.scores["real"]] == [
        f"real-{Y}",
        f"real-{X}",
        "real-unique-real",
    ]
    assert len(found.scores["run"]) == 8 and found.notes == ("noticed before", "4 columns")
    assert found.places == {
        **dict.fromkeys(("run", "run@warm"), Path("runs/run")),
        "one.txt": Path("one.txt"),
    }
    assert [one[2] for one in asked_of] == [t for t, _ in heats] * 2 + [None] * 2
    assert {one[1:2] for one in asked_of} == {(PLANE.measures,)} and not any(o[3] for o in asked_of)
    phases = [None] * 4 + ["warm"] * 4
    assert asking.requests == [
        SamplingRequest(50, t, seed=s, phase=phase)
        for phase, (t, s) in zip(phases, heats * 2, strict=True)
    ]


def test_without_baselines_or_of_a_named_phase_a_run_stands_alone(asked_of: list[Any]) -> None:
    """What is not stored is left out."""
    for asking, more, name in (
        (Asking(n=20), {"baselines": False}, "run"),
        (Asking(n=20, phase="mle"), {}, "run@mle"),
    ):
        asked: Any = asking
        found = frontier(asked, PLANE, (0.5,), (2, 5), print, 0.5, stored_only=True, **more)
        assert [point.label for point in found.points] == [name, "one.txt"]
        assert found.place.at == 0.5 and all(one[3] for one in asked_of)
        assert {one.n for one in asking.requests} == {20}


def test_kept_candidates_have_a_curve_of_their_own(asked_of: list[Any]) -> None:
    """Where the judge knows nothing they are left out and noted, unless that is everywhere."""
    kept = Candidates(3)
    asking = Asking(candidates=kept, refused=(0.5,))
    found = run(asking, baselines=False)
    own = [point for point in found.points if point.label == "run 1 of 3"]
    assert [(p.group, p.temperature, p.seed) for p in own] == [("run", 1.0, 2), ("run", 1.0, 4)]
    assert "no candidates at temperature 0.5: the judge knows nothing" in asking.notes
    assert SamplingRequest(50, 1.0, seed=4, candidates=kept) in asking.requests
    assert SamplingRequest(50, 1.0, seed=4) in asking.requests
    asking = Asking(candidates=kept)
    alone: Any = asking
    (point,) = frontier(alone, PLANE, (0.5,), (2,), print, baselines=False).points[1:2]
    assert point.label == "run 1 of 3"
    with pytest.raises(KnowsNothing):
        run(Asking(candidates=kept, refused=(0.5, 1.0)), baselines=False)


@pytest.mark.parametrize(("temperatures", "seeds"), [((), (0,)), ((1.0,), ()), ((), ())])
def test_a_frontier_needs_a_temperature_and_a_seed(
    temperatures: Sequence[float], seeds: Sequence[int]
) -> None:
    with pytest.raises(UserError, match="a temperature and a seed are needed"):
        frontier(Asking(), PLANE, temperatures, seeds, print)  # type: ignore[arg-type]


def test_a_frontier_needs_real_text_and_models_of_text() -> None:
    with pytest.raises(UserError, match="a frontier needs the real text"):
        run(Asking(size=0))
    picture = model()
    picture.kind, picture.run.refusal = PICTURES, UserError
    asking = Asking()
    asking.models = lambda: [picture]
    with pytest.raises(UserError, match="its scores are gantext eval pictures"):
        run(asking)


def test_the_start_is_the_last_scored_phase_before_the_newest_checkpoint() -> None:
    assert mle_phase(model()) == "warm"
    assert mle_phase(model(scored=("ae", "mle", "adversarial"))) == "mle"
    assert mle_phase(model(scored=("adversarial",))) is None
