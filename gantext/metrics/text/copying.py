"""What generated text has in common with the training text, word for word.

Legend: S sentences, W words of all sentences laid end to end, T training sentences.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gantext.data.tokenizers import tokenize
from gantext.errors import UserError
from gantext.metrics.text.neighbours import Neighbours
from gantext.metrics.text.ngrams import IntArray, Words, encode
from gantext.metrics.text.texts import once
from gantext.metrics.text.tokens import CHUNK, encode_texts, encoded_parts

# How a quotation mark of the text may look as a token of nltk's, and the other way round.
_QUOTES = ('"', "``", "''")


class CopyIndex:
    """Training sentences, prepared once; generated ones may then come in any number.

    All comparisons are of tokens, with upper and lower case kept apart.

    Args:
        training: one sentence a string.
        tokenizer: a name in `gantext.data.tokenizers`.
        chunk: sentences that are compared at a time, which bounds the memory; None: as many as
            there are training sentences, since all of those are looked through each time.

    Raises:
        UserError: there is no training sentence, or no such tokenizer.
    """

    def __init__(
        self, training: Sequence[str], tokenizer: str = "nltk", *, chunk: int | None = None
    ) -> None:
        if not training:
            raise UserError("copying needs at least one training sentence to compare with")
        self._tokenizer = tokenizer
        self._chunk = chunk or max(CHUNK, len(training))
        self._training, self._numbering = encode_texts(training, tokenizer)
        self._ends = _ends(self._training)

    def verbatim(self, lines: Sequence[str]) -> NDArray[np.bool_]:
        """Tell which of S sentences equal some training sentence, (S,)."""
        known = self._sentences
        found = [s in known for words in self._encoded(lines) for s in _sentence_bytes(words)]
        return np.array(found, np.bool_)

    def longest(self, lines: Sequence[str]) -> IntArray:
        """Return the length of the longest n-gram that each sentence shares with a training one.

        Returns:
            (S,) words; 0 where no word is shared.
        """
        parts = [np.empty(0, np.int64)]
        for words in self._encoded(lines):
            most = np.zeros(words.lengths.size, np.int64)
            sentence = np.repeat(np.arange(most.size), words.lengths)
            np.maximum.at(most, sentence, self._matches(words))
            parts.append(most)
        return np.concatenate(parts)

    def segments(self, text: str, min_words: int = 5) -> list[tuple[str, bool]]:
        """Cut a text into the pieces that stand in some training sentence and those between them.

        From left to right, the longest n-gram from each word on that a training sentence has is
        one piece, if it has `min_words` words. So a piece cannot be made longer; only where two of
        them overlap does the second begin where the first ends.

        Returns:
            Pieces that make up `text` exactly, each with whether it is such a copy.

        Raises:
            UserError: min_words is not positive.
        """
        if min_words < 1:
            raise UserError(f"min_words={min_words} must be at least 1")
        tokens = tokenize(text, self._tokenizer)
        lengths = self._matches(encode([tokens], self._numbering)).tolist()
        spans = _spans(text, tokens)
        pieces: list[tuple[str, bool]] = []
        word = done = 0
        while word < len(tokens):
            if lengths[word] < min_words:
                word += 1
                continue
            start, end = spans[word][0], spans[word + lengths[word] - 1][1]
            pieces += [(text[done:start], False), (text[start:end], True)]
            word, done = word + lengths[word], end
        pieces.append((text[done:], False))
        return [piece for piece in pieces if piece[0]]

    def nearest(self, lines: Sequence[str]) -> list[tuple[int, float]]:
        """Find the training sentence that is most like each sentence.

        The similarity is the F1 of words and bigrams (see `Neighbours`): 1 for equal sentences, 0
        where no word is shared.

        Returns:
            For each sentence the training sentence's place and their similarity; the first of
            those that are equally near.
        """
        parts = map(self._neighbours.nearest, self._encoded(lines))
        return [found for part in parts for found in part]

    def _encoded(self, lines: Sequence[str]) -> Iterator[Words]:
        return encoded_parts(lines, self._tokenizer, self._numbering, self._chunk)

    @cached_property
    def _sentences(self) -> frozenset[bytes]:
        return frozenset(_sentence_bytes(self._training))

    @cached_property
    def _neighbours(self) -> Neighbours:
        return Neighbours(self._training)

    def _matches(self, words: Words) -> IntArray:
        """Length of the longest training n-gram that begins at each word, (W,).

        Both sides are extended by a word at a time. A place is given up once its n-gram does not
        stand on the other side, so that few are left after a few steps.
        """
        result = np.zeros(words.numbers.size, np.int64)
        ends = _ends(words)
        places: IntArray = np.arange(ends.size)
        theirs: IntArray = np.arange(self._ends.size)
        keys, their_keys = words.numbers, self._training.numbers
        order = 1
        while places.size:
            distinct, numbers = np.unique(keys, return_inverse=True)
            their_numbers = np.searchsorted(distinct, their_keys).clip(max=distinct.size - 1)
            shared = distinct[their_numbers] == their_keys
            theirs, their_numbers = theirs[shared], their_numbers[shared]
            occurs = np.zeros(distinct.size, np.bool_)
            occurs[their_numbers] = True
            places, numbers = places[occurs[numbers]], numbers[occurs[numbers]]
            result[places] = order
            places, keys = _extended(words, ends, places, numbers, order)
            theirs, their_keys = _extended(self._training, self._ends, theirs, their_numbers, order)
            order += 1
        return result


def copy_index(training: Sequence[str], tokenizer: str = "nltk") -> CopyIndex:
    """The index of training sentences; made once of `Texts`."""
    return once(training, ("copy index", tokenizer), lambda: CopyIndex(training, tokenizer))


def _extended(
    words: Words, ends: IntArray, places: IntArray, numbers: IntArray, order: int
) -> tuple[IntArray, IntArray]:
    """Places whose n-gram has a next word, and the keys of the n-grams that it makes."""
    longer = places + order < ends[places]
    places = places[longer]
    return places, numbers[longer] * (words.unknown + 1) + words.numbers[places + order]


def _ends(words: Words) -> IntArray:
    """For each word the place behind the last word of its sentence, (W,)."""
    return np.repeat(np.cumsum(words.lengths), words.lengths)


def _sentence_bytes(words: Words) -> Iterator[bytes]:
    """Each sentence's numbers as bytes: equal exactly for equal sentences."""
    start = 0
    for length in words.lengths.tolist():
        yield words.numbers[start : start + length].tobytes()
        start += length


def _spans(text: str, tokens: Sequence[str]) -> list[tuple[int, int]]:
    """Where each token stands in the text, from left to right.

    A token that the text does not have gets an empty span where the last one ended.
    """
    spans = []
    end = 0
    for token in tokens:
        forms = _QUOTES if token in _QUOTES else (token,)
        found = [(text.find(form, end), len(form)) for form in forms]
        start, size = min(((at, n) for at, n in found if at >= 0), default=(end, 0))
        end = start + size
        spans.append((start, end))
    return spans
