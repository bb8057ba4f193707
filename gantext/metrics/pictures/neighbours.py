"""Nearest neighbours among points: embeddings of pictures, or their pixels laid end to end.

All distances are Euclidean. They are found by |a|^2 + |b|^2 - 2ab, a matrix product, for a chunk of
rows at a time.

Legend: N query points, M points that are searched, D their size.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.errors import UserError

Floats = NDArray[np.float64]
Real = TypeVar("Real", np.float32, np.float64)
CHUNK = 500  # rows; with 60,000 points 120 MB of single-precision distances


@dataclass(frozen=True)
class Nearest:
    """The nearest of M points to each of N.

    Attributes:
        indices: (N,), the place of the nearest point; one of them where several are.
        distances: (N,), exact: 0 for a copy.
    """

    indices: NDArray[np.int64]
    distances: Floats


def nearest(queries: ArrayLike, points: ArrayLike) -> Nearest:
    """Find the nearest point (M, D) of each query (N, D).

    The search is in single precision, which may prefer one of two points that are equally near to
    about 1e-3 of their distance from the points' mean; the distance to the one found is exact.

    Raises:
        UserError: there is no point.
    """
    x, y = np.asarray(queries), np.asarray(points)
    if not len(y):
        raise UserError("the nearest of no pictures was asked for")
    centre = y.mean(0, dtype=np.float64).astype(np.float32)
    near = np.asarray(y - centre, np.float32)
    indices, distances = [np.empty(0, np.int64)], [np.empty(0)]
    for rows in _parts(x):
        found = squared_distances(np.asarray(rows - centre, np.float32), near).argmin(1)
        apart = rows.astype(np.float64) - y[found].astype(np.float64)
        indices.append(found)
        distances.append(np.sqrt((apart * apart).sum(1)))
    return Nearest(np.concatenate(indices), np.concatenate(distances))


def squared_distances(a: NDArray[Real], b: NDArray[Real]) -> NDArray[Real]:
    """|a_i - b_j|^2, (N, M), of (N, D) and (M, D) in their own precision; at least 0."""
    sums = np.einsum("nd,nd->n", a, a)[:, None] + np.einsum("md,md->m", b, b)
    return np.asarray(np.maximum(sums - 2 * (a @ b.T), 0))


def kth_squared_distances(points: Floats, k: int) -> Floats:
    """Squared distance of each point (M, D) to its k-th nearest other point, (M,).

    Raises:
        UserError: k is not positive, or there are not k other points.
    """
    if not 1 <= k < len(points):
        raise UserError(f"{len(points)} pictures have no neighbour number {k}")
    found = [np.empty(0)]
    start = 0
    for rows in _parts(points):
        apart = squared_distances(rows, points)
        own = np.arange(len(rows))
        apart[own, start + own] = np.inf  # a point is no neighbour of itself, its copy is one
        found.append(np.partition(apart, k - 1)[:, k - 1])
        start += len(rows)
    return np.concatenate(found)


def inside_any(queries: Floats, centres: Floats, squared_radii: Floats) -> NDArray[np.bool_]:
    """Whether each query (N, D) lies in the ball of any centre (M, D), its edge included, (N,)."""
    within = (squared_distances(rows, centres) <= squared_radii for rows in _parts(queries))
    return np.concatenate([np.empty(0, np.bool_), *(row.any(1) for row in within)])


def _parts(points: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(points), CHUNK):
        yield points[start : start + CHUNK]
