"""JSON files: strictly read, within limits, and held against their shape."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NoReturn, TypeVar

from gantext.records.content import MB, Damaged, content, decoded
from gantext.records.shape import Misfit, check_of

T = TypeVar("T", bound=Mapping[str, Any])

NESTING = 64  # levels of lists and mappings within each other
SOME = 16 * MB
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
OTHERS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True)
class JsonFile(Generic[T]):
    """A kind of JSON file.

    Attributes:
        shape: the `TypedDict` of what it holds.
        limit: how many bytes it has at most.
    """

    shape: type[T]
    limit: int = SOME

    def read(self, path: Path, root: Path | None = None) -> T | None:
        """What the file holds; None when it is not there. For `root` see `content`.

        Raises:
            UserError: it cannot be read.
            Damaged: it is too large, no JSON, or does not fit.
        """
        data = content(path, self.limit, root)
        return None if data is None else self.of(path, data)

    def of(self, path: Path, data: bytes) -> T:
        """What these bytes of a file hold. Raises Damaged."""
        value = parsed(path, data)
        return fitting(path, self.shape, value)


def fitting(path: Path, shape: type[T], value: Any) -> T:
    """A value that has this shape. Raises Damaged."""
    try:
        check_of(shape)(value)
    except Misfit as error:
        raise Damaged(path, str(error)) from None
    found: T = value
    return found


def parsed(path: Path, data: bytes, nan: bool = False) -> Any:
    """The value of a JSON file, whatever it is.

    Args:
        path: of the file, for errors.
        data: its content.
        nan: take NaN and Infinity as numbers.

    Raises:
        Damaged: it is not UTF-8 or no JSON, holds a key twice or half a letter, is nested too
            deeply.
    """
    text = decoded(path, data)
    try:
        _check_nesting(data)
        value = (WITH_NAN if nan else STRICT).decode(text)
        _check_letters(text, value)
    except (ValueError, RecursionError) as error:
        raise Damaged(path, fault(error)) from None
    return value


def fault(error: ValueError | RecursionError) -> str:
    """What is wrong with text that is no JSON, in one line."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object. Raises ValueError for a key that stands in it twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{json.dumps(twice)} stands in it twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _check_nesting(data: bytes) -> None:
    """Raises RecursionError, as reading would do much deeper."""
    brackets = data.translate(None, OTHERS)
    for _ in range(NESTING):
        if not brackets:
            return
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    # Some may stand in texts.
    depth = 0
    for bracket in TEXT.sub(b"", data).translate(None, OTHERS):
        depth += 1 if bracket in b"[{" else -1
        if depth > NESTING:
            raise RecursionError


def _check_letters(text: str, value: Any) -> None:
    """Raises ValueError for half of a letter of two, which no terminal and no file takes."""
    if "\\u" not in text:
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a letter (a lone surrogate)") from None


STRICT = json.JSONDecoder(object_pairs_hook=once, parse_constant=_no_constant)
WITH_NAN = json.JSONDecoder(object_pairs_hook=once)
