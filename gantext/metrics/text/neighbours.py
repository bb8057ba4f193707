"""The most similar of many sentences, by the words and bigrams that they share."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gantext.metrics.text.ngrams import (
    Grams,
    IntArray,
    Words,
    find_ngrams,
    number_ngrams,
)
from gantext.metrics.text.sentence_counts import (
    SentenceCounts,
    sentence_counts,
)

MAX_ORDER = 2


@dataclass(frozen=True)
class Postings:
    """Which of T sentences have each n-gram of one order.

    Attributes:
        keys: (K,) as in `Grams`.
        starts: (K + 1,); n-gram k has the rows starts[k]..starts[k + 1] - 1 of the columns below.
        sentences: in 0..T-1.
        counts: how often the n-gram stands in that sentence.
    """

    keys: IntArray
    starts: IntArray
    sentences: IntArray
    counts: IntArray


class Neighbours:
    """T sentences among which the most similar one is sought, exactly.

    The similarity of two sentences is the F1 of their words and bigrams taken together (the Dice
    coefficient of the two bags): 2 m / (a + b), where one has a of them, the other b, and m match,
    each as often as it stands in both.
    """

    def __init__(self, words: Words) -> None:
        self._sizes = _sizes(words)
        self._postings = []
        for grams in number_ngrams(words, MAX_ORDER):
            rows = sentence_counts(grams)
            starts = np.searchsorted(rows.numbers, np.arange(grams.counts.size + 1))
            self._postings.append(Postings(grams.keys(), starts, rows.sentences, rows.counts))

    def nearest(self, words: Words) -> list[tuple[int, float]]:
        """Return, for each sentence, the place of the most similar one and their similarity.

        The first of those that are equally near is taken. Where no word is shared that is place 0
        with 0.0.

        Args:
            words: encoded with the numbering of the T sentences.
        """
        found = find_ngrams(words, [postings.keys for postings in self._postings])
        rows = [_by_sentence(grams, numbers) for grams, numbers in found]
        result = []
        for sentence, size in enumerate(_sizes(words).tolist()):
            similarity = 2 * self._shared(rows, sentence) / np.maximum(1, size + self._sizes)
            best = int(similarity.argmax())
            result.append((best, float(similarity[best])))
        return result

    def _shared(self, rows: Sequence[SentenceCounts], sentence: int) -> IntArray:
        """Matching words and bigrams of one sentence and each of the T, (T,)."""
        shared = np.zeros_like(self._sizes)
        for postings, row in zip(self._postings, rows, strict=True):
            mine = slice(*np.searchsorted(row.sentences, (sentence, sentence + 1)))
            pairs = zip(row.numbers[mine].tolist(), row.counts[mine].tolist(), strict=True)
            for number, count in pairs:
                theirs = slice(postings.starts[number], postings.starts[number + 1])
                shared[postings.sentences[theirs]] += np.minimum(postings.counts[theirs], count)
        return shared


def _by_sentence(grams: Grams, numbers: IntArray) -> SentenceCounts:
    """How often each n-gram with a number stands in each sentence, sorted by sentence."""
    rows = sentence_counts(grams)
    theirs = numbers[rows.numbers]
    order = np.argsort(rows.sentences, kind="stable")
    order = order[theirs[order] >= 0]
    return SentenceCounts(theirs[order], rows.sentences[order], rows.counts[order])


def _sizes(words: Words) -> IntArray:
    """Words and bigrams of each sentence, (S,)."""
    return words.lengths + np.maximum(0, words.lengths - 1)
