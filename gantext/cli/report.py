"""gantext report."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import completion, tables
from gantext.cli.options import (
    TEMPERATURES,
    Count,
    DeviceName,
    Order,
    PresetName,
    RunsDir,
    Seed,
    Seeds,
    asked_for,
    check_out,
    numbers,
)
from gantext.config.settings import Device

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
    seeds: Seeds = "0",
    order: Order = 4,
    preset: PresetName = "texygen",
    n: Count = None,
    seed: Seed = 0,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
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
    draws = [int(seed) for seed in numbers(seeds, "--seeds")]
    command = shlex.join(["gantext", *sys.argv[1:]])
    sweeps, runs = sweeps_among(words or [], runs_dir)
    alone = sweeps and not runs
    asked = None if alone else asked_for(runs, None, preset, n, seed, device, runs_dir)
    check_out(out, json=False)
    request = Request(tuple(heats), tuple(draws), order, command, tuple(sweeps))
    with tables.working() as say:
        html = render(asked, request, say)
    tables.notes(asked.notes if asked is not None else [])
    write_output(out, html.encode())
    tables.hint(f"report in {out} ({len(html) / 1e6:.1f} MB)")
