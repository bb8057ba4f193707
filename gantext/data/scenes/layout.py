"""Where the shapes of a scene lie in its picture.

Coordinates are pixels of a picture of PIXELS x PIXELS, x to the right and y downwards. Every group
gets a box of its own, so that what the caption says about places stays true under any jitter.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gantext.data.scenes.scene import Group, Relation, Scene
from gantext.data.scenes.shapes import touching

PIXELS = 32
MARGIN = 1.0
INNER = PIXELS - 2 * MARGIN
GAP = 1.2  # between neighbours in a group, at least
OVERLAP = 1.0  # of two that touch
DRIFT = 4.0  # a group leaves the centre of its box by at most this much

DIRECTIONS = {
    "above": [(0, -1)],
    "below": [(0, 1)],
    "left": [(-1, 0)],
    "right": [(1, 0)],
    "beside": [(-1, 0), (1, 0)],
    "near": [(-1, 0), (1, 0), (0, -1), (0, 1)],
}
# Share of the room a shape has, and the most pixels it gets.
EXTENTS: dict[str | None, tuple[float, float]] = {
    "tiny": (0.5, 6.0),
    "small": (0.72, 8.0),
    None: (0.82, 12.0),
    "large": (0.93, 18.0),
    "huge": (0.93, 28.0),
}


@dataclass(frozen=True)
class Box:
    """A part of the picture: upper left corner, width and height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Mark:
    """One shape of group number `group`: its centre and its extent."""

    group: int
    x: float
    y: float
    size: float


SPOTS = {
    "top": Box(1, 1, 30, 13),
    "bottom": Box(1, 18, 30, 13),
    "left": Box(1, 1, 13, 30),
    "right": Box(18, 1, 13, 30),
    "middle": Box(8, 8, 16, 16),
    "top left": Box(1, 1, 15, 15),
    "top right": Box(16, 1, 15, 15),
    "bottom left": Box(1, 16, 15, 15),
    "bottom right": Box(16, 16, 15, 15),
}


def layout(scene: Scene, rng: np.random.Generator, jitter: float) -> list[Mark]:
    """Place every shape of a scene, those in front last.

    jitter: 0 puts all of them in the centre of their room at full size, 1 moves and shrinks them
    as far as the caption allows. Directions that a caption leaves open ("beside") are drawn too.
    """
    hand = _Hand(rng, jitter)
    groups = scene.groups
    if not scene.relations:
        if groups[0].spot:
            boxes = [SPOTS[group.spot or "middle"] for group in groups]
        else:  # "a circle and a square": anywhere beside each other
            free = [Relation(0, "near", 1)] if len(groups) > 1 else []
            boxes = _grid(len(groups), free, rng)
        return hand.place_all(groups, boxes)
    relation = scene.relations[0]
    special = {"inside": _inside, "surround": _surround, "touch": _touch, "between": _between}
    if relation.kind in special:
        return special[relation.kind](scene, relation, hand)
    return hand.place_all(groups, _grid(len(groups), scene.relations, rng))


@dataclass(frozen=True)
class _Hand:
    """Puts shapes down, more or less exactly."""

    rng: np.random.Generator
    jitter: float

    def shift(self, most: float) -> float:
        return float(self.rng.uniform(-1, 1)) * self.jitter * max(most, 0.0)

    def extent(self, room: float, size: str | None) -> float:
        share, most = EXTENTS[size]
        shrink = 1 - 0.12 * self.jitter * float(self.rng.uniform(0, 1))
        return min(share * room, most, room - GAP) * shrink

    def place_all(self, groups: Sequence[Group], boxes: Sequence[Box]) -> list[Mark]:
        pairs = enumerate(zip(groups, boxes, strict=True))
        return [mark for i, (group, box) in pairs for mark in self.place(i, group, box)]

    def place(self, index: int, group: Group, box: Box) -> list[Mark]:
        """Arrange a group in rows, as large as its box allows."""
        rows = max(range(1, group.count + 1), key=lambda rows: _room(group.count, rows, box))
        columns = math.ceil(group.count / rows)
        room = _room(group.count, rows, box)
        size = self.extent(room, group.size)
        pitch = min(room, size + 4)  # a group keeps together
        x = box.x + box.width / 2 + self.shift(min(DRIFT, (box.width - columns * pitch) / 2))
        y = box.y + box.height / 2 + self.shift(min(DRIFT, (box.height - rows * pitch) / 2))
        marks = []
        for number in range(group.count):
            row, column = divmod(number, columns)
            in_row = min(columns, group.count - row * columns)
            dx, dy = (self.shift((pitch - size - GAP) / 2) for _ in "xy")
            across = (column - (in_row - 1) / 2) * pitch
            down = (row - (rows - 1) / 2) * pitch
            marks.append(Mark(index, x + across + dx, y + down + dy, size))
        return marks


