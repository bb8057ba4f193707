"""The phases of a run, as bands behind its learning curves."""

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gantext.plots.panels import Row
from gantext.plots.theme import SMALL, Theme, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

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
