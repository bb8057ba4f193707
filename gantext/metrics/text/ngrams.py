"""N-grams as integers, for the metrics that count them.

An n-gram is known by the number of its first n - 1 words and its last word: the pair becomes one
integer key, and the rank of that key among the sorted distinct keys is the n-gram's number. So
each order costs one sort of integers, and no tuple of strings is ever built.

Legend: S sentences, W words of all sentences laid end to end, P places where an n-gram starts,
K distinct n-grams of one order, V distinct words.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
Sentences = Sequence[Sequence[Hashable]]


@dataclass(frozen=True)
class Words:
    """S tokenised sentences as word numbers.

    Attributes:
        numbers: (W,) in 0..V; V stands for every word that has no number.
        lengths: (S,) words in each sentence.
        unknown: V.
    """

    numbers: IntArray
    lengths: IntArray
    unknown: int

    def parts(self, size: int) -> "Iterator[Words]":
        """The sentences, `size` at a time."""
        ends = np.concatenate([[0], np.cumsum(self.lengths)])
        for start in range(0, self.lengths.size, size):
            lengths = self.lengths[start : start + size]
            numbers = self.numbers[ends[start] : ends[start + lengths.size]]
            yield Words(numbers, lengths, self.unknown)


class Encoded(NamedTuple):
    """Sentences and the word numbers that they are written in."""

    words: Words
    numbering: Mapping[Hashable, int]


@dataclass(frozen=True)
class Grams:
    """All n-grams of one order that have a number.

    Attributes:
        order: n.
        numbers: (P,) in 0..K-1.
        sentences: (P,) in 0..S-1, the sentence in which each stands.
        keys: (K,) sorted; the n-gram with number k has keys[k].
    """

    order: int
    numbers: IntArray
    sentences: IntArray
    keys: IntArray


@dataclass(frozen=True)
class SentenceCounts:
    """How often an n-gram stands in a sentence, for each pair that occurs: three equal columns."""

    numbers: IntArray
    sentences: IntArray
    counts: IntArray


def number_words(sentences: Sentences) -> dict[Hashable, int]:
    """Number the distinct words 0..V-1 in the order in which they first occur."""
    distinct = dict.fromkeys(chain.from_iterable(sentences))
    return {word: number for number, word in enumerate(distinct)}


def encode(sentences: Sentences, numbering: Mapping[Hashable, int]) -> Words:
    """Replace words by their numbers; a word outside `numbering` becomes `len(numbering)`."""
    unknown = len(numbering)
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    words = chain.from_iterable(sentences)
    numbers = (numbering.get(word, unknown) for word in words)
    return Words(np.fromiter(numbers, np.int64, int(lengths.sum())), lengths, unknown)


def number_ngrams(words: Words, max_order: int) -> Iterator[Grams]:
    """Number every n-gram of `words`, and yield the orders n = 1..max_order in turn."""

    def rank(order: int, keys: IntArray) -> tuple[IntArray, IntArray]:
        distinct, ranks = np.unique(keys, return_inverse=True)
        return ranks, distinct

    return _orders(words, max_order, rank)


def find_ngrams(words: Words, keys: Sequence[IntArray]) -> Iterator[Grams]:
    """Yield, for each order, those n-grams of `words` that are numbered in `keys`.

    Args:
        words: encoded with the numbering of the words from which `keys` were made.
        keys: keys[n - 1] is `Grams.keys` of order n, as `number_ngrams` gave it.
    """

    def look_up(order: int, wanted: IntArray) -> tuple[IntArray, IntArray]:
        known = keys[order - 1]
        if not known.size:
            return np.full_like(wanted, -1), known
        found = np.searchsorted(known, wanted)
        found[found == known.size] = 0
        return np.where(known[found] == wanted, found, -1), known

    return _orders(words, len(keys), look_up)


def _orders(
    words: Words, max_order: int, number: Callable[[int, IntArray], tuple[IntArray, IntArray]]
) -> Iterator[Grams]:
    """Extend n-grams by one word at a time; a place is dropped once its n-gram has no number.

    An n-gram without a number cannot begin a longer one that has a number, so nothing is lost.
    """
    sentence = np.repeat(np.arange(words.lengths.size), words.lengths)  # (W,)
    end = np.repeat(np.cumsum(words.lengths), words.lengths)  # (W,)
    places = np.arange(words.numbers.size)  # (P,)
    keys = words.numbers  # (P,)
    for order in range(1, max_order + 1):
        numbers, distinct = number(order, keys)
        known = numbers >= 0
        places, numbers = places[known], numbers[known]
        yield Grams(order, numbers, sentence[places], distinct)
        longer = places + order < end[places]
        places, numbers = places[longer], numbers[longer]
        keys = numbers * (words.unknown + 1) + words.numbers[places + order]


def sentence_counts(grams: Grams) -> SentenceCounts:
    """Count each n-gram in each sentence; rows are sorted by sentence, then by n-gram."""
    size = max(1, grams.keys.size)
    pairs, counts = np.unique(grams.sentences * size + grams.numbers, return_counts=True)
    sentences, numbers = np.divmod(pairs, size)
    return SentenceCounts(numbers, sentences, counts)


def highest_counts(counts: SentenceCounts, size: int) -> tuple[IntArray, IntArray]:
    """Return the highest and the second highest count of each n-gram in any one sentence.

    Two sentences that share the highest count make the second equal to the first; an n-gram
    that stands in one sentence only has the second 0.

    Args:
        counts: from `sentence_counts`.
        size: K.

    Returns:
        first (K,), second (K,).
    """
    first, second = np.zeros(size, np.int64), np.zeros(size, np.int64)
    if not counts.counts.size:
        return first, second
    scale = int(counts.counts.max()) + 1
    numbers, ascending = np.divmod(np.sort(counts.numbers * scale + counts.counts), scale)
    changes = numbers[1:] != numbers[:-1]
    last = np.flatnonzero(np.append(changes, True))
    first[numbers[last]] = ascending[last]
    runner_up = np.flatnonzero(np.append(changes, True)[1:] & ~changes)
    second[numbers[runner_up]] = ascending[runner_up]
    return first, second
