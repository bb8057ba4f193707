"""Scores of samples by features of a network: Frechet distance, precision and recall.

Each stands beside its value for real data: test pictures in the samples' place, against the same
training pictures. That is what a perfect model would have, and not 0 or 1.

Legend: N pictures of each set, F features.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.metrics import standard_error
from gantext.metrics.frechet import Gaussian, error, fit, frechet_distance
from gantext.metrics.pictures.precision_recall import NEIGHBOUR, covered
from gantext.metrics.score import Score, Setting


def feature_scores(
    samples: ArrayLike,
    training: ArrayLike,
    test: ArrayLike,
    signature: Mapping[str, Setting],
    k: int = NEIGHBOUR,
) -> list[Score]:
    """`frechet`, `precision` and `recall`, and each with "-real".

    Args:
        samples, training, test: features (N, F), of the same N.
        signature: what the features are of: network, data, sizes; what the three scores add to it
            is which set stands against which, k, and by how much the training features vary (the
            trace of their covariance).
        k: which neighbour's distance is the radius, for precision and recall.

    Raises:
        UserError: as `gantext.metrics.frechet.fit` and `precision_recall` do.
    """
    reference = fit([training])
    spread = round(float(np.trace(reference.covariance)), 4)
    against: dict[str, Setting] = {
        "against": "train",
        "floor": "test",
        "spread": spread,
        **signature,
    }
    distances = [_distance(part, reference) for part in (samples, test)]
    shares = [covered(part, training, k) for part in (samples, test)]
    neighbours: dict[str, Setting] = {"k": k, **against}
    found = [
        ("frechet", distances, against),
        ("precision", [_share(share.samples) for share in shares], neighbours),
        ("recall", [_share(share.real) for share in shares], neighbours),
    ]
    return [
        Score(name + suffix, value, sign, spread)
        for name, values, sign in found
        for suffix, (value, spread) in zip(("", "-real"), values, strict=True)
    ]


def _distance(features: ArrayLike, reference: Gaussian) -> tuple[float, float | None]:
    samples = fit([features])
    return frechet_distance(samples, reference), error(features, samples, reference)


def _share(inside: NDArray[np.bool_]) -> tuple[float, float | None]:
    return float(inside.mean()), standard_error.of_mean(inside)
