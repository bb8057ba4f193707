"""What is read off curves, by hand: where they are read, means over seeds, what has no curve."""

import math

import pytest

from gantext.evaluation import at_real
from gantext.evaluation.frontier import TEMPERATURES, Frontier, Place, _place, _reading
from gantext.evaluation.frontier_shown import _marks, reading
from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import ORACLE, bleu

X, Y, PLANE = "self-bleu-4", "bleu-4", bleu(4)


def curve(seed: int, rise: float, ends: tuple[float, float] = (0.4, 0.8)) -> list[Point]:
    """From BLEU .2 to .2 + rise between two values of Self-BLEU."""
    pairs = zip((1.0, 0.5), ends, (0.2, 0.2 + rise), strict=True)
    return [Point("run", "run", heat, {X: x, Y: y}, seed) for heat, x, y in pairs]


def test_a_reading_is_the_mean_over_seeds_all_of_which_reach_it() -> None:
    """Half-way .25 and .35: the mean is .3, the sd sqrt(2 * .05^2); of one seed there is none."""
    both = [*curve(0, 0.1), *curve(1, 0.3)]
    found = _reading("run", PLANE, both, 0.6)
    assert (found.value, found.sd) == (pytest.approx(0.3), pytest.approx(math.sqrt(2) * 0.05))
    alone = _reading("run", PLANE, curve(0, 0.1), 0.6)
    assert (alone.value, alone.sd) == (pytest.approx(0.25), None)
    short = [*curve(0, 0.1), *curve(1, 0.3, ends=(0.7, 0.8))]
    assert _reading("run", PLANE, short, 0.6).value is None
    assert _reading("other", PLANE, both, 0.6).value is None


def test_where_curves_are_read() -> None:
    """At what is asked for; at the real text's value; where curves turn, at the lowest that all
    reach, or at 8 beside the papers' points, if all reach that."""
    real = Point("real", "real", None, {X: 0.5, Y: 0.4, "nll-test": 6.0})
    assert _place(PLANE, curve(0, 0.1), real, 0.7, False).at == 0.7
    assert _place(PLANE, curve(0, 0.1), real, None, False).at == 0.5

    def turning(label: str, lowest: float) -> list[Point]:
        values = ({"nll-test": lowest + more, "nll-oracle": 9.0 - more} for more in (2.0, 0.0))
        return [
            Point(label, label, heat, one, 0) for heat, one in zip((0.5, 1), values, strict=True)
        ]

    for lowest, published, place in ((7.5, True, 8.0), (7.5, False, 7.5), (8.5, True, 8.5)):
        points = [*turning("a", 7.0), *turning("b", lowest)]
        assert _place(ORACLE, points, real, None, published).at == place
    assert math.isnan(_place(ORACLE, [], real, None, True).at)


def test_what_has_no_temperature_and_no_place_is_a_mark_of_its_own() -> None:
    """A file of a single sentence has BLEU, but no Self-BLEU."""
    real, flat = Point("real", "real", None, {X: 0.5, Y: 0.4}), {Y: 0.3}
    lone = Point("one.txt", "one.txt", None, flat)
    points = [
        *curve(0, 0.1),
        lone,
        Point("two.txt", "two.txt", None, {X: 0.1, Y: 0.2}),
        Point("run", "run", 0.1, flat),
    ]
    found = Frontier(PLANE, points, real, (), Place(0.5, "here"), [], {})
    marks = [(mark.label, mark.values) for mark in _marks(found)]
    assert marks == [("real text", [real.values]), ("one.txt", [flat])]


def test_curves_have_the_temperatures_that_are_documented() -> None:
    assert TEMPERATURES == at_real.TEMPERATURES == (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)


def test_a_reading_says_of_which_share_of_the_samples_it_is() -> None:
    """Half way from nll-test 3 to 2 nll-oracle is between 1 and 2, and the share between 1 and .5.

    Where all samples have an nll-oracle no share is known, and none is shown.
    """
    ends = [(3.0, 1.0, 1.0), (2.0, 2.0, 0.5)]
    names = ("nll-test", "nll-oracle", "grammatical")
    points = [Point("a", "a", 1.0, dict(zip(names, end, strict=True)), 0) for end in ends]
    whole = [Point("b", "b", 1.0, dict(zip(names[:2], end[:2], strict=True)), 0) for end in ends]
    partly, all_of_it = _reading("a", ORACLE, points, 2.5), _reading("b", ORACLE, whole, 2.5)
    assert (partly.value, partly.share) == (1.5, 0.75)
    assert (all_of_it.value, all_of_it.share) == (1.5, None)

    def table(*readings):
        real = Point("real text", "", None, {"nll-oracle": 1.2, "grammatical": 1.0})
        return reading(Frontier(ORACLE, points, real, (), Place(2.5, "2.5"), list(readings), {}))

    _, columns, rows = table(partly, all_of_it)
    assert columns == ["curve", "nll-oracle", "sd", "grammatical"]
    assert [row[3] for row in rows] == ["0.7500", "-", "1.0000"]
    assert table(all_of_it)[1] == columns[:3]