def _room(count: int, rows: int, box: Box) -> float:
    return min(box.width / math.ceil(count / rows), box.height / rows)


def _grid(count: int, relations: Sequence[Relation], rng: np.random.Generator) -> list[Box]:
    """Boxes on the smallest grid in which each group lies on the right side of its landmark."""
    cells: dict[int, tuple[int, int]] = {}
    for relation in relations:
        x, y = cells.setdefault(relation.landmark, (0, 0))
        ways = DIRECTIONS[relation.kind]
        free = [(dx, dy) for dx, dy in ways if (x + dx, y + dy) not in cells.values()]
        dx, dy = (free or ways)[int(rng.integers(len(free or ways)))]
        while (x, y) in cells.values():  # the next cell may be taken: "above" also farther up
            x, y = x + dx, y + dy
        cells[relation.subject] = (x, y)
    places = [cells.get(group, (0, 0)) for group in range(count)]
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    width = INNER / (1 + max(x for x, _ in places) - left)
    height = INNER / (1 + max(y for _, y in places) - top)
    return [
        Box(MARGIN + (x - left) * width, MARGIN + (y - top) * height, width, height)
        for x, y in places
    ]


def _inside(scene: Scene, relation: Relation, hand: _Hand) -> list[Mark]:
    """The landmark fills the picture, whatever size the caption gives it."""
    inner = scene.groups[relation.subject]
    x, y = (PIXELS / 2 + hand.shift(1) for _ in "xy")
    around = Mark(relation.landmark, x, y, hand.extent(30, "huge"))
    size = 7.0 if inner.size == "small" else 9.0
    return [around, Mark(relation.subject, x + hand.shift(1), y + hand.shift(1), size)]


def _surround(scene: Scene, relation: Relation, hand: _Hand) -> list[Mark]:
    outer, inner = scene.groups[relation.subject], scene.groups[relation.landmark]
    x, y = (PIXELS / 2 + hand.shift(0.5) for _ in "xy")
    start = float(hand.rng.uniform(0, 2 * math.pi)) * hand.jitter - math.pi / 2
    size = hand.extent(8.5, None)
    marks = [Mark(relation.landmark, x, y, hand.extent(11, inner.size))]
    for number in range(outer.count):
        angle = start + 2 * math.pi * number / outer.count
        across, down = 11.5 * math.cos(angle), 11.5 * math.sin(angle)
        marks.append(Mark(relation.subject, x + across, y + down, size))
    return marks


def _touch(scene: Scene, relation: Relation, hand: _Hand) -> list[Mark]:
    """One toucher on either side, or one on each side for two."""
    toucher, touched = scene.groups[relation.subject], scene.groups[relation.landmark]
    size, middle = hand.extent(12, toucher.size), hand.extent(14, touched.size)
    to_left = touching(toucher.shape, size, touched.shape, middle) - OVERLAP
    to_right = touching(touched.shape, middle, toucher.shape, size) - OVERLAP
    y = PIXELS / 2 + hand.shift(DRIFT)
    offsets = [-to_left, to_right]
    if toucher.count == 1:
        offsets = [offsets[int(hand.rng.integers(2))]]
    x = PIXELS / 2 + hand.shift(1) - sum(offsets) / 2
    marks = [Mark(relation.subject, x + offset, y, size) for offset in offsets]
    return [*marks, Mark(relation.landmark, x, y, middle)]


def _between(scene: Scene, relation: Relation, hand: _Hand) -> list[Mark]:
    """The landmark is a pair: one of it on either side."""
    pair = scene.groups[relation.landmark]
    single = Group(1, pair.size, pair.colour, pair.shape)
    columns = [Box(MARGIN + i * INNER / 3, MARGIN, INNER / 3, INNER) for i in range(3)]
    marks = hand.place(relation.subject, scene.groups[relation.subject], columns[1])
    left = hand.place(relation.landmark, single, columns[0])
    right = hand.place(relation.landmark, single, columns[2])
    return [*left, *right, *marks]
