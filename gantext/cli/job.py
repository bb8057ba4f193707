"""gantext job: one job of a sweep, as engines run it; hidden, since nobody types it."""

from pathlib import Path
from typing import Annotated

import typer

from gantext.cli.training_options import Tethered
from gantext.evaluation.sweep_scores import store
from gantext.runs.sweep import SweepDir, job_at
from gantext.runs.sweep_state import have_ended, status_of
from gantext.training.tether import end_with_parent


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(hidden=True)(job)


def job(
    folder: Annotated[Path, typer.Argument(metavar="SWEEP/N", show_default=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Go on though memory seems too small for the run.")
    ] = False,
    tethered: Tethered = False,
) -> None:
    """Bring a job of a sweep to its end: begin it, go on with it, or leave it as it ended.

    The exit code is 1 where it failed or diverged, and that of a signal where one stopped it.
    """
    found = job_at(folder)
    if tethered:
        end_with_parent()
    if not found.is_over:  # seen without torch
        from gantext.training.sweep_jobs import run_job

        run_job(found, force=force)
    sweep = SweepDir(found.folder.parent)
    if have_ended(sweep):  # whatever engine ran the jobs, and whether or not it waits for them
        store(sweep)
    if status_of(found) != "finished":
        raise typer.Exit(1)
