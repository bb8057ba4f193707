"""Scores as JSON has them, whatever command prints it: a list under the run that they are of."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from gantext.metrics.score import Score
from gantext.metrics.signatures import own_name

Table = Mapping[str, Sequence[Score]]


class ScoredRun(TypedDict):
    """The scores of a run.

    Attributes:
        run: its name, RUN or RUN@PHASE; of a file its name; "real" of real text.
        path: of its folder, or of the file; None of real text.
        scores: as `Score.to_json` has them.
    """

    run: str
    path: str | None
    scores: list[dict[str, object]]


def scored_run(name: str, path: Path | None, scores: Iterable[Score]) -> ScoredRun:
    """What JSON has of a run, a file or real text."""
    records = [{**one.to_json(), "name": own_name(one.name)} for one in scores]
    return {"run": name, "path": None if path is None else str(path.resolve()), "scores": records}


def scored_runs(table: Table, places: Mapping[str, Path]) -> list[ScoredRun]:
    """What JSON has of a table of scores, by source; `places` are the paths of these."""
    return [scored_run(source, places.get(source), own) for source, own in table.items()]
