"""gantext runs sweep; and how `gantext train` begins sweeps and goes on with them."""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import completion, runs, tables
from gantext.cli.options import Json, RunsDir, check_out, check_png
from gantext.cli.runs import short_names
from gantext.config.words import command
from gantext.errors import UserError
from gantext.evaluation import sweep_scores
from gantext.evaluation.sweep_scores import SeedMeans, differing, seed_means, values_of
from gantext.files import STDOUT, write_output
from gantext.metrics.score import shown
from gantext.runs.summary import clock
from gantext.runs.sweep import SweepDir, find_sweep
from gantext.runs.sweep_job import FINAL
from gantext.runs.sweep_state import PLANNED, RUNNING, STARTING, JobState, states

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
Csv = Annotated[Path | None, typer.Option("--csv", help="Write all scores to a file; - is stdout.")]
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
UNENDED = (PLANNED, STARTING, RUNNING)


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
    from gantext.training import sweeps

    sweep, runs_dir, hydras = sweeps.planned(words, config_dir, how.at_once())
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
    if json:
        tables.print_json({"sweep": str(sweep.path), "slurm": number})
        return True
    lines = [
        f"sweep {sweep.path}: SLURM has its jobs as array {number}",
        f"look: {command('runs', 'sweep', str(sweep.path))}  |  cancel: scancel {number}",
    ]
    for line in lines:
        tables.out.print(line, soft_wrap=True, markup=False, highlight=False)
    return True


def sweep(
    sweep: Sweep = None,
    csv: Csv = None,
    plot: Plot = None,
    score: ScoreName = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """How the jobs of a sweep stand, and their scores: at any time, also while they run."""
    check_out(csv, json)
    if plot is not None:
        check_png(plot, json)
    found = find_sweep(sweep, runs_dir)
    jobs = states(found)
    if csv is not None:
        write_output(csv, sweep_scores.csv_of(jobs).encode())
    if plot is not None:
        write_output(plot, figure(jobs, score))
    if STDOUT not in (csv, plot):
        show(found, jobs, json)
    idle = not found.is_held and not any(job["status"] in (STARTING, RUNNING) for job in jobs)
    if not json and idle and any(job["status"] not in FINAL for job in jobs):
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
    show(sweep, jobs, json)
    kept = [sweep.table]
    with contextlib.suppress(UserError):  # as where only seeds are swept
        sweep.files.write(sweep.figure, figure(jobs))
        kept.append(sweep.figure)
    if not json:
        said = ", ".join(map(str, kept))
        tables.out.print(f"all scores: {said}", soft_wrap=True, markup=False)
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
