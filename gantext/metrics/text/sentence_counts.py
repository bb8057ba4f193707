"""How often n-grams stand in each sentence of a text.

Most stand once in a sentence, so that it is enough to know the others.

Legend: S sentences, P places where an n-gram starts, K distinct n-grams of one order.
"""

from dataclasses import dataclass

import numpy as np

from gantext.metrics.text.ngrams import BoolArray, Grams, IntArray, changes


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
    numbers = np.searchsorted(grams.starts, rows, "right") - 1
    return SentenceCounts(numbers, sentences[rows], np.diff(np.append(rows, sentences.size)))


def repeated(grams: Grams) -> SentenceCounts:
    """As `sentence_counts`, of those pairs alone whose n-gram stands there more than once."""
    if grams.places.size < 2:
        return SentenceCounts(*np.zeros((3, 0), np.int64))
    near = np.diff(grams.places) < np.diff(grams.text.bounds).max()
    near[grams.starts[1:-1] - 1] = False  # of two n-grams
    pairs = np.flatnonzero(near)
    sentences = grams.text.sentences[grams.places[pairs]]
    inside = sentences == grams.text.sentences[grams.places[pairs + 1]]
    pairs, sentences = pairs[inside], sentences[inside]
    first = np.flatnonzero(np.diff(pairs, prepend=-2) > 1)
    counts = np.diff(np.append(first, pairs.size)) + 1
    numbers = np.searchsorted(grams.starts, pairs[first], "right") - 1
    return SentenceCounts(numbers, sentences[first], counts)


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
