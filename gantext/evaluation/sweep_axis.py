"""What a sweep varies besides the seed: the values of one key as an axis, the others as series."""

import contextlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gantext.config.words import key_of
from gantext.errors import UserError, nearest
from gantext.evaluation.sweep_scores import (
    SEED,
    differing,
    names_of,
    objective_of,
    values_of,
)
from gantext.runs.sweep_state import JobState


@dataclass(frozen=True)
class Axis:
    """A score over a swept key.

    Attributes:
        score: its name.
        key: that is swept.
        series: by the words of all other swept keys, by the value of the key: the score of each
            seed. Values are in the order of the axis.
    """

    score: str
    key: str
    series: dict[str, dict[str, list[float]]]


def axis_of(jobs: Sequence[JobState], score: str | None = None) -> Axis:
    """A score of the finished jobs over what they vary besides the seed.

    The axis is a key whose values are numbers, the first of those with the most of them; else the
    first key with the most values.

    Args:
        jobs: of a sweep.
        score: its name; None: the one that the jobs are judged by.

    Raises:
        UserError: no job has that score; or nothing but seeds is swept.
    """
    score = score or objective_of(jobs)
    known = names_of(jobs)
    finished = [job for job in jobs if job["status"] == "finished" and score in values_of(job)]
    if score is None or not finished:
        hint = nearest(score or "", known) if known else ""
        raise UserError(f"no job that has finished has the score {score or ''}{hint}".rstrip())
    varied = [[w for w in words if key_of(w) != SEED] for words in differing(finished)]
    values: dict[str, dict[str, None]] = {}  # by key, in the order of the jobs
    for words in varied:
        for word in words:
            values.setdefault(key_of(word), {})[value_of(word)] = None
    swept = [key for key, found in values.items() if len(found) > 1]
    if not swept:
        raise UserError("nothing to plot: the jobs that have finished differ in their seeds alone")
    key = max(swept, key=lambda key: (are_numbers(values[key]), len(values[key])))
    series: dict[str, dict[str, list[float]]] = {}
    for value in _ordered(values[key]):
        for job, words in zip(finished, varied, strict=True):
            if value in [value_of(word) for word in words if key_of(word) == key]:
                label = " ".join(word for word in words if key_of(word) != key)
                series.setdefault(label, {}).setdefault(value, []).append(values_of(job)[score])
    return Axis(score, key, series)


def are_numbers(values: Iterable[str]) -> bool:
    """Whether all values are finite numbers."""
    return all(math.isfinite(_number(value)) for value in values)


def _ordered(values: Iterable[str]) -> list[str]:
    found = list(values)
    return sorted(found, key=_number) if are_numbers(found) else found


def _number(value: str) -> float:
    with contextlib.suppress(ValueError):
        return float(value)
    return math.nan


def value_of(word: str) -> str:
    """The value of an override: '1' of 'seed=1'."""
    return word.partition("=")[2].strip("'\"")


def tails(keys: Iterable[str]) -> dict[str, str]:
    """What is at the end of each dotted key and of no other: "hidden" of "model.encoder.hidden"."""
    whole = list(dict.fromkeys(keys))
    found = {}
    for key in whole:
        parts = key.split(".")
        ends = [".".join(parts[place:]) for place in reversed(range(len(parts)))]
        others = [f".{other}" for other in whole if other != key]
        found[key] = next(
            (end for end in ends if not any(o.endswith(f".{end}") for o in others)), key
        )
    return found
