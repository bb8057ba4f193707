"""The frontier's figure: what is drawn is what was given, and names are shown as they are."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from gantext.errors import UserError
from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import ORACLE, Axis, Plane, PlaneName, bleu
from gantext.metrics.text.published import published_points
from gantext.plots.frontier import Curve, Guide, Mark, frontier_figure
from gantext.plots.theme import THEMES

X, Y = "self-bleu-4", "bleu-4"
REAL_VALUES = {Y: 0.337, "bleu-5": 0.218, X: 0.574, "self-bleu-5": 0.416}
REAL = Mark("real text", [REAL_VALUES], "real")


def axes_of(plane: Plane) -> tuple[Axis, Axis]:
    return plane.x, plane.y


BLEU_4 = axes_of(bleu(4))


def published_marks(name: PlaneName, data: str, preset: str) -> list[Mark]:
    return [Mark(p.label, [p.values]) for p in published_points(name, data, preset)]


TEXYGEN = published_marks(PlaneName.bleu, "coco", "texygen")


def curve(label: str, group: str = "g", seeds: int = 1, baseline: bool = False) -> Curve:
    """Temperatures 1, 0.5, 0.75, out of order: Self-BLEU 0.9 - T / 2, BLEU 0.4 - T / 5 + s / 100"""
    points = [
        Point(label, group, t, {Y: 0.4 - t / 5 + s / 100, X: 0.9 - t / 2}, s)
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
    figure = frontier_figure(BLEU_4, [curve("run")], [])
    ((x, y),) = lines(figure)
    assert x == pytest.approx([0.65, 0.525, 0.4])
    assert y == pytest.approx([0.3, 0.25, 0.2])
    assert set(texts(figure)) == {"run", "small numbers: temperature", "0.5", "0.75", "1"}


def test_the_axes_say_what_they_are() -> None:
    axes = frontier_figure(axes_of(bleu(5)), [], [REAL]).axes[0]
    assert axes.get_xlabel().startswith("Self-BLEU-5") and "less diverse" in axes.get_xlabel()
    assert axes.get_ylabel().startswith("BLEU-5") and "quality" in axes.get_ylabel()


def test_points_of_a_share_of_the_samples_say_of_which() -> None:
    shares = {0.5: 0.96, 0.75: 0.5, 1.0: 0.04}
    points = [
        Point("run", "g", t, {"nll-test": 1 / t, "nll-oracle": 1 + t, "grammatical": share})
        for t, share in shares.items()
    ]
    figure = frontier_figure(axes_of(ORACLE), [Curve(points)])
    assert {"0.5 (96%)", "0.75 (50%)", "1 (4%)"} < set(texts(figure))
    assert {"small numbers: temperature", "in brackets: grammatical share"} < set(texts(figure))


def test_seeds_become_a_mean_with_bars() -> None:
    """BLEU of seeds 0, 1, 2 is b, b + 0.01, b + 0.02: the mean is b + 0.01, the sd 0.01."""
    figure = frontier_figure(BLEU_4, [curve("run", seeds=3)], [])
    ((_, y),) = lines(figure)
    assert y == pytest.approx([0.31, 0.26, 0.21])
    bars = [segment for part in figure.axes[0].collections for segment in part.get_segments()]
    heights = sorted(float(np.ptp(bar[:, 1])) for bar in bars if np.ptp(bar[:, 1]) > 1e-9)
    assert heights == pytest.approx([0.02] * 3)
    assert not frontier_figure(BLEU_4, [curve("run")], []).axes[0].collections


def test_a_baseline_is_dashed_in_the_colour_of_its_group() -> None:
    curves = [curve("a", "a"), curve("a mle", "a", baseline=True), curve("b", "b")]
    own, baseline, other = frontier_figure(BLEU_4, curves, []).axes[0].lines[:3]
    assert (own.get_linestyle(), baseline.get_linestyle()) == ("-", "--")
    assert own.get_color() == baseline.get_color() != other.get_color()
    assert own.get_marker() == baseline.get_marker() != other.get_marker()


def test_real_text_is_a_star_with_a_guide_line() -> None:
    guide = Guide(BLEU_4[0], REAL_VALUES[X])
    figure = frontier_figure(BLEU_4, [curve("run")], [REAL], guide)
    (star,) = [line for line in figure.axes[0].lines if line.get_marker() == "*"]
    assert [*star.get_xdata(), *star.get_ydata()] == [0.574, 0.337]
    assert ([0.574, 0.574], [0, 1]) in lines(figure)
    assert "real text" in texts(figure)


def test_published_points_are_hollow_and_named() -> None:
    figure = frontier_figure(BLEU_4, [curve("run")], TEXYGEN)
    drawn = {(x[0], y[0]) for x, y in lines(figure) if len(x) == 1}
    values = [mark.values[0] for mark in TEXYGEN]
    assert drawn == {(one[X], one[Y]) for one in values} and len(drawn) == 6
    assert {mark.label for mark in TEXYGEN} <= set(texts(figure))
    assert texts(figure).count("published") == 1
    hollow = [line for line in figure.axes[0].lines if line.get_marker() == "D"]
    assert all(line.get_markerfacecolor() == "none" for line in hollow)


def test_what_has_y_alone_is_a_level_and_never_a_point() -> None:
    """RelGAN has no Self-BLEU, and the papers' oracle values have no nll-test."""
    relgan = published_marks(PlaneName.bleu, "coco", "relgan")
    figure = frontier_figure(BLEU_4, [curve("run")], relgan)
    levels = [(0.502, 0.502), (0.455, 0.455)]
    assert [tuple(y) for x, y in lines(figure) if list(x) == [0, 1]] == levels
    assert {"RelGAN (100)", "without Self-BLEU-4"} <= set(texts(figure))
    assert "published" not in texts(figure) and len(lines(figure)) == 3


