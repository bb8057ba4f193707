"""Whether samples have all classes, and as evenly as they should.

Legend: N samples, K classes.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.errors import UserError


def class_counts(labels: ArrayLike, classes: int) -> NDArray[np.int64]:
    """How many of N labels 0 ... K - 1 are of each class, (K,).

    Raises:
        UserError: no label, or one that is no class.
    """
    given = np.asarray(labels, np.int64)
    if not given.size or given.min() < 0 or given.max() >= classes:
        raise UserError(f"class counts need labels from 0 to {classes - 1}, at least one of them")
    return np.bincount(given, minlength=classes)


def min_share(counts: ArrayLike) -> float:
    """The share of the rarest class, of counts (K,)."""
    given = np.asarray(counts)
    return float(given.min() / given.sum())


def kl_to_uniform(counts: ArrayLike) -> float:
    """KL(p || uniform) = sum_k p_k log(K p_k) of counts (K,), nats: 0 if even, log K at one class.

    Evenly drawn samples have (K - 1) / 2N on average, not 0 (Miller 1955).

    Raises:
        UserError: all counts are 0.
    """
    given = np.asarray(counts, np.float64)
    if not given.any():
        raise UserError("the balance of no samples was asked for")
    shares = given / given.sum()
    present = shares[shares > 0]
    return max(0.0, float((present * np.log(len(given) * present)).sum()))
