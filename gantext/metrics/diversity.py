"""How much the sentences of one set differ from each other.

Legend: S sentences, N the highest order, K distinct n-grams of one order.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from gantext.metrics.ngrams import IntArray, Words, number_ngrams

FloatArray = NDArray[np.float64]


def ngram_counts(words: Words, max_order: int) -> Iterator[IntArray]:
    """Yield, for n = 1..max_order, how often each distinct n-gram occurs: (K,)."""
    for grams in number_ngrams(words, max_order):
        yield np.bincount(grams.numbers, minlength=grams.keys.size)


def distinct_n(words: Words, max_order: int = 4) -> FloatArray:
    """Number of distinct n-grams over the number of all n-grams (Li et al. 2016, distinct-n).

    It falls as the set grows: compare sets of equal size only.

    Returns:
        (max_order,), in 0..1; 1 when no n-gram occurs twice; NaN where there is no n-gram.
    """
    return np.array([distinct(counts) for counts in ngram_counts(words, max_order)])


def ngram_entropy(words: Words, max_order: int = 4) -> FloatArray:
    """Entropy of the set's n-gram distribution, -sum p log p (Zhang et al. 2018, Ent-n).

    It rises as the set grows: compare sets of equal size only.

    Returns:
        (max_order,) in nats; NaN where there is no n-gram.
    """
    return np.array([entropy(counts) for counts in ngram_counts(words, max_order)])


def distinct(counts: IntArray) -> float:
    """Distinct over all, from the counts (K,) of the distinct ones."""
    return counts.size / int(counts.sum()) if counts.size else float("nan")


def entropy(counts: IntArray) -> float:
    """Entropy in nats of the distribution that counts (K,) are proportional to."""
    if not counts.size:
        return float("nan")
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum())


def unique_share(sentences: Sequence[str]) -> float:
    """Number of different sentences over the number of sentences."""
    return len(set(sentences)) / len(sentences) if sentences else 0.0
