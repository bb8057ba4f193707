"""Learning curves of a run, its phases as bands behind them."""

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gantext.plots.layouts import Layout, Row, Series, filled, number, running_mean, series
from gantext.plots.theme import (
    MARKERS,
    SMALL,
    Theme,
    find_theme,
    legend_below,
    new_axes,
    plain,
    run_look,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation


# The phases of a run, as bands behind its learning curves.
LINE = 11  # points between two rows of names


class Span(NamedTuple):
    """A phase, from the end of the one before to its own last row, in steps of the run."""

    phase: str
    start: float
    end: float


def phase_spans(rows: Iterable[Row]) -> list[Span]:
    """Return the phases in order; one that comes back is a span of its own."""
    spans: list[Span] = []
    end = 0.0
    for phase, group in itertools.groupby(rows, key=lambda row: str(row.get("phase", ""))):
        start, end = end, max(float(row["total"]) for row in group)
        spans.append(Span(phase, start, end))
    return spans


def draw_phases(
    axes: "Axes", limits: tuple[float, float], spans: Sequence[Span], theme: Theme
) -> list["Annotation"]:
    """Draw the bands that are in sight; a phase is named where it is seen first."""
    texts: dict[str, Annotation] = {}
    for place, span in enumerate(spans):
        start, end = max(span.start, limits[0]), min(span.end, limits[1])
        if start > end or (start == end and limits[0] < limits[1]):
            continue
        axes.axvspan(start, end, color=theme.bands[place % 2], linewidth=0, zorder=0)
        if span.phase not in texts:
            texts[span.phase] = axes.annotate(
                plain(span.phase),
                ((start + end) / 2, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 3),
                textcoords="offset points",
                ha="center",
                color=theme.muted,
                fontsize=SMALL,
            )
    return list(texts.values())


def arrange(figure: "Figure", axes: "Axes", texts: Sequence["Annotation"]) -> None:
    """Keep the phases' names within the axes' width, and lift those that would overlap."""
    figure.draw_without_rendering()
    inside, point = axes.get_window_extent(), figure.dpi / 72
    ends: list[float] = []  # of the last name in each row
    for text in texts:
        box = text.get_window_extent()
        shift = max(inside.x0 - box.x0, 0) + min(inside.x1 - box.x1, 0)
        free = [row for row, end in enumerate(ends) if box.x0 + shift > end + 4]
        row = free[0] if free else len(ends)
        ends[row : row + 1] = [box.x1 + shift]
        text.set_position((shift / point, 3 + LINE * row))


SMOOTHING = 0.02  # of the points of a curve
SPARSE = 0.012  # of the axis; points that are farther apart than that have markers


class Panel(NamedTuple):
    """A figure with the texts that belong to it."""

    title: str
    caption: str
    figure: "Figure"


def learning_figures(
    rows: Sequence[Row], layouts: Sequence[Layout], theme: str = "light", place: int = 0
) -> list[Panel]:
    """Draw what a run's metrics.jsonl holds over the steps of the run: one figure a quantity.

    All have the same axis of steps, that of the whole run. The first curve of each is in the run's
    colour, the next ones in those of no run, as long as there are some. A raw curve is faint, with
    its running mean over 2% of its points on top. Values that are not finite numbers are gaps, and
    the caption counts them. A row without "total" is left out.

    Args:
        rows: of metrics.jsonl, in order.
        layouts: the figures, in order; one without a value in the rows is left out.
        theme: "light" or "dark".
        place: of the run among those that are shown together, which decides its colour.

    Returns:
        Nothing for a run without rows.

    Raises:
        UserError: there is no such theme.
    """
    colours = find_theme(theme)
    known = [{**row, "total": t} for row in rows if math.isfinite(t := number(row.get("total")))]
    return [
        _panel(layout, found, known, (colours, place)) for layout, found in filled(known, layouts)
    ]


def _panel(
    layout: Layout, found: Mapping[str, Series], rows: Sequence[Row], colours: tuple[Theme, int]
) -> Panel:
    theme, run = colours
    spans = phase_spans(rows)
    with styled(theme):
        figure, axes = new_axes(theme)
        axes.set_xlabel("step")
        axes.set_ylabel(plain(layout.ylabel))
        axes.locator_params(nbins=6)
        limits = _limits(axes, spans)
        entries, looks = [], _looks(theme, run)
        for (key, values), look in zip(found.items(), looks, strict=False):
            if key in layout.band:
                _draw_band(axes, rows, (key, layout), look["color"])
            sparse = _is_sparse(values, limits)
            shown = look if sparse else {**look, "marker": ""}
            drawn = _draw(axes, key, values, shown, _window(values, layout))
            entries.append((drawn, layout.name(key)))
        entries += _draw_extras(axes, layout, rows, theme, next(looks)["color"])
        texts = draw_phases(axes, limits, spans, theme)
        legend_below(figure, entries if len(entries) > 1 else [])
        arrange(figure, axes, texts)
    return Panel(layout.title, _caption(layout, found.values()), figure)


def _looks(theme: Theme, run: int) -> Iterator[dict[str, str]]:
    """Of the curves of a run: its own colour, then black and grey, which are no run's."""
    own = run_look(theme, run)
    others = [colour for colour in theme.series if colour != own["color"]]
    colours = itertools.chain([own["color"], theme.text, theme.muted], itertools.cycle(others))
    first = MARKERS.index(own["marker"])
    markers = itertools.cycle([*MARKERS[first:], *MARKERS[:first]])
    return ({"color": one, "marker": other} for one, other in zip(colours, markers, strict=False))


def _caption(layout: Layout, found: Collection[Series]) -> str:
    sentences = [layout.caption] if layout.caption else []
    if any(_window(values, layout) > 1 for values in found):
        sentences.append("Faint: every report; bold: their running mean.")
    lost = sum(values.lost for values in found)
    if lost:
        were = "value was" if lost == 1 else "values were"
        sentences.append(f"{lost} {were} not finite and left out.")
    return " ".join(sentences)


def _window(values: Series, layout: Layout) -> int:
    """About 2% of the points, an odd number; 1 where nothing has to be smoothed."""
    return 1 if layout.exact else 2 * (round(SMOOTHING * len(values.y)) // 2) + 1


def _is_sparse(values: Series, limits: tuple[float, float]) -> bool:
    gaps = np.diff(values.x)
    return len(gaps) == 0 or float(np.median(gaps)) > SPARSE * (limits[1] - limits[0])


def _draw(axes: "Axes", key: str, values: Series, look: dict[str, str], window: int) -> "Artist":
    colour = look["color"]
    if window == 1:
        (line,) = axes.plot(values.x, values.y, label=key, color=colour, marker=look["marker"])
        return line
    axes.plot(values.x, values.y, color=colour, linewidth=0.8, alpha=0.35, label=key)
    smooth = running_mean(values.y, window)
    return axes.plot(values.x, smooth, color=colour, label=f"{key} smoothed")[0]


def _draw_band(axes: "Axes", rows: Sequence[Row], of: tuple[str, Layout], colour: str) -> None:
    key, layout = of
    keys = (key, layout.band[key])
    both = [row for row in rows if all(key in row for key in keys)]
    mean, deviation = (series(both, key) for key in keys)
    window = _window(mean, layout)
    middle, width = running_mean(mean.y, window), running_mean(deviation.y, window)
    axes.fill_between(mean.x, middle - width, middle + width, color=colour, alpha=0.15, linewidth=0)


def _draw_extras(
    axes: "Axes", layout: Layout, rows: Sequence[Row], theme: Theme, colour: str
) -> list[tuple["Artist", str]]:
    """The mean of two curves, the height that means something, the heights to be covered."""
    entries: list[tuple[Artist, str]] = []
    both = [row for row in rows if layout.mean and all(key in row for key in layout.mean)]
    if both:
        parts = [series(both, key) for key in layout.mean]
        mean = Series(parts[0].x, np.mean([part.y for part in parts], axis=0))
        smooth = running_mean(mean.y, _window(mean, layout))
        entries += [(axes.plot(mean.x, smooth, color=colour, label="mean")[0], "their mean")]
    if layout.level:
        height, name = layout.level
        line = axes.axhline(height, color=theme.muted, linestyle=":", linewidth=1.2)
        entries += [(line, name)]
    if layout.covers:
        low, high = axes.dataLim.intervaly
        low, high = min(low, layout.covers[0]), max(high, layout.covers[1])
        axes.set_ylim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    return entries


def _limits(axes: "Axes", spans: Sequence[Span]) -> tuple[float, float]:
    """Set the x axis to the whole run, and return its first and last step."""
    first, last = spans[0].start, spans[-1].end
    margin = max(0.02 * (last - first), 1.0)
    axes.set_xlim(first - margin, last + margin)
    return first, last
