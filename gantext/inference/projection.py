"""Vectors in the plane: principal directions."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
NO_VARIANCE = 1e-12  # share of the variance, below which a direction is rounding error


def principal_directions(rows: Array) -> tuple[Array, tuple[float, float]]:
    """The two directions along which (N, F) rows are longest: (2, F), and their shares.

    A share is of the sum of squared lengths: of the variance, if the rows are centred. Of a
    direction and its opposite the one that the first row does not point along is taken: a path
    that starts there begins at the left. A direction that the rows do not have is zero.
    """
    _, lengths, directions = np.linalg.svd(rows, full_matrices=False)
    power = lengths**2 / max(float((lengths**2).sum()), np.finfo(float).tiny)
    found, shares = np.zeros((2, rows.shape[1])), [0.0, 0.0]
    for place, (direction, share) in enumerate(zip(directions[:2], power[:2], strict=True)):
        if share > NO_VARIANCE:
            found[place] = -direction if rows[0] @ direction > 0 else direction
            shares[place] = float(share)
    return found, (shares[0], shares[1])
