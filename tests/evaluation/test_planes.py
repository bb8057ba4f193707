"""Which plane runs stand on, and what papers report beside how many samples."""

from types import SimpleNamespace
from typing import Any

import pytest

from gantext import data
from gantext.errors import UserError
from gantext.evaluation import planes
from gantext.evaluation.planes import chosen_plane, published_beside
from gantext.metrics.text.planes import LM, ORACLE, PlaneName, bleu


def asked(name: str | None = "oracle", models: tuple[Any, ...] = (), **more: Any) -> Any:
    """What is asked of data that is named; of none, that of the models."""
    cfg = None if name is None else SimpleNamespace(name=name)
    given = {"candidates": None, "preset": "texygen", "runs_dir": None, **more}
    return SimpleNamespace(data=cfg, models=lambda: list(models), **given)


@pytest.fixture(autouse=True)
def cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models are words; those called "cold" have no likelihood below 1, and all read scenes."""
    monkeypatch.setattr(
        planes, "why_not", lambda model, heat: "too cold" if model == "cold" and heat < 1 else ""
    )
    monkeypatch.setattr(planes.subjects, "label", lambda model, runs_dir: f"run {model}")
    monkeypatch.setattr(
        planes, "common_data", lambda models: ({"name": "scenes"}, lambda: "config")
    )


def test_the_oracles_plane_is_taken_where_runs_can_stand_there() -> None:
    assert chosen_plane(asked(), None, None, [1.0]) == ORACLE
    assert chosen_plane(asked("coco"), None, None, [1.0]) == bleu(4)
    assert chosen_plane(asked(None, ("warm",)), None, None, [0.5]) == ORACLE
    assert chosen_plane(asked(None), None, None, [0.5]) == bleu(4)
    assert chosen_plane(asked(models=("warm", "cold")), None, None, [1.0, 0.5]) == bleu(4)
    assert chosen_plane(asked(models=("warm", "cold")), None, None, [1.0]) == ORACLE
    assert chosen_plane(asked(candidates=3), None, None, [1.0]) == bleu(4)


def test_an_order_is_of_bleu() -> None:
    assert planes.ORDER == 4
    for order in (2, 5):
        assert chosen_plane(asked(), PlaneName.bleu, order, [1.0]) == bleu(order)
    assert chosen_plane(asked(models=("cold",)), PlaneName.lm, None, [0.5]) == LM
    for name, order in ((PlaneName.bleu, 6), (PlaneName.lm, 3), (None, 3)):
        with pytest.raises(UserError, match=f"--order {order}: of --plane bleu"):
            chosen_plane(asked(), name, order, [1.0])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (asked(candidates=3), "--plane oracle: kept candidates have no nll-test"),
        (asked("coco"), "of data=coco is not known, as that of data=scenes and data=oracle is"),
        (asked(None), "of a file alone is not known"),
        (asked(models=("cold",)), "run cold has no nll-test at temperature 0.5: too cold"),
    ],
)
def test_why_runs_have_no_place_on_the_oracles_plane(given: Any, said: str) -> None:
    with pytest.raises(UserError) as refused:
        chosen_plane(given, PlaneName.oracle, None, [1.0, 0.5])
    assert said in str(refused.value)


def test_papers_stand_beside_as_many_samples_as_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    """BLEU's, of 10 000, within a hundredth; the oracle's beside any number."""
    monkeypatch.setattr(
        planes, "published_points", lambda plane, name, preset: (plane, name, preset)
    )
    monkeypatch.setattr(data, "published", lambda cfg: True)
    found = (PlaneName.bleu, "coco", "texygen")
    for size, there in (
        (10_000, True),
        (9900, True),
        (10_100, True),
        (9899, False),
        (10_101, False),
    ):
        assert published_beside(asked("coco"), bleu(4), size) == (found if there else ())
    assert published_beside(asked(), ORACLE, 30) == (PlaneName.oracle, "oracle", "texygen")


def test_papers_are_of_the_same_data_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its config is asked, that of the runs where none is named; where nothing is reported of it
    no config is read."""
    seen = list[Any]()
    monkeypatch.setattr(planes, "published_points", lambda *given: ("point",))
    monkeypatch.setattr(data, "published", lambda cfg: seen.append(cfg) or cfg == "config")
    named = asked("coco")
    assert published_beside(named, ORACLE, 30) == ()
    assert published_beside(asked(None, ("warm",)), ORACLE, 30) == ("point",)
    assert seen == [named.data, "config"]
    monkeypatch.setattr(planes, "published_points", lambda *given: ())
    assert published_beside(named, ORACLE, 30) == () and len(seen) == 2
