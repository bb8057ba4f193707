"""Lines cut into words, and the words numbered, many lines at once.

Numbers are given in the order in which words are met. What is met again costs a look into a table,
whatever cutting it took at first.
"""

from collections.abc import Iterable, Sequence
from itertools import chain, islice

import numpy as np
from numpy.typing import NDArray

from gantext.data.flat import Ragged
from gantext.data.tokenizers import piece_tokens, tokenize
from gantext.data.treebank import opens_alike

# Flags of a piece: it ends its line; the line it is in decides how it is cut; the line does where
# the piece opens it.
LAST, UNSETTLED, OPENS_UNSETTLED = 1, 2, 4


class Numbers(dict[str, int]):
    """Numbers of words, or of other pieces of text: a new one gets the next number."""

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        return number

    def of(self, words: Sequence[str]) -> NDArray[np.int32]:
        """The numbers of all these."""
        return np.fromiter(map(self.__getitem__, words), np.int32, len(words))


class Numbering:
    """Cuts lines into words with one tokenizer, and numbers these.

    words: all that were met, in the order of their numbers.
    """

    def __init__(self, tokenizer: str, lowercase: bool) -> None:
        self.tokenizer, self.lowercase = tokenizer, lowercase
        self.words = Numbers()
        self._pieces = _Pieces(self.words)

    def of(self, lines: Sequence[str]) -> Ragged:
        """The numbers of the words of each line, cut as `tokenize` cuts it."""
        cased = [line.lower() for line in lines] if self.lowercase else lines
        if self.tokenizer == "nltk":
            return self._pieces.words_of(cased)
        return numbered([tokenize(line, self.tokenizer) for line in cased], self.words)


def numbered(lines: Iterable[Sequence[str]], words: Numbers) -> Ragged:
    """The numbers of the words of lines that are cut already."""
    held = list(lines)
    lengths = np.fromiter(map(len, held), np.int64, len(held))
    return Ragged.behind(words.of(list(chain.from_iterable(held))), lengths)


class _Pieces:
    """What stands between spaces in a line, each cut into words once.

    The last piece of a line is told from the others by the line end that it keeps.
    """

    def __init__(self, words: Numbers) -> None:
        self._words, self._numbers = words, Numbers()
        self._flags = np.empty(0, np.uint8)
        self._cut = Ragged.behind(np.empty(0, np.int32), np.empty(0, np.int64))

    def words_of(self, lines: Sequence[str]) -> Ragged:
        """The numbers of the words of each line."""
        if not lines:
            return numbered([], self._words)
        # An empty line is unsettled, and so is in this way one that holds a line end.
        held = ("" if "\n" in line else line for line in lines)
        pieces = self._numbers.of("\n".join((*held, "")).replace("\n", "\n ").split(" ")[:-1])
        self._cut_new()
        flags = self._flags[pieces]
        ends = np.flatnonzero(flags & LAST) + 1
        starts = np.concatenate([[0], ends[:-1]])
        unsettled = np.bitwise_or.reduceat(flags, starts) & UNSETTLED
        unsettled |= flags[starts] & OPENS_UNSETTLED
        lengths = np.add.reduceat(self._cut.lengths[pieces], starts)
        found = Ragged.behind(self._cut.take(pieces).gathered(), lengths)
        return self._mended(found, lines, np.flatnonzero(unsettled))

    def _mended(self, found: Ragged, lines: Sequence[str], rows: NDArray[np.intp]) -> Ragged:
        """With these lines cut as a whole; their words stand behind all others."""
        if not len(rows):
            return found
        whole = numbered([tokenize(lines[row], "nltk") for row in rows.tolist()], self._words)
        starts, lengths = found.starts.copy(), found.lengths.copy()
        starts[rows], lengths[rows] = whole.starts + len(found.values), whole.lengths
        return Ragged(np.concatenate([found.values, whole.values]), starts, lengths)

    def _cut_new(self) -> None:
        """Cut the pieces that were met for the first time."""
        fresh = list(islice(self._numbers, len(self._flags), None))
        if not fresh:
            return
        ends = [piece.endswith("\n") for piece in fresh]
        plain = [piece.removesuffix("\n") for piece in fresh]
        cut = [piece_tokens(piece, last) for piece, last in zip(plain, ends, strict=True)]
        flags = [
            LAST * last
            | UNSETTLED * (tokens is None)
            | OPENS_UNSETTLED * (not opens_alike(piece, last))
            for piece, last, tokens in zip(plain, ends, cut, strict=True)
        ]
        words = numbered([tokens or () for tokens in cut], self._words)
        self._flags = np.concatenate([self._flags, np.array(flags, np.uint8)])
        self._cut = Ragged.behind(
            np.concatenate([self._cut.values, words.values]),
            np.concatenate([self._cut.lengths, words.lengths]),
        )
