"""Rows of different lengths in one array: the sentences of a corpus, as numbers and as text.

A million sentences as objects take gigabytes. Here they are one array of values, which may lie in a
file, and where each row begins in it.

Legend: N rows, B of a batch, T columns, as many as the longest row has.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gantext.data.vocabulary import EOS, PAD, UNK

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 20_000  # rows that are looked at together
PIECE, END = 1 << 24, ord("\n")  # bytes of a file that are looked at together, and a line end
HALVES = "surrogatepass"  # tables may hold halves of letters, which pass


@dataclass(frozen=True, eq=False)
class Ragged:
    """N rows of one array.

    values: those of all rows, anywhere in it. starts: (N,) int64, where each row begins in it.
    lengths: (N,), how many values each has.
    """

    values: NDArray[Any]
    starts: NDArray[np.int64]
    lengths: NDArray[Any]

    @classmethod
    def behind(cls, values: NDArray[Any], lengths: NDArray[Any]) -> Self:
        """Rows that stand behind each other, without gaps."""
        return cls(values, np.cumsum(lengths, dtype=np.int64) - lengths, lengths)

    @classmethod
    def joined(cls, parts: Iterable["Ragged"]) -> Self:
        """The rows of several, in this order."""
        held = list(parts) or [Ragged.behind(np.empty(0, np.int32), np.empty(0, np.int64))]
        if len(held) == 1:
            return cls(held[0].values, held[0].starts, held[0].lengths)
        sizes = np.array([0, *(len(part.values) for part in held)])[:-1].cumsum()
        return cls(
            np.concatenate([part.values for part in held]),
            np.concatenate([part.starts + size for part, size in zip(held, sizes, strict=True)]),
            np.concatenate([part.lengths for part in held]),
        )

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """Bytes of its rows, and of where they are; others may have values in the same array."""
        own = self.values.itemsize * int(self.lengths.sum())
        return own + self.starts.nbytes + self.lengths.nbytes

    @property
    def longest(self) -> int:
        """Values of the longest row; 0 without a row."""
        return int(self.lengths.max(initial=0))

    def take(self, rows: ArrayLike | slice) -> Self:
        """The rows at these places, in this order; the values are shared."""
        chosen = rows if isinstance(rows, slice) else np.asarray(rows, dtype=np.intp)
        return type(self)(self.values, self.starts[chosen], self.lengths[chosen])

    def cut(self, most: int) -> Self:
        """The rows without what is behind their first `most` values; 0: whole."""
        lengths = np.minimum(self.lengths, most) if most else self.lengths
        return type(self)(self.values, self.starts, lengths)

    def chunks(self) -> Iterator[Self]:
        """All rows, some at a time."""
        for first in range(0, len(self), CHUNK):
            yield self.take(slice(first, first + CHUNK))

    def gathered(self) -> NDArray[Any]:
        """The values of all rows, behind each other."""
        ends = np.cumsum(self.lengths, dtype=np.int64)
        if not len(self):
            return self.values[:0]
        first, total = int(self.starts[0]), int(ends[-1])
        shift = self.starts - (ends - self.lengths)
        if (shift == first).all():
            return self.values[first : first + total]
        found: NDArray[Any] = self.values[np.arange(total) + np.repeat(shift, self.lengths)]
        return found

    def counts(self, size: int) -> NDArray[np.int64]:
        """(size,): how often each number from 0 on stands in the rows."""
        found = np.zeros(size, dtype=np.int64)
        for part in self.chunks():
            found += np.bincount(part.gathered(), minlength=size)
        return found

    def of_rows(self, marks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(N,): whether any value of a row is marked, of marks of the gathered values."""
        seen = np.concatenate([[0], np.cumsum(marks)])
        ends = np.cumsum(self.lengths, dtype=np.int64)
        found: NDArray[np.bool_] = seen[ends] > seen[ends - self.lengths]
        return found


class Tokens(Ragged):
    """N sentences as word ids, with EOS at their ends if they have one; PAD is none of them."""

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> Self:
        """Sentences that are given as lists of ids."""
        held = list(rows)
        lengths = np.fromiter(map(len, held), np.int64, len(held))
        return cls.behind(np.fromiter(chain.from_iterable(held), np.int64), lengths)

    @classmethod
    def encoded(cls, numbers: Ragged, ids: NDArray[Any]) -> Self:
        """Sentences that are given as numbers, of which `ids` has the word ids; EOS is added."""
        lengths = numbers.lengths + 1
        values = np.full(int(lengths.sum()), EOS, dtype=ids.dtype)
        first = 0
        for part in numbers.chunks():
            ends = np.cumsum(part.lengths + 1)
            inside = np.ones(ends[-1], dtype=np.bool_)
            inside[ends - 1] = False
            values[first : first + len(inside)][inside] = ids[part.gathered()]
            first += len(inside)
        return cls.behind(values, lengths)

    def known(self) -> Self:
        """Those without unknown words."""
        unknown = [part.of_rows(part.gathered() == UNK) for part in self.chunks()]
        return self.take(np.flatnonzero(~np.concatenate([*unknown, np.empty(0, np.bool_)])))

    def batch(self, chosen: "Tensor") -> "Tensor":
        """(B, T') int64: the sentences at these places (B,), as wide as the longest of them."""
        return self.take(chosen.numpy()).padded()

    def padded(self, width: int = 0) -> "Tensor":
        """(N, T) int64: all sentences, filled up with PAD to the longest or to `width`."""
        import torch

        T = max(width, self.longest)
        columns = np.arange(T)
        inside = columns < self.lengths[:, None]  # (N, T)
        ids = np.full(inside.shape, PAD, dtype=np.int64)
        ids[inside] = self.gathered()
        return torch.from_numpy(ids)


class Text(Ragged, Sequence[str]):
    """N lines, kept as UTF-8 and made into text one by one."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> Self:
        """Lines that are given as text."""
        held = [line.encode("utf-8", HALVES) for line in lines]
        lengths = np.fromiter(map(len, held), np.int64, len(held))
        return cls.behind(np.frombuffer(b"".join(held), dtype=np.uint8), lengths)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return list(self.take(place))
        start = int(self.starts[place])
        return str(self.values[start : start + int(self.lengths[place])].data, "utf-8", HALVES)

    @classmethod
    def of_file(cls, content: bytes) -> Self:
        """The lines of a text in UTF-8, without their ends, of which the last may lack."""
        size = len(content) - content.endswith(b"\n")
        # Not splitlines(): it also breaks at form feeds and Unicode separators inside a sentence.
        values = np.frombuffer(content, dtype=np.uint8)[:size]
        places = range(0, size, PIECE)
        found = [first + np.flatnonzero(values[first : first + PIECE] == END) for first in places]
        ends = np.concatenate([*found, [size]])
        starts = np.concatenate([[0], ends[:-1] + 1])
        return cls(values, starts, ends - starts)

    def __iter__(self) -> Iterator[str]:
        held = self.values.data
        for part in self.chunks():
            ends = part.starts + part.lengths
            for start, end in zip(part.starts.tolist(), ends.tolist(), strict=True):
                yield str(held[start:end], "utf-8", HALVES)
