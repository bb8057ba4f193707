"""Tables as CSV that a spreadsheet can open without running anything in them."""

import contextlib
import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a cell begins with that is calculated


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV. Text that a spreadsheet would take for a formula gets an apostrophe before it,
    by which it is text; numbers stay as they are.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue()


def _plain(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    mark = "'" if cell.startswith(FORMULA) and not _is_number(cell) else ""
    return mark + cell.replace("\r", " ")  # else read back as the end of a line


def _is_number(text: str) -> bool:
    with contextlib.suppress(ValueError):
        float(text)
        return text.strip() == text
    return False
