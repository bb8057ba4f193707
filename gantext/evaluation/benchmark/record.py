"""A record: what the benchmark keeps of a finished run, when the run itself is gone.

One JSON file of at most `LIMIT` bytes a run; docs/benchmark.md is made of these files alone.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypedDict

from gantext.data.ranges import Threads
from gantext.errors import UserError
from gantext.files import attempt, write_output
from gantext.metrics.score import Score, ScoreRecord, protocol
from gantext.records.json_file import JsonFile
from gantext.records.shape import Whole

LIMIT = 20_000
FOLDER = Path("bench/records")
DIGITS = 6  # of a score
PLACES = 4  # of a point of a curve, which is drawn


class State(TypedDict):
    """A run at the end of a phase.

    Attributes:
        phase: the last one that had ended.
        weights: their digest.
        scores: each signed by its protocol; where the samples come from is `sampled`.
        sampled: the temperature, seed and number of the samples.
        curve: scores of samples at each temperature, "temperature" among them.
    """

    phase: str
    weights: str
    scores: list[ScoreRecord]
    sampled: dict[str, Any]
    curve: list[dict[str, float]]


class BesideStart(TypedDict):
    """How a score differs from that of the run's own maximum-likelihood start: paired bootstrap.

    Attributes:
        score: which.
        difference: the run's less the start's.
        low, high: the 95 % interval.
        p: how probable so large a difference is where there is none.
        sentences: that were asked of both, one by one.
    """

    score: str
    difference: float
    low: float
    high: float
    p: float
    sentences: Whole


class Record(TypedDict):
    """What is kept of a run.

    Attributes:
        method: the model, or the experiment that is a method.
        data, seed: of the run.
        departures: its settings that are not the method's own, by key.
        settings: those of model and data, by key.
        command, created: how and when it was begun.
        gantext, torch, python: versions.
        machine: what it was trained on; "" where that is not known.
        threads: of the CPU.
        seconds: of training.
        run: its end.
        start: the end of its maximum-likelihood phase; None where another phase is its first.
        beside_start: `run` beside `start`.
        real: scores of the training text in the place of samples.
    """

    method: str
    data: str
    seed: Whole
    departures: dict[str, Any]
    settings: dict[str, Any]
    command: str
    created: str
    gantext: str
    torch: str
    python: str
    machine: str
    threads: Threads
    seconds: float
    run: State
    start: State | None
    beside_start: BesideStart | None
    real: list[ScoreRecord]


FILE = JsonFile(Record, LIMIT)


def kept(scores: Iterable[Score], names: Sequence[str]) -> list[ScoreRecord]:
    """The named scores as a record has them: rounded, and signed by their protocol alone."""
    by_name = {one.name: one for one in scores}
    return [_kept(by_name[name]) for name in names if name in by_name]


def _kept(score: Score) -> ScoreRecord:
    signature = {key: value for key, value in protocol(score).items() if value is not None}
    error = None if score.error is None else _rounded(score.error)
    found: Any = Score(score.name, _rounded(score.value), signature, error).to_json()
    record: ScoreRecord = found
    return record


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def file_name(record: Record) -> str:
    """The name of a record's file; another run of the same method, data and seed has the same."""
    name = f"{record['data']}-{record['method']}"
    if record["departures"]:
        text = json.dumps(record["departures"], sort_keys=True)
        name += f"-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    return f"{name}-s{record['seed']}.json"


def write(record: Record, folder: Path) -> Path:
    """Write a record into a folder, in the place of one of the same method, data and seed.

    Raises:
        UserError: it is larger than a record may be, or cannot be written.
    """
    lines = [f" {json.dumps(key)}: {json.dumps(value)}" for key, value in record.items()]
    data = ("{\n" + ",\n".join(lines) + "\n}\n").encode()
    path = folder / file_name(record)
    FILE.of(path, data)  # what cannot be read back is not written
    if len(data) > LIMIT:
        raise UserError(f"{path}: {len(data):,} bytes, and a record has at most {LIMIT:,}")
    with attempt(f"write into {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    write_output(path, data)
    return path


def read_all(folder: Path) -> list[Record]:
    """The records of a folder, by the names of their files. Raises UserError for a damaged one."""
    found = [FILE.read(path) for path in sorted(folder.glob("*.json"))]
    return [record for record in found if record is not None]