def test_several_points_of_a_paper_are_one_mark_named_once() -> None:
    """Beside a curve of likelihoods, read where nll-test is 8."""
    several = [{"nll-test": 7.8, "nll-oracle": 8.67}, {"nll-test": 8.4, "nll-oracle": 7.25}]
    marks = [Mark("MLE", several), Mark("LeakGAN", [{"nll-oracle": 7.04}])]
    run = Curve([Point("a", "a", t, {"nll-test": 10 - t, "nll-oracle": 8 + t}) for t in (1.0, 2)])
    figure = frontier_figure(axes_of(ORACLE), [run], marks, Guide(ORACLE.x, 8.0))
    assert ([7.8, 8.4], [8.67, 7.25]) in lines(figure) and ([8, 8], [0, 1]) in lines(figure)
    assert texts(figure).count("MLE") == texts(figure).count("LeakGAN") == 1
    assert figure.axes[0].get_xlabel().startswith("nll-test")
    across = frontier_figure(axes_of(ORACLE), [run], marks, Guide(ORACLE.y, 8.0))
    assert ([0, 1], [8, 8]) in lines(across)


def test_what_has_no_values_is_left_out() -> None:
    nowhere = Curve([Point("nowhere", "n", 1.0, {Y: math.nan, X: 0.5})])
    marks = [Mark("none", [{}]), Mark("none", [{X: 0.5}]), REAL]
    figure = frontier_figure(BLEU_4, [nowhere, Curve([]), curve("run")], marks)
    assert len(lines(figure)) == 2
    assert not {"nowhere", "none"} & set(texts(figure))


@pytest.mark.parametrize("order", [3, 4])
def test_nothing_to_draw_is_refused(order: int) -> None:
    with pytest.raises(UserError, match=f"BLEU-{order}"):
        frontier_figure(axes_of(bleu(order)), [] if order == 4 else [curve("run")], [])


def test_a_single_point_without_a_temperature() -> None:
    figure = frontier_figure(BLEU_4, [Curve([Point("x", "g", None, {Y: 0.3, X: 0.6})])], [])
    assert lines(figure) == [([0.6], [0.3])] and texts(figure) == ["x"]


def test_an_unknown_theme_is_refused() -> None:
    with pytest.raises(UserError, match="did you mean dark"):
        frontier_figure(BLEU_4, [], [REAL], theme="drk")


def test_more_groups_than_colours() -> None:
    count = len(THEMES["light"].series) + 2
    figure = frontier_figure(BLEU_4, [curve(f"r{i}", f"g{i}") for i in range(count)], [])
    styles = {(line.get_color(), line.get_marker()) for line in figure.axes[0].lines[:count]}
    assert len(styles) == count


def test_no_texts_overlap_and_the_legend_covers_no_axes() -> None:
    curves = [Curve([shifted(p, i) for p in curve(f"run {i}", f"g{i}").points]) for i in range(6)]
    figure = frontier_figure(BLEU_4, curves, [REAL, *TEXYGEN])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    boxes = [text.get_window_extent() for text in axes.texts if text.arrow_patch is None]
    assert len(boxes) > 12
    for place, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])
    assert not figure.legends[0].get_window_extent().overlaps(axes.get_window_extent())


def shifted(point: Point, i: int) -> Point:
    values = {**point.values, Y: point.value(Y) + 0.04 * i}
    return Point(point.label, point.group, point.temperature, values)
