"""gantext runs sweep; and how `gantext train` begins sweeps and goes on with them."""

import contextlib
import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import completion, runs, tables
from gantext.cli.formats import Format
from gantext.cli.options import FormatName, Json, RunsDir, check_png, form_of
from gantext.cli.sweep_table import grid_of
from gantext.config.words import command
from gantext.errors import UserError
from gantext.evaluation import sweep_scores
from gantext.evaluation.sweep_scores import SeedMeans, seed_means
from gantext.files import STDOUT, write_output
from gantext.runs.sweep import SweepDir, find_sweep
from gantext.runs.sweep_job import FINAL
from gantext.runs.sweep_state import RUNNING, STARTING, JobState, states
from gantext.training.terminal import tell

if TYPE_CHECKING:
    from gantext.training.slurm import Order
    from gantext.training.sweeps import Engine

Sweep = Annotated[
    str | None,
    typer.Argument(
        metavar="[SWEEP]",
        help="A sweep's folder or name (default: the newest).",
        autocompletion=completion.sweeps,
    ),
]
Plot = Annotated[
    Path | None, typer.Option(help="Draw a score over what is swept to a PNG file; - is stdout.")
]
ScoreName = Annotated[
    str | None,
    typer.Option(
        "--score",
        help="The score of --plot (default: the jobs' objective).",
        autocompletion=completion.scores,
    ),
]


def register() -> None:
    """Add the command to `gantext runs`."""
    runs.app.command("sweep")(sweep)


@dataclass(frozen=True)
class How:
    """How the jobs of a sweep are to be run.

    Attributes:
        jobs: so many at a time, in processes of their own; None: nothing is said of it.
        gpus: on these GPUs, with commas between.
        force: though memory seems too small for them.
        slurm: by SLURM, with these options of sbatch.
        ray: by the Ray cluster at this address; "": by one of this machine.
    """

    jobs: int | None = None
    gpus: str | None = None
    force: bool = False
    slurm: str | None = None
    ray: str | None = None

    @property
    def is_said(self) -> bool:
        """Whether it is other than one after the other in this process."""
        return (self.jobs, self.gpus, self.slurm, self.ray) != (None, None, None, None)

    def at_once(self) -> int:
        """How many jobs share the cores. Raises UserError for what cannot be."""
        from gantext.training import cluster
        from gantext.training.pool import slots_of

        if self.ray is not None:
            if (self.jobs, self.gpus, self.slurm) != (None, None, None):
                raise UserError(
                    "--ray runs what its cluster has room for: no --jobs, --gpus, --slurm"
                )
            cluster.check_address(self.ray)
            cluster.package()
            return 1  # it gives each as many cores as it has threads
        if self.order() is not None:
            return 1  # each has an allocation of its own
        return len(slots_of(self.jobs, self.gpus))

    def load(self) -> None:
        """Where jobs will be processes of this machine, begin to load what they need meanwhile."""
        from gantext.training import warm

        if self.is_said and self.ray is None and self.slurm is None:
            warm.load()

    def processes(self) -> int:
        """How many share this machine's cores for a search. Raises UserError for what cannot be."""
        if self.ray is None:
            return self.at_once()
        if (self.gpus, self.slurm) != (None, None):
            raise UserError("--ray gives each worker its cores and GPU: no --gpus, --slurm")
        return dataclasses.replace(self, jobs=None).at_once()

    def order(self) -> "Order | None":
        """What SLURM is asked for; None where it is not. Raises UserError."""
        from gantext.training import slurm

        if self.slurm is None:
            return None
        if self.gpus is not None:
            raise UserError("--gpus are of this machine: --slurm gpus=1 asks for one a job")
        options = slurm.options_of(self.slurm)
        slurm.check_installed()
        return slurm.Order(options, self.jobs, self.force)

    def engine(self, mark: Path | None) -> "Engine":
        """What runs the jobs; `mark` is where it marks the latest run."""
        from gantext.training.cluster import cluster
        from gantext.training.pool import Slots, pool, slots_of
        from gantext.training.sweeps import one_after_the_other

        if not self.is_said:
            return one_after_the_other(self.force, mark is not None)
        if self.ray is not None:
            return cluster(self.ray, tables.err, self.force, mark)
        return pool(Slots(slots_of(self.jobs, self.gpus), self.force, mark), tables.err)


def begin(words: list[str], config_dir: Path | None, how: How, json: bool) -> None:
    """A new sweep, and its table whatever becomes of it."""
    from gantext.training.launch import LOADING
    from gantext.training.waiting import waiting

    with waiting(tables.err, LOADING, plain=False):
        from gantext.training import sweeps

        at_once = how.at_once()
        how.load()
        sweep, runs_dir, hydras = sweeps.planned(words, config_dir, at_once)
    if hydras is not None and how.is_said:
        sweep.remove_if_unbegun()
        raise UserError(
            "--jobs, --gpus, --slurm, --ray leave no job to Hydra's launchers, sweepers, callbacks"
        )
    if not _left_to_slurm(sweep, how, json, is_new=True):
        _run(sweep, hydras or how.engine(runs_dir), json, is_new=True)


