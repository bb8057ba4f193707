"""Where scores are kept, when they are read back, and what is asked for that cannot be."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.cli.options import asked_for
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.evaluation import measures, scorebook
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Measure, Protocol
from gantext.evaluation.scorebook import _place
from gantext.evaluation.subjects import Subject
from gantext.metrics.score import Score, signed
from gantext.metrics.text.preparation import Preparation
from gantext.runs.kinds import TEXT


def test_the_place_of_a_score_does_not_depend_on_the_order_of_what_decides_it() -> None:
    row, key = measures.find("bleu"), {"preset": "texygen", "seed": 1}
    place = _place(row, key)
    assert place == _place(row, dict(reversed(key.items()))) != _place(row, {**key, "seed": 2})
    assert place.startswith("bleu-") and len(place) == len("bleu-") + 12


def test_a_preset_that_there_is_not_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UserError, match="did you mean texygen"):
        asked_for(["no run"], None, "texygn", None, None, Device.cpu, Path("runs"))


class Memory:
    """A keeper of scores in memory; "damaged" and "closed" are errors of one."""

    def __init__(self, state: str = "") -> None:
        self.kept, self.state = dict[str, Any](), state

    def scores(self, name: str) -> Any:
        if self.state == "damaged":
            raise UserError("cannot read it")
        return self.kept.get(name)

    def save_scores(self, name: str, document: Any) -> None:
        if self.state == "closed":
            raise OSError("read only")
        self.kept[name] = document


COMPUTED = list[str]()
ASKED = Protocol(preset="texygen", seed=3, temperature=0.5)
REAL = Ground("datahash", size=9, preparation=Preparation(lowercase=True))


def compute(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    COMPUTED.append(subject.name)
    return [Score("a", 0.1234567891, {"n": 4}, 0.25, each=[1 / 3, -1.0]), Score("b", 1.0)]


@pytest.fixture
def book(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Scores a toy subject by a toy measure; gives the scores and what was said."""

    def score(
        *keepers: Memory,
        ground: Ground = REAL,
        stored_only: bool = False,
        key: Any = None,
        run: str = "r",
        **row: Any,
    ) -> tuple[list[Score], list[str]]:
        measure = Measure(name="toy", compute=f"{__name__}:compute", settings=("seed",), **row)
        monkeypatch.setattr(measures, "find", lambda name: measure)
        origin = {"run": run, "weights": "w", "sampled": 2}
        model: Any = None
        if row.get("of_model"):
            model = SimpleNamespace(kind=TEXT, key={"weights": "whole", "phase": "mle"})
        subject = Subject(
            "run",
            origin,
            {"sampled": 2, **(key or {})},
            lambda: (["A", " "], None),
            2,
            keepers,
            model,
            ready=lambda say: {"judge_auc": 0.75},
        )
        said = list[str]()
        COMPUTED.clear()
        more = {"stored_only": True} if stored_only else {}
        return scorebook.score(["toy"], subject, ground, ASKED, said.append, **more), said

    return score


def test_scores_are_computed_once_and_read_back_from_any_keeper(book: Any) -> None:
    """With the origin that they have today; of single sentences six digits are kept."""
    first, second = Memory(), Memory()
    found, said = book(first, second, slow="taking long")
    origin = {"run": "r", "weights": "w", "sampled": 2, "judge_auc": 0.75, "blank_samples": 1}
    assert COMPUTED == ["run"] and said == ["run: taking long"]
    assert found[0].signature == {"n": 4, "case": "lower", **origin}
    assert [one.name for one in found] == ["a", "b"] and found[0].each == [1 / 3, -1.0]
    assert first.kept == second.kept and len(first.kept) == 1
    (document,) = first.kept.values()
    assert document["key"] == signed(
        measure="toy", seed=3, sampled=2, lowercase=True, data="datahash"
    )
    assert document["each"] == {"a": [0.333333, -1.0]}
    for keepers in ((first,), (Memory(), second)):
        again, said = book(*keepers, slow="taking long")
        assert not COMPUTED and not said and again == found
        assert again[0].each == [0.333333, -1.0] and again[1].each is None
    assert book(first, stored_only=True)[0] == found
    assert {one.signature["run"] for one in book(first, run="renamed")[0]} == {"renamed"}


def test_what_is_not_stored_is_left_out_where_nothing_is_to_be_computed(book: Any) -> None:
    assert book(Memory(), stored_only=True) == ([], []) and not COMPUTED
    lost = dataclasses.replace(REAL, lost=True)
    assert book(Memory(), ground=lost) == ([], []) and not COMPUTED
    keeper = Memory()
    found, _ = book(keeper, ground=lost, alone=True)
    assert len(found) == 2 and COMPUTED and not keeper.kept


def test_scores_of_another_key_or_of_a_damaged_file_are_computed_again(book: Any) -> None:
    keeper = Memory()
    book(keeper)
    (document,) = keeper.kept.values()
    document["key"] = {**document["key"], "seed": 4}
    assert len(book(keeper)[0]) == 2 and COMPUTED
    _, said = book(Memory("damaged"), Memory())
    assert COMPUTED and said == ["cannot read it: computed again"]
    assert len(book(Memory("closed"))[0]) == 2


def test_a_phase_decides_nothing_but_where_it_was_stored_before(book: Any) -> None:
    keeper = Memory()
    found, _ = book(keeper, key={"phase": "mle"})
    ((place, document),) = keeper.kept.items()
    assert "phase" not in document["key"]
    assert book(keeper)[0] == found and not COMPUTED
    older = {**document["key"], "phase": "mle"}
    row = Measure(name="toy", compute="")
    keeper.kept = {_place(row, older): {**document, "key": older}}
    assert book(keeper, key={"phase": "mle"})[0] == found and not COMPUTED
    book(keeper)
    assert COMPUTED and place in keeper.kept


def test_scores_of_a_model_are_of_no_samples(book: Any) -> None:
    """Nor of how text was prepared; a temperature decides them where there is one."""
    keeper = Memory()
    found, _ = book(keeper, of_model=True, tempered=True)
    own = {"run": "r", "model": None, "step": None, "phase": None, "weights": "w"}
    assert found[0].signature == {"n": 4, **own}
    (document,) = keeper.kept.values()
    assert document["key"] == signed(
        measure="toy", seed=3, temperature=0.5, weights="whole", data="datahash"
    )
    plain, _ = book(Memory(), of_model=True)
    assert plain == found
