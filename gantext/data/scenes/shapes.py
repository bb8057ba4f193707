"""The shapes of the scene grammar: their outlines, and how close two can come."""

import functools
import math

import numpy as np
import numpy.typing as npt

CORNERS = {
    "square": [(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)],
    "triangle": [(0.0, -0.95), (1.0, 0.85), (-1.0, 0.85)],
    "diamond": [(0.0, -1.0), (0.72, 0.0), (0.0, 1.0), (-0.72, 0.0)],
    "bar": [(-1.0, -0.33), (1.0, -0.33), (1.0, 0.33), (-1.0, 0.33)],
    "cross": [
        *[(-0.34, -1.0), (0.34, -1.0), (0.34, -0.34), (1.0, -0.34), (1.0, 0.34), (0.34, 0.34)],
        *[(0.34, 1.0), (-0.34, 1.0), (-0.34, 0.34), (-1.0, 0.34), (-1.0, -0.34), (-0.34, -0.34)],
    ],
}


@functools.cache
def outline(shape: str) -> npt.NDArray[np.float64]:
    """Return the corners of a shape, (K, 2), within [-1, 1], y downwards."""
    t = np.linspace(0, 2 * math.pi, 49)
    circle = np.stack([np.cos(t), np.sin(t)], axis=1)
    if shape == "circle":
        return circle
    if shape == "ring":  # out along the rim, back along the hole
        return np.concatenate([circle, 0.52 * circle[::-1]])
    if shape == "star":
        angles = np.arange(10) * math.pi / 5 - math.pi / 2
        radii = np.where(np.arange(10) % 2, 0.45, 1.08)
        return np.stack([radii * np.cos(angles), radii * np.sin(angles) + 0.08], axis=1)
    if shape == "heart":
        x = 16 * np.sin(t) ** 3
        y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        return np.stack([x / 16, -(y + 2.5) / 15], axis=1)
    if shape == "moon":
        return _crescent()
    return np.array(CORNERS[shape])


def _crescent() -> npt.NDArray[np.float64]:
    """A unit circle without a circle of radius 0.82 that lies 0.56 to the right of it."""
    radius, offset = 0.82, 0.56
    x = (offset**2 + 1 - radius**2) / (2 * offset)  # where the circles cross
    y = math.sqrt(1 - x**2)
    outer = np.linspace(math.atan2(y, x), 2 * math.pi - math.atan2(y, x), 25)
    tip = math.atan2(y, x - offset)
    inner = np.linspace(2 * math.pi - tip, tip, 25)
    far = np.stack([np.cos(outer), np.sin(outer)], axis=1)
    near = np.stack([offset + radius * np.cos(inner), radius * np.sin(inner)], axis=1)
    middle: npt.NDArray[np.float64] = np.concatenate([far, near]) + np.array([(1 - x) / 2, 0.0])
    return middle


def touching(left: str, left_size: float, right: str, right_size: float) -> float:
    """Distance of the centres, side by side at one height, at which two shapes just touch.

    Sizes are the full extents; the distance has their unit. Compares the outlines row by row.
    """
    rows = np.linspace(-0.5, 0.5, 81) * min(left_size, right_size)
    reach = _reach(left, rows * 2 / left_size, 1) * left_size / 2
    room = _reach(right, rows * 2 / right_size, -1) * right_size / 2
    return float(np.max(reach + room))


def _reach(shape: str, rows: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    """How far the outline goes to one side (1: right, -1: left) in each row; -inf outside it."""
    x0, y0 = outline(shape).T[:, :, None]
    x1, y1 = np.roll(outline(shape), -1, axis=0).T[:, :, None]  # (K, 1): the edges' ends
    crosses = (np.minimum(y0, y1) <= rows) & (rows <= np.maximum(y0, y1)) & (y0 != y1)
    share = (rows - y0) / np.where(y0 == y1, 1.0, y1 - y0)
    sideways = np.where(crosses, side * (x0 + share * (x1 - x0)), -np.inf)
    reach: npt.NDArray[np.float64] = sideways.max(axis=0)
    return reach
