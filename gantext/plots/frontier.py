"""Curves of models through their temperatures on a plane, beside real text and published points."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gantext.errors import UserError
from gantext.metrics.text.frontier import Point, mean_over_seeds, placed
from gantext.metrics.text.planes import Axis
from gantext.plots.labels import Label, Line, place_labels
from gantext.plots.theme import Theme, find_theme, legend_below, new_axes, run_look, styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Entry = tuple["Artist", str]
Plane = tuple[Axis, Axis]  # what stands on x and on y


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
    """What curves are compared with: real text, or what a paper reports of a model.

    Attributes:
        label: its name.
        values: scores by name, of each of its points; one that has y alone is a level, a line.
        kind: how it is drawn: `real` is a star, `published` hollow.
    """

    label: str
    values: Sequence[Mapping[str, float]]
    kind: Literal["real", "published"] = "published"


@dataclass(frozen=True)
class Guide:
    """A line on which curves are read: where an axis has a value."""

    axis: Axis
    at: float


@dataclass(frozen=True)
class _Line:
    """A curve with finite means over seeds, in order of temperature, and how it is drawn."""

    points: Sequence[Point]
    xy: Line
    baseline: bool
    colour: str
    marker: str


@dataclass(frozen=True)
class _Known:
    """A mark on the axes: its points, and its levels, which have no x."""

    mark: Mark
    xy: Line
    levels: Sequence[float]


def frontier_figure(
    plane: Plane,
    curves: Sequence[Curve],
    marks: Sequence[Mark] = (),
    guide: Guide | None = None,
    theme: str = "light",
    groups: Sequence[str] = (),
) -> "Figure":
    """Draw one score over another.

    A point is the mean over the seeds that share its label, group and temperature; bars show one
    standard deviation. Curves and marks without finite values are left out.

    Args:
        plane: what stands on x and on y.
        curves: one each of a run or one of its phases.
        marks: real text and published points; all of one protocol, or they cannot be compared.
        guide: where the curves are read.
        theme: "light" or "dark".
        groups: those of the curves and others, in the order of their colours; groups that are not
            among them come after them.

    Raises:
        UserError: nothing has values of both scores, or there is no such theme.
    """
    colours = find_theme(theme)
    lines = _lines(curves, plane, groups, colours)
    known = [found for mark in marks if (found := _known(mark, plane))]
    x, y = plane
    if not lines and not known:
        raise UserError(f"nothing to plot: no point has a {y.title} and a {x.title}")
    with styled(colours):
        figure, axes = new_axes(colours)
        axes.set_xlabel(f"{x.title}   ({x.way} \N{RIGHTWARDS ARROW})")
        axes.set_ylabel(f"{y.title}   ({y.way} \N{RIGHTWARDS ARROW})")
        numbers = _numbers_are(lines, y)
        axes.margins(0.12 if len(numbers) > 1 else 0.07)  # room for longer texts at the ends
        axes.locator_params(nbins=7)
        entries = [_draw_curve(axes, line, plane) for line in lines]
        entries += _draw_marks(axes, known, x, colours)
        entries += [_note(axes, text) for text in numbers]
        guides = [] if guide is None else [_draw_guide(axes, guide, plane, colours)]
        legend_below(figure, entries)
        labels = _labels(axes, lines, known, y, colours)
        place_labels(figure, axes, labels, _obstacles(axes, lines, known) + guides)
    return figure


def _known(mark: Mark, plane: Plane) -> _Known | None:
    """Where a mark stands; None where it has no place."""
    x, y = (axis.score for axis in plane)
    points = [Point(mark.label, "", None, values) for values in mark.values]
    xy = [place for point in points if (place := point.at(x, y))]
    lone = [point.value(y) for point in points if x not in point.values]
    levels = [level for level in lone if math.isfinite(level)]
    return _Known(mark, xy, levels) if xy or levels else None


def _lines(
    curves: Sequence[Curve], plane: Plane, known: Sequence[str], theme: Theme
) -> list[_Line]:
    """Colours and markers go by group: the known ones, then by first appearance."""
    x, y = (axis.score for axis in plane)
    means = [(placed(mean_over_seeds(curve.points), x, y), curve.baseline) for curve in curves]
    drawn = [(points, baseline) for points, baseline in means if points]
    groups = list(dict.fromkeys([*known, *(points[0].group for points, _ in drawn)]))
    lines = []
    for points, baseline in drawn:
        group = groups.index(points[0].group)
        ordered = sorted(points, key=_temperature)
        xy = [(point.value(x), point.value(y)) for point in ordered]
        look = run_look(theme, group)
        lines.append(_Line(ordered, xy, baseline, look["color"], look["marker"]))
    return lines


def _temperature(point: Point) -> float:
    return math.inf if point.temperature is None else point.temperature


def _draw_curve(axes: "Axes", line: _Line, plane: Plane) -> Entry:
    x, y = zip(*line.xy, strict=True)
    x_sd, y_sd = ([point.sd.get(axis.score, math.nan) for point in line.points] for axis in plane)
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


def _draw_marks(axes: "Axes", known: Sequence[_Known], x: Axis, theme: Theme) -> list[Entry]:
    """Real text is named in the legend; published points beside themselves, so once together."""
    entries: list[Entry] = []
    published: list[Entry] = []
    levels: list[Entry] = []
    for one in known:
        if one.mark.kind == "real":
            for place in one.xy:
                (star,) = axes.plot(
                    [place[0]], [place[1]], "*", color=theme.text, markersize=13, zorder=4
                )
                entries.append((star, one.mark.label))
            continue
        if one.xy:
            (hollow,) = axes.plot(
                *zip(*one.xy, strict=True), ":D", color=theme.muted, markerfacecolor="none"
            )
            published.append((hollow, "published"))
        for level in one.levels:
            line = axes.axhline(level, color=theme.muted, linewidth=1, linestyle="-.", zorder=1)
            levels.append((line, f"without {x.title}"))
    return entries + published[:1] + levels[:1]


def _draw_guide(axes: "Axes", guide: Guide, plane: Plane, theme: Theme) -> Line:
    """The line, from one end of the axes to the other."""
    across = guide.axis == plane[0]
    line = (axes.axvline if across else axes.axhline)(guide.at)
    line.set(color=theme.muted, linewidth=1, linestyle=":", zorder=1)
    low, high = axes.get_ylim() if across else axes.get_xlim()
    return [(guide.at, low), (guide.at, high)] if across else [(low, guide.at), (high, guide.at)]


def _note(axes: "Axes", text: str) -> Entry:
    """A line of text in the legend."""
    return axes.plot([], [], linestyle="none")[0], text


def _numbers_are(lines: Sequence[_Line], y: Axis) -> list[str]:
    """What the numbers beside points are."""
    points = [point for line in lines for point in line.points]
    if all(point.temperature is None for point in points):
        return []
    partly = any(y.share in point.values for point in points)
    return ["small numbers: temperature", *[f"in brackets: {y.share} share"] * partly]


def _number(point: Point, y: Axis) -> str:
    """A point's temperature, and the share of its samples that stand there, where it is known."""
    share = point.value(y.share)
    return f"{point.temperature:g}" + (f" ({share:.0%})" if math.isfinite(share) else "")


