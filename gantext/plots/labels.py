"""Small texts beside points, placed where they cover nothing."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gantext.plots.theme import SMALL, plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation


Pixels = NDArray[np.float64]
Line = Sequence[tuple[float, float]]
# Directions from the point, best first: right, left, above, below, then the corners.
SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
NEAR, FAR = 5.0, (12.0, 20.0, 30.0)  # points; a text that goes far has a leader line
HORIZONTAL: dict[int, Literal["left", "center", "right"]] = {1: "left", 0: "center", -1: "right"}
VERTICAL: dict[int, Literal["bottom", "center", "top"]] = {1: "bottom", 0: "center", -1: "top"}
PADDING = 3.0  # pixels around a text; half a marker
SPACING = 3.0  # pixels between the dots that stand for a line
LEADER_DOTS = 20  # that stand for a leader line
OVERLAP = 50  # what it costs to cover a text, if a dot costs 1


@dataclass(frozen=True)
class Label:
    """A text for the point (x, y).

    It is left out where it covers something, with `over_lines` only where that is another text;
    with `required` never: it may stand off its point then, with a leader line to it.
    """

    text: str
    x: float
    y: float
    colour: str
    required: bool = False
    over_lines: bool = False


@dataclass(frozen=True)
class Place:
    """Where a label could stand.

    Attributes:
        side: one of `SIDES`.
        offset: of the anchor from the point, in points.
        box: (4,) x0, y0, x1, y1 of the text, in pixels.
        leader: (D, 2) pixels along the line to the point; none near it.
    """

    side: tuple[int, int]
    offset: tuple[float, float]
    box: Pixels
    leader: Pixels


def place_labels(
    figure: "Figure", axes: "Axes", labels: Iterable[Label], lines: Sequence[Line]
) -> None:
    """Write labels in the order given, each at the best free side of its point.

    Args:
        figure: with its legend, so that the layout is final.
        axes: with their final limits.
        labels: the more important ones first.
        lines: what may not be covered: polylines and single points, in data coordinates.
    """
    figure.draw_without_rendering()  # makes the layout
    inside = np.array(axes.get_window_extent().extents)
    dots = _dots(axes, lines)
    written: list[Place] = []
    for label in labels:
        places = list(_places(axes, label))
        costs = [_cost(place, inside, dots, written) for place in places]
        limit = math.inf if label.required else OVERLAP if label.over_lines else 1
        if min(costs) < limit:
            written.append(places[int(np.argmin(costs))])
            _write(axes, label, written[-1])


def _write(axes: "Axes", label: Label, place: Place) -> "Annotation":
    right, up = place.side
    # Starts where the text is nearest to the point; a marker hides its last 3 points.
    leader = {
        "arrowstyle": "-",
        "color": label.colour,
        "linewidth": 0.6,
        "relpos": ((1 - right) / 2, (1 - up) / 2),
        "shrinkB": 3,
    }
    return axes.annotate(
        plain(label.text),
        (label.x, label.y),
        xytext=place.offset,
        textcoords="offset points",
        ha=HORIZONTAL[right],
        va=VERTICAL[up],
        color=label.colour,
        fontsize=SMALL,
        annotation_clip=False,
        in_layout=False,
        arrowprops=leader if len(place.leader) else None,
    )


def _places(axes: "Axes", label: Label) -> Iterator[Place]:
    trial = _write(axes, label, Place((0, 0), (0, 0), np.zeros(4), np.empty((0, 2))))
    extent = trial.get_window_extent()
    trial.remove()
    size = np.array([extent.width, extent.height])
    point = axes.transData.transform((label.x, label.y))
    pixels = axes.figure.dpi / 72  # per point
    for distance in (NEAR, *FAR) if label.required else (NEAR,):
        for side in SIDES:
            offset = (distance * side[0], distance * side[1])
            anchor = point + np.array(offset) * pixels
            # A side of 1 puts the box's near edge on the anchor, 0 its middle, -1 its far edge.
            corner = anchor + size * (np.array(side) - 1) / 2
            box = np.concatenate([corner, corner + size])
            leader = np.linspace(anchor, point, LEADER_DOTS if distance > NEAR else 0)
            yield Place(side, offset, box, leader)


def _cost(place: Place, inside: Pixels, dots: Pixels, written: Sequence[Place]) -> float:
    """How much a text there covers: dots, other texts and their leader lines (worse), what is
    outside the axes (worst). A leader line through a text is as bad as a text on it."""
    low, high = place.box[:2], place.box[2:]
    overlaps = sum(_collide(place, other) for other in written)
    outside = (low < inside[:2]).any() or (high > inside[2:]).any()
    return float(_covered(dots, place).sum() + OVERLAP * overlaps + 10 * OVERLAP * outside)


def _covered(dots: Pixels, place: Place) -> NDArray[np.bool_]:
    """(D,), which of the dots lie under a text."""
    low, high = place.box[:2] - PADDING, place.box[2:] + PADDING
    return np.asarray(((dots > low) & (dots < high)).all(1))


def _collide(one: Place, other: Place) -> bool:
    low, high = one.box[:2] - PADDING, one.box[2:] + PADDING
    overlap = (low < other.box[2:]).all() and (high > other.box[:2]).all()
    crossed = _covered(one.leader, other).any() or _covered(other.leader, one).any()
    return bool(overlap or crossed)


def _dots(axes: "Axes", lines: Sequence[Line]) -> Pixels:
    """Return (D, 2) pixels along the lines, dense enough to stand for them."""
    found = [np.empty((0, 2))]
    for line in filter(len, lines):
        corners = axes.transData.transform(np.array(line, dtype=float))
        found.append(corners)
        for start, end in itertools.pairwise(corners):
            count = max(2, int(np.linalg.norm(end - start) / SPACING))
            found.append(start + np.linspace(0, 1, count)[:, None] * (end - start))
    return np.concatenate(found)
