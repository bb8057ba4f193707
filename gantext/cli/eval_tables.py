"""The tables of `gantext eval`: scores, and those by length in one of their own."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gantext.cli import layout, tables
from gantext.cli.formats import Format

if TYPE_CHECKING:
    from gantext.evaluation.table import Table

LENGTHS = "by sentence length (number of sentences)"
REAL_NOTE = "real: training sentences as hypotheses; above it is sharper than the data, not better"


@dataclass(frozen=True)
class ScoreTables:
    """How scores are printed.

    Attributes:
        title: of their table.
        data: the name of the data that they are against.
        signatures: all of them.
        form: a table for the terminal, or for elsewhere.
    """

    title: str
    data: str
    signatures: bool
    form: Format

    def print(self, found: "Table") -> None:
        """The table of scores; those by length in one of their own, with counts."""
        from gantext.evaluation import by_length

        own = {source: by_length.others(scores) for source, scores in found.items()}
        whole = {source: scores for source, scores in own.items() if scores}
        note = [REAL_NOTE] if "real" in found else []
        if whole:
            tables.score_table(
                self.title,
                whole,
                data=self.data,
                below=note,
                signatures=self.signatures,
                form=self.form,
            )
        columns, rows = by_length.rows(found)
        if not rows:
            return
        table = layout.Table(LENGTHS, columns, rows, named=True)
        if not whole:
            table = tables.signed(table, found, self.data, self.signatures)
        tables.show(table, form=self.form)
