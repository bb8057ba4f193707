"""What a record says of the settings that a run was trained with."""

import math
import platform
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.config.compose import compose
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation.benchmark import making
from gantext.evaluation.benchmark.making import departures, record_of
from gantext.evaluation.frontier import Frontier, Place
from gantext.metrics.paired import paired_bootstrap
from gantext.metrics.score import Score
from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import bleu


@pytest.mark.parametrize(
    ("words", "usual", "found"),
    [
        (["model=mle", "data=scenes"], ["model=mle"], {}),
        (["model=mle", "data=scenes", "data.label=shape"], ["model=mle"], {}),
        (["model=mle", "model.mle.epochs=3"], ["model=mle"], {"model.mle.epochs": 3}),
        (
            ["model=sentigan", "data=scenes", "data.label=shape"],
            ["model=sentigan", "data.label=relation"],
            {"data.label": "shape"},
        ),
    ],
)
def test_classes_that_a_model_does_not_read_are_no_departure(
    words: list[str], usual: list[str], found: dict[str, object]
) -> None:
    assert departures(compose(words), ["data=scenes", *usual]) == found


def test_what_auto_stands_for_departs_where_it_was_asked_for() -> None:
    settings = compose(["model=gan", "data=coco", "model.judge.kind=cnn"])
    words = ["data=coco", "model=gan"]
    assert departures(settings, words) == {}
    assert departures(settings, words, {"model.judge.kind"}) == {"model.judge.kind": "cnn"}


X, Y = "self-bleu-4", "bleu-4"


def model(phase: str | None, step: int = 7) -> Any:
    run = SimpleNamespace(phase_steps=lambda: {"mle": 3, "adversarial": 7})
    return SimpleNamespace(run=run, phase=phase, checkpoint=(step, "digest", "whole"))


def test_a_state_is_of_its_checkpoint_and_says_how_its_samples_were_drawn() -> None:
    """Where no phase was asked for, of the one that ended with it."""
    drawn = {"temperature": 1.0, "sample_seed": 3, "sampled": 50, "run": "r"}
    scores = [Score("unknown", 1.0, {"sampled": 1}), Score("bleu-4", 0.25, drawn)]
    curve = [{"temperature": 1.0}]
    assert making._Side(model("mle", 3), scores, curve).state() == {
        "phase": "mle",
        "weights": "digest",
        "scores": [{"name": "bleu-4", "value": 0.25, "signature": {}}],
        "sampled": {"sampled": 50, "temperature": 1.0, "sample_seed": 3},
        "curve": curve,
    }
    assert making._Side(model(None), scores, curve).state()["phase"] == "adversarial"
    assert making._Side(model("best", 7), scores, curve).state()["phase"] == "best"
    amid = making._Side(model(None, 5), [], []).state()
    assert (amid["phase"], amid["sampled"]) == ("", {})


def test_a_curve_has_rounded_points_of_finite_values() -> None:
    points = [
        Point("a", "a", 1.0, {X: 0.123456, Y: 0.5}),
        Point("a", "a", 0.5, {X: 0.2, Y: math.nan}),
        Point("a", "a", 0.0, {X: 0.9, Y: 0.25}),
        Point("b", "b", 1.0, {X: 0.2, Y: 0.2}),
    ]
    real = Point("real", "real", None, {})
    found = Frontier(bleu(4), points, real, (), Place(0.5, ""), [], {})
    assert making._points(found, "a") == [
        {"temperature": 0.0, X: 0.9, Y: 0.25},
        {"temperature": 1.0, X: 0.1235, Y: 0.5},
    ]
    assert making._points(found, "none") == []


def test_a_run_beside_its_start_is_the_paired_bootstrap_of_coverage() -> None:
    """1.5 and 2.25: less by .75, sentence by sentence."""
    own, begun = [1 / 7, -2 / 7, 1 / 7], [-1 / 3, 1 / 3, 0.0]
    other = Score("lm-score", 9.0, {}, each=[0.0] * 3)
    sides = [other, Score("reverse-lm", 1.5, each=own)], [Score("reverse-lm", 2.25, each=begun)]
    expected = paired_bootstrap(-0.75, [a - b for a, b in zip(own, begun, strict=True)])
    low, high, p = (round(value, 6) for value in expected)
    assert making._beside(*sides) == {
        "score": "reverse-lm",
        "difference": -0.75,
        "low": low,
        "high": high,
        "p": p,
        "sentences": 3,
    }
    third = [Score("reverse-lm", 2 / 3, each=own)]
    found = making._beside(third, [Score("reverse-lm", 0.0, each=begun)])
    assert found is not None and found["difference"] == 0.666667
    for lacking in ([other], [Score("reverse-lm", 1.0)]):
        assert making._beside(lacking, sides[1]) is None
        assert making._beside(sides[0], lacking) is None


