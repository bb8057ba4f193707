"""BLEU against Self-BLEU: each model a curve through its temperatures, beside real text."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gantext.errors import UserError
from gantext.metrics.text.frontier import Point, mean_over_seeds, placed
from gantext.metrics.text.published import published_points
from gantext.plots.labels import Label, Line, place_labels
from gantext.plots.theme import Theme, find_theme, legend_below, new_axes, run_look, styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Entry = tuple["Artist", str]


@dataclass(frozen=True)
class Curve:
    """One model at its temperatures, all seeds together; its label and group are its points'.

    Attributes:
        points: in any order.
        baseline: the MLE-only generator of a run: dashed, in the colour of its group.
    """

    points: Sequence[Point]
    baseline: bool = False


@dataclass(frozen=True)
class Mark:
    """A single point to compare with: real text, or what a paper reports.

    Attributes:
        label: its name.
        bleu: BLEU-N (0..1) by N.
        self_bleu: Self-BLEU-N (0..1) by N.
        kind: how it is drawn: `real` is a star with a guide line, `published` hollow.
    """

    label: str
    bleu: Mapping[int, float]
    self_bleu: Mapping[int, float]
    kind: Literal["real", "published"] = "published"


@dataclass(frozen=True)
class _Line:
    """A curve with finite means over seeds, in order of temperature, and how it is drawn."""

    points: Sequence[Point]
    xy: Line
    baseline: bool
    colour: str
    marker: str


def published_marks(data: str, preset: str) -> list[Mark]:
    """Return the published points that have a Self-BLEU, and so a place on the plot.

    Raises:
        UserError: there is no such preset.
    """
    return [
        Mark(point.model, point.bleu, point.self_bleu)
        for point in published_points(data, preset)
        if point.self_bleu is not None
    ]


def frontier_figure(
    curves: Sequence[Curve],
    marks: Sequence[Mark] = (),
    order: int = 4,
    theme: str = "light",
    groups: Sequence[str] = (),
) -> "Figure":
    """Draw BLEU-N over Self-BLEU-N: up is better, left is more diverse.

    A point is the mean over the seeds that share its label, group and temperature; bars show one
    standard deviation. Curves and marks without finite values at `order` are left out.

    Args:
        curves: one each of a run or one of its phases.
        marks: real text and published points; all of one preset, or they cannot be compared.
        order: N of both scores.
        theme: "light" or "dark".
        groups: those of the curves and others, in the order of their colours; groups that are not
            among them come after them.

    Raises:
        UserError: nothing has values at this order, or there is no such theme.
    """
    colours = find_theme(theme)
    lines = _lines(curves, order, groups, colours)
    known = [(mark, *at) for mark in marks if (at := _at(mark, order))]
    if not lines and not known:
        raise UserError(f"nothing to plot: no point has a BLEU-{order} and a Self-BLEU-{order}")
    with styled(colours):
        figure, axes = new_axes(colours)
        axes.set_xlabel(f"Self-BLEU-{order}   (less diverse \N{RIGHTWARDS ARROW})")
        axes.set_ylabel(f"BLEU-{order}   (quality \N{RIGHTWARDS ARROW})")
        axes.margins(0.07)
        axes.locator_params(nbins=7)
        entries = [_draw_curve(axes, line, order) for line in lines]
        entries += _draw_marks(axes, known, colours)
        if any(point.temperature is not None for line in lines for point in line.points):
            entries.append(_note(axes, "small numbers: temperature"))
        legend_below(figure, entries)
        place_labels(figure, axes, _labels(lines, known, colours), _obstacles(axes, lines, known))
    return figure


def _at(mark: Mark, order: int) -> tuple[float, float] | None:
    return Point(mark.label, "", None, mark.bleu, mark.self_bleu).at(order)


def _lines(curves: Sequence[Curve], order: int, known: Sequence[str], theme: Theme) -> list[_Line]:
    """Colours and markers go by group: the known ones, then by first appearance."""
    means = [(placed(mean_over_seeds(curve.points), order), curve.baseline) for curve in curves]
    drawn = [(points, baseline) for points, baseline in means if points]
    groups = list(dict.fromkeys([*known, *(points[0].group for points, _ in drawn)]))
    lines = []
    for points, baseline in drawn:
        group = groups.index(points[0].group)
        ordered = sorted(points, key=_temperature)
        xy = [(point.self_bleu[order], point.bleu[order]) for point in ordered]
        look = run_look(theme, group)
        lines.append(_Line(ordered, xy, baseline, look["color"], look["marker"]))
    return lines


def _temperature(point: Point) -> float:
    return math.inf if point.temperature is None else point.temperature


def _draw_curve(axes: "Axes", line: _Line, order: int) -> Entry:
    x, y = zip(*line.xy, strict=True)
    x_sd = [point.self_bleu_sd.get(order, math.nan) for point in line.points]
    y_sd = [point.bleu_sd.get(order, math.nan) for point in line.points]
    if any(map(math.isfinite, [*x_sd, *y_sd])):
        axes.errorbar(x, y, y_sd, x_sd, fmt="none", ecolor=line.colour, elinewidth=1, alpha=0.6)
    (drawn,) = axes.plot(
        x,
        y,
        color=line.colour,
        linestyle="--" if line.baseline else "-",
        marker=line.marker,
        markerfacecolor="none" if line.baseline else line.colour,
    )
    return drawn, line.points[0].label


def _draw_marks(
    axes: "Axes", known: Sequence[tuple[Mark, float, float]], theme: Theme
) -> list[Entry]:
    """Real text is named in the legend; published points beside themselves, so once together."""
    entries: list[Entry] = []
    published: list[Entry] = []
    for mark, x, y in known:
        if mark.kind == "real":
            axes.axvline(x, color=theme.muted, linewidth=1, linestyle=":", zorder=1)
            (star,) = axes.plot([x], [y], "*", color=theme.text, markersize=13, zorder=4)
            entries.append((star, mark.label))
        else:
            (hollow,) = axes.plot([x], [y], "D", color=theme.muted, markerfacecolor="none")
            published.append((hollow, "published"))
    return entries + published[:1]


def _note(axes: "Axes", text: str) -> Entry:
    """A line of text in the legend."""
    return axes.plot([], [], linestyle="none")[0], text


def _labels(
    lines: Iterable[_Line], known: Iterable[tuple[Mark, float, float]], theme: Theme
) -> list[Label]:
    """Names of published points first, then temperatures, those at the ends of curves before."""
    names = [
        Label(mark.label, x, y, theme.muted, required=True)
        for mark, x, y in known
        if mark.kind == "published"
    ]
    numbers = [
        (min(i, len(line.xy) - 1 - i), Label(f"{point.temperature:g}", *xy, line.colour))
        for line in lines
        for i, (point, xy) in enumerate(zip(line.points, line.xy, strict=True))
        if point.temperature is not None
    ]
    return names + [label for _, label in sorted(numbers, key=lambda number: number[0])]


def _obstacles(
    axes: "Axes", lines: Iterable[_Line], known: Iterable[tuple[Mark, float, float]]
) -> list[Line]:
    low, high = axes.get_ylim()
    guides = [[(x, low), (x, high)] for mark, x, _ in known if mark.kind == "real"]
    return [*(line.xy for line in lines), *([(x, y)] for _, x, y in known), *guides]
