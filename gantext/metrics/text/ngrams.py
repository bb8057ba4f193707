"""N-grams of many sentences, for the metrics that count them.

The places at which n-grams start are sorted by them, one more word at a time, so that equal
n-grams stand together. Only places whose n-gram stands elsewhere too have to be sorted again for
the next word, in parts that fit in the cache, as integers that hold n-gram, next word and place.
So the work grows as the number of words does, and no tuple of strings is ever built.

Legend: S sentences, W words of all sentences, L = W + S words and ends laid end to end, P places
where an n-gram starts, K distinct n-grams of one order, V distinct words.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise, repeat
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.integer[Any]]
BoolArray = NDArray[np.bool_]
Sentences = Sequence[Sequence[Hashable]]

# Places that are sorted at a time: half a megabyte, which stays in the cache.
PART = 1 << 16


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
class Text:
    """The words of S sentences laid end to end, each sentence with an end behind it.

    Attributes:
        symbols: (L,) 0 at an end, else 1 + the word's number, in as few bytes as hold them.
        bounds: (S + 1,) the place where each sentence begins, and L.
        unknown: V.
    """

    symbols: IntArray
    bounds: IntArray
    unknown: int

    @classmethod
    def of(cls, words: Words) -> "Text":
        """Lay words out."""
        bounds = np.concatenate([[0], np.cumsum(words.lengths + 1)])
        is_word = np.ones(bounds[-1], np.bool_)
        is_word[bounds[1:] - 1] = False
        symbols = np.zeros(bounds[-1], np.min_scalar_type(words.unknown + 1))
        symbols[is_word] = words.numbers
        symbols += is_word
        return cls(symbols, bounds, words.unknown)

    @cached_property
    def sentences(self) -> IntArray:
        """The sentence, in 0..S-1, that each place lies in, (L,)."""
        numbers = np.arange(self.bounds.size - 1, dtype=_narrow(self.bounds.size))
        return np.repeat(numbers, np.diff(self.bounds))

    def per_sentence(self, places: IntArray) -> IntArray:
        """How many of these places, each named once, lie in each sentence, (S,)."""
        marked = np.zeros(self.symbols.size, np.bool_)
        marked[places] = True
        until = np.cumsum(marked, dtype=_narrow(marked.size))[self.bounds[1:] - 1]
        return np.diff(until, prepend=0).astype(np.int64)


@dataclass(frozen=True)
class Grams:
    """The n-grams of one order in a text, numbered 0..K-1 in the order of their words' numbers.

    Attributes:
        text: where they stand.
        order: n.
        places: (P,) where each starts; n-gram k has places[starts[k]:starts[k + 1]], ascending.
        starts: (K + 1,).
        parents: (K,) the number of the n-gram of order n - 1 that each begins with.
        last: (K,) the number of its last word.
    """

    text: Text
    order: int
    places: IntArray
    starts: IntArray
    parents: IntArray
    last: IntArray

    @cached_property
    def counts(self) -> IntArray:
        """How often each occurs, (K,)."""
        return np.diff(self.starts)

    def keys(self, numbers: IntArray | None = None) -> IntArray:
        """One integer for each n-gram, ascending, (K,).

        Args:
            numbers: of the n-grams of order n - 1 in another text's order; None: as they are here.
        """
        parents = self.parents if numbers is None else numbers[self.parents]
        keys = parents.astype(np.int64)
        keys *= self.text.unknown + 1
        keys += self.last
        return keys


def number_words(sentences: Sentences) -> dict[Hashable, int]:
    """Number the distinct words 0..V-1 in the order in which they first occur."""
    distinct = dict.fromkeys(chain.from_iterable(sentences))
    return {word: number for number, word in enumerate(distinct)}


def encode(sentences: Sentences, numbering: Mapping[Hashable, int]) -> Words:
    """Replace words by their numbers; a word outside `numbering` becomes `len(numbering)`."""
    unknown = len(numbering)
    lengths = np.fromiter(map(len, sentences), np.int64, len(sentences))
    numbers = map(numbering.get, chain.from_iterable(sentences), repeat(unknown))
    return Words(np.fromiter(numbers, np.int32, int(lengths.sum())), lengths, unknown)


def number_ngrams(
    words: Words, max_order: int, longer: Callable[[Grams], BoolArray] | None = None
) -> Iterator[Grams]:
    """Yield the n-grams of `words`, of order n = 1..max_order in turn.

    Args:
        words: S sentences.
        max_order: the highest order.
        longer: tells which n-grams (K,) longer ones begin with that are wanted; None: all.
    """
    grams = _first(Text.of(words))
    yield grams
    for _ in range(1, max_order):
        grams = _extended(grams, None if longer is None else longer(grams))
        yield grams


def find_ngrams(words: Words, keys: Sequence[IntArray]) -> Iterator[tuple[Grams, IntArray]]:
    """Yield the n-grams of `words`, order by order, and the numbers (K,) that others have for them.

    What has no number, -1, begins nothing longer that has one: those are left out.

    Args:
        words: encoded with the numbering of the words that `keys` are of.
        keys: keys[n - 1] is `Grams.keys` of order n of all n-grams of another text.
    """
    grams = _first(Text.of(words))
    numbers = None
    for order, known in enumerate(keys, 1):
        numbers = _places_in(known, grams.keys(numbers))
        yield grams, numbers
        if order < len(keys):
            grams = _extended(grams, numbers >= 0)


def _places_in(known: IntArray, wanted: IntArray) -> IntArray:
    """Where each of the wanted keys stands in the known ones, both ascending; -1: nowhere."""
    if not known.size:
        return np.full(wanted.shape, -1)
    places = np.searchsorted(known, wanted)
    places[places == known.size] = 0
    return np.where(known[places] == wanted, places, -1)


def _narrow(size: int) -> type[np.int32] | type[np.int64]:
    """What holds the places of an array of this size, and a few more."""
    return np.int32 if size < 2**30 else np.int64


def _first(text: Text) -> Grams:
    """The words of a text as n-grams of order 1: a stable counting sort, a part at a time."""
    size, narrow = text.symbols.size, _narrow(text.symbols.size)
    counts: IntArray = np.zeros(text.unknown + 2, narrow)
    for begin in range(0, size, PART):
        part = np.bincount(text.symbols[begin : begin + PART])
        counts[: part.size] += part.astype(narrow)
    until: IntArray = np.cumsum(counts, dtype=narrow)
    following = until - counts  # where the next place of each symbol goes; the ends stand first
    places = np.empty(size, narrow)
    for begin in range(0, size, PART):
        symbols = text.symbols[begin : begin + PART]
        order = np.argsort(symbols, kind="stable")
        symbols = symbols[order]
        first = np.flatnonzero(changes(symbols))
        often = np.diff(first, append=symbols.size)
        ranks = np.arange(symbols.size) - np.repeat(first, often)
        places[following[symbols] + ranks] = order + begin
        following[symbols[first]] += often.astype(narrow)
    present = np.flatnonzero(counts[1:])
    starts = np.append(until[present], until[-1]) - until[0]
    return Grams(text, 1, places[until[0] :], starts, np.zeros_like(present), present)


def _extended(grams: Grams, wanted: BoolArray | None) -> Grams:
    """The n-grams of the next order that begin with the wanted ones, (K,), or with all.

    The parts are put where they belong as they come: memory that nothing is put in is never there.
    """
    size, narrow = grams.places.size, grams.places.dtype
    places, parents, starts = (np.empty(size + 1, narrow) for _ in range(3))
    last = np.empty(size, grams.text.symbols.dtype)
    done = distinct = 0  # places, n-grams
    for begin, end in pairwise(_cuts(grams.starts)):
        found, first, *named = _extended_part(grams, wanted, begin, end)
        places[done : done + found.size] = found
        there = slice(distinct, distinct + first.size)
        starts[there], parents[there], last[there] = first + done, *named
        done, distinct = done + found.size, there.stop
    starts[distinct] = done
    ours = slice(distinct)
    return Grams(
        grams.text,
        grams.order + 1,
        places[:done],
        starts[: distinct + 1],
        parents[ours],
        last[ours],
    )


def _cuts(starts: IntArray) -> Iterator[int]:
    """Cut 0..K into parts of at most `PART` places, unless one n-gram has more; 0 and all ends."""
    cut = 0
    while cut < starts.size - 1:
        yield cut
        # A number of another type would have all starts copied.
        most = starts.dtype.type(min(int(starts[cut]) + PART, int(starts[-1])))
        end = int(np.searchsorted(starts, most, "right")) - 1
        cut = max(end, cut + 1)
    yield starts.size - 1


def _extended_part(
    grams: Grams, wanted: BoolArray | None, begin: int, end: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """As `_extended`, of those that begin with n-gram `begin` to before `end`.

    Returns:
        their places (P,); of each n-gram its first one among these, its parent, its last word (K,).
    """
    counts = np.diff(grams.starts[begin : end + 1])
    parents = np.repeat(np.arange(begin, end, dtype=grams.places.dtype), counts)  # (P,)
    places = grams.places[grams.starts[begin] : grams.starts[end]]
    symbols = grams.text.symbols[places + grams.order]
    goes_on = symbols > 0
    if wanted is not None:
        goes_on &= np.repeat(wanted[begin:end], counts)
    parents, places, symbols = parents[goes_on], places[goes_on], symbols[goes_on]
    _sort(parents, symbols, places)
    first = np.flatnonzero(changes(parents) | changes(symbols))
    return places, first, parents[first], symbols[first] - 1


def changes(values: IntArray) -> BoolArray:
    """Which values differ from the one before, the first among them, (P,)."""
    differs = np.ones(values.size, np.bool_)
    np.not_equal(values[1:], values[:-1], out=differs[1:])
    return differs


def _sort(parents: IntArray, symbols: IntArray, places: IntArray) -> None:
    """Sort symbols and their places (P,), in place, where `parents` stays equal; stably.

    `parents` ascends. A value that stands in it once is in order already. At most half as many
    others as `PART` leave 64 bits for the symbol and the place in the part, as one parent alone
    does with more places.
    """
    first = changes(parents)
    several = ~(first & np.append(first[1:], True))  # (P,)
    loose, theirs = symbols[several], places[several]
    wide, far = int(loose.max(initial=0)).bit_length(), loose.size.bit_length()
    packed = np.cumsum(first[several], dtype=np.uint64)
    packed -= 1
    packed <<= wide
    packed |= loose
    packed <<= far
    packed |= np.arange(loose.size, dtype=np.uint64)
    packed.sort()
    places[several] = theirs[(packed & ((1 << far) - 1)).astype(np.int64)]
    packed >>= far
    symbols[several] = packed & ((1 << wide) - 1)
