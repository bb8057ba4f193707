"""Files of many JSON objects, one a line: numbers by name, as metrics of training are."""

import json
import math
from pathlib import Path
from typing import Any

from gantext.records.content import MB, Damaged, content, decoded
from gantext.records.json_file import fault, once
from gantext.records.shape import shown

LIMIT = 4096 * MB
Row = dict[str, Any]  # text under LABEL, numbers elsewhere
LABEL = "phase"
PLACES = ("step", "total")
NUMBERS = frozenset((int, float))
KINDS = NUMBERS | {str}
DIGITS = 18  # of a whole number, which then fits into 64 bits


def read_rows(path: Path, root: Path | None = None) -> list[Row]:
    """The rows of a file; none when it is not there. For `root` see `content`.

    A last line that was only half written, as a kill leaves it, is left out. Values may be NaN.

    Raises:
        UserError: it cannot be read.
        Damaged: a line, which is named by its number, is no row.
    """
    data = content(path, LIMIT, root)
    if not data:
        return []
    whole, _, rest = data.rpartition(b"\n")
    rows = _rows(path, whole) if whole else []
    return rows + _unended(path, rest)


def _unended(path: Path, rest: bytes) -> list[Row]:
    try:
        return _rows(path, rest) if rest else []
    except Damaged:
        return []


def _rows(path: Path, data: bytes) -> list[Row]:
    """All rows at once, which takes less time than line by line; then the fault is looked for."""
    text = decoded(path, data)
    lines = text.count("\n") + 1
    try:
        rows = DECODER.decode(f"[{text.replace(chr(10), ',')}]")
        for row in rows:
            _check(row)
        if len(rows) == lines:
            return list(rows)
    except (ValueError, RecursionError):
        pass
    for number, line in enumerate(text.split("\n"), 1):
        try:
            _check(DECODER.decode(line))
        except (ValueError, RecursionError) as error:
            raise Damaged(path, f"line {number}: {fault(error)}") from None
    raise Damaged(path, "its lines are no rows one by one")


def _check(row: Any) -> None:
    """Raises ValueError for what is no row."""
    if type(row) is not dict:
        raise ValueError(f"found {shown(row)}, expected a mapping")
    kinds = list(map(type, row.values()))
    labelled = type(row.get(LABEL, "")) is str and kinds.count(str) == (LABEL in row)
    if labelled and KINDS.issuperset(kinds):
        if math.isfinite(row.get("step", 0)) and math.isfinite(row.get("total", 0)):
            return
    for key, value in row.items():
        fits = type(value) is str if key == LABEL else type(value) in NUMBERS
        if not fits or (key in PLACES and not math.isfinite(value)):
            expected = "text" if key == LABEL else "a number"
            raise ValueError(f'"{key}": found {shown(value)}, expected {expected}')


def _whole_number(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"found a number of {len(digits)} digits, expected one of {DIGITS}")
    return int(digits)


DECODER = json.JSONDecoder(object_pairs_hook=once, parse_int=_whole_number)
