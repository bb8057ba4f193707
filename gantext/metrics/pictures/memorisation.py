"""Whether samples are copies of training data: their nearest training points, beside test data's.

Test points tell how near to the training data a point comes that nobody can have copied. Samples
that are nearer than that are suspect. In pixels, what is simple or blurred is near to much: look
at the pairs before believing the share.

Legend: N samples, M training points, L test points, D size of a point.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.errors import UserError
from gantext.metrics.pictures.neighbours import Nearest, nearest

PERCENTILE = 5.0  # of the test points; so many of a perfect model's samples are as near


@dataclass(frozen=True)
class Memorisation:
    """The nearest training point of each sample (N,) and of each test point (L,)."""

    samples: Nearest
    test: Nearest

    @property
    def median(self) -> float:
        """Median distance from a sample to its nearest training point."""
        return float(np.median(self.samples.distances))

    @property
    def test_median(self) -> float:
        """The same of test points."""
        return float(np.median(self.test.distances))

    def share(self, percentile: float = PERCENTILE) -> float:
        """Share of samples that are nearer than this percentile of the test distances."""
        return float(self.is_near(percentile).mean())

    def is_near(self, percentile: float = PERCENTILE) -> NDArray[np.bool_]:
        """Which samples are nearer than this percentile of the test distances, (N,)."""
        edge = np.percentile(self.test.distances, percentile)
        return np.asarray(self.samples.distances < edge)

    def most_alike(self, n: int) -> NDArray[np.int64]:
        """Places of the n samples that are nearest to a training point, the nearest first."""
        return np.argsort(self.samples.distances, kind="stable")[:n]


def memorisation(samples: ArrayLike, training: ArrayLike, test: ArrayLike) -> Memorisation:
    """Search the training points (M, D) for the nearest of samples (N, D) and of test (L, D).

    Raises:
        UserError: one of the three is empty.
    """
    if not all(len(np.asarray(part)) for part in (samples, training, test)):
        raise UserError("memorisation needs samples, training and test pictures")
    return Memorisation(nearest(samples, training), nearest(test, training))
