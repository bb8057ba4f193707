"""Scores of several runs: the scores in rows and the runs in columns, or the other way round."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gantext.cli.layout import Table
from gantext.metrics import meanings
from gantext.metrics.score import shown, shown_error

if TYPE_CHECKING:
    from gantext.metrics.score import Score


@dataclass(frozen=True)
class Cell:
    """What stands for one score of one run, and its standard error, which may be left out."""

    value: str
    error: str = ""

    @classmethod
    def of(cls, score: "Score | None") -> "Cell":
        """A score with its error."""
        return cls("-") if score is None else cls(shown(score.value), shown_error(score))


NOTHING = Cell("-")


@dataclass(frozen=True)
class Grid:
    """What is known of several runs, each of which is a column where there is room, else a row.

    Attributes:
        title: what it is of.
        of: what the runs are: "run", "job", "phase".
        labels: of what is known, in order: facts, then scores.
        cells: by run and label; missing where nothing is known.
        facts: how many of the labels are of text.
        below: lines under it.
    """

    title: str
    of: str
    labels: Sequence[str]
    cells: Mapping[str, Mapping[str, Cell]]
    facts: int = 0
    below: Sequence[str] = ()

    def tables(self) -> list[Table]:
        """It as tables, the best one that fits first: with errors, and the fewer in columns."""
        known = (cell for own in self.cells.values() for cell in own.values())
        errors = [True, False] if any(cell.error for cell in known) else [False]
        few = len(self.cells) <= len(self.labels)
        return [self.table(across, shown) for shown in errors for across in (few, not few)]

    def table(self, across: bool, errors: bool) -> Table:
        """It with the runs in columns (`across`) or in rows, and with the scores' errors or not."""
        if across:
            columns = [
                _texts((own.get(label, NOTHING) for label in self.labels), errors)
                for own in self.cells.values()
            ]
            heads, first = list(self.cells), self.labels
        else:
            columns = [
                _texts((own.get(label, NOTHING) for own in self.cells.values()), errors)
                for label in self.labels
            ]
            heads, first = list(self.labels), list(self.cells)
        return Table(
            self.title,
            ["" if across and self.facts else "score" if across else self.of, *heads],
            list(zip(first, *columns, strict=True)),
            texts=(0,) if across else range(1 + self.facts),
            named=across,
            below=self.below,
        )


def _texts(cells: Iterable[Cell], errors: bool) -> list[str]:
    """A column, its errors below each other."""
    found = list(cells)
    width = max((len(cell.error) for cell in found), default=0)
    if not errors or not width:
        return [cell.value for cell in found]
    return [f"{cell.value} {cell.error:<{width}}" for cell in found]


def label(name: str) -> str:
    """A score's name with an arrow that says which way it is better."""
    return f"{name} {meanings.arrow(name)}".rstrip()