def test_a_score_of_real_text_has_the_name_of_samples() -> None:
    score = Score("real-bleu-4", 0.5, {"a": 1}, 0.25)
    assert making._named(score) == Score("bleu-4", 0.5, {"a": 1}, 0.25)


def test_the_bleu_that_a_record_reads_at_real_diversity() -> None:
    assert (making.ORDER, making.AT_REAL) == (4, "bleu-4-at-real")


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("mle", ["model=mle"], ("mle", ["model=mle"])),
        ("gan", ["experiment=unknown"], ("gan", ["model=gan"])),
    ],
)
def test_the_method_is_the_model_unless_an_experiment_is_one(
    name: str, words: list[str], found: tuple[str, list[str]]
) -> None:
    model = SimpleNamespace(name=name)
    run: Any = SimpleNamespace(info={"overrides": words}, settings=SimpleNamespace(model=model))
    assert making._method(run, {}) == found


def test_words_that_belong_to_a_method_are_those_that_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An experiment is named by its word; of a model those words whose keys its run has."""
    known = [
        SimpleNamespace(group="model", name="gan", words="data.label=a model.rate=1 x=2"),
        SimpleNamespace(group="model", name="odd", words="model.rate=3"),
        SimpleNamespace(group="experiment", name="trick", words="x=3"),
    ]
    monkeypatch.setattr(making.methods, "methods", lambda: known)
    settings = SimpleNamespace(model=SimpleNamespace(name="gan"))

    def of(*words: str) -> tuple[str, list[str]]:
        run: Any = SimpleNamespace(info={"overrides": list(words)}, settings=settings)
        return making._method(run, {"model.rate": 1, "x": 2})

    assert of("experiment=trick") == ("trick", ["experiment=trick"])
    assert of("experiment=gan", "x=1") == ("gan", ["model=gan", "model.rate=1", "x=2"])


def test_the_machine_is_called_by_its_first_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "cpuinfo"
    monkeypatch.setattr(making, "Path", lambda place: table)
    assert making._machine() == platform.machine()
    table.write_text("processor : 0\nmodel name\t: Fast: 3 GHz\nmodel name\t: Slow\n")
    assert making._machine() == "Fast: 3 GHz"


class Asking(SimpleNamespace):
    """What a run is asked for, with what was noticed."""

    def __init__(self) -> None:
        super().__init__(notes=[])

    def note(self, notes: Any) -> None:
        self.notes.extend(notes)


@pytest.mark.parametrize("start", ["mle", None])
def test_a_record_says_what_the_run_was_trained_with(
    start: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where: the machine is known only on the one that trained it."""
    settings = compose(["model=mle", "data=scenes", "seed=5", "model.mle.epochs=3"])
    facts = {"command": "train model=mle", "created": "now", "gantext": "1", "torch": "2"}
    facts |= {"python": "3", "host": platform.node(), "threads": 2, "seconds": 1.5}
    run: Any = SimpleNamespace(status="finished", settings=settings, info=facts)
    end, begun = (
        making._Side(model(phase, step), [Score("reverse-lm", value, each=[value, -value])], [])
        for phase, step, value in (("adversarial", 7, 1.0), ("mle", 3, 2.0))
    )
    given = list[Any]()

    def scored(asked: Any, names: list[str], say: Any) -> Any:
        given.append(names)
        return [end, begun] if start else [end], [Score("mauve-real", 0.5), Score("bleu-4", 0.25)]

    lacking = SimpleNamespace(missing="gantext[frechet]")
    monkeypatch.setattr(making, "_asked", lambda *given: (Asking(), start))
    monkeypatch.setattr(making, "_scored", scored)
    find = making.measures.find
    monkeypatch.setattr(
        making.measures, "find", lambda name: lacking if name == "mauve" else find(name)
    )
    found, notes = record_of(run, Path("runs"), Device.cpu, lambda line: None)
    assert "no mauve: pip install 'gantext[frechet]'" in notes
    assert "mauve" not in given[0] and given[0][:2] == ["likelihood", "truth"]
    assert (found["method"], found["data"], found["seed"]) == ("mle", "scenes", 5)
    assert found["departures"] == {"model.mle.epochs": 3}
    keys = found["settings"].keys()
    assert {"model.mle.epochs", "data.train_size", "phases"} <= keys and "seed" not in keys
    assert (found["command"], found["created"]) == ("gantext train model=mle", "now")
    assert [found[key] for key in ("gantext", "torch", "python")] == ["1", "2", "3"]
    assert found["machine"] == making._machine()
    assert (found["threads"], found["seconds"]) == (2, 1.5)
    assert found["run"] == end.state() and [one["name"] for one in found["real"]] == [
        "bleu-4",
        "mauve-real",
    ]
    assert found["start"] == (begun.state() if start else None)
    assert found["beside_start"] == (making._beside(end.scores, begun.scores) if start else None)
    run.info = {"host": "another"}
    bare, _ = record_of(run, Path("runs"), Device.cpu, lambda line: None)
    assert (bare["machine"], bare["command"], bare["created"]) == ("", "gantext", "")
    assert (bare["threads"], bare["seconds"]) == (0, 0.0)


