"""Runs side by side: which are repetitions, what differs, how many samples, what stands beside."""

import dataclasses
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.config.compose import compose
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation import comparison as module
from gantext.evaluation.comparison import (
    Comparison,
    Mean,
    _mean,
    by_data,
    compare,
    differing,
    mixed_names,
    score_names,
    setting_rows,
    to_csv,
)
from gantext.evaluation.request import Asked
from gantext.metrics.score import Score
from gantext.runs.kinds import TEXT


def model(name: str, samples: int = 50, data: str = "h", **facts: Any) -> Any:
    settings = compose(["model=mle", "data=scenes", f"eval.samples={samples}", f"name={name}"])
    run = SimpleNamespace(
        path=Path(name), info={"data": data, **facts}, name_in=lambda within: name
    )
    return SimpleNamespace(run=run, settings=settings, phase=None, kind=TEXT, brief={})


def asked(*words: str, **more: Any) -> Asked:
    plain: dict[str, Any] = {"samples": (), "references": None, "preset": "texygen", "n": None}
    plain |= {"asked_temperature": None, "asked_seed": None, "phase": None, "encoder": None}
    return Asked(**{**plain, "words": words, "device": Device.cpu, "runs_dir": Path("x"), **more})


def test_means_are_of_scores_that_all_have() -> None:
    """1 and 3: mean 2, deviation sqrt 2; what is infinite has none."""
    first = [Score("a", 1.0), Score("b", math.inf), Score("c", 1.0)]
    found = _mean([first, [Score("a", 3.0), Score("b", 1.0)]])
    assert found.keys() == {"a", "b"}
    assert found["a"] == Mean(2.0, pytest.approx(math.sqrt(2)))
    assert found["b"].mean == math.inf and math.isnan(found["b"].sd)


def test_settings_that_all_have_and_that_differ() -> None:
    """Names and folders always do; a key that one lacks is no setting of all."""
    one = compose(["model=mle", "data=scenes"])
    other = dataclasses.replace(one, seed=one.seed + 1, name="b", runs_dir="elsewhere")
    assert differing({"a": one, "b": other}) == {"seed": {"a": str(one.seed), "b": str(other.seed)}}
    gan = compose(["model=gan", "data=scenes"])
    found = differing({"a": one, "b": gan})
    assert found["model.name"] == {"a": "mle", "b": "gan"}
    assert not [key for key in found if key.startswith("model.adversarial")]
    assert differing({}) == {}
    shown = Comparison("scenes", {}, {"seed": {"a": "1", "b": "2"}}, {})
    assert setting_rows(shown) == (["setting", "a", "b"], [["seed", "1", "2"]])


def test_a_score_of_two_protocols_is_mixed() -> None:
    """Where samples come from is none of the protocol."""
    table = {
        "r": [Score("a", 1.0, {"n": 4, "run": "r"}), Score("b", 1.0, {"n": 4})],
        "real": [Score("real-a", 1.0, {"n": 4}), Score("real-b", 1.0, {"n": 5})],
    }
    assert mixed_names(table) == {"b"}
    found = Comparison("scenes", table, {}, {}, ("noted",), {"c": "damaged"})
    assert found.notes[0] == "c: damaged" and found.notes[-1] == "noted" and len(found.notes) == 3
    scores = Comparison(
        "scenes", {"r": [Score("bleu-2", 1.0)], "real": [Score("real-unique", 1)]}, {}, {}
    )
    assert score_names(scores) == ["bleu-2", "unique"]
    assert to_csv([scores]).splitlines()[1].startswith("scenes,r,bleu-2,1.0")


def test_runs_are_taken_apart_by_their_data_unless_it_is_named() -> None:
    one, two, three = model("a", data="x"), model("b", data="y"), model("c", data="x")
    found = by_data(asked("a", "b", "c"), [one, two, three])
    assert [(own.words, models) for own, models in found] == [
        (("a", "c"), [one, three]),
        (("b",), [two]),
    ]
    ((own, models),) = by_data(asked("a", "b", "data=scenes"), [one, two])
    assert (own.words, models) == (("a", "b", "data=scenes"), [one, two])


@pytest.fixture
def of_runs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models that are asked for; they score their place, and the second of them more."""
    models = [model("a", 40), model("b", 30)]
    given = list[Any]()

    def score_all(asked: Asked, names: Any, say: Any, stored: bool) -> Any:
        given.append((asked.n, stored))
        asked.note(["as a score"])
        asked.places["a"] = Path("a")
        table = {one.run.path.name: [Score("bleu-2", 1.0, {}, 0.1)] for one in models}
        table["b"] = [Score("bleu-2", 3.0, {}, 0.1)]
        return {**table, "real": [Score("real-bleu-2", 2.0, {}, 0.1)]}

    monkeypatch.setattr(Asked, "readable", lambda self: (self, {"bad": "damaged"}))
    monkeypatch.setattr(Asked, "models", lambda self: models)
    monkeypatch.setattr(module, "score_all", score_all)
    return [models, given]


def test_runs_are_scored_alike_and_stand_beside_the_first(of_runs: list[Any]) -> None:
    """Of as many samples as the fewest; the mean over seeds is beside no other group."""
    (found,) = compare(asked("a", "b"), print)
    assert of_runs[1] == [(30, False)] and found.data == "scenes"
    assert found.settings == {"eval.samples": {"a": "40", "b": "30"}} and found.means == {}
    assert [(one.run, one.beside, one.value) for one in found.differences] == [("b", "a", 2.0)]
    assert found.remarks == ("as a score",) and found.damaged == {"bad": "damaged"}
    assert found.places == {"a": Path("a")}
    (other,) = compare(asked("a", "b", n=7), print, stored_only=True, beside="b")
    assert of_runs[1][1] == (7, True)
    assert [(one.run, one.beside, one.value) for one in other.differences] == [("a", "b", -2.0)]
    with pytest.raises(UserError, match="--beside c is none of what is compared"):
        compare(asked("a", "b"), print, beside="c")
    of_runs[0].pop()
    with pytest.raises(UserError, match=r"compare needs two or more.*; bad is damaged"):
        compare(asked("a"), print)


def test_runs_of_several_data_have_a_table_each(of_runs: list[Any]) -> None:
    """In the order in which they are named; what is damaged is said once."""
    for name, data in (("c", "x"), ("d", "y")):
        of_runs[0].append(model(name, data=data))
    found = compare(asked("a", "b", "c", "d"), print)
    assert [one.damaged for one in found] == [{"bad": "damaged"}, {}, {}]
    assert len(of_runs[1]) == 3


def test_repetitions_have_a_mean_and_no_difference_among_them(of_runs: list[Any]) -> None:
    of_runs[0][1].settings = dataclasses.replace(of_runs[0][0].settings, seed=7, name="b")
    (found,) = compare(asked("a", "b"), print)
    assert found.means == {"a and 1 more": {"bleu-2": Mean(2.0, pytest.approx(math.sqrt(2)))}}
    assert found.differences == ()


@pytest.mark.parametrize(
    ("phase", "share", "said"),
    [
        (None, 0.25, True),
        ("adversarial", 0.25, True),
        ("best", 0.25, True),
        ("mle", 0.25, False),
        (None, 0.5, False),
        (None, None, False),
    ],
)
def test_a_run_whose_adversarial_phase_was_none_is_named(
    phase: str | None, share: float | None, said: bool
) -> None:
    own = model("a", phase="adversarial", policy_on=share)
    own.phase = phase
    found = module._not_adversarial(own)
    assert (found is not None) == said and (found is None or found.startswith("a: not adversarial"))
