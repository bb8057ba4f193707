"""A table as lines of a terminal: nothing of it is lost, and what says which row it is stays whole.

Rich's own tables break or drop a column where there is no room, and look at each cell several
times, which takes seconds for some thousand rows.
"""

import bisect
import dataclasses
import functools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from operator import le

from rich.cells import cell_len
from rich.text import Text

from gantext.training.short_names import shortened
from gantext.training.terminal import Terminal

GAP = 2  # characters between two columns
SIDES = 2  # around a row
HEAD = 3  # lines before those of the rows
LEAST_NAME = 12  # of a run's name that heads a column
LEAST_TEXT = 16  # of a text that folds, where it is as long


@dataclass(frozen=True)
class Table:
    """What a command shows in rows and columns.

    Attributes:
        title: what it is of.
        columns: the heads; all may be empty.
        rows: their cells.
        texts: which columns are text, that stands to the left and may fold; numbers stand to the
            right.
        keys: how many of the first columns say which row it is. They never fold, and stand again
            where the table goes on below; the names in the first one are shortened if they must.
        named: the heads of the others are names of runs, which are shortened instead.
        cautions: lines under it that have to be seen.
        below: the other lines under it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: Collection[int] = (0,)
    keys: int = 1
    named: bool = False
    cautions: Sequence[str] = ()
    below: Sequence[str] = ()

    @functools.cached_property
    def widths(self) -> list[int]:
        """The width of each column."""
        heads = [widest([head]) for head in self.columns]
        return list(map(max, heads, map(widest, zip(*self.rows, strict=True)))) or heads


@dataclass(frozen=True)
class Part:
    """Columns of a table that stand side by side.

    Attributes:
        head: the lines of their heads and of the rule below these; none where no column has one.
        body: those of the rows.
    """

    head: list[str]
    body: list[str]


def parts_of(table: Table, room: int) -> tuple[list[Part], dict[str, str]]:
    """A table in parts of a width, one below the other, and the names that were shortened for it.

    Args:
        table: of plain text, as a terminal shows it.
        room: characters of a terminal.
    """
    fitted, whole = _with_short_names(table, room)
    widths = fitted.widths
    return [_part(fitted, part, widths, room) for part in _split(fitted, widths, room)], whole


def best(candidates: Sequence[Table], room: int) -> Table:
    """The first of some tables that need not go on below, else the one of the fewest lines."""
    for table in candidates:
        if side_by_side(least_widths(_with_short_names(table, room)[0])) <= room:
            return table
    # Of two that are as long the later one, which has left more out.
    return min(reversed(candidates), key=lambda table: _height(table, room))


def _height(table: Table, room: int) -> int:
    """Lines that a table takes whose cells do not fold."""
    fitted, _ = _with_short_names(table, room)
    return len(_split(fitted, fitted.widths, room)) * (len(table.rows) + HEAD)


def least_widths(table: Table) -> list[int]:
    """The width that each column takes at least, where texts fold as far as they may."""
    return [_least(table, column, width) for column, width in enumerate(table.widths)]


def side_by_side(widths: Iterable[int]) -> int:
    """Characters that columns of these widths take together."""
    taken = [width + GAP for width in widths]
    return sum(taken) - GAP + SIDES


def widest(cells: Sequence[str]) -> int:
    """Characters of a terminal that the widest line of some cells takes."""
    together = "".join(cells)
    if together.isascii() and together.isprintable():
        return max(map(len, cells))
    return max(max(map(cell_len, cell.splitlines()), default=0) for cell in cells)


def _least(table: Table, column: int, width: int) -> int:
    folds = column in table.texts and column >= table.keys
    least = min(width, LEAST_TEXT) if folds else width
    return max(least, widest([table.columns[column]])) if table.named else least


def _with_short_names(table: Table, room: int) -> tuple[Table, dict[str, str]]:
    """The table with names that are short enough for it to fit, or as short as they may get.

    Returns it, and the whole one of each name that was shortened.
    """
    whole: dict[str, str] = {}
    if table.named and side_by_side(least_widths(table)) > room:
        table, whole = _shortened(table, room, LEAST_NAME, _with_heads)
    if table.keys and side_by_side(least_widths(table)) > room:
        table, more = _shortened(table, room, room // (2 if table.named else 4), _with_keys)
        whole |= more
    return table, whole


Renaming = Callable[[Table, Mapping[str, str]], Table]


def _shortened(
    table: Table, room: int, usual: int, renamed: Renaming
) -> tuple[Table, dict[str, str]]:
    """The table with the longest names with which it fits, and else with those of `usual`."""
    names = table.columns[table.keys :] if renamed is _with_heads else [r[0] for r in table.rows]

    def made(longest: int) -> tuple[Table, dict[str, str]]:
        short = shortened(names, longest)
        return renamed(table, short), {new: old for old, new in short.items() if new != old}

    def fitting(longest: int) -> bool:
        return side_by_side(least_widths(made(longest)[0])) <= room

    if not fitting(LEAST_NAME):
        return made(max(LEAST_NAME, usual))
    lengths = range(LEAST_NAME, max(LEAST_NAME, widest(["", *names])) + 1)
    return made(LEAST_NAME - 1 + bisect.bisect_left(lengths, True, key=lambda n: not fitting(n)))


def _with_heads(table: Table, names: Mapping[str, str]) -> Table:
    heads = (names[head] for head in table.columns[table.keys :])
    return dataclasses.replace(table, columns=[*table.columns[: table.keys], *heads])


def _with_keys(table: Table, names: Mapping[str, str]) -> Table:
    return dataclasses.replace(table, rows=[[names[row[0]], *row[1:]] for row in table.rows])


def _split(table: Table, widths: Sequence[int], room: int) -> list[list[int]]:
    """Which columns stand in each part: the keys, and as many of the others as there is room for.

    One that has too little room even by itself stands alone, and folds.
    """
    keys = list(range(table.keys))
    parts = [keys]
    for column in range(table.keys, len(widths)):
        tried = [*parts[-1], column]
        if (
            side_by_side(_least(table, i, widths[i]) for i in tried) > room
            and len(tried) > len(keys) + 1
        ):
            tried = [*keys, column]
            parts.append(tried)
        parts[-1] = tried
    return parts


def _part(table: Table, part: Sequence[int], natural: Sequence[int], room: int) -> Part:
    """Some columns of a table, those that fold as narrow as they have to be."""
    widths = _narrowed(table, part, natural, room)
    left = [column in table.texts for column in part]
    forms = [
        f"{{:{'<' if text else '>'}{width}}}" for text, width in zip(left, widths, strict=True)
    ]
    form = f" {(' ' * GAP).join(forms)} "
    rows = table.rows
    if len(part) < len(natural):
        rows = [[row[i] for i in part] for row in rows]
    head = [table.columns[i] for i in part]
    lines = [line for row in rows for line in _lines_of(row, widths, left, form)]
    if not any(head):
        return Part([], lines)
    rule = f" {'─' * (sum(widths) + GAP * (len(widths) - 1))} "
    return Part([*_lines_of(head, widths, left, form), rule], lines)


def _narrowed(
    table: Table, part: Sequence[int], natural: Sequence[int], room: int
) -> Sequence[int]:
    """The widths of columns: no text that folds is wider than leaves room for all.

    A lone column beside the keys folds, whatever it is.
    """
    widths = [natural[i] for i in part]
    others = [place for place, i in enumerate(part) if i >= table.keys]
    folding = [place for place in others if part[place] in table.texts] or others[-1:]
    rest = room - side_by_side(0 if i in folding else width for i, width in enumerate(widths))
    least = [_least(table, i, natural[i]) if len(others) > 1 else 2 for i in part]

    def capped(cap: int) -> dict[int, int]:
        return {i: max(min(widths[i], cap), least[i]) for i in folding}

    cap = max((widths[i] for i in folding), default=0)
    while cap > 1 and sum(capped(cap).values()) > rest:
        cap -= 1
    return [capped(cap).get(i, width) for i, width in enumerate(widths)]


def _lines_of(
    row: Sequence[str], widths: Sequence[int], left: Sequence[bool], form: str
) -> list[str]:
    """The lines of a row: one, or more where cells fold.

    Args:
        row: its cells.
        widths: of the columns.
        left: whether each column's cells stand to the left.
        form: of a line whose letters are one character wide each.
    """
    together = "".join(row)
    if together.isascii() and together.isprintable() and all(map(le, map(len, row), widths)):
        return [form.format(*row)]
    pieces = [folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [
        f" {(' ' * GAP).join(map(_padded, line, widths, left))} "
        for line in zip_longest(*pieces, fillvalue="")
    ]


def folded(cell: str, width: int) -> list[str]:
    """The lines of a text, none wider than this, broken between words where they are no longer."""
    if cell.isprintable() and widest([cell]) <= width:
        return [cell]
    wrapped = Text(cell).wrap(Terminal(), max(width, 2), overflow="fold")
    return [line.plain.rstrip(" ") for line in wrapped]


def _padded(line: str, width: int, left: bool) -> str:
    spaces = " " * (width - widest([line]))
    return line + spaces if left else spaces + line
