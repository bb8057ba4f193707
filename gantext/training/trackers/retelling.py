"""A tracker is told of a run as its folder has it: rows, looks at samples, final scores.

A tracker that knows what it has heard of is told what is new.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gantext.errors import UserError
from gantext.metrics.score import Score
from gantext.plots.pictures import pixels
from gantext.records.rows import LABEL, PLACES, Row
from gantext.runs.folder import RunDir
from gantext.runs.looks import text_looks
from gantext.training import trackers
from gantext.training.trackers.contract import Sink

SENTENCES = 10  # of a look, as while it trains
Telling = tuple[int, Callable[[Sink], None]]


@dataclass(frozen=True)
class Retold:
    """What a tracker was told.

    Attributes:
        tracker: its name.
        place: where the run is to be seen.
        steps: total steps of which it has heard now, in rows or looks.
        scores: how many.
    """

    tracker: str
    place: str
    steps: int
    scores: int


def retell(name: str, run: RunDir) -> Retold:
    """Tell a tracker of a run that nobody trains now.

    Raises:
        UserError: no such tracker, or not installed; the run is in use or damaged; what the
            tracker raises.
    """
    trackers.check([name], "replay-to")
    trackers.check_ids(run)
    known = tellings(run)
    result = run.result or {}
    final = [Score.from_json(record) for record in result.get("scores", [])]
    scores = {score.name: score.value for score in final}
    status = run.status
    with run.lock():
        try:
            sink = trackers.open_sink(name, run, -1)
            new = [(total, tell) for total, tell in known if total > sink.last]
            with trackers.silenced():
                for _, tell in new:
                    tell(sink)
                sink.close(status, scores)
        except UserError:
            raise
        except (Exception, SystemExit) as error:
            why = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            raise UserError(f"{name} cannot be told of {run.path.name}: {why}") from error
    return Retold(name, sink.place, len({total for total, _ in new}), len(scores))


def tellings(run: RunDir) -> list[Telling]:
    """What a tracker is to be told of the steps of a stored run, in order, each with its step.

    Raises:
        UserError: the run is damaged.
    """
    return sorted(_unsorted(run), key=lambda telling: telling[0])


def _unsorted(run: RunDir) -> Iterator[Telling]:
    rows = run.metrics()
    for row in rows:
        yield int(row["total"]), partial(_row, row)
    # Looks that no row has come to are of steps that a kill has taken.
    last = max((row["total"] for row in rows), default=-1)
    for total, name in text_looks(run):
        if total <= last:
            yield total, partial(_text, run, name, total)
    for look in run.pictures.looks():
        if look.total <= last:
            yield look.total, partial(_picture, look.path, look.total)


def _row(row: Row, sink: Sink) -> None:
    metrics = {key: value for key, value in row.items() if key not in (LABEL, *PLACES)}
    sink.row({f"{row[LABEL]}/{key}": value for key, value in metrics.items()}, int(row["total"]))


def _text(run: RunDir, name: str, total: int, sink: Sink) -> None:
    sink.text("sample", run.samples(name)[:SENTENCES], total)


def _picture(path: Path, total: int, sink: Sink) -> None:
    sink.picture("samples", pixels(path), total)
