"""What is read off curves, by hand: where they are read, means over seeds, what has no curve."""

import csv
import io
import math

import pytest

from gantext.evaluation import at_real
from gantext.evaluation.frontier import TEMPERATURES, Frontier, Place, Reading, _place, _reading
from gantext.evaluation.frontier_shown import (
    _marks,
    figure,
    files,
    point_rows,
    protocols,
    published_rows,
    reading,
    score_names,
    title,
    to_csv,
)
from gantext.metrics.score import Score
from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import ORACLE, PlaneName, bleu
from gantext.metrics.text.published import PublishedPoint
from gantext.plots import frontier as plots
from gantext.plots.frontier import Curve, Guide, Mark

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
        found = _place(ORACLE, points, real, None, published)
        assert found.at == place and ("lowest" in found.said) == (place != 8.0)
    at_8 = _place(ORACLE, turning("a", 8.0), real, None, True)
    assert (at_8.at, at_8.said) == (8.0, "nll-test 8")
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
    without = table(all_of_it)
    assert without[1] == columns[:3]
    assert without[2] == [["b", "1.5000", "-"], ["real text", "1.2000", "-"]]
    outside = Reading("c", None, None)
    assert table(outside)[2][0] == ["c", "outside the temperatures' range", "-"]


POINTS = [
    Point("run", "run", 1.0, {X: 0.5, Y: 0.25, "unique": 1.0}, 3),
    Point("run", "run", 0.0, {X: 0.75, Y: 0.5}, 3),
    Point("run", "run", 0.5, {X: 0.625, Y: 0.375}, 3),
    Point("run@mle", "run", 1.0, {X: 0.5, Y: 0.125}, 4),
    Point("one.txt", "one.txt", None, {Y: 0.375}),
]
PAPERS = (
    PublishedPoint("GAN", "coco", PlaneName.bleu, "x", {Y: 0.75}, "A 2019", 0.5, by="B"),
    PublishedPoint("GAN", "coco", PlaneName.bleu, "x", {Y: 0.875, "bleu-2": 0.9}, "A 2019"),
)
MEASURED = Frontier(
    PLANE,
    POINTS,
    Point("real", "real", None, {X: 0.5625, Y: 0.5}),
    PAPERS,
    Place(0.5625, "here"),
    [],
    {
        "run": [
            Score(Y, value, {"n": 4, "sampled": 1, "temperature": 1.0, "run": "r"})
            for value in (0.25, 0.5)
        ]
        + [Score("copied", 0.0, {"temperature": 0.5})]
        + [Score(X, 0.5, {"temperature": 0.5})],
        "real": [Score(f"real-{Y}", 0.5, {"n": 4})],
    },
)


def test_a_curve_goes_from_greedy_to_hot() -> None:
    curves = MEASURED.curves
    assert [point.temperature for point in curves["run"]] == [0.0, 0.5, 1.0]
    assert list(curves) == ["run", "run@mle", "one.txt"]


def test_a_table_has_every_mean_and_what_papers_report() -> None:
    """Columns of papers are those that one of them has."""
    names = score_names(MEASURED)
    assert names == [*PLANE.columns, "unique"]
    columns, rows = point_rows(MEASURED)
    assert columns == ["curve", "temperature", *names]
    x, y = columns.index(X), columns.index(Y)
    assert [(*row[:2], row[x], row[y]) for row in rows] == [
        ("run", "0", "0.7500", "0.5000"),
        ("run", "0.5", "0.6250", "0.3750"),
        ("run", "1", "0.5000", "0.2500"),
        ("run@mle", "1", "0.5000", "0.1250"),
        ("one.txt", "-", "-", "0.3750"),
        ("real text", "-", "0.5625", "0.5000"),
    ]
    assert published_rows(MEASURED) == (
        ["published", "temperature", "bleu-2", Y],
        [[PAPERS[0].cited, "0.5", "-", "0.7500"], [PAPERS[1].cited, "-", "0.9000", "0.8750"]],
    )
    assert title(MEASURED) == "BLEU-4 at here"


def test_a_csv_has_every_draw_and_point_of_papers() -> None:
    text = to_csv(MEASURED)
    rows = list(csv.DictReader(io.StringIO(text)))
    drawn = [(row["curve"], row["temperature"], row["seed"], row[X], row[Y]) for row in rows]
    assert drawn[0] == ("run", "1.0", "3", "0.5", "0.25") and len(rows) == 8
    assert drawn[4:6] == [("one.txt", "", "", "", "0.375"), ("real", "", "", "0.5625", "0.5")]
    assert drawn[6:] == [("GAN (B)", "0.5", "", "", "0.75"), ("GAN", "", "", "", "0.875")]
    assert [row["source"] for row in rows] == [""] * 6 + ["A 2019"] * 2


def test_what_scores_were_computed_under_is_said_once_a_curve() -> None:
    """Of the plane's alone, and of the last draw, without the temperature."""
    found = protocols(MEASURED)
    assert found["run"] == [Score(Y, 0.5, {"n": 4}), Score(X, 0.5)]
    assert found["real"] == [Score(f"real-{Y}", 0.5, {"n": 4})]


def test_a_figure_has_dashed_starts_marks_and_a_guide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "frontier_figure", lambda *given: given)
    axes, curves, marks, guide, *rest = figure(MEASURED, "dark", ["run"])
    assert axes == (PLANE.x, PLANE.y) and rest == ["dark", ["run"]]
    assert curves == [
        Curve(POINTS[:3], baseline=False),
        Curve(POINTS[3:4], baseline=True),
        Curve(POINTS[4:], baseline=False),
    ]
    assert guide == Guide(PLANE.where, 0.5625)
    assert marks == [
        Mark("real text", [MEASURED.real.values], "real"),
        Mark("GAN (B), T = 0.5", [PAPERS[0].values]),
        Mark("GAN", [PAPERS[1].values]),
        Mark("one.txt", [POINTS[4].values]),
    ]
    nowhere = Frontier(PLANE, POINTS, MEASURED.real, (), Place(math.nan, ""), [], {})
    assert figure(nowhere, "dark")[3] is None


def test_files_are_the_table_and_a_picture() -> None:
    found = files(MEASURED)
    assert found["frontier.csv"].decode() == to_csv(MEASURED)
    assert found["frontier.png"].startswith(b"\x89PNG") and len(found) == 2