def _labels(
    axes: "Axes", lines: Iterable[_Line], known: Iterable[_Known], y: Axis, theme: Theme
) -> list[Label]:
    """Names of published points first, then temperatures, those at the ends of curves before."""
    published = [one for one in known if one.mark.kind == "published"]
    names = [
        Label(one.mark.label, *one.xy[0], theme.muted, required=True) for one in published if one.xy
    ]
    names += [
        Label(one.mark.label, _free_end(axes, level), level, theme.muted, required=True)
        for one in published
        for level in one.levels
    ]
    numbers = [
        (min(i, len(line.xy) - 1 - i), Label(_number(point, y), *xy, line.colour))
        for line in lines
        for i, (point, xy) in enumerate(zip(line.points, line.xy, strict=True))
        if point.temperature is not None
    ]
    return names + [label for _, label in sorted(numbers, key=lambda number: number[0])]


def _free_end(axes: "Axes", level: float) -> float:
    """Where a level is named: curves fall, so on the right above the middle, on the left below."""
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    return right if level > (low + high) / 2 else left


def _obstacles(axes: "Axes", lines: Iterable[_Line], known: Iterable[_Known]) -> list[Line]:
    low, high = axes.get_xlim()
    levels = [[(low, y), (high, y)] for one in known for y in one.levels]
    return [*(line.xy for line in lines), *(one.xy for one in known), *levels]
