"""What commands print: rich tables on a terminal, one JSON document with --json."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from gantext.metrics.score import Score

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def print_json(document: Any) -> None:
    """One JSON document on stdout, and nothing else there."""
    sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False, default=str) + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A plain table: the first column to the left, the others to the right."""
    shown = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for i, column in enumerate(columns):
        shown.add_column(column, justify="left" if i == 0 else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in row))
    out.print(shown)


def number(value: float | None) -> str:
    """A score's value in a table."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def score_table(title: str, sources: Mapping[str, "Sequence[Score]"]) -> None:
    """Scores by name (rows) and source (columns), then the signatures that they share."""
    from gantext.metrics.score import signature_line

    values = {name: {s.name: s.value for s in scores} for name, scores in sources.items()}
    names = list(dict.fromkeys(s.name for scores in sources.values() for s in scores))
    rows = [
        [name, *(number(values[source].get(name)) for source in sources)] for name in names
    ]
    table(title, ["score", *sources], rows)
    first = next(iter(sources.values()))
    lines = {family(score.name): signature_line(score) for score in first}
    for name, line in lines.items():
        out.print(f"  {name}: {line}", style="dim", soft_wrap=True, markup=False)


def family(name: str) -> str:
    """bleu-2 -> bleu: scores of one family share a signature but for N."""
    return name.rstrip("0123456789").rstrip("-")
