"""Small texts beside points, placed where they cover nothing."""

import itertools
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
NEAR, FAR = 5.0, (12.0, 20.0, 30.0)  # points; only a required text goes far, with a leader line
HORIZONTAL: dict[int, Literal["left", "center", "right"]] = {1: "left", 0: "center", -1: "right"}
VERTICAL: dict[int, Literal["bottom", "center", "top"]] = {1: "bottom", 0: "center", -1: "top"}
PADDING = 3.0  # pixels around a text; half a marker
SPACING = 3.0  # pixels between the dots that stand for a line


@dataclass(frozen=True)
class Label:
    """A text for the point (x, y); without `required` it is left out where it covers something."""

    text: str
    x: float
    y: float
    colour: str
    required: bool = False


@dataclass(frozen=True)
class Place:
    """Where a label could stand.

    Attributes:
        side: one of `SIDES`.
        offset: of the anchor from the point, in points.
        anchor: (2,), where a leader line would begin, in pixels.
        box: (4,) x0, y0, x1, y1 of the text, in pixels.
        far: whether it needs a leader line.
    """

    side: tuple[int, int]
    offset: tuple[float, float]
    anchor: Pixels
    box: Pixels
    far: bool


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
    boxes: list[Pixels] = []
    for label in labels:
        places = list(_places(axes, label))
        costs = [_cost(place.box, inside, dots, boxes) for place in places]
        best = places[int(np.argmin(costs))]
        if min(costs) > 0 and not label.required:
            continue
        _write(axes, label, best)
        boxes.append(best.box)
        if best.far:
            leader = np.linspace(best.anchor, axes.transData.transform((label.x, label.y)), 20)
            dots = np.concatenate([dots, leader])


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
        arrowprops=leader if place.far else None,
    )


def _places(axes: "Axes", label: Label) -> Iterator[Place]:
    trial = _write(axes, label, Place((0, 0), (0, 0), np.zeros(2), np.zeros(4), False))
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
            yield Place(side, offset, anchor, box, distance > NEAR)


def _cost(box: Pixels, inside: Pixels, dots: Pixels, boxes: Sequence[Pixels]) -> float:
    """How much a text there covers: dots, other texts (worse), what is outside the axes (worst)."""
    low, high = box[:2] - PADDING, box[2:] + PADDING
    covered = ((dots > low) & (dots < high)).all(1).sum()
    overlaps = sum(bool((low < other[2:]).all() and (high > other[:2]).all()) for other in boxes)
    outside = (box[:2] < inside[:2]).any() or (box[2:] > inside[2:]).any()
    return float(covered + 50 * overlaps + 500 * outside)


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
