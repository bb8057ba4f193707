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
    from gantext.evaluation.request import Asked

Runs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN[@PHASE]]...",
        help="Runs (default: the latest).",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
EXAMPLES = """[bold]Examples[/bold]

  gantext report

  gantext report RUN RUN --out comparison.html

  gantext report RUN --temperatures none"""


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
    order: Order = 4,
    preset: PresetName = "texygen",
    n: Count = None,
    seed: Seed = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """One HTML file: settings, learning curves, scores, frontier, samples, comparison.

    Quick scores are computed when they are not stored; those of eval lm and eval frechet are shown
    when they are.
    """
    from gantext.files import write_output
    from gantext.report.build import Request
    from gantext.report.build import report as render

    heats = [] if temperatures == "none" else numbers(temperatures, "--temperatures")
    command = shlex.join(["gantext", *sys.argv[1:]])
    asked = asked_for(words, None, preset, n, seed, device, runs_dir)
    check_out(out, json)
    draws = seeds_of(seeds, asked)
    with waiting(tables.err, "reading runs and data") as say:
        html = render(asked, Request(tuple(heats), tuple(draws), order, command), say)
    tables.notes(asked.notes)
    write_output(out, html.encode())
    if json:
        tables.print_json(_document(asked, out, len(html.encode())))
        return
    tables.hint(f"report in {out} ({len(html) / 1e6:.1f} MB)")


def _document(asked: "Asked", out: Path, size: int) -> dict[str, object]:
    """Where the report is, and the scores of its runs."""
    from gantext.evaluation.document import scored_runs
    from gantext.report.build import stored_scores

    scores = stored_scores(asked)
    return {
        "report": str(out.resolve()),
        "bytes": size,
        "runs": scored_runs(scores, asked.places),
        "notes": asked.notes,
    }
