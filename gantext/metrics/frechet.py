"""The Frechet distance between two sets of embeddings (FID, Heusel et al. 2017).

Each set is summed up by the Gaussian with its mean and covariance, and the distance between two
Gaussians has a closed form (Dowson & Landau 1982; Heusel et al. 2017, eq. 6):

    d^2 = |mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^{1/2})

Its estimate is biased upwards, the more so the smaller the sets are (Chong & Forsyth 2020): only
values at the same number of embeddings can be compared.

Legend: N embeddings of a set, D their size, R <= D the rank of a covariance (of a, in `error`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.errors import UserError
from gantext.metrics import standard_error

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """What the distance needs to know of a set of embeddings.

    Attributes:
        mean: (D,).
        covariance: (D, D), the unbiased estimate (divided by N - 1).
        count: N.
    """

    mean: Floats
    covariance: Floats
    count: int


def fit(chunks: Iterable[ArrayLike]) -> Gaussian:
    """Fit a Gaussian to embeddings that come in chunks of (n, D); only one chunk is held.

    Chunks are merged by their means and scatters (Chan et al. 1983), which loses no digits where
    the mean is large against the spread, as sums of squares would.

    Raises:
        UserError: fewer than two embeddings, or numbers that are not finite.
    """
    count, mean, scatter = 0, np.array(0.0), np.array(0.0)  # of every size
    for chunk in chunks:
        x = np.asarray(chunk, dtype=np.float64)  # (n, D)
        if not len(x):
            continue
        centred = x - x.mean(axis=0)
        shift = x.mean(axis=0) - mean
        total = count + len(x)
        between = np.outer(shift, shift) * (count * len(x) / total)
        scatter = scatter + (centred.T @ centred + between)
        mean = mean + shift * (len(x) / total)
        count = total
    if count < 2:
        raise UserError(f"the Frechet distance needs at least 2 embeddings a set, not {count}")
    if not np.isfinite(scatter).all():
        raise UserError("the Frechet distance needs finite embeddings")
    return Gaussian(mean, scatter / (count - 1), count)


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """Return d^2 of two Gaussians of the same D, at least 0; FID is this square, without a root.

    With S = F F' for either covariance, the eigenvalues of S_a S_b are the squared singular
    values of F_a' F_b, so that the trace of its root is their sum: no root is taken of a matrix
    that is not symmetric, and a covariance may have any rank.
    """
    shared = np.linalg.svd(_factor(a.covariance).T @ _factor(b.covariance), compute_uv=False)
    shift = a.mean - b.mean
    spread = np.trace(a.covariance) + np.trace(b.covariance) - 2 * shared.sum()
    return max(0.0, float(shift @ shift + spread))


def error(embeddings: ArrayLike, a: Gaussian, b: Gaussian) -> float | None:
    """The standard error of `frechet_distance` over the embeddings (N, D) that `a` is fitted to.

    By the delta method; `b` is taken as it is, and the bias is not in it. With T the optimal map of
    a to b, T = S_a^{-1/2} (S_a^{1/2} S_b S_a^{1/2})^{1/2} S_a^{-1/2}, d^2 has the gradients
    2 (mu_a - mu_b) and I - T, so that x = embedding - mu_a has the influence

        2 (mu_a - mu_b)' x + x' x - x' T x, less its mean

    where x' T x is the sum of s_r (u_r' F_a^{-1} x)^2 with S_a = F_a F_a', and s_r^2, u_r the
    eigenvalues and eigenvectors of F_a' S_b F_a, (R, R).
    """
    x = np.asarray(embeddings, np.float64) - a.mean  # (N, D)
    factor = _factor(a.covariance)  # (D, R), of orthogonal columns
    squares, vectors = np.linalg.eigh(factor.T @ b.covariance @ factor)
    whitened = x @ (factor / np.square(factor).sum(0)) @ vectors  # (N, R)
    mapped = np.square(whitened) @ np.sqrt(np.maximum(0, squares))  # (N,)
    return standard_error.of_mean(2 * x @ (a.mean - b.mean) + np.square(x).sum(1) - mapped)


def _factor(covariance: Floats) -> Floats:
    """F (D, R) with F F' = covariance; eigenvalues that are only rounding are left out."""
    values, vectors = np.linalg.eigh(covariance)  # (D,) ascending, (D, D)
    real = values > values[-1] * len(values) * np.finfo(np.float64).eps
    return np.asarray(vectors[:, real] * np.sqrt(values[real]))
