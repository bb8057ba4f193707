"""How far two sets of sentences lie apart, in their n-grams and in their lengths.

Legend: N the highest order, S sentences of the first set.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gantext.metrics import standard_error
from gantext.metrics.text.ngrams import Grams, IntArray, Words, number_ngrams

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """J_1 to J_N of two sets of sentences, and what the first one's sentences do to them.

    Attributes:
        each: (N,) J_n.
        influences: (N, S) by how much J_n moves with each sentence beside others, times S.
    """

    each: FloatArray
    influences: FloatArray

    @property
    def values(self) -> FloatArray:
        """MS-Jaccard-1..N, (N,)."""
        return np.cumprod(self.each) ** (1 / np.arange(1, self.each.size + 1))

    def error(self, order: int) -> float | None:
        """The standard error of MS-Jaccard-N over the first set's sentences; None where it is 0."""
        each = self.each[:order]
        if not each.all():
            return None
        relative = (self.influences[:order] / each[:, None]).mean(axis=0)  # of the logarithm, (S,)
        return standard_error.of_mean(self.values[order - 1] * relative)


def ms_jaccard(a: Words, b: Words, max_order: int = 5) -> Shares:
    """MS-Jaccard-1..N of two sets of sentences (Alihosseini et al. 2019).

        J_n = sum over n-grams g of min(f_a(g), f_b(g)) / sum over g of max(f_a(g), f_b(g))
        MS-Jaccard-N = (J_1 * ... * J_N) ** (1 / N)

    where f(g) is the number of times that g occurs in the set over its number of sentences.

    Args:
        a: the one set.
        b: the other set, encoded with the same numbering. All words of at least one set must have
            a number: words without one are then in the other set only, and match nothing.
        max_order: N, the longest n-grams that are counted.

    Returns:
        Shares, whose values are 1 where the frequencies are equal, 0 where no n-gram is shared,
        NaN where neither set has an n-gram of that order.

    Raises:
        ValueError: the sets have different numberings, or one of them is empty.
    """
    if a.unknown != b.unknown:
        raise ValueError(f"two numberings, of {a.unknown} and of {b.unknown} words")
    sizes = (a.lengths.size, b.lengths.size)
    if not all(sizes):
        raise ValueError("MS-Jaccard needs sentences on both sides")
    both = Words(
        np.concatenate([a.numbers, b.numbers]), np.concatenate([a.lengths, b.lengths]), a.unknown
    )
    found = [
        _jaccard(grams, int(grams.text.bounds[sizes[0]]), sizes)
        for grams in number_ngrams(both, max_order)
    ]
    each, influences = zip(*found, strict=True)
    return Shares(np.array(each), np.array(influences))


def _jaccard(grams: Grams, second: int, sizes: tuple[int, int]) -> tuple[float, FloatArray]:
    """J_n of n-grams of two sets, and the influences (S,) of the first one's sentences on it.

    `second` is where the second set begins in their text. What a sentence adds to the sum of the
    minima, its n-grams do as often as they are rarer among the others than in the second set; the
    rest goes to the sum of the maxima.
    """
    if not grams.counts.size:
        return float("nan"), np.full(sizes[0], np.nan)
    is_first = grams.places < second
    of_first = np.add.reduceat(is_first, grams.starts[:-1])
    a, b = of_first / sizes[0], (grams.counts - of_first) / sizes[1]
    below, above = np.minimum(a, b).sum(), np.maximum(a, b).sum()
    shares = np.repeat(_rarer(of_first, b * sizes[0]), grams.counts)[is_first]
    sentences = grams.text.sentences[grams.places[is_first]]
    minima = np.bincount(sentences, shares, sizes[0])
    maxima = np.bincount(sentences, 1 - shares, sizes[0])
    moved = minima - minima.mean() - below / above * (maxima - maxima.mean())
    return float(below / above), moved / above


def _rarer(counts: IntArray, there: FloatArray) -> FloatArray:
    """By how much one more of an n-gram raises min(count, there), in the mean over sets, (K,).

    min has a kink: the slope at what was counted, 0 or 1, is chance itself where the two are about
    as frequent, and of rare n-grams it misses the step of a whole one. So X others are taken as a
    Poisson variable about the count without the one, and E[min(X + 1, there) - min(X, there)] is
    (1 - r) P(X < k) + r P(X <= k), there = k + r. Its distribution is read off a logistic curve,
    which is within .07 of it; with X = 0 it is exact.
    """
    others = np.maximum(counts - 1, 0)
    whole = np.floor(there)

    def at_most(k: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", over="ignore"):  # what never or always is
            return np.asarray(1 / (1 + np.exp(-1.702 * (k + 0.5 - others) / np.sqrt(others))))

    rest = there - whole
    return (1 - rest) * at_most(whole - 1) + rest * at_most(whole)


def wasserstein_1(a: IntArray, b: IntArray) -> float:
    """Wasserstein-1 distance between two samples of integers from 0 on, such as lengths.

    That is the area between the two cumulative distributions: how far, on the mean, a length of
    one sample must be moved to turn it into the other. Its unit is that of the samples.

    Raises:
        ValueError: a sample is empty.
    """
    if not (a.size and b.size):
        raise ValueError("the Wasserstein distance needs two samples")
    size = 1 + int(max(a.max(), b.max()))
    shares = [np.bincount(sample, minlength=size) / sample.size for sample in (a, b)]
    return float(np.abs(np.cumsum(shares[0] - shares[1])).sum())
