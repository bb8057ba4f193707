"""What commands print: rich tables on a terminal, one JSON document with --json."""

import dataclasses
import functools
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from rich.text import Text

from gantext.cli.formats import Format, latex, markdown
from gantext.cli.layout import Table, best, folded, parts_of
from gantext.files import is_steering
from gantext.training.terminal import Terminal, say, tell

if TYPE_CHECKING:
    from gantext.metrics.score import Score


PLAIN_WIDTH = 160  # of a table that goes to a file or a pipe
# Of tables' own signs, what stands for them where the terminal's encoding has none.
SIGNS: dict[str, str | int | None] = {
    "─": "-",
    "…": "~",
    "±": "+-",
    "↑": "^",
    "↓": "v",
    "≈": "~",
    "·": "|",
}


def _width() -> int | None:
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH


out = Terminal(highlight=False, width=_width())
err = Terminal(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """One JSON document on stdout, and nothing else there."""
    plain = not sys.stdout.encoding.lower().startswith("utf")  # then \\u4e00, which JSON reads back
    try:
        text = _indented(document, plain)
    except ValueError:  # of a number that JSON has no name for
        text = _indented(_finite(document), plain)
    if not text.replace("\n", "").isprintable():
        text = "".join(json.dumps(c)[1:-1] if c != "\n" and is_steering(c) else c for c in text)
    say(text)


@functools.cache
def _encoder(plain: bool, between: str = ", ") -> json.JSONEncoder:
    return json.JSONEncoder(
        ensure_ascii=plain, allow_nan=False, default=str, separators=(between, ": ")
    )


def _indented(value: Any, plain: bool, line: str = "\n") -> str:
    """As `json.dumps` with an indent of 2, several times as fast.

    With an indent that takes its encoder in Python. Here lists and mappings that hold no other are
    written by the one in C, to which the indent is what stands between two values.
    """
    if not isinstance(value, (dict, list, tuple)) or not value:
        return _encoder(plain).encode(value)
    deeper = f"{line}  "
    held = value.values() if isinstance(value, dict) else value
    if not any(isinstance(one, (dict, list, tuple)) for one in held):
        text = _encoder(plain, f",{deeper}").encode(value)
        return f"{text[0]}{deeper}{text[1:-1]}{line}{text[-1]}"
    parts = [_indented(one, plain, deeper) for one in held]
    if isinstance(value, dict):
        keys = (_encoder(plain).encode(str(key)) for key in value)
        parts = [f"{key}: {part}" for key, part in zip(keys, parts, strict=True)]
    first, last = "{}" if isinstance(value, dict) else "[]"
    return f"{first}{deeper}{f',{deeper}'.join(parts)}{line}{last}"


def print_csv(text: str) -> None:
    """CSV on stdout, and nothing else there."""
    say(text, end="")


def _finite(document: Any) -> Any:
    """The document with null for the numbers that JSON has no name for."""
    if isinstance(document, float):
        return document if math.isfinite(document) else None
    if isinstance(document, dict):
        return {key: _finite(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [_finite(value) for value in document]
    return document


def show(*candidates: Table, form: Format = Format.table) -> None:
    """Print the first of some tables of the same that has room, or else the shortest, in parts.

    As Markdown or LaTeX the first, which has all the room it needs.
    """
    if form is not Format.table:
        say({Format.md: markdown, Format.latex: latex}[form](candidates[0]) + "\n")
        return
    plain = map(_plain, candidates)
    table = best(list(plain), out.width)
    parts, whole = parts_of(table, out.width)
    _print_lines([table.title], "bold")
    for part in parts:
        say("")
        if part.head:
            *heads, rule = map(_in_encoding, part.head)
            out.print("\n".join(heads), style="bold", markup=False, emoji=False, soft_wrap=True)
            say(rule)
        say(_in_encoding("\n".join(part.body)))
    _print_lines(table.cautions, "yellow", "  ")
    named = [_in_encoding(f"{short}: {name}") for short, name in whole.items()]
    _print_lines([*named, *table.below], "dim", "  ")
    say("")


def _print_lines(lines: Iterable[str], style: str, before: str = "") -> None:
    """Lines of text, which fold at words on a terminal; those of a file are as long as they are."""
    for line in lines:
        room = out.width - len(before) if out.is_terminal else len(line)
        for piece in folded(line, room):
            out.print(before + piece, style=style, markup=False, emoji=False, soft_wrap=True)


def _plain(table: Table) -> Table:
    """A table as a terminal shows it: without letters that steer it, or that it lacks."""
    lines = [table.title, *table.cautions, *table.below]
    together = "".join([*lines, *table.columns, *chain.from_iterable(table.rows)])
    if together.isprintable() and _in_encoding(together) == together:
        return table
    return dataclasses.replace(
        table,
        title=_visible(table.title),
        columns=list(map(_visible, table.columns)),
        rows=[list(map(_visible, row)) for row in table.rows],
        cautions=list(map(_visible, table.cautions)),
        below=list(map(_visible, table.below)),
    )


def _visible(text: str) -> str:
    if not text.isprintable():
        text = out.render_str(text, markup=False, emoji=False).plain
    return _in_encoding(text)


def _in_encoding(text: str) -> str:
    """The text with signs of ASCII for those of tables, where the terminal's encoding has none."""
    try:
        "".join(SIGNS).encode(out.encoding)
    except UnicodeEncodeError:
        return text.translate(str.maketrans(SIGNS))
    return text


def facts(said: Iterable[tuple[str, str]]) -> None:
    """What there is to say, a line or more each, beside the words that it answers to."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in said:
        grid.add_row(Text(f"  {name}", style="dim"), Text(text))
    out.print(grid)


def hint(text: str) -> None:
    """What to do next, which a table's reader may want and a pipe does not."""
    tell(err, text, "dim")


def notes(said: Iterable[str]) -> None:
    """What has been noticed on the way, where it does not disturb a pipe."""
    for note in said:
        hint(f"note: {note}")


def score_table(
    title: str,
    sources: Mapping[str, "Sequence[Score]"],
    *,
    of: str = "run",
    data: str = "",
    below: Sequence[str] = (),
    signatures: bool = False,
    form: Format = Format.table,
) -> None:
    """Scores by name and source, and what they were computed under: in a line, or all of it.

    Args:
        title: what they are of.
        sources: the scores; those of real text have names "real-...".
        of: what the sources are.
        data: the name of the data that they are against.
        below: lines under the table.
        signatures: print all signatures.
        form: what to print it as.
    """
    from gantext.cli.grid import Cell, Grid, label
    from gantext.metrics.signatures import own_name

    values = {name: {own_name(s.name): s for s in scores} for name, scores in sources.items()}
    names = list(dict.fromkeys(name for scores in values.values() for name in scores))
    cells = {
        source: {label(name): Cell.of(score) for name, score in own.items()}
        for source, own in values.items()
    }
    grid = Grid(title, of, list(map(label, names)), cells, below=below)
    show(*(signed(one, sources, data, signatures) for one in grid.tables()), form=form)


def signed(
    table: Table, sources: Mapping[str, "Sequence[Score]"], data: str, all_of_them: bool
) -> Table:
    """A table with what its scores were computed under: in a line, or all of it.

    What makes scores not comparable stands there in any case.
    """
    from gantext.metrics.signatures import conflicts, short_line, signature_lines

    line = f"{short_line(sources, data)} (--signatures: all of it)"
    lines = signature_lines(sources) if all_of_them else [line]
    if any(cell.endswith("≈") for cell in (*table.columns, *(row[0] for row in table.rows))):
        lines.append("≈: best near the value of real text or pictures")
    cautions = [*table.cautions, *conflicts(sources)]
    return dataclasses.replace(table, cautions=cautions, below=[*table.below, *lines])
