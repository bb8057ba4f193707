"""Sentences, and the class of each, in a column of a table: csv, tsv, jsonl, parquet."""

import csv
import enum
import importlib
import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantext.data.content import MOST, SUFFIXES, read_bytes, read_text
from gantext.data.flat import Text
from gantext.data.lines import Lines, is_blank
from gantext.errors import UserError, nearest

SEPARATORS = (",", ";", "\t")  # of a .csv file; the header says which
LINE_ENDS = re.compile(r"\s*[\r\n]\s*")


class Format(enum.Enum):
    """What a file of sentences is; auto goes by the end of its name."""

    auto = "auto"
    lines = "lines"
    csv = "csv"
    tsv = "tsv"
    jsonl = "jsonl"
    parquet = "parquet"


ENDINGS = {
    ".csv": Format.csv,
    ".tsv": Format.tsv,
    ".jsonl": Format.jsonl,
    ".ndjson": Format.jsonl,
    ".parquet": Format.parquet,
}


@dataclass(frozen=True)
class Table:
    """Columns of values, one each row, and the number by which a message names the first row."""

    source: str
    columns: dict[str, Sequence[Any]]
    first: int


def format_of(path: Path, asked: Format) -> Format:
    """What to read a file as. Of a.csv.gz the end of the name is .csv."""
    name = path.with_suffix("") if path.suffix in SUFFIXES else path
    by_name = ENDINGS.get(name.suffix.lower(), Format.lines)
    return by_name if asked is Format.auto else asked


def read_table(path: Path, kind: Format, notes: list[str], most: int = MOST) -> Table:
    """The table of a file of at most so many bytes, unpacked.

    Raises UserError when it cannot be read, is damaged or has no row.
    """
    if kind is Format.parquet:
        table = _of_parquet(path, most)
    elif kind is Format.jsonl:
        table = _of_jsonl(path, read_text(path, notes, most))
    else:
        table = _of_csv(path, kind, read_text(path, notes, most), notes)
    if not any(map(len, table.columns.values())):
        raise UserError(f"{path}: the table has no row")
    return table


def select(table: Table, column: str, label_column: str, notes: list[str]) -> Lines:
    """The sentences of `column`, with the classes of `label_column` unless that is "".

    Rows without a sentence are left out, and line ends within one become spaces; notes count both.
    Raises UserError for a column that is not there, for a value that is no text, and for a sentence
    without a class.
    """
    for key, name in (("column", column), ("label_column", label_column)):
        _check_column(table, key, name)
    values = [_sentence(table, column, row) for row in range(len(table.columns[column]))]
    rows = [row for row, value in enumerate(values) if not is_blank(value)]
    lines = [LINE_ENDS.sub(" ", values[row].strip()) for row in rows]
    joined = sum(line != values[row].strip() for row, line in zip(rows, lines, strict=True))
    if len(rows) < len(values):
        notes.append(f"{table.source}: {len(values) - len(rows)} rows without {column} skipped")
    if joined:
        notes.append(f"{table.source}: {joined} sentences of several lines were joined")
    labels = [_class(table, label_column, row) for row in rows] if label_column else []
    return Lines(Text.of(lines), labels, [row + table.first for row in rows])


def _check_column(table: Table, key: str, name: str) -> None:
    names = [str(column) for column in table.columns]
    if name in names or (key == "label_column" and not name):
        return
    there = f"the columns are {', '.join(names)}"
    if not name:
        raise UserError(f"{table.source}: a value is needed: data.{key}=...; {there}")
    raise UserError(f"{table.source}: no data.{key}={name}{nearest(name, names)}; {there}")


def _sentence(table: Table, column: str, row: int) -> str:
    value = table.columns[column][row]
    if value is None:
        return ""
    if not isinstance(value, str):
        where = f"{table.source}: row {row + table.first}"
        raise UserError(f"{where}: {column} is {str(value)[:40]}, which is no text")
    return value


def _class(table: Table, column: str, row: int) -> str:
    value = table.columns[column][row]
    if not isinstance(value, (str, int)) or not str(value).strip():
        where = f"{table.source}: row {row + table.first}"
        found = "empty" if value in (None, "") else f"{str(value)[:40]!r}, not a name or a number"
        raise UserError(f"{where}: {column} is {found}")
    return str(value).strip()


# The formats


def _of_csv(path: Path, kind: Format, text: str, notes: list[str]) -> Table:
    """A csv or tsv file: a header, then rows of as many fields, quoted where they need to be.

    Many .tsv files have quotation marks that quote nothing: one that does not fit is read as such.
    """
    header = text.partition("\n")[0]
    separator = "\t" if kind is Format.tsv else max(SEPARATORS, key=header.count)
    try:
        return _of_fields(path, text, separator, csv.QUOTE_MINIMAL)
    except csv.Error as error:
        if kind is not Format.tsv:
            raise UserError(f"{path}: {error}") from error
    try:
        table = _of_fields(path, text, separator, csv.QUOTE_NONE)
    except csv.Error as error:
        raise UserError(f"{path}: {error}") from error
    notes.append(f"{path}: its quotation marks are read as text")
    return table


def _of_fields(path: Path, text: str, separator: str, quoting: Any) -> Table:
    """Raises csv.Error, which says where."""
    reader = csv.reader(io.StringIO(text), delimiter=separator, quoting=quoting, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row and rows and len(row) != len(rows[0]):
                raise csv.Error(f"{len(row)} fields where the header has {len(rows[0])}")
            rows += [row] if row else []
    except csv.Error as error:
        raise csv.Error(f"line {reader.line_num}: {error}") from error
    names = [name.strip() for name in rows[0]] if rows else []
    if len(set(names)) < len(names):
        raise UserError(f"{path}: two columns of one name: {', '.join(names)}")
    columns = zip(*rows[1:], strict=True) if rows[1:] else ((),) * len(names)
    return Table(f"{path}", dict(zip(names, columns, strict=True)), 2)


def _of_jsonl(path: Path, text: str) -> Table:
    """A JSON object a line; a key that a line lacks is empty there."""
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if is_blank(line):
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: line {number} is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise UserError(f"{path}: line {number} is no JSON object, as {{'text': '...'}} is")
        rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return Table(f"{path}", {name: [row.get(name) for row in rows] for name in names}, 1)


def _of_parquet(path: Path, most: int) -> Table:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise UserError(
            f"{path}: a Parquet file needs pyarrow: pip install 'gantext[parquet]'"
        ) from error
    content = io.BytesIO(read_bytes(path, most))
    try:
        table = parquet.read_table(content)
        # Texts are decoded only here.
        columns = {name: table[name].to_pylist() for name in table.column_names}
    except (OSError, ValueError) as error:  # pyarrow's own errors are of these
        raise UserError(f"{path}: no whole Parquet file ({str(error).splitlines()[0]})") from error
    return Table(f"{path}", columns, 1)
