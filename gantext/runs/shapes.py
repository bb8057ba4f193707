"""What the JSON files of a run hold: the types that their readers check.

All keys of run.json and result.json may be missing, since runs of all versions are read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

from gantext.data.ranges import Range, Threads
from gantext.metrics.score import ScoreRecord, Setting
from gantext.records.content import Damaged
from gantext.records.json_file import JsonFile
from gantext.records.shape import Positive, Whole


class Version(TypedDict, total=False):
    """By what run.json was written, which decides how the rest of it is read."""

    format: Positive
    gantext: str


class Best(TypedDict):
    """The best state of a run so far.

    Attributes:
        metric: by which it is the best: nll_valid, or the name of a score.
        value: of the metric.
        phase, step: where it was, and `total` by the steps of all phases.
    """

    metric: str
    value: float
    phase: str
    step: Whole
    total: Whole


class Waiting(TypedDict):
    """How long a phase has waited for a better value of its metric.

    Attributes:
        phase: the last one that looked.
        best: the best value in it; None before there was one.
        step: of the phase, at which that was.
        looks: since then.
    """

    phase: str
    best: float | None
    step: Whole
    looks: Whole


class EarlyEnd(TypedDict):
    """Where a phase ended before its steps were done.

    Attributes:
        step: after which it ended.
        metric: that had not improved.
        best, best_step: its best value, and where that was; with a limit the last one under it.
        limit: that it was not to be over.
    """

    step: Whole
    metric: str
    best: float
    best_step: Whole
    limit: NotRequired[float]


class Origin(TypedDict, total=False):
    """The run that another began with the weights of.

    Attributes:
        run: its name, and the phase if one was named.
        step: of its checkpoint, and `weights` its digest.
        kept, added, gone: words that both know, that came with other data, and that went.
    """

    run: str
    step: Whole
    weights: str
    kept: Whole
    added: Whole
    gone: Whole


class Extension(TypedDict):
    """Settings that a run went on with in place of others.

    Attributes:
        time: when.
        total: the step that it went on at.
        was, now: the values by key.
    """

    time: str
    total: Whole
    was: dict[str, Any]
    now: dict[str, Any]


class Facts(Version, total=False):
    """run.json: where, when and from what a run came about, and how far it is.

    Attributes:
        status: what it said of itself last.
        model, data_name, seed: of its settings, which lists of runs need not read then.
        data: a hash of its data: of sentences without their classes, of pictures with them.
        labels: of the classes of sentences.
        max_length: tokens of its longest sentence, the end counted.
        class_counts: training sentences, or pictures, of each class, in the classes' order.
        channels, size, classes: of its pictures.
        overrides, config_dir: what was asked for.
        phase, total: where it is, and its steps.
        seconds: of training.
        threads: of the CPU, that it computes with; 0 where that is not known.
        processes: that train it together.
        best: its best state so far, where one is kept.
        early_ends: the phases that ended early, by name.
        policy_on: the share of adversarial steps that had a policy gradient.
        rates: steps a second of the phases that have run, by name.
        trackers: the ids under which trackers know it, by tracker.
        origin: the run whose weights it began with.
        extensions: the settings that it went on with in place of others, oldest first.
    """

    created: str
    status: str
    model: str
    data_name: str
    seed: Whole
    torch: str
    python: str
    device: str
    host: str
    command: str
    data: str
    labels: str
    max_length: Annotated[int, Range(0, 10**6)]
    train_size: Whole
    class_counts: dict[str, Whole]
    channels: Annotated[int, Range(1, 4)]
    size: Annotated[int, Range(1, 4096)]
    classes: Annotated[int, Range(0, 10**6)]
    overrides: list[str]
    config_dir: str | None
    phase: str
    total: Whole
    seconds: float
    threads: Threads
    processes: Positive
    best: Best | None
    early_ends: dict[str, EarlyEnd]
    policy_on: float
    rates: dict[str, float]
    trackers: dict[str, str]
    origin: Origin
    extensions: list[Extension]


class Result(TypedDict, total=False):
    """result.json: the final scores of a job, or the error that it ended by.

    Attributes:
        objective: the name of the score that it is judged by.
    """

    status: str
    overrides: list[str]
    error: str
    scores: list[ScoreRecord]
    objective: str
    warnings: list[str]


class _Scored(TypedDict):
    scores: list[ScoreRecord]


class StoredScores(_Scored, total=False):
    """A file of scores: of the end of a phase, or under all that decides them.

    Attributes:
        each: `Score.each` of those that have it, by name.
    """

    phase: str
    total: Whole
    key: dict[str, Setting]
    each: dict[str, list[float]]
    checksum: str


VERSION = JsonFile(Version)
RESULT = JsonFile(Result)
SCORES = JsonFile(StoredScores)


def sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document of scores with its checksum."""
    return {**document, "checksum": checksum(document)}


def unchanged(path: Path, found: StoredScores | None) -> StoredScores | None:
    """The document that a file holds, if any. Raises Damaged where it is not as it was stored."""
    if found is not None and found.get("checksum", "") not in ("", checksum(found)):
        raise Damaged(path, "it was changed after it was stored")
    return found


def checksum(document: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a document of scores, without the checksum in it."""
    import hashlib

    content = {key: value for key, value in document.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
