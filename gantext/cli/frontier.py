"""gantext eval frontier."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import eval, tables
from gantext.cli.formats import Format
from gantext.cli.grid import label
from gantext.cli.layout import Table
from gantext.cli.options import (
    TEMPERATURES,
    At,
    ConfigDir,
    Count,
    DeviceName,
    ForceJudge,
    FormatName,
    Json,
    JudgeName,
    KeptOf,
    Order,
    Plane,
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
from gantext.metrics.text.planes import PlaneName
from gantext.training.waiting import waiting

if TYPE_CHECKING:
    from gantext.evaluation.frontier import Frontier
    from gantext.evaluation.request import Asked


EXAMPLES = """[bold]Examples[/bold]

  gantext eval frontier

  gantext eval frontier RUN RUN --temperatures 0.6,0.8,1.0 --seeds 0,1,2

  gantext eval frontier RUN --plane oracle --at 8.4

  gantext eval frontier RUN --candidates 8

  gantext eval frontier RUN --samples published.txt --out figures"""


def register() -> None:
    """Add the command to `gantext eval`."""
    eval.app.command(epilog=EXAMPLES)(frontier)


def frontier(
    words: Words = None,
    plane: Plane = None,
    temperatures: Annotated[
        str, typer.Option(help="Temperatures, with commas between.")
    ] = TEMPERATURES,
    seeds: Seeds = None,
    order: Order = None,
    at: At = None,
    samples: Samples = None,
    preset: PresetName = "texygen",
    n: Count = None,
    candidates: KeptOf = 1,
    judge: JudgeName = None,
    force: ForceJudge = False,
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

    Each run's curve stands beside its own MLE generator's, the real text and published points. It
    is read where another is as diverse (--plane bleu: BLEU-N at the real text's Self-BLEU-N;
    oracle: nll-oracle at an nll-test) or as good (lm: reverse-lm at the real text's lm-score).
    With --candidates 8 the curve of those that a judge keeps stands beside the run's own.
    """
    from gantext.evaluation.frontier import frontier as measure
    from gantext.evaluation.frontier_shown import files, to_csv
    from gantext.evaluation.planes import chosen_plane
    from gantext.inference.judges.choice import candidates_of

    form = form_of(format, json)
    heats = numbers(temperatures, "--temperatures")
    asked = asked_for(words, samples, preset, n, None, device, runs_dir, config_dir)
    kept = candidates_of(candidates, judge, force, runs_dir)
    asked = dataclasses.replace(asked, candidates=kept)
    draws = seeds_of(seeds, asked)
    with waiting(tables.err, "reading runs and data") as say:
        chosen = chosen_plane(asked, plane, order, heats)
        found = measure(asked, chosen, heats, draws, say, at)
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

    plane = found.plane
    return {
        "plane": {"name": plane.name, "x": plane.x.score, "y": plane.y.score},
        "real": found.real.values,
        "readings": {
            "score": plane.reads.score,
            "where": plane.where.score,
            "at": found.place.at,
            "curves": [vars(one) for one in found.readings],
        },
        "runs": scored_runs(found.scores, found.places),
        "published": [vars(one) for one in found.published],
        "files": [str(path) for path in paths],
        "notes": found.notes,
    }


def _show(found: "Frontier", preset: str, data: str, signatures: bool, form: Format) -> None:
    from gantext.evaluation.frontier_shown import point_rows, protocols, published_rows, reading

    by = f", preset {preset}" if found.plane.name is PlaneName.bleu else ""
    seen = f"quality and diversity on the plane {found.plane.name.value}{by}"
    tables.show(_points(seen, *point_rows(found)), form=form)
    if found.published:
        tables.show(_points("what papers report", *published_rows(found)), form=form)
    title, columns, rows = reading(found)
    table = Table(title, list(map(label, columns)), rows)
    tables.show(tables.signed(table, protocols(found), data, signatures), form=form)


def _points(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    """A table whose rows are points, each known by its curve and its temperature."""
    return Table(title, [*columns[:2], *map(label, columns[2:])], rows, keys=2)
