"""What a command has made already."""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Once:
    """Makes each thing once: a second wish with the same key gets what the first one got."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Any] = {}

    def __call__(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, or gave for this key before. The key says all that decides it."""
        if key not in self._made:
            self._made[key] = make()
        made: T = self._made[key]
        return made
