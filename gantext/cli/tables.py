"""What commands print: rich tables on a terminal, one JSON document with --json."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from operator import le
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.markup import escape
from rich.text import Text

from gantext.files import is_steering
from gantext.metrics.score import shown, shown_with_error
from gantext.training.terminal import Terminal, say

if TYPE_CHECKING:
    from gantext.metrics.score import Score


PLAIN_WIDTH = 160  # of a table that goes to a file or a pipe
GAP = 3  # characters between two columns of a table
LEAST = 3  # of a column of text that is narrowed, with what stands around it
FOLDED = 20  # of a line, characters that texts leave to numbers by folding


def _width() -> int | None:
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH


out = Terminal(highlight=False, width=_width())
err = Terminal(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """One JSON document on stdout, and nothing else there."""
    plain = not sys.stdout.encoding.lower().startswith("utf")  # then \\u4e00, which JSON reads back
    text = json.dumps(_finite(document), indent=2, ensure_ascii=plain, default=str)
    if not text.replace("\n", "").isprintable():
        text = "".join(json.dumps(c)[1:-1] if c != "\n" and is_steering(c) else c for c in text)
    say(text)


def _finite(document: Any) -> Any:
    """The document with null for the numbers that JSON has no name for."""
    if isinstance(document, float):
        return document if math.isfinite(document) else None
    if isinstance(document, dict):
        return {key: _finite(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [_finite(value) for value in document]
    return document


def table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1
) -> None:
    """A plain table: the first columns are text, which may fold; the others stand to the right.

    One that is wider than the terminal goes on below, each row with its first cell again.
    """
    out.print(title, style="bold", markup=False, soft_wrap=True)
    cells = list(map(_cells, (columns, *rows)))
    widths = list(map(_widest, zip(*cells, strict=True)))
    for block in _blocks(widths, text_columns):
        _print_block(
            [[row[i] for i in block] for row in cells],
            [widths[i] for i in block],
            sum(i < text_columns for i in block),
        )


def _cells(row: Sequence[str]) -> Sequence[str]:
    """Texts as a terminal shows them."""
    if "".join(row).isprintable():
        return row
    return [out.render_str(text, markup=False, emoji=False).plain for text in row]


def _widest(cells: Sequence[str]) -> int:
    """Characters of a terminal that the widest line of some cells takes."""
    together = "".join(cells)
    if together.isascii() and together.isprintable():
        return max(map(len, cells))
    return max(max(map(cell_len, cell.splitlines()), default=0) for cell in cells)


def _blocks(widths: Sequence[int], text_columns: int) -> list[list[int]]:
    """Which columns stand in each part of a table, so that no part is wider than the terminal."""
    widths = [width + GAP for width in widths]
    blocks = [[*range(text_columns)]]
    room = out.width - min(sum(widths[:text_columns]), out.width - FOLDED)
    for column in range(text_columns, len(widths)):
        if widths[column] > room and blocks[-1][-1] >= text_columns:
            blocks.append([0])
            room = out.width - min(widths[0], out.width - FOLDED)
        blocks[-1].append(column)
        room -= widths[column]
    return blocks


def _print_block(cells: Sequence[Sequence[str]], natural: Sequence[int], texts: int) -> None:
    """Print some columns of a table, its head first, as rich lays out a plain table.

    Rich itself looks at each cell several times, which takes seconds for some thousand rows.

    Args:
        cells: the rows.
        natural: the widths of the columns.
        texts: how many of them are text.
    """
    widths = _fitted(natural, texts, out.width)
    size = sum(widths) + GAP * (len(widths) - 1)
    forms = [f"{{:{'<' if i < texts else '>'}{width}}}" for i, width in enumerate(widths)]
    form = f" {(' ' * GAP).join(forms)} "
    head, *body = (_lines_of(row, widths, texts, form) for row in cells)
    out.print(" " * (size + 2), soft_wrap=True)
    if any(cells[0]):
        out.print("\n".join(head), style="bold", markup=False, emoji=False, soft_wrap=True)
        out.print(f" {'─' * size} ", soft_wrap=True)
    say("\n".join([*chain.from_iterable(body), " " * (size + 2)]))


def _fitted(widths: Sequence[int], texts: int, room: int) -> list[int]:
    """The widths of columns, the widest of the first `texts` narrowed until a table has room.

    A column is as wide here as rich has it: with what stands between it and its neighbours.
    """
    last = len(widths) - 1
    around = [(i > 0) + (i < last) for i in range(len(widths))]
    wide = [width + space for width, space in zip(widths, around, strict=True)]
    excess = sum(wide) + len(wide) + 1 - room
    while excess > 0 and (widest := max(wide[:texts])) > LEAST:
        equal = [i for i in range(texts) if wide[i] == widest]
        second = max((width for width in wide[:texts] if width < widest), default=LEAST)
        step = min(excess, widest - second)
        for many, i in zip(range(len(equal), 0, -1), equal, strict=True):
            narrower = min(step, round(excess / many))
            wide[i] -= narrower
            excess -= narrower
    return [width - space for width, space in zip(wide, around, strict=True)]


def _lines_of(row: Sequence[str], widths: Sequence[int], texts: int, form: str) -> list[str]:
    """The lines of a row: one, or more where texts fold.

    Args:
        row: its cells.
        widths: of the columns.
        texts: how many of them are text.
        form: of a line whose letters are one character wide each.
    """
    together = "".join(row)
    if together.isascii() and together.isprintable() and all(map(le, map(len, row), widths)):
        return [form.format(*row)]
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    lines = zip_longest(*folded, fillvalue="")
    return [
        f" {(' ' * GAP).join(_padded(*pair, i < texts) for i, pair in enumerate(cells))} "
        for cells in (zip(line, widths, strict=True) for line in lines)
    ]


def _folded(cell: str, width: int) -> list[str]:
    if cell.isprintable() and _widest([cell]) <= width:
        return [cell]
    return [line.plain.rstrip(" ") for line in Text(cell).wrap(out, width, overflow="fold")]


def _padded(line: str, width: int, is_text: bool) -> str:
    spaces = " " * (width - _widest([line]))
    return line + spaces if is_text else spaces + line


def hint(text: str) -> None:
    """What to do next, which a table's reader may want and a pipe does not."""
    err.print(text, style="dim", markup=False, soft_wrap=True)


