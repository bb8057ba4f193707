"""Pictures of the captions of the scene grammar: 32 x 32 pixels, RGB."""

import functools
import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from gantext.data.scenes.layout import PIXELS, Mark, layout
from gantext.data.scenes.scene import Scene
from gantext.data.scenes.shapes import outline

FINE = 4  # supersampling: pixels of the drawing in one pixel of the picture, each way

Colour = tuple[int, int, int]
PAINT: dict[str, Colour] = {
    "red": (220, 30, 35),
    "orange": (250, 140, 0),
    "yellow": (250, 225, 30),
    "green": (25, 150, 50),
    "blue": (30, 80, 225),
    "purple": (130, 40, 175),
    "pink": (250, 130, 190),
    "brown": (120, 70, 30),
    "black": (15, 15, 15),
    "gray": (125, 125, 125),
}
# Pale, so that every paint shows: the ground's colour, and that of the pattern on it.
PAPER: dict[str | None, tuple[Colour, Colour]] = {
    None: ((250, 250, 250), (250, 250, 250)),
    "sky": ((182, 214, 248), (236, 245, 255)),
    "water": ((170, 226, 232), (140, 204, 214)),
    "grass": ((200, 232, 178), (168, 208, 142)),
    "sand": ((244, 230, 190), (224, 204, 156)),
    "table": ((224, 200, 164), (206, 178, 140)),
    "wall": ((242, 216, 216), (230, 194, 196)),
    "road": ((206, 206, 212), (238, 238, 240)),
    "snow": ((222, 234, 250), (252, 253, 255)),
}
# A pattern repeats one stroke: its width and height, the steps to the next, and every second row's
# shift; in pixels.
STROKES: dict[str, tuple[float, float, float, float, float]] = {
    "sky": (7, 2, 16, 9, 8),
    "water": (4, 0.7, 8, 5, 4),
    "grass": (0.7, 2.5, 4, 5, 2),
    "sand": (1, 1, 5, 4, 2.5),
    "table": (32, 0.7, 32, 6, 0),
    "wall": (9, 4, 10, 5, 5),
    "road": (5, 1.2, 10, 10, 0),
    "snow": (1.5, 1.5, 7, 6, 3.5),
}


def render(scene: Scene, rng: np.random.Generator, jitter: float = 1.0) -> npt.NDArray[np.uint8]:
    """Draw a scene: (32, 32, 3) uint8, rows from the top.

    jitter: 0 to 1, how far places and sizes vary with `rng` (`gantext.data.layout`).
    """
    picture = _ground(scene.place).copy()
    draw = ImageDraw.Draw(picture)
    paper = PAPER[scene.place][0]
    inside = {relation.subject for relation in scene.relations if relation.kind == "inside"}
    for mark in layout(scene, rng, jitter):
        group = scene.groups[mark.group]
        if mark.group in inside:  # a rim, for a red circle in a red square
            draw.polygon(_corners(group.shape, mark, 1.5), fill=paper)
        draw.polygon(_corners(group.shape, mark), fill=PAINT[group.colour])
    return np.asarray(picture.reduce(FINE), dtype=np.uint8)


def _corners(shape: str, mark: Mark, rim: float = 0.0) -> list[tuple[float, float]]:
    scale = FINE * (mark.size / 2 + rim)
    # Pillow counts from the middle of a pixel: half of one less.
    points = outline(shape) * scale + np.array([mark.x, mark.y]) * FINE - 0.5
    return [(x, y) for x, y in points.tolist()]


@functools.cache
def _ground(place: str | None) -> Image.Image:
    side = PIXELS * FINE
    paper, ink = PAPER[place]
    image = Image.new("RGB", (side, side), paper)
    if place is None:
        return image
    draw = ImageDraw.Draw(image)
    width, height, across, down, shift = STROKES[place]
    for row in range(math.ceil(PIXELS / down) + 1):
        for column in range(-1, math.ceil(PIXELS / across) + 1):
            x, y = 1 + column * across + shift * (row % 2), 1 + row * down
            draw.rectangle(
                (x * FINE, y * FINE, (x + width) * FINE - 1, (y + height) * FINE - 1), fill=ink
            )
    return image
