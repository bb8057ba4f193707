"""gantext tune."""

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import completion, sweeps, tables
from gantext.cli import dry_run as dry
from gantext.cli.options import ConfigDir, Json
from gantext.cli.training_command import EngineCommand, show_examples, show_options
from gantext.cli.training_options import DryRun, Force, Gpus, Jobs, Ray, Slurm, Tethered
from gantext.config.words import command
from gantext.errors import UserError
from gantext.evaluation.sweep_scores import store
from gantext.runs.sweep_state import state_of
from gantext.training import processes
from gantext.training.launch import LOADING
from gantext.training.stop import Stopped
from gantext.training.tether import end_with_parent
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from gantext.training.trials import Opened

STORAGE = "GANTEXT_STORAGE"
EXAMPLES = (
    'tune rates n=50 data=coco "model.mle.learning_rate=tag(log,interval(1e-4,1e-2))"',
    "tune coco n=50 tune=gan_coco --jobs 4",
    "tune coco n=50 tune=gan_coco --jobs 8 --slurm partition=gpu,time=8:00:00,gpus=1",
)


StudyName = Annotated[
    str, typer.Argument(metavar="STUDY", help="Its name, and its folder's in runs_dir.")
]
Searched = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="n=50 [OVERRIDES]...",
        help="How many trials, and key=value as of gantext train, some of them searched: "
        "interval(a,b), tag(log,interval(a,b)), int(interval(a,b)), range(a,b), choice(a,b).",
        autocompletion=completion.overrides,
        show_default=False,
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="The database of the trials (default: study.db in the folder).",
        envvar=STORAGE,
        show_envvar=False,
    ),
]


class SearchingCommand(EngineCommand):
    """A command whose help ends with the ready searches that there are."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help; only now are the configs read."""
        super().format_help(ctx, formatter)
        show_options(["tune"])
        show_examples(EXAMPLES)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(cls=SearchingCommand, context_settings={"ignore_unknown_options": True})(tune)


def tune(
    study: StudyName,
    overrides: Searched = None,
    storage: Storage = None,
    jobs: Jobs = None,
    gpus: Gpus = None,
    slurm: Slurm = None,
    ray: Ray = None,
    config_dir: ConfigDir = None,
    dry_run: DryRun = False,
    force: Force = False,
    tethered: Tethered = False,
    json: Json = False,
) -> None:
    """Search settings with Optuna: each trial is a job of a sweep.

    The same words again go on with the study, a larger n makes more trials, and the command may run
    several times at once. The objective is `objective=`; trials whose nll_valid is worse than the
    median of the others are pruned.
    """
    processes.refuse_several(["tune"])
    if tethered:
        end_with_parent()
    if dry_run:
        dry.of_study(study, list(overrides or []), config_dir, json)
        return
    how = sweeps.How(jobs, gpus, force, slurm, ray)
    found = _opened(study, list(overrides or []), config_dir, storage, how)
    if how.slurm is not None and not found.has_ended:
        sweeps.say_submitted(found.folder, _submitted(found, how), json)
        return
    try:
        _search(found, how)
    except Stopped as error:
        raise Stopped(error.number, command(*sys.argv[1:]), error.saved) from error
    finally:
        if not json:
            sweeps.sweep_report(found.folder, json)
    best = _best(found)
    if json:
        jobs_now = store(found.folder)
        tables.print_json({"sweep": str(found.folder.path), "jobs": jobs_now, "best": best})
    elif best is not None:
        line = "best: trial {job}, {objective} {value:.6g}; to train it again: {command}"
        tables.out.print(line.format(**best), markup=False, soft_wrap=True, highlight=False)
    if best is None:
        tables.hint("no trial has come to a value of its objective")
        raise typer.Exit(1)


def _opened(
    study: str,
    words: list[str],
    config_dir: Path | None,
    storage: str | None,
    how: sweeps.How,
) -> "Opened":
    """The study; where its trials are kept is handed on to workers."""
    with waiting(tables.err, LOADING, plain=False):
        from gantext.config.search import search_of
        from gantext.training.trials import opened

        at_once = how.processes()
        found = opened(study, search_of(words, config_dir), config_dir, storage, at_once)
    if storage is not None:  # in no script, as it may have a password
        os.environ[STORAGE] = storage
    return found


def _submitted(found: "Opened", how: sweeps.How) -> int:
    """The number of the array of workers that SLURM has now."""
    from gantext.training import slurm

    order = how.order()
    assert order is not None
    return slurm.submit_workers(found.folder, _words(found, how), found.threads, order)


def _search(found: "Opened", how: sweeps.How) -> None:
    """Make all trials. Raises Stopped on a signal, once they are saved."""
    from gantext.training import cluster
    from gantext.training.pool import Slots, slots_of
    from gantext.training.trials import search

    if how.ray is not None and not found.has_ended:
        cluster.work(found, _words(found, how), how.jobs, how.ray, tables.err)
    else:
        search(found, Slots(slots_of(how.jobs, how.gpus), how.force), tables.err)


def _words(found: "Opened", how: sweeps.How) -> list[str]:
    """What a worker on a cluster gives gantext."""
    return [*found.words, *(["--force"] if how.force else [])]


def _best(found: "Opened") -> dict[str, Any] | None:
    """The best trial, and the command that trains it again; how much each key matters is drawn."""
    best = found.study.best()
    if best is None:
        return None
    job, value = found.folder.job(best[0]), best[1]
    objective = state_of(job).get("objective", "the objective")
    _draw_importance(found, objective)
    again = command("train", *job.words)
    return {"job": job.name, "objective": objective, "value": value, "command": again}


def _draw_importance(found: "Opened", objective: str) -> None:
    """Write the figure of how much each key matters, where that is known."""
    from gantext.plots.importance import importance_figure
    from gantext.plots.output import png_bytes

    shares = found.study.importance()
    if shares:
        with contextlib.suppress(UserError):  # as where there is no matplotlib
            picture = png_bytes(importance_figure(shares, objective))
            found.folder.files.write(found.folder.importance, picture)
            tables.hint(f"importance of the keys: {found.folder.importance}")