def notes(said: Iterable[str]) -> None:
    """What has been noticed on the way, where it does not disturb a pipe."""
    for note in said:
        hint(f"note: {note}")


@contextlib.contextmanager
def working() -> Iterator[Callable[[str], None]]:
    """What is being done, for a user who waits: a line that changes, or plain lines in a log."""
    if not err.is_terminal:
        yield hint
        return
    with err.status("") as status:
        yield lambda text: status.update(escape(text))


def score_table(title: str, sources: Mapping[str, "Sequence[Score]"]) -> None:
    """Scores by name (rows) and source (columns), then their signatures."""
    from gantext.metrics.signatures import own_name, signature_lines

    named = {source: {own_name(s.name): s for s in scores} for source, scores in sources.items()}
    names = list(dict.fromkeys(name for scores in named.values() for name in scores))
    columns = ["score", *sources]

    def rows_of(cell: Callable[["Score"], str]) -> list[list[str]]:
        cells = [[scores.get(name) for scores in named.values()] for name in names]
        texts = [["-" if one is None else cell(one) for one in row] for row in cells]
        return [[name, *row] for name, row in zip(names, texts, strict=True)]

    rows = rows_of(shown_with_error)
    widths = list(map(_widest, zip(columns, *rows, strict=True)))
    if len(_blocks(widths, 1)) > 1:  # --json has them
        rows = rows_of(lambda one: shown(one.value))
    table(title, columns, rows)
    for line in signature_lines(sources):
        out.print(f"  {line}", style="dim", soft_wrap=True, markup=False)
