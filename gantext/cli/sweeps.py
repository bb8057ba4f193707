"""Sweeps on the command line: begun, gone on with, and their table of scores."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gantext.cli import tables
from gantext.cli.runs import short_names
from gantext.errors import UserError
from gantext.evaluation import sweep_scores
from gantext.evaluation.sweep_scores import SeedMeans, differing, seed_means, values_of
from gantext.metrics.score import shown
from gantext.runs.summary import clock
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_state import PLANNED, RUNNING, STARTING, JobState

if TYPE_CHECKING:
    from gantext.training.sweeps import Engine

UNENDED = (PLANNED, STARTING, RUNNING)


@dataclass(frozen=True)
class How:
    """How the jobs of a sweep are to be run.

    Attributes:
        jobs: so many at a time, in processes of their own; None: nothing is said of it.
        gpus: on these GPUs, with commas between.
        force: though memory seems too small for them.
    """

    jobs: int | None = None
    gpus: str | None = None
    force: bool = False

    @property
    def is_said(self) -> bool:
        """Whether it is other than one after the other in this process."""
        return self.jobs is not None or self.gpus is not None

    def at_once(self) -> int:
        """How many jobs share the cores. Raises UserError for GPUs that cannot be."""
        from gantext.training.pool import slots_of

        return len(slots_of(self.jobs, self.gpus))

    def engine(self, mark: Path | None) -> "Engine":
        """What runs the jobs; `mark` is where it marks the latest run."""
        from gantext.training.pool import Slots, pool, slots_of
        from gantext.training.sweeps import one_after_the_other

        if not self.is_said:
            return one_after_the_other(self.force, mark is not None)
        return pool(Slots(slots_of(self.jobs, self.gpus), self.force, mark), tables.err)


def begin(words: list[str], config_dir: Path | None, how: How, json: bool) -> None:
    """A new sweep, and its table whatever becomes of it."""
    from gantext.training import sweeps

    sweep, runs_dir, hydras = sweeps.planned(words, config_dir, how.at_once())
    if hydras is not None and how.is_said:
        sweep.remove_if_unbegun()
        raise UserError("--jobs and --gpus leave no job to Hydra's launchers, sweepers, callbacks")
    _run(sweep, hydras or how.engine(runs_dir), json)


def go_on(sweep: SweepDir, how: How, json: bool) -> None:
    """The jobs of a sweep that have not ended, and its table."""
    from gantext.training import sweeps

    how.at_once()
    tables.notes(sweeps.resumable(sweep))
    _run(sweep, how.engine(None), json)


def _run(sweep: SweepDir, engine: "Engine", json: bool) -> None:
    from gantext.training import sweeps

    failed = 0
    try:
        sweeps.run(sweep, engine)
    finally:
        if sweep.path.is_dir():
            failed = sweep_report(sweep, json)
    if failed:
        raise typer.Exit(1)


def sweep_report(sweep: SweepDir, json: bool) -> int:
    """Print and store the table of a sweep's scores; returns how many jobs have not finished."""
    jobs = sweep_scores.store(sweep)
    if not jobs:
        return 0
    show(sweep, jobs, json)
    if not json:
        tables.out.print(f"all scores: {sweep.table}", soft_wrap=True, markup=False)
    return sum(job["status"] != "finished" for job in jobs)


def show(sweep: SweepDir, jobs: list[JobState], json: bool) -> None:
    """How the jobs of a sweep stand, their scores, and the means of these over seeds."""
    means = seed_means(jobs)
    if json:
        document = {"sweep": str(sweep.path), "jobs": jobs, "means": list(map(_record, means))}
        tables.print_json(document)
        return
    names = short_names(sweep_scores.names_of(jobs))
    words = differing(jobs)
    shared = {word for job in jobs for word in job["overrides"]} - {w for ws in words for w in ws}
    going = any(job["status"] in UNENDED for job in jobs)
    columns = ["job", "overrides", "status", *(["where"] if going else []), *names]
    body = []
    for job, own in zip(jobs, words, strict=True):
        said = [" ".join(own), job["status"], *([_where(job)] if going else [])]
        body.append([job["job"], *said, *_cells(values_of(job), names)])
    for group in means:
        said = [" ".join(w for w in group.overrides if w not in shared), f"{len(group.jobs)} seeds"]
        for name, part in (("mean", group.mean), ("sd", group.sd)):
            body.append([name, *said, *([""] if going else []), *_cells(part, names)])
    tables.table(f"sweep {sweep.path}", columns, body, text_columns=3 + going)
    for job in jobs:
        if job.get("error"):
            line = f"job {job['job']}: {job['error']}"
            tables.out.print(line, style="red", markup=False, soft_wrap=True)


def _cells(values: dict[str, float], names: list[str]) -> list[str]:
    return [shown(values.get(name)) for name in names]


def _record(group: SeedMeans) -> dict[str, Any]:
    """The means of a group in JSON."""
    return {
        "overrides": list(group.overrides),
        "jobs": list(group.jobs),
        "mean": group.mean,
        "sd": group.sd,
    }


def _where(job: JobState) -> str:
    """How far a job is that has not ended."""
    headway = job.get("headway")
    if headway is None or job["status"] not in (RUNNING, STARTING):
        return ""
    place = f"{headway['phase']} {headway['step']}/{headway['steps']}"
    return f"{place}, {clock(headway['left'])} left" if job["status"] == RUNNING else place