def test_a_run_that_has_not_finished_has_no_record() -> None:
    run: Any = SimpleNamespace(status="stopped", path="r")
    with pytest.raises(UserError, match="r is stopped: only a finished run has a record"):
        record_of(run, Path("runs"), Device.cpu, lambda line: None)


def test_a_run_and_its_start_are_asked_for_as_at_the_end_of_a_phase(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gantext.evaluation import frontier

    settings = compose(
        ["model=mle", "data=scenes", "eval.samples=30", "eval.seed=4", "eval.temperature=0.5"]
    )
    run: Any = SimpleNamespace(path=Path("r"), settings=settings)
    for start, words in (("mle", ("r", "r@mle")), (None, ("r",))):
        monkeypatch.setattr(frontier, "mle_phase", lambda model, start=start: start)
        asked, found = making._asked(run, Path("runs"), Device.cpu)
        assert (found, asked.words) == (start, words)
        assert (asked.samples, asked.references, asked.phase, asked.encoder) == ((), *[None] * 3)
        assert (asked.preset, asked.n, asked.asked_seed) == (settings.eval.preset, 30, 4)
        assert (asked.asked_temperature, asked.device) == (0.5, Device.cpu)
        assert asked.runs_dir == Path("runs")


def test_each_side_has_its_scores_its_reading_and_its_curve(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The curves are of the models themselves alone; floors stand among the real text's scores."""
    from gantext.evaluation import at_real, frontier, subjects, table

    real = Point("real", "real", None, {})
    points = [Point("run", "run", 1.0, {X: 0.5, Y: 0.25})]
    curves = Frontier(bleu(4), points, real, (), Place(0.5, ""), [], {})
    floor, own = Score("mauve-real", 0.9), Score("bleu-4", 0.25)
    scores = {"run": [own, floor], "run@mle": [own], "real": [Score("real-bleu-4", 0.5)]}
    asked: Any = SimpleNamespace(models=lambda: ["run", "run@mle"], runs_dir=None, seed=3)
    given = list[Any]()

    def measured(*words: Any, **more: Any) -> Frontier:
        given.append((words[1:4], more))
        return curves

    read = Score("bleu-4-at-real", 0.3)
    monkeypatch.setattr(table, "score_all", lambda *words: scores)
    monkeypatch.setattr(frontier, "frontier", measured)
    monkeypatch.setattr(at_real, "at_real_scores", lambda *words: {"run": read})
    monkeypatch.setattr(subjects, "label", lambda model, runs_dir: model)
    sides, kept = making._scored(asked, ["bleu"], lambda line: None)
    assert [(side.model, side.scores) for side in sides] == [
        ("run", [own, floor, read]),
        ("run@mle", [own]),
    ]
    assert [side.curve for side in sides] == [[{"temperature": 1.0, X: 0.5, Y: 0.25}], []]
    assert kept == [Score("bleu-4", 0.5), floor]
    assert given == [((bleu(4), frontier.TEMPERATURES, [3]), {"baselines": False})]
