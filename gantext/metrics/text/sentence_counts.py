"""How often n-grams stand in each sentence of a text.

Most stand once in a sentence, so that it is enough to know the others.

Legend: S sentences, P places where an n-gram starts, K distinct n-grams of one order.
"""

from dataclasses import dataclass

import numpy as np

from gantext.metrics.text.ngrams import PART, BoolArray, Grams, IntArray, changes


@dataclass(frozen=True)
class SentenceCounts:
    """How often an n-gram stands in a sentence, for some pairs of them: three equal columns."""

    numbers: IntArray
    sentences: IntArray
    counts: IntArray


def sentence_counts(grams: Grams) -> SentenceCounts:
    """Count each n-gram in each sentence; rows are sorted by n-gram, then by sentence."""
    sentences = grams.text.sentences[grams.places]
    first = changes(sentences)
    first[grams.starts[:-1]] = True
    rows = np.flatnonzero(first)
    numbers = _numbers(grams, rows)
    return SentenceCounts(numbers, sentences[rows], np.diff(np.append(rows, sentences.size)))


def repeated(grams: Grams) -> SentenceCounts:
    """As `sentence_counts`, of those pairs alone whose n-gram stands there more than once."""
    pairs = _pairs(grams)
    sentences = grams.text.sentences[grams.places[pairs]]
    first = np.flatnonzero(np.diff(pairs, prepend=-2) > 1)
    counts = np.diff(np.append(first, pairs.size)) + 1
    numbers = _numbers(grams, pairs[first])
    return SentenceCounts(numbers, sentences[first], counts)


def _numbers(grams: Grams, rows: IntArray) -> IntArray:
    """The n-gram, in 0..K-1, that each of these places (P,) is of."""
    # Of one type: searchsorted would copy all starts into that of what is searched for.
    return np.searchsorted(grams.starts, rows.astype(grams.starts.dtype), "right") - 1


def _pairs(grams: Grams) -> IntArray:
    """Which places (P,) stand in the same sentence as the next of the same n-gram."""
    places, sentences = grams.places, grams.text.sentences
    distance = np.diff(grams.text.bounds).max(initial=0)
    borders = grams.starts[1:] - 1  # the last place of each n-gram
    found = [np.empty(0, np.int64)]
    for begin in range(0, places.size - 1, PART):
        here, after = places[begin : begin + PART], places[begin + 1 : begin + PART + 1]
        near = after - here[: after.size] < distance
        low, high = np.searchsorted(borders, np.array([begin, begin + near.size], borders.dtype))
        near[borders[low:high] - begin] = False
        pairs = np.flatnonzero(near)
        inside = sentences[here[pairs]] == sentences[after[pairs]]
        found.append(pairs[inside] + begin)
    return np.concatenate(found)


def clipped(grams: Grams, occurs: BoolArray, rows: SentenceCounts, most: IntArray) -> IntArray:
    """The clipped matches of each sentence, (S,): of each n-gram at most as many as elsewhere.

    Args:
        grams: of the sentences.
        occurs: (K,) which of them stand elsewhere; once at least.
        rows: from `repeated`.
        most: of each row the highest count in any one sentence elsewhere.
    """
    matches = grams.text.per_sentence(grams.places[np.repeat(occurs, grams.counts)])
    excess = np.where(occurs[rows.numbers], np.maximum(0, rows.counts - most), 0)
    np.subtract.at(matches, rows.sentences, excess)
    return matches


def highest_counts(counts: SentenceCounts, size: int) -> tuple[IntArray, IntArray]:
    """Return the highest and the second highest count of each n-gram in any one sentence.

    Two sentences that share the highest count make the second equal to the first; an n-gram
    that stands in one sentence only has the second 0.

    Args:
        counts: of pairs of n-gram and sentence.
        size: K.

    Returns:
        first (K,), second (K,).
    """
    first, second = np.zeros(size, np.int64), np.zeros(size, np.int64)
    if not counts.counts.size:
        return first, second
    scale = int(counts.counts.max()) + 1
    numbers, ascending = np.divmod(np.sort(counts.numbers * scale + counts.counts), scale)
    differs = numbers[1:] != numbers[:-1]
    last = np.flatnonzero(np.append(differs, True))
    first[numbers[last]] = ascending[last]
    runner_up = np.flatnonzero(np.append(differs, True)[1:] & ~differs)
    second[numbers[runner_up]] = ascending[runner_up]
    return first, second
