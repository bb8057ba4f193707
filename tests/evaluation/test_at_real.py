"""BLEU where samples are as diverse as real text: its name, its signature, how it is asked for."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gantext.config.compose import compose
from gantext.config.settings import Device
from gantext.evaluation import at_real
from gantext.evaluation.at_real import at_real_scores, order_of
from gantext.evaluation.frontier import TEMPERATURES, Frontier, Place, Reading
from gantext.metrics.score import Score
from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import bleu


def measured(*readings: Reading) -> Frontier:
    real = Point("real", "real", None, {})
    sign = {"preset": "x", "run": "r", "sampled": 9, "temperature": 0.5}
    own = [Score("bleu-2", 0.9, {"preset": "y"}), Score("bleu-3", 0.5, sign)]
    return Frontier(bleu(3), [], real, (), Place(0.75, ""), list(readings), {"run": own})


def test_the_order_is_read_off_the_name() -> None:
    names = ("bleu-2-at-real", "bleu-5-at-real", "bleu-6-at-real", "bleu-4", "", None)
    assert [order_of(name) for name in names] == [2, 5, None, None, None, None]


def test_it_is_signed_by_its_protocol_the_temperatures_and_the_place() -> None:
    """A curve that does not reach the place has none."""
    found = measured(Reading("run", 0.25, None), Reading("short", None, None))
    (score,) = at_real_scores(found, 3, 7).values()
    assert (score.name, score.value) == ("bleu-3-at-real", 0.25)
    assert score.signature == {
        "preset": "x",
        "temperatures": "0.5,0.6,0.7,0.8,0.9,1,1.1,1.2",
        "sample_seed": 7,
        "self-bleu": 0.75,
    }


def test_a_run_is_asked_for_as_at_the_end_of_a_phase_without_its_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = ["eval.samples=30", "eval.seed=4", "eval.temperature=0.5", "device=cpu"]
    settings = compose(["model=mle", "data=scenes", *words])
    given = list[Any]()

    def frontier(*asked: Any, **more: Any) -> Frontier:
        given.append((*asked, more))
        return measured(Reading("run", 0.25, None))

    monkeypatch.setattr(at_real, "frontier", frontier)
    run: Any = SimpleNamespace(path=Path("r"))
    (score,) = at_real.at_real(run, settings, 3, print)
    assert score == at_real_scores(measured(Reading("run", 0.25, None)), 3, 4)["run"]
    ((asked, *rest),) = given
    assert rest == [bleu(3), TEMPERATURES, [4], print, {"baselines": False}]
    assert (asked.words, asked.samples, asked.references) == (("r",), (), None)
    assert (asked.preset, asked.n, asked.asked_seed) == (settings.eval.preset, 30, 4)
    assert (asked.asked_temperature, asked.phase, asked.encoder) == (0.5, None, None)
    assert (asked.device, asked.runs_dir) == (Device.cpu, Path(settings.runs_dir))
