"""Whether two scores of the same sentences differ by more than the choice of sentences explains.

Legend: N sentences.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

DRAWS = 2000  # of the bootstrap: a p of .05 is then known to .005


class Interval(NamedTuple):
    """What a difference would be with other sentences.

    Attributes:
        low, high: the 95 % interval.
        p: twice the share of draws in which it has the other sign, or none.
    """

    low: float
    high: float
    p: float


def paired_bootstrap(difference: float, apart: ArrayLike, seed: int = 0) -> Interval:
    """The paired bootstrap (Efron 1979; Koehn 2004): both scores of the same N drawn sentences.

    Args:
        difference: of the two scores.
        apart: (N,) of each sentence, by how much more it moves the first score than the second,
            which is 0 in the mean (`standard_error.influences`).
        seed: of the draws.
    """
    given = np.asarray(apart, np.float64)
    rng = np.random.default_rng(seed)
    drawn = [given[rng.integers(given.size, size=given.size)].mean() for _ in range(DRAWS)]
    found = difference + np.asarray(drawn)
    low, high = np.quantile(found, [0.025, 0.975])
    crossed = min(np.mean(found <= 0), np.mean(found >= 0))
    return Interval(float(low), float(high), min(1.0, 2 * float(crossed)))
