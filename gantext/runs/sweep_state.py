"""How the jobs of a sweep stand at a moment, as their folders say, whatever runs them."""

import contextlib
from typing import TypedDict

from gantext.errors import UserError
from gantext.metrics.score import ScoreRecord
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import Headway, SweepJob

PLANNED, STARTING, RUNNING = "planned", "starting", "running"


class _Named(TypedDict):
    job: str
    run: str
    path: str
    overrides: list[str]
    status: str
    scores: list[ScoreRecord]


class JobState(_Named, total=False):
    """One job; keys that nothing is known of are missing.

    Attributes:
        job: its name, a number.
        run, path: the name of its run, SWEEP/NUMBER, and its folder.
        overrides: its words.
        status: planned (no process has begun it), starting, or that of its run; damaged.
        scores: those of the last phase that has some.
        objective: the name of the score that it is judged by.
        error: what it ended by.
        warnings: what was said while it was trained.
        headway: how far it is.
    """

    objective: str
    error: str
    warnings: list[str]
    headway: Headway


def states(sweep: SweepDir) -> list[JobState]:
    """How each job stands. Raises UserError for a job that is a symbolic link."""
    return [state_of(job) for job in sweep.jobs()]


def state_of(job: SweepJob) -> JobState:
    """How a job stands; of a damaged one what is wrong."""
    folder = job.folder.resolve()
    state: JobState = {
        "job": job.name,
        "run": f"{folder.parent.name}/{folder.name}",
        "path": str(folder),
        "overrides": [],
        "status": "damaged",
        "scores": [],
    }
    try:
        state["overrides"] = job.words
        state["status"] = status_of(job)
        headway = job.headway
        if headway is not None:
            state["headway"] = headway
        _take_result(state, job)
    except UserError as error:
        state |= {"status": "damaged", "error": str(error)}
    return state


def status_of(job: SweepJob) -> str:
    """The status of a job, in one word. Raises UserError."""
    run, held = job.run, job.is_held
    begun = run.config.exists()
    status = run.status if begun else PLANNED
    if held:
        return status if status == RUNNING else STARTING
    ended = (run.result or {}).get("status")
    return ended or status


def _take_result(state: JobState, job: SweepJob) -> None:
    """What the run has come to, at its end or before."""
    result = job.run.result
    if state["status"] in (STARTING, RUNNING, PLANNED):
        result = None  # of an end that was none
    if result is None:
        state["scores"] = _last_scores(job.run)
        if state["status"] == "killed":
            state["error"] = f"it left no result: {job.folder}"
        return
    state["scores"] = result.get("scores", [])
    for key in ("objective", "error", "warnings"):
        if key in result:
            state[key] = result[key]


def _last_scores(run: RunDir) -> list[ScoreRecord]:
    """The scores of the last phase of a run that has some."""
    for phase in reversed(run.phase_ends()):
        stored = run.scores(f"phase-{phase}")
        if stored is not None and stored["scores"]:
            return stored["scores"]
    return []


def have_ended(sweep: SweepDir) -> bool:
    """Whether no job is planned or worked on any more."""
    with contextlib.suppress(UserError):
        return not any(s["status"] in (PLANNED, STARTING, RUNNING) for s in states(sweep))
    return False
