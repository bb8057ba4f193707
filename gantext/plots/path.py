"""The way of a run over the plane of nll_test and nll_oracle: both curves as one."""

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gantext.plots.layouts import Row, number
from gantext.plots.learning import Panel
from gantext.plots.theme import (
    MARKERS,
    find_theme,
    legend_below,
    new_axes,
    run_look,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

TEST, ORACLE = "nll_test", "nll_oracle"  # of the axes x and y
NEEDED = (TEST, ORACLE, "total")
TITLE = "nll_oracle against nll_test"
CAPTION = (
    "The two curves as one: a point for each of theirs, in the order of the steps; each phase ends "
    "at its large marker. A better model is lower and further left; sampling at a lower "
    "temperature alone leads down and to the right."
)
STYLES = ("-", "--", "-.", ":")


class Leg(NamedTuple):
    """The way of a phase: points (nll_test, nll_oracle), and the step of the run at its last."""

    phase: str
    points: list[tuple[float, float]]
    step: int


def legs(rows: Sequence[Row]) -> list[Leg]:
    """The phases that have points, in order, of the rows of metrics.jsonl that have both values."""
    known = [row for row in rows if all(math.isfinite(number(row.get(key))) for key in NEEDED)]
    found = []
    for phase, group in itertools.groupby(known, key=lambda row: str(row.get("phase", ""))):
        held = list(group)
        points = [(number(row[TEST]), number(row[ORACLE])) for row in held]
        found.append(Leg(phase, points, int(held[-1]["total"])))
    return found


def path_panel(rows: Sequence[Row], theme: str = "light", place: int = 0) -> Panel | None:
    """Draw the way of a run; None where fewer than two points have both values.

    Args:
        rows: of metrics.jsonl, in order.
        theme: "light" or "dark".
        place: of the run among those that are shown together, which decides its colour.

    Raises:
        UserError: there is no such theme.
    """
    colours, found = find_theme(theme), legs(rows)
    if sum(len(leg.points) for leg in found) < 2:
        return None
    with styled(colours):
        figure, axes = new_axes(colours)
        axes.set_xlabel(f"{TEST} (nats per word)")
        axes.set_ylabel(f"{ORACLE} (nats per word)")
        axes.margins(0.07)
        look = run_look(colours, place)
        legend_below(figure, _draw(axes, found, look["color"]))
    return Panel(TITLE, CAPTION, figure)


def _draw(axes: "Axes", found: Sequence[Leg], colour: str) -> list[tuple["Artist", str]]:
    entries: list[tuple[Artist, str]] = []
    before: list[tuple[float, float]] = []
    for turn, leg in enumerate(found):
        x, y = zip(*before, *leg.points, strict=True)
        marker, style = MARKERS[turn % len(MARKERS)], STYLES[turn % len(STYLES)]
        (line,) = axes.plot(x, y, style, color=colour, marker=marker, markersize=3, linewidth=1)
        axes.plot(*leg.points[-1], marker, color=colour, markersize=9)
        entries.append((line, f"{leg.phase}, to step {leg.step:,}"))
        before = leg.points[-1:]
    return entries
