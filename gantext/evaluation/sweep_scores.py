"""The scores of a sweep: by job, and their means over the seeds of jobs that are else the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gantext.config.words import key_of
from gantext.evaluation import measures
from gantext.evaluation.spreadsheet import csv_text
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_state import JobState, states

SEED = "seed"


@dataclass(frozen=True)
class SeedMeans:
    """What finished jobs come to that differ in their seed alone.

    Attributes:
        overrides: the words that they share.
        jobs: their names.
        mean: of each score that all have, by name.
        sd: the standard deviation, of a sample (n - 1).
    """

    overrides: tuple[str, ...]
    jobs: tuple[str, ...]
    mean: dict[str, float]
    sd: dict[str, float]


def values_of(job: JobState) -> dict[str, float]:
    """The scores of a job, by name."""
    return {record["name"]: float(record["value"]) for record in job["scores"]}


def names_of(jobs: Sequence[JobState]) -> list[str]:
    """The names of all scores that some job has."""
    return list(dict.fromkeys(record["name"] for job in jobs for record in job["scores"]))


def objective_of(jobs: Sequence[JobState]) -> str | None:
    """The score that the jobs are judged by: their own word, else the first of a table's."""
    said = (job["objective"] for job in jobs if "objective" in job)
    present = names_of(jobs)
    first = (name for name in measures.summary() if name in present)
    return next(said, None) or next(first, None)


def differing(jobs: Sequence[JobState]) -> list[list[str]]:
    """Of each job the words that not all jobs have."""
    known = [set(job["overrides"]) for job in jobs if job["overrides"]]  # not of a damaged one
    shared = set.intersection(*known) if len(known) > 1 else set()
    return [[word for word in job["overrides"] if word not in shared] for job in jobs]


def seed_means(jobs: Sequence[JobState]) -> list[SeedMeans]:
    """The means of all groups of two or more finished jobs that differ in their seed alone."""
    groups: dict[tuple[str, ...], list[JobState]] = {}
    for job in jobs:
        if job["status"] == "finished":
            same = tuple(word for word in job["overrides"] if key_of(word) != SEED)
            groups.setdefault(same, []).append(job)
    return [_means(words, group) for words, group in groups.items() if len(group) > 1]


def _means(words: tuple[str, ...], jobs: Sequence[JobState]) -> SeedMeans:
    scores = [values_of(job) for job in jobs]
    shared = [name for name in names_of(jobs) if all(name in values for values in scores)]
    of_name = {name: [values[name] for values in scores] for name in shared}
    mean = {name: sum(values) / len(values) for name, values in of_name.items()}
    sd = {name: _deviation(values, mean[name]) for name, values in of_name.items()}
    return SeedMeans(words, tuple(job["job"] for job in jobs), mean, sd)


def _deviation(values: Sequence[float], mean: float) -> float:
    """Infinite values have none: NaN."""
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def csv_of(jobs: Sequence[JobState]) -> str:
    """A row a job, then two for each group of seeds, whose `job` is mean and sd."""
    names = names_of(jobs)
    rows: list[list[object]] = [["job", "status", "overrides", *names]]
    for job in jobs:
        values = values_of(job)
        words = " ".join(job["overrides"])
        rows.append([job["job"], job["status"], words, *(values.get(n, "") for n in names)])
    for group in seed_means(jobs):
        said = [f"{len(group.jobs)} seeds", " ".join(group.overrides)]
        for name, part in (("mean", group.mean), ("sd", group.sd)):
            rows.append([name, *said, *(part.get(n, "") for n in names)])
    return csv_text(rows)


def store(sweep: SweepDir) -> list[JobState]:
    """Write the table of a sweep as it stands; how each job stands. Raises OSError."""
    jobs = states(sweep)
    sweep.files.write(sweep.table, csv_of(jobs).encode())
    return jobs