def go_on(sweep: SweepDir, how: How, json: bool) -> None:
    """The jobs of a sweep that have not ended, and its table."""
    from gantext.training import sweeps

    how.at_once()
    tables.notes(sweeps.resumable(sweep))
    if not _left_to_slurm(sweep, how, json):
        _run(sweep, how.engine(None), json)


def _left_to_slurm(sweep: SweepDir, how: How, json: bool, is_new: bool = False) -> bool:
    """Whether SLURM is asked for, and has the jobs now; how to look and to cancel is said then."""
    from gantext.training import slurm

    order = how.order()
    number = None if order is None else slurm.submit(sweep, order, is_new)
    if number is None:  # all jobs have ended, where it was asked for
        return False
    say_submitted(sweep, number, json)
    return True


def say_submitted(sweep: SweepDir, number: int, json: bool) -> None:
    """Say that SLURM has what is to be done, how to look at it and how to cancel it."""
    if json:
        tables.print_json({"sweep": str(sweep.path), "slurm": number})
        return
    lines = [
        f"sweep {sweep.path}: SLURM has its jobs as array {number}",
        f"look: {command('runs', 'sweep', str(sweep.path))}  |  cancel: scancel {number}",
    ]
    for line in lines:
        tell(tables.out, line)


def sweep(
    sweep: Sweep = None,
    plot: Plot = None,
    score: ScoreName = None,
    runs_dir: RunsDir = Path("runs"),
    format: FormatName = Format.table,
    json: Json = False,
) -> None:
    """How the jobs of a sweep stand, and their scores: at any time, also while they run."""
    form = form_of(format, json)
    if plot is not None:
        check_png(plot, form is Format.json)
    found = find_sweep(sweep, runs_dir)
    jobs = states(found)
    if plot is not None:
        write_output(plot, figure(jobs, score))
    if plot != STDOUT:
        show(found, jobs, form)
    idle = not found.is_held and not any(job["status"] in (STARTING, RUNNING) for job in jobs)
    if form is Format.table and idle and any(job["status"] not in FINAL for job in jobs):
        unless = ", if SLURM has no job of it" if found.script.exists() else ""
        tables.hint(f"next{unless}: {found.command}")


def figure(jobs: list[JobState], score: str | None = None) -> bytes:
    """A PNG file of a score over what is swept. Raises UserError where nothing is but seeds."""
    from gantext.evaluation.sweep_axis import axis_of
    from gantext.plots.output import png_bytes
    from gantext.plots.sweep import sweep_figure

    axis = axis_of(jobs, score)
    return png_bytes(sweep_figure(axis.series, axis.key, axis.score))


def _run(sweep: SweepDir, engine: "Engine", json: bool, is_new: bool = False) -> None:
    """Let the jobs be run; the table of what became of them, also where they were stopped."""
    from gantext.training import sweeps

    try:
        sweeps.run(sweep, engine, is_new)
    except UserError:  # as where another process runs it
        raise
    except BaseException:
        if sweep.path.is_dir():
            sweep_report(sweep, json)
        raise
    if sweep_report(sweep, json):
        raise typer.Exit(1)


def sweep_report(sweep: SweepDir, json: bool) -> int:
    """Print and store the table of a sweep's scores; returns how many jobs have not finished."""
    jobs = sweep_scores.store(sweep)
    if not jobs:
        return 0
    show(sweep, jobs, form_of(Format.table, json))
    kept = [sweep.table]
    with contextlib.suppress(UserError):  # as where only seeds are swept
        sweep.files.write(sweep.figure, figure(jobs))
        kept.append(sweep.figure)
    if not json:
        said = ", ".join(map(str, kept))
        tables.out.print(f"all scores: {said}", soft_wrap=True, markup=False)
    return sum(job["status"] != "finished" for job in jobs)


def show(sweep: SweepDir, jobs: list[JobState], form: Format) -> None:
    """How the jobs of a sweep stand, their scores, and the means of these over seeds."""
    if form is Format.json:
        means = list(map(_record, seed_means(jobs)))
        tables.print_json({"sweep": str(sweep.path), "jobs": jobs, "means": means})
        return
    if form is Format.csv:
        tables.print_csv(sweep_scores.csv_of(jobs))
        return
    tables.show(*grid_of(str(sweep.path), jobs).tables(), form=form)
    for job in jobs:
        if job.get("error"):
            tell(tables.out, f"job {job['job']}: {job['error']}", "red")


def _record(group: SeedMeans) -> dict[str, Any]:
    """The means of a group in JSON."""
    return {
        "overrides": list(group.overrides),
        "jobs": list(group.jobs),
        "mean": group.mean,
        "sd": group.sd,
    }
