"""gantext eval frontier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import eval, tables
from gantext.cli.formats import Format
from gantext.cli.grid import label
from gantext.cli.layout import Table
from gantext.cli.options import (
    TEMPERATURES,
    ConfigDir,
    Count,
    DeviceName,
    FormatName,
    Json,
    Order,
    PresetName,
    RunsDir,
    Samples,
    Seeds,
    Signatures,
    Words,
    asked_for,
    form_of,
    numbers,
    seeds_of,
)
from gantext.config.settings import Device
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from gantext.evaluation.frontier import Frontier
    from gantext.evaluation.request import Asked


EXAMPLES = """[bold]Examples[/bold]

  gantext eval frontier

  gantext eval frontier RUN RUN --temperatures 0.6,0.8,1.0 --seeds 0,1,2

  gantext eval frontier RUN --samples published.txt --out figures"""


def register() -> None:
    """Add the command to `gantext eval`."""
    eval.app.command(epilog=EXAMPLES)(frontier)


def frontier(
    words: Words = None,
    temperatures: Annotated[
        str, typer.Option(help="Temperatures, with commas between.")
    ] = TEMPERATURES,
    seeds: Seeds = None,
    order: Order = 4,
    samples: Samples = None,
    preset: PresetName = "texygen",
    n: Count = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of frontier.csv and frontier.png (default: the run's plots)."),
    ] = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    config_dir: ConfigDir = None,
    signatures: Signatures = False,
    format: FormatName = Format.table,
    json: Json = False,
) -> None:
    """Quality against diversity over temperatures: table, CSV and PNG.

    Each run's curve stands beside its own MLE generator's, the real text and published points;
    BLEU-N is read where Self-BLEU-N is the real text's.
    """
    from gantext.evaluation.frontier import frontier as measure
    from gantext.evaluation.frontier_shown import files, to_csv

    form = form_of(format, json)
    heats = numbers(temperatures, "--temperatures")
    asked = asked_for(words, samples, preset, n, None, device, runs_dir, config_dir)
    draws = seeds_of(seeds, asked)
    with waiting(tables.err, "reading runs and data") as say:
        found = measure(asked, heats, draws, order, say)
        paths = _saved(files(found), out, asked)
    tables.notes(found.notes)
    if form is Format.json:
        tables.print_json(_document(found, paths))
        return
    if form is Format.csv:
        tables.print_csv(to_csv(found))
    else:
        _show(found, preset, asked.data_name, signatures, form)
    tables.hint("written: " + ", ".join(str(path) for path in paths))


def _saved(files: dict[str, bytes], out: Path | None, asked: "Asked") -> list[Path]:
    """Write the files into the folder that the user named, else the first run's, else here."""
    from gantext.files import attempt, write_output

    if out is None and asked.runs:
        run = asked.models()[0].run
        with attempt(f"write into {run.plots}"):
            for name, data in files.items():
                run.files.write(run.plots / name, data)
        return [run.plots / name for name in files]
    folder = out or Path()
    with attempt(f"write into {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        write_output(folder / name, data)
    return [folder / name for name in files]


def _document(found: "Frontier", paths: list[Path]) -> dict[str, object]:
    from gantext.evaluation.document import scored_runs

    return {
        "order": found.order,
        "real": {"bleu": found.real.bleu, "self_bleu": found.real.self_bleu},
        "at_real": [vars(one) for one in found.at_real],
        "runs": scored_runs(found.scores, found.places),
        "published": [vars(one) for one in found.published],
        "files": [str(path) for path in paths],
        "notes": found.notes,
    }


def _show(found: "Frontier", preset: str, data: str, signatures: bool, form: Format) -> None:
    from gantext.evaluation.frontier_shown import point_rows, protocols, reading

    columns, rows = point_rows(found)
    heads = [*columns[:2], *map(label, columns[2:])]
    tables.show(Table(f"quality and diversity, preset {preset}", heads, rows, keys=2), form=form)
    title, columns, rows = reading(found)
    table = Table(title, list(map(label, columns)), rows)
    tables.show(tables.signed(table, protocols(found), data, signatures), form=form)
