"""The one unit of work of a sweep: a job that may be begun any number of times, by any engine.

What runs jobs (this process, processes of their own, Hydra's launchers, a cluster) only has to call
`run_job`, or `gantext job SWEEP/N`, once for each until it ends. A job that has finished gives its
result, one that a run has come of goes on, and any other begins.
"""

import contextlib
import dataclasses
import math
from typing import Any

from rich.console import Console

from gantext.config import schema
from gantext.config.settings import Settings
from gantext.errors import UserError, noted_log
from gantext.runs import crash
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.training import jobs
from gantext.training.console import Audience, Reporter, stderr
from gantext.training.divergence import Diverged
from gantext.training.preparation import settled
from gantext.training.terminal import Terminal
from gantext.training.threads import torchs_choice


def run_job(
    job: SweepJob, audience: Audience | None = None, force: bool = False, mark: bool = False
) -> float | None:
    """Bring a job to its end; what goes wrong is stored with it and does not leave this function.

    Args:
        job: of a sweep.
        audience: who hears of it; None: who reads stderr.
        force: even if it seems to need more memory than there is.
        mark: a run that begins becomes the latest one.

    Returns:
        The value of its objective; NaN where it failed or diverged, None where its last scores
        have none of that name.

    Raises:
        Stopped: on Ctrl-C, SIGTERM or SIGHUP, once it is saved.
        Interrupted: on one of them before there is a run.
    """
    audience = audience or audience_of(job)
    try:
        return _ended(job, audience, force, mark)
    except Diverged as error:
        Reporter(audience).say(str(error), "red")
    except UserError as error:
        store_failure(job, audience, str(error))
    except Exception as error:
        store_failure(job, audience, f"{type(error).__name__}: {schema.first_line(error)}")
        if noted_log(error) is None:
            Reporter(Audience(Terminal(quiet=True)), job.run.log).write_log(crash.report(error))
    return math.nan


def _ended(job: SweepJob, audience: Audience, force: bool, mark: bool) -> float | None:
    """The objective of a job that has finished: before, in another process, or here."""
    while True:
        _wait_for_others(job, audience)
        run = job.run
        begun = run.config.exists()
        if job.is_over:
            return jobs.objective_of(run) if run.status == "finished" else math.nan
        try:
            if begun:
                return jobs.resume(run, audience, force)
            settings = job.settings
            settings = dataclasses.replace(settings, force=settings.force or force)
            return jobs.start(settings, job.folder, _origin_of(job), audience, mark)
        except UserError:
            if not job.is_held and run.config.exists() == begun:
                raise
            # Another process was quicker.


def _wait_for_others(job: SweepJob, audience: Audience) -> None:
    """Wait while a process works on the job, as one does that saves after its parent has died."""
    if job.is_held:
        Reporter(audience).say("waiting for the process that works on it", "dim")
    job.wait_while_held()


def _origin_of(job: SweepJob) -> dict[str, Any]:
    planned = job.planned
    assert planned is not None  # its settings have been read
    plan = SweepDir(job.folder.parent).plan
    asked = {} if plan is None else {"command": plan["command"]}
    return {"overrides": planned["words"], "config_dir": planned["config_dir"], **asked}


def store_failure(job: SweepJob, audience: Audience, error: str) -> None:
    """Keep with a job what kept it from its end, and say it. Raises OSError."""
    overrides: list[str] = []
    with contextlib.suppress(UserError):  # damaged, which is then the error
        overrides = job.words
    job.save_failure(overrides, error)
    Reporter(audience, job.run.log).say(f"failed: {error}", "red")


def audience_of(job: SweepJob, console: Console | None = None) -> Audience:
    """Who hears of a job: who reads the console (None: stderr), and the table of its sweep."""
    return Audience(console or stderr().console, f"[{job.name}] ", job.save_headway)


def ready(settings: Settings, jobs_at_once: int) -> Settings:
    """The settings that a job is planned with: of any folder, and with a number of threads."""
    threads = settings.threads or max(1, torchs_choice() // jobs_at_once)
    return dataclasses.replace(settled(settings), threads=threads)
