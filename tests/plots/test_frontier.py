"""The frontier's figure: what is drawn is what was given, and names are shown as they are."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from gantext.errors import UserError
from gantext.metrics.text.frontier import Point
from gantext.plots.frontier import Curve, Mark, frontier_figure, published_marks
from gantext.plots.theme import THEMES

REAL = Mark("real text", {4: 0.337, 5: 0.218}, {4: 0.574, 5: 0.416}, "real")


def curve(label: str, group: str = "g", seeds: int = 1, baseline: bool = False) -> Curve:
    """Temperatures 1, 0.5, 0.75, out of order: Self-BLEU 0.9 - T / 2, BLEU 0.4 - T / 5 + s / 100"""
    points = [
        Point(label, group, t, {4: 0.4 - t / 5 + s / 100}, {4: 0.9 - t / 2}, s)
        for t in (1.0, 0.5, 0.75)
        for s in range(seeds)
    ]
    return Curve(points, baseline)


def lines(figure: Figure) -> list[tuple[list[float], list[float]]]:
    """x and y of all lines that hold data."""
    found = [line.get_data() for line in figure.axes[0].lines]
    return [(list(x), list(y)) for x, y in found if len(x)]


def texts(figure: Figure) -> list[str]:
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return legends + [text.get_text() for text in figure.axes[0].texts]


def test_a_curve_goes_through_its_temperatures_in_order() -> None:
    figure = frontier_figure([curve("run")], [])
    ((x, y),) = lines(figure)
    assert x == pytest.approx([0.65, 0.525, 0.4])
    assert y == pytest.approx([0.3, 0.25, 0.2])
    assert set(texts(figure)) == {"run", "small numbers: temperature", "0.5", "0.75", "1"}


def test_the_axes_say_what_they_are() -> None:
    axes = frontier_figure([], [REAL], order=5).axes[0]
    assert axes.get_xlabel().startswith("Self-BLEU-5") and "less diverse" in axes.get_xlabel()
    assert axes.get_ylabel().startswith("BLEU-5") and "quality" in axes.get_ylabel()


def test_seeds_become_a_mean_with_bars() -> None:
    """BLEU of seeds 0, 1, 2 is b, b + 0.01, b + 0.02: the mean is b + 0.01, the sd 0.01."""
    figure = frontier_figure([curve("run", seeds=3)], [])
    ((_, y),) = lines(figure)
    assert y == pytest.approx([0.31, 0.26, 0.21])
    bars = [segment for part in figure.axes[0].collections for segment in part.get_segments()]
    heights = sorted(float(np.ptp(bar[:, 1])) for bar in bars if np.ptp(bar[:, 1]) > 1e-9)
    assert heights == pytest.approx([0.02] * 3)
    assert not frontier_figure([curve("run")], []).axes[0].collections


def test_a_baseline_is_dashed_in_the_colour_of_its_group() -> None:
    curves = [curve("a", "a"), curve("a mle", "a", baseline=True), curve("b", "b")]
    own, baseline, other = frontier_figure(curves, []).axes[0].lines[:3]
    assert (own.get_linestyle(), baseline.get_linestyle()) == ("-", "--")
    assert own.get_color() == baseline.get_color() != other.get_color()
    assert own.get_marker() == baseline.get_marker() != other.get_marker()


def test_real_text_is_a_star_with_a_guide_line() -> None:
    figure = frontier_figure([curve("run")], [REAL])
    (star,) = [line for line in figure.axes[0].lines if line.get_marker() == "*"]
    assert [*star.get_xdata(), *star.get_ydata()] == [0.574, 0.337]
    assert ([0.574, 0.574], [0, 1]) in lines(figure)
    assert "real text" in texts(figure)


def test_published_points_are_hollow_and_named() -> None:
    marks = published_marks("coco", "texygen")
    figure = frontier_figure([curve("run")], marks)
    drawn = {(x[0], y[0]) for x, y in lines(figure) if len(x) == 1}
    assert drawn == {(mark.self_bleu[4], mark.bleu[4]) for mark in marks} and len(drawn) == 6
    assert {mark.label for mark in marks} <= set(texts(figure))
    assert texts(figure).count("published") == 1
    hollow = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert all(line.get_markerfacecolor() == "none" for line in hollow)


def test_points_without_self_bleu_are_never_on_the_axes() -> None:
    assert published_marks("coco", "relgan") == []


def test_what_has_no_values_is_left_out() -> None:
    nowhere = Curve([Point("nowhere", "n", 1.0, {4: math.nan}, {4: 0.5})])
    figure = frontier_figure([nowhere, Curve([]), curve("run")], [Mark("none", {}, {}), REAL])
    assert len(lines(figure)) == 3
    assert not {"nowhere", "none"} & set(texts(figure))


@pytest.mark.parametrize("order", [3, 4])
def test_nothing_to_draw_is_refused(order: int) -> None:
    with pytest.raises(UserError, match=f"BLEU-{order}"):
        frontier_figure([] if order == 4 else [curve("run")], [], order=order)


def test_a_single_point_without_a_temperature() -> None:
    figure = frontier_figure([Curve([Point("x", "g", None, {4: 0.3}, {4: 0.6})])], [])
    assert lines(figure) == [([0.6], [0.3])] and texts(figure) == ["x"]


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean dark"):
        frontier_figure([], [REAL], theme="drk")


def test_more_groups_than_colours() -> None:
    count = len(THEMES["light"].series) + 2
    figure = frontier_figure([curve(f"r{i}", f"g{i}") for i in range(count)], [])
    styles = {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines[:count]}
    assert len(styles) == count


def test_no_texts_overlap_and_the_legend_covers_no_axes() -> None:
    curves = [Curve([shifted(p, i) for p in curve(f"run {i}", f"g{i}").points]) for i in range(6)]
    figure = frontier_figure(curves, [REAL, *published_marks("coco", "texygen")])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts if text.arrow_patch is None]
    assert len(boxes) > 12
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])
    assert not figure.legends[0].get_window_extent().overlaps(axes.get_window_extent())


def shifted(point: Point, i: int) -> Point:
    bleu = {4: point.bleu[4] + 0.04 * i}
    return Point(point.label, point.group, point.temperature, bleu, point.self_bleu)
