"""gantext report."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import completion, tables
from gantext.cli.options import (
    TEMPERATURES,
    Count,
    DeviceName,
    Json,
    Order,
    Plane,
    PresetName,
    RunsDir,
    Seed,
    Seeds,
    asked_for,
    check_out,
    numbers,
    seeds_of,
)
from gantext.config.settings import Device
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gantext.evaluation.request import Asked
    from gantext.runs.sweep import SweepDir

Runs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN[@PHASE]|SWEEP]...",
        help="Runs and sweeps (default: the latest run).",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
EXAMPLES = """[bold]Examples[/bold]

  gantext report

  gantext report RUN RUN --out comparison.html

  gantext report RUN --temperatures none

  gantext report SWEEP"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(report)


def report(
    words: Runs = None,
    out: Annotated[Path, typer.Option(help="The HTML file; - is stdout.")] = Path("report.html"),
    temperatures: Annotated[
        str, typer.Option(help="Temperatures of the frontier; none leaves it out.")
    ] = TEMPERATURES,
    seeds: Seeds = None,
    plane: Plane = None,
    order: Order = None,
    preset: PresetName = "texygen",
    n: Count = None,
    seed: Seed = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """One HTML file: settings, learning curves, scores, frontier, samples, comparison, sweeps.

    Quick scores are computed when they are not stored; those of eval lm and eval frechet are shown
    when they are.
    """
    from gantext.files import write_output
    from gantext.report.build import Request
    from gantext.report.build import report as render
    from gantext.report.sweep_part import sweeps_among

    heats = [] if temperatures == "none" else numbers(temperatures, "--temperatures")
    command = shlex.join(["gantext", *sys.argv[1:]])
    sweeps, runs = sweeps_among(words or [], runs_dir)
    alone = sweeps and not runs
    asked = None if alone else asked_for(runs, None, preset, n, seed, device, runs_dir)
    check_out(out, json)
    draws = [] if asked is None else seeds_of(seeds, asked)
    request = Request(tuple(heats), tuple(draws), plane, order, command, tuple(sweeps))
    with waiting(tables.err, "reading runs and data") as say:
        html = render(asked, request, say)
    tables.notes(asked.notes if asked is not None else [])
    write_output(out, html.encode())
    if json:
        tables.print_json(_document(asked, sweeps, out, len(html.encode())))
        return
    tables.hint(f"report in {out} ({len(html) / 1e6:.1f} MB)")


def _document(
    asked: "Asked | None", sweeps: "Sequence[SweepDir]", out: Path, size: int
) -> dict[str, object]:
    """Where the report is, the scores of its runs, and its sweeps."""
    from gantext.evaluation.document import scored_runs
    from gantext.report.build import stored_scores

    return {
        "report": str(out.resolve()),
        "bytes": size,
        "runs": [] if asked is None else scored_runs(stored_scores(asked), asked.places),
        "sweeps": [str(sweep.path.resolve()) for sweep in sweeps],
        "notes": [] if asked is None else asked.notes,
    }
