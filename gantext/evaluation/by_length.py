"""Scores by sentence length, over several sources: whether quality falls as sentences grow."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from gantext.evaluation.subjects import REAL
from gantext.evaluation.table import Table
from gantext.metrics.score import Score, shown
from gantext.plots.lengths import Bucket

Series = Mapping[str, Mapping[str, Bucket]]  # by source, by bucket
_NAME = re.compile(r"(?:real-)?(?P<name>.+)\[(?P<bucket>.+)\]")


def by_name(table: Table) -> dict[str, dict[str, dict[str, Bucket]]]:
    """The scores by length of a table: by name, by source, by bucket."""
    found: dict[str, dict[str, dict[str, Bucket]]] = {}
    for source, scores in table.items():
        for score in scores:
            if parts := _NAME.fullmatch(score.name):
                buckets = found.setdefault(parts["name"], {}).setdefault(source, {})
                count = score.signature.get("sentences")
                buckets[parts["bucket"]] = Bucket(score.value, int(count or 0), score.error)
    return found


def others(scores: Sequence[Score]) -> list[Score]:
    """The scores that are not by length."""
    return [score for score in scores if not _NAME.fullmatch(score.name)]


def rows(table: Table) -> tuple[list[str], list[list[str]]]:
    """(columns, rows): a row a score and bucket, "value (sentences)" by source."""
    body = []
    for name, sources in by_name(table).items():
        for bucket in dict.fromkeys(bucket for own in sources.values() for bucket in own):
            cells = [sources[source].get(bucket) if source in sources else None for source in table]
            body.append([f"{name}, {bucket} words", *(_cell(cell) for cell in cells)])
    return ["score", *table], body


def _cell(cell: Bucket | None) -> str:
    return "-" if cell is None else f"{shown(cell.value)} ({cell.sentences:,})"


def draw(table: Table, path: Path) -> None:
    """Plot BLEU-4 (the grammatical share where it is known) by length into a PNG file.

    Raises:
        UserError: the file cannot be written.
    """
    from gantext.plots.lengths import lengths_figure
    from gantext.plots.output import to_png

    name, series = chosen(table)
    to_png(lengths_figure(series, name, "light", real=REAL), path)


def chosen(table: Table) -> tuple[str, Series]:
    """What is drawn: the grammatical share where it is known, BLEU-4 elsewhere."""
    found = by_name(table)
    name = "grammatical" if "grammatical" in found else "bleu-4"
    return name, found[name]
