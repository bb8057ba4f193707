"""Values held against a declared type: the first that does not fit is named, with its key.

A shape is a `TypedDict` of texts, numbers, lists and mappings. Keys that it does not name pass:
newer versions add some. Whole numbers lie within 64 bits and others are finite, unless a `Range`
says otherwise.
"""

import functools
import json
import math
import types
from collections.abc import Callable, Collection, Iterable
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from gantext.data.ranges import Range

SHOWN = 40  # letters of a value in an error


# Whole numbers of 64 bits, and how many there are of something.
ANY = Range(-(2**63), 2**63 - 1)
Whole = Annotated[int, Range(0, ANY.high)]
Positive = Annotated[int, Range(1, ANY.high)]


class Misfit(Exception):
    """A value that does not fit; its message names the key, what was found and what expected."""

    def __init__(self, value: object, expected: str, key: str = "", found: str = "") -> None:
        self.value, self.expected, self.key = value, expected, key
        self.found = found or shown(value)
        where = f'"{key}": ' if key else ""
        super().__init__(f"{where}found {self.found}, expected {expected}")

    def under(self, key: str) -> "Misfit":
        """The same, of a value that lies under a key."""
        inner = f"{key}.{self.key}" if self.key else key
        return Misfit(self.value, self.expected, inner, self.found)


Check = Callable[[Any], None]  # raises Misfit


def shown(value: object) -> str:
    """A value as an error shows it: short, and in letters that any terminal has."""
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, int) and value.bit_length() > 64:  # its decimals could take minutes
        return "a huge number"
    text = json.dumps(value) if _is_plain(value) else f"a {type(value).__name__.lower()}"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float))


@functools.cache
def check_of(kind: Any) -> Check:
    """What holds a value against a type."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda value: None
    if is_typeddict(kind):
        return _record(kind)
    if origin in (Required, NotRequired):
        return check_of(inner[0])
    if origin is Annotated:
        return _whole(inner[1])
    if origin is Literal:
        return _one_of(inner)
    if origin in (Union, types.UnionType):
        return _either(inner)
    if origin in (list, tuple):  # JSON and YAML know lists alone
        return _list(inner[0])
    if origin is dict:
        return _mapping(inner[1])
    return _plain(kind)


NAMES: dict[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    types.NoneType: "null",
    dict: "a mapping",
    list: "a list",
}


def _plain(kind: type) -> Check:
    if kind is int:
        return _whole(ANY)
    if kind is float:
        return _number
    expected = NAMES.get(kind) or f"a {kind.__name__.lower()}"

    def check(value: Any) -> None:
        if not isinstance(value, kind):
            raise Misfit(value, expected)

    return check


def _number(value: Any) -> None:
    if type(value) is float and math.isfinite(value):
        return
    if type(value) is not int or abs(value) > ANY.high:
        raise Misfit(value, "a finite number" if isinstance(value, float) else "a number")


def _whole(bounds: Range) -> Check:
    least = f" of at least {bounds.low}" if bounds.low != ANY.low else ""
    most = f" of at most {bounds.high}" if bounds.high != ANY.high else ""
    both = f" from {bounds.low} to {bounds.high}" if least and most else least + most

    def check(value: Any) -> None:
        if type(value) is not int or not bounds.low <= value <= bounds.high:
            raise Misfit(value, f"a whole number{both}")

    return check


def _one_of(words: tuple[Any, ...]) -> Check:
    def check(value: Any) -> None:
        if type(value) is not str or value not in words:
            raise Misfit(value, " or ".join(map(json.dumps, words)))

    return check


SIMPLE = frozenset((str, bool, types.NoneType))  # whose values fit without a look at them
NUMBERS = frozenset((int, float))


def _either(kinds: tuple[Any, ...]) -> Check:
    """One of several types."""
    simple = SIMPLE.intersection(kinds)
    rest = [kind for kind in kinds if kind not in simple and not (kind is int and float in kinds)]
    checks = [check_of(kind) for kind in rest]
    expected = " or ".join(NAMES[kind] for kind in kinds if kind in NAMES)

    def check(value: Any) -> None:
        if type(value) in simple:
            return
        for one in checks:
            try:
                return one(value)
            except Misfit:
                continue
        raise Misfit(value, expected)

    return check


def _list(kind: Any) -> Check:
    item, fit = check_of(kind), _all_fit(kind)

    def check(value: Any) -> None:
        if not isinstance(value, list):
            raise Misfit(value, "a list")
        if value and not fit(value):
            _check_each(item, enumerate(value))

    return check


def _all_fit(kind: Any) -> Callable[[Collection[Any]], bool]:
    """Whether values are all of a simple type, seen at a glance: of most files all are."""
    if get_origin(kind) is Annotated:
        bounds: Range = get_args(kind)[1]
        return lambda values: (
            set(map(type, values)) == {int}
            and bounds.low <= min(values) <= max(values) <= bounds.high
        )
    kinds = {kind, *get_args(kind)}
    simple = {*(SIMPLE & kinds), *({int, float} & kinds), *({int} if float in kinds else ())}

    def fit(values: Collection[Any]) -> bool:
        found = set(map(type, values))
        if not found <= simple:
            return False
        numbers = [one for one in values if type(one) in NUMBERS] if found & NUMBERS else []
        return not numbers or ANY.low <= min(numbers) <= max(numbers) <= ANY.high

    return fit


def _check_each(item: Check, values: Iterable[tuple[Any, Any]]) -> None:
    for key, value in values:
        try:
            item(value)
        except Misfit as error:
            raise error.under(str(key)) from None


def _mapping(kind: Any) -> Check:
    item, fit = check_of(kind), _all_fit(kind)

    def check(value: Any) -> None:
        if not isinstance(value, dict):
            raise Misfit(value, "a mapping")
        if not fit(value.values()):
            _check_each(item, value.items())

    return check


def _record(kind: Any) -> Check:
    hints = get_type_hints(kind, include_extras=True)
    checks = {key: check_of(hint) for key, hint in hints.items()}
    required = kind.__required_keys__

    def check(value: Any) -> None:
        if not isinstance(value, dict):
            raise Misfit(value, "a mapping")
        if not required <= value.keys():
            missing = next(key for key in checks if key in required and key not in value)
            raise Misfit(value, f'one with "{missing}"')
        key = ""
        try:
            for key, one in checks.items():
                if key in value:
                    one(value[key])
        except Misfit as error:
            raise error.under(key) from None

    return check
