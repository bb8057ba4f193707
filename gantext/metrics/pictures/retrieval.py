"""Retrieval: whether a query finds its own candidate among others.

Ties count pessimistically: a candidate that scores as high as the query's own stands before it, so
that a judge to whom all pictures look alike finds none.

Legend: N queries, each with one candidate of its own.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.errors import UserError


def ranks(similarities: ArrayLike) -> NDArray[np.int64]:
    """The place, from 1, of each query's own candidate among all, (N,).

    Args:
        similarities: (N, N), queries in rows; the diagonal holds their own candidates.

    Raises:
        UserError: the table is empty or not square, or holds NaN.
    """
    table = np.asarray(similarities)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or not len(table):
        raise UserError(f"retrieval needs a candidate for each query, not a {table.shape} table")
    if np.isnan(table).any():
        raise UserError("retrieval needs similarities that are numbers")
    return np.asarray((table >= np.diagonal(table)[:, None]).sum(axis=1))


def found_at(places: Sequence[int] | NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    """Which queries have their own candidate among the first k, (N,): their share is R@k."""
    return np.asarray(np.asarray(places) <= k)


def reciprocal_ranks(places: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """1 / place of each query, (N,): their mean is the MRR (Voorhees 1999)."""
    return np.asarray(1 / np.asarray(places))
