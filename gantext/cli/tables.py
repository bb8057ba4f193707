"""What commands print: rich tables on a terminal, one JSON document with --json."""

import contextlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table

from gantext.files import is_steering
from gantext.metrics.score import shown
from gantext.training.terminal import Terminal, say

if TYPE_CHECKING:
    from gantext.metrics.score import Score


PLAIN_WIDTH = 160  # of a table that goes to a file or a pipe
GAP = 3  # characters between two columns of a table
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
    for block in _blocks(columns, rows, text_columns):
        shown = Table(
            box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_header=any(columns)
        )
        for i in block:
            if i < text_columns:
                shown.add_column(columns[i], overflow="fold")
            else:
                shown.add_column(columns[i], justify="right", no_wrap=True)
        for row in rows:  # as texts, since rich would look for markup in strings twice
            cells = (out.render_str(row[i], markup=False, emoji=False) for i in block)
            shown.add_row(*cells)
        out.print(shown)


def _blocks(
    columns: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int
) -> list[list[int]]:
    """Which columns stand in each part of a table, so that no part is wider than the terminal."""
    cells = zip(columns, *rows, strict=True)
    widths = [max(map(cell_len, column)) + GAP for column in cells]
    blocks = [[*range(text_columns)]]
    room = out.width - min(sum(widths[:text_columns]), out.width - FOLDED)
    for column in range(text_columns, len(columns)):
        if widths[column] > room and blocks[-1][-1] >= text_columns:
            blocks.append([0])
            room = out.width - min(widths[0], out.width - FOLDED)
        blocks[-1].append(column)
        room -= widths[column]
    return blocks


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

    values = {name: {own_name(s.name): s.value for s in scores} for name, scores in sources.items()}
    names = list(dict.fromkeys(name for scores in values.values() for name in scores))
    rows = [[name, *(shown(values[source].get(name)) for source in sources)] for name in names]
    table(title, ["score", *sources], rows)
    for line in signature_lines(sources):
        out.print(f"  {line}", style="dim", soft_wrap=True, markup=False)
