"""gantext record."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import completion, tables
from gantext.cli.options import DeviceName, Json, RunsDir
from gantext.config.settings import Device
from gantext.training.terminal import say as print_line
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from gantext.runs.folder import RunDir

Runs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN|SWEEP]...",
        help="Finished runs, and sweeps for those of their jobs that have finished (default: the "
        "latest run).",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
EXAMPLES = """[bold]Examples[/bold]

  gantext train -m experiment=bench_scenes name=bench

  gantext record bench

  make benchmark-docs"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(record)


def record(
    words: Runs = None,
    out: Annotated[Path, typer.Option(help="The folder of records.")] = Path("bench/records"),
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Keep what the benchmark needs of finished runs: a JSON file of at most 20 kB each.

    It has the settings, the digest of the weights, signed scores of the end and of the
    maximum-likelihood start, their curves over temperatures, and how long training took on which
    machine. What is not stored yet is computed, which takes minutes. A record of the same method,
    data and seed is replaced.
    """
    from gantext.evaluation.benchmark.making import record_of
    from gantext.evaluation.benchmark.record import write

    written: list[Path] = []
    with waiting(tables.err, "reading runs and data") as say:
        for run in _runs(words or [], runs_dir):
            say(f"{run.path}: its scores")
            made, notes = record_of(run, runs_dir, device, say)
            tables.notes(f"{run.path.name}: {note}" for note in notes)
            written.append(write(made, out))
    if json:
        tables.print_json([{"record": str(one), "bytes": one.stat().st_size} for one in written])
        return
    for path in written:
        print_line(str(path))
    tables.hint("next: make benchmark-docs")


def _runs(words: Sequence[str], runs_dir: Path) -> "list[RunDir]":
    """The runs that are named, and the finished ones of sweeps; what has not finished is noted."""
    from gantext.report.sweep_part import sweeps_among
    from gantext.runs import listing
    from gantext.runs.sweep_state import states

    sweeps, names = sweeps_among(words, runs_dir)
    found = [listing.find(name, runs_dir) for name in names]
    if not words:
        found = [listing.find(None, runs_dir)]
    for sweep in sweeps:
        jobs = {job["job"]: job["status"] for job in states(sweep)}
        found += [sweep.job(name).run for name, status in jobs.items() if status == "finished"]
        left = [f"{name} is {status}" for name, status in jobs.items() if status != "finished"]
        if left:
            tables.hint(f"note: {sweep.path.name}: no record of jobs: {', '.join(left)}")
    return found
