"""Sentences that many scores are computed of, with what has been made of them already."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, TypeVar, overload

T = TypeVar("T")


class Texts(Sequence[str]):
    """Sentences that many scores are computed of: what is made of them is made once."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.lines = lines
        self._made: dict[Hashable, Any] = {}

    def __len__(self) -> int:
        return len(self.lines)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        return self.lines[place]

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def first(self, size: int | None) -> Sequence[str]:
        """The first `size` of them (None: all), which are they themselves where that is all."""
        return self if size is None or size >= len(self) else self.lines[:size]


def once(texts: Sequence[str], key: Hashable, make: Callable[[], T]) -> T:
    """What `make` gives, or gave before of these very `Texts`; others keep nothing.

    The key says all that decides it, but for the texts.
    """
    if not isinstance(texts, Texts):
        return make()
    if key not in texts._made:
        texts._made[key] = make()
    made: T = texts._made[key]
    return made


def first(texts: Sequence[str], size: int | None) -> Sequence[str]:
    """The first `size` texts (None: all)."""
    return texts.first(size) if isinstance(texts, Texts) else texts[:size]
