"""gantext compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import completion, tables
from gantext.cli.options import (
    ConfigDir,
    Count,
    DeviceName,
    Json,
    PresetName,
    RunsDir,
    Samples,
    Seed,
    SeedCount,
    asked_for,
    check_out,
)
from gantext.config.settings import Device

if TYPE_CHECKING:
    from gantext.evaluation.comparison import Comparison


Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN[@PHASE]...", autocompletion=completion.runs, show_default=False),
]
EXAMPLES = """[bold]Examples[/bold]

  gantext compare RUN RUN

  gantext compare RUN@mle RUN --json

  gantext compare sweep/0 sweep/1 sweep/2 --out scores.csv"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLES)(compare)


def compare(
    words: Runs,
    samples: Samples = None,
    preset: PresetName = "texygen",
    n: Count = None,
    seed: Seed = None,
    seeds: SeedCount = 1,
    beside: Annotated[
        str | None,
        typer.Option(help="The run that differences are taken from (default: the first)."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every score to this CSV file; - is stdout.")
    ] = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    config_dir: ConfigDir = None,
    json: Json = False,
) -> None:
    """Runs side by side: scores, their differences, settings that differ, means over seeds."""
    from gantext.evaluation.comparison import compare as compare_runs
    from gantext.evaluation.comparison import to_csv
    from gantext.files import is_stdout, write_output

    check_out(out, json)
    asked = asked_for(words, samples, preset, n, seed, device, runs_dir, config_dir, seeds)
    with tables.working() as say:
        found = compare_runs(asked, say, beside=beside)
    tables.notes(asked.notes)
    if out is not None:
        write_output(out, to_csv(found).encode())
    if json:
        tables.print_json([_document(one) for one in found])
        return
    for one in found if out is None or not is_stdout(out) else ():
        _show(one)
    if out is not None:
        tables.hint(f"every score in {out}")


def _document(one: "Comparison") -> dict[str, object]:
    from gantext.evaluation.document import scored_runs

    return {
        "data": one.data,
        "runs": scored_runs(one.table, one.places),
        "settings": one.settings,
        "means": {
            label: {name: vars(mean) for name, mean in values.items()}
            for label, values in one.means.items()
        },
        "differences": [vars(apart) for apart in one.differences],
        "notes": one.notes,
    }


def _show(one: "Comparison") -> None:
    from gantext.evaluation.comparison import score_rows, setting_rows
    from gantext.evaluation.difference import difference_rows, made_of
    from gantext.metrics.signatures import signature_lines

    tables.table(f"scores on {one.data}", *score_rows(one))
    if not any(one.table.values()):
        tables.out.print("  no measure applies to these runs and their data", style="yellow")
    for note in one.mixed:
        tables.out.print(f"  {note}", style="yellow", soft_wrap=True, markup=False)
    for line in signature_lines(one.table):
        tables.out.print(f"  {line}", style="dim", soft_wrap=True, markup=False)
    if one.differences:
        title = f"differences from {one.differences[-1].beside}"
        tables.table(title, *difference_rows(one.differences), text_columns=2)
        for line in made_of(one.differences):
            tables.out.print(f"  {line}", style="dim", soft_wrap=True, markup=False)
    columns, rows = setting_rows(one)
    if rows:
        tables.table("settings that differ", columns, rows, text_columns=len(columns))
