"""Precision and recall of samples by nearest neighbours (Kynkaanniemi et al. 2019, eq. 1 and 2).

The region of a set of points is the union of balls, one around each point, as large as the
distance to its k-th nearest neighbour in the set.

    precision  the share of samples in the region of real points: quality
    recall     the share of real points in the samples' region: coverage

Both depend on how many points a set has, so that both sets need the same number, and only values
at that number can be compared. A single far sample among many makes a large ball: recall flatters
a model with outliers.

Legend: N points of a set, F features.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.errors import UserError
from gantext.metrics.pictures.neighbours import inside_any, kth_squared_distances

NEIGHBOUR = 3  # the paper's k


class PrecisionRecall(NamedTuple):
    """Shares in [0, 1]."""

    precision: float
    recall: float


class Covered(NamedTuple):
    """Which samples lie in the real points' region, and which real points in theirs, (N,)."""

    samples: NDArray[np.bool_]
    real: NDArray[np.bool_]


def precision_recall(samples: ArrayLike, real: ArrayLike, k: int = NEIGHBOUR) -> PrecisionRecall:
    """Precision and recall of samples (N, F) against real points (N, F); see `covered`."""
    found = covered(samples, real, k)
    return PrecisionRecall(float(found.samples.mean()), float(found.real.mean()))


def covered(samples: ArrayLike, real: ArrayLike, k: int = NEIGHBOUR) -> Covered:
    """What precision and recall of samples (N, F) against real points (N, F) are the means of.

    Raises:
        UserError: the sets differ in size, have not more than k points, or hold numbers that are
            not finite.
    """
    x, y = np.asarray(samples, np.float64), np.asarray(real, np.float64)
    if x.shape != y.shape:
        raise UserError(f"precision and recall need sets of one size, not {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise UserError("precision and recall need finite features")
    centre = y.mean(0)  # squares of large numbers would cost digits
    x, y = x - centre, y - centre
    precise = inside_any(x, y, kth_squared_distances(y, k))
    return Covered(precise, inside_any(y, x, kth_squared_distances(x, k)))
