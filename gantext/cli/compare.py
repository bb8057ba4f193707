"""gantext compare."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import completion, tables
from gantext.cli.formats import Format
from gantext.cli.grid import Cell, Grid, label
from gantext.cli.layout import Table
from gantext.cli.options import (
    ConfigDir,
    Count,
    DeviceName,
    FormatName,
    Json,
    PresetName,
    RunsDir,
    Samples,
    Seed,
    SeedCount,
    Signatures,
    asked_for,
    form_of,
)
from gantext.config.settings import Device
from gantext.metrics.score import shown
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from gantext.evaluation.comparison import Comparison


Runs = Annotated[
    list[str],
    typer.Argument(metavar="RUN[@PHASE]...", autocompletion=completion.runs, show_default=False),
]
EXAMPLES = """[bold]Examples[/bold]

  gantext compare RUN RUN

  gantext compare RUN@mle RUN --json

  gantext compare sweep/0 sweep/1 sweep/2 --format csv > scores.csv"""


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
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    config_dir: ConfigDir = None,
    signatures: Signatures = False,
    format: FormatName = Format.table,
    json: Json = False,
) -> None:
    """Runs side by side: scores, their differences, settings that differ, means over seeds."""
    from gantext.evaluation.comparison import compare as compare_runs
    from gantext.evaluation.comparison import to_csv

    form = form_of(format, json)
    asked = asked_for(words, samples, preset, n, seed, device, runs_dir, config_dir, seeds)
    with waiting(tables.err, "reading runs and data") as say:
        found = compare_runs(asked, say, beside=beside)
    tables.notes(asked.notes)
    if form is Format.json:
        tables.print_json([_document(one) for one in found])
    elif form is Format.csv:
        tables.print_csv(to_csv(found))
    else:
        for one in found:
            _show(one, signatures, form)


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


def _show(one: "Comparison", signatures: bool, form: Format) -> None:
    from gantext.evaluation.comparison import setting_rows
    from gantext.evaluation.difference import difference_rows, made_of

    signed = [
        tables.signed(table, one.table, one.data, signatures) for table in _grid(one).tables()
    ]
    tables.show(*signed, form=form)
    if one.differences:
        title = f"differences from {one.differences[-1].beside}"
        columns, rows = difference_rows(one.differences)
        below = made_of(one.differences)
        tables.show(Table(title, columns, rows, range(2), below=below), form=form)
    columns, rows = setting_rows(one)
    if rows:
        settings = Table("settings that differ", columns, rows, range(len(columns)), named=True)
        tables.show(settings, form=form)


def _grid(one: "Comparison") -> Grid:
    """The runs, then the real text, then means and standard deviations over seeds."""
    from gantext.evaluation.comparison import mixed_names, score_names
    from gantext.metrics.signatures import own_name

    names, mixed = score_names(one), mixed_names(one.table)
    labels = {name: f"{label(name)} *" if name in mixed else label(name) for name in names}
    cells = {
        run: _named(labels, {own_name(s.name): Cell.of(s) for s in own})
        for run, own in one.table.items()
    }
    cells |= {run: {} for run in one.damaged}
    for over, means in one.means.items():
        for part in ("mean", "sd"):
            values = {name: Cell(shown(getattr(mean, part))) for name, mean in means.items()}
            cells[f"{part} of {over}"] = _named(labels, values)
    nothing = ["no measure applies to these runs and their data"] if not names else []
    return Grid(f"scores on {one.data}", "run", list(labels.values()), cells, below=nothing)


def _named(labels: Mapping[str, str], cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """The cells of the scores that are shown, by what these are called in the table."""
    return {labels[name]: cell for name, cell in cells.items() if name in labels}
