"""MAUVE: how far two sets of texts overlap (Pillutla et al. 2021, arXiv 2102.01454).

The vectors of both sets are put into clusters; P and Q are the shares of each set by cluster. Along
the mixtures R = l P + (1 - l) Q the curve of (exp(-c KL(Q | R)), exp(-c KL(P | R))) falls from
(1, 0) to (0, 1) as precision and recall do; MAUVE is the area under it (their equations 1 and 3).

As the released code does it (mauve-text 0.4): vectors of length 1, the principal components that
hold nine tenths of their variance, k-means of N / 10 clusters, the best of five. The vectors here
are a sentence encoder's, theirs GPT-2's: values are not those of papers.

Legend: N vectors of each set, D their size, K clusters.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
SCALE = 5.0  # c
MIXTURES = np.linspace(1e-6, 1 - 1e-6, 25)  # l
KEPT = 0.9  # of the variance
PER_CLUSTER = 10  # vectors of each set
Cluster = Callable[[Floats, int], NDArray[np.int64]]  # vectors and K -> the cluster of each


def mauve(samples: ArrayLike, references: ArrayLike, cluster: Cluster) -> float:
    """MAUVE of two sets of vectors, (N, D) each: 1 of equal shares, near 0 of no overlap."""
    p, q = shares(np.asarray(samples, np.float64), np.asarray(references, np.float64), cluster)
    return area(p, q)


def shares(samples: Floats, references: Floats, cluster: Cluster) -> tuple[Floats, Floats]:
    """The share of each set in each cluster, (K,) both."""
    together = np.concatenate([samples, references])
    count = clusters(min(len(samples), len(references)))
    labels = cluster(components(together), count)
    parts = labels[: len(samples)], labels[len(samples) :]
    p, q = (np.bincount(part, minlength=count) / len(part) for part in parts)
    return p, q


def clusters(size: int) -> int:
    """K of so many vectors in each set."""
    return max(2, round(size / PER_CLUSTER))


def components(vectors: Floats) -> Floats:
    """Vectors of length 1 in their principal components, the fewest that hold `KEPT` of what they
    vary by."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.maximum(lengths, 1e-12)
    centred = unit - unit.mean(0)
    variances, axes = np.linalg.eigh(centred.T @ centred)  # rising
    held = np.cumsum(variances[::-1]) / max(variances.sum(), 1e-12)
    enough = int(np.argmax(held >= KEPT)) + 1
    return np.asarray(centred @ axes[:, ::-1][:, :enough])


def area(p: Floats, q: Floats) -> float:
    """The area under the curve of two distributions, (K,) each; the mean of both ways to add it up,
    as the released code has it."""
    mixed = MIXTURES[:, None] * p + (1 - MIXTURES[:, None]) * q
    ends = np.array([0.0, np.inf])
    x = np.exp(-SCALE * np.concatenate([ends[:1], _divergence(q, mixed), ends[1:]]))
    y = np.exp(-SCALE * np.concatenate([ends[1:], _divergence(p, mixed), ends[:1]]))
    return float(_under(x, y) + _under(y, x)) / 2


def _divergence(own: Floats, mixed: Floats) -> Floats:
    """KL(own | mixed) in nats, of each row; 0 log 0 is 0."""
    there = own > 0
    return np.asarray((own[there] * np.log(own[there] / mixed[:, there])).sum(1))


def _under(x: Floats, y: Floats) -> float:
    order = np.lexsort((-y, x))  # where equal shares make all x the same, down at the end
    widths, heights = np.diff(x[order]), y[order]
    return float((widths * (heights[1:] + heights[:-1]) / 2).sum())


def k_means(seed: int) -> Cluster:
    """Clusters by k-means, the best of five."""

    def cluster(vectors: Floats, count: int) -> NDArray[np.int64]:
        library: Any = importlib.import_module("sklearn.cluster")  # of the extra frechet
        made = library.KMeans(count, n_init=5, max_iter=500, random_state=seed)
        return np.asarray(made.fit_predict(vectors), np.int64)

    return cluster
