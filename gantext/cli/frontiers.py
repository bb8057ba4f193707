"""gantext eval frontier."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import evaluation, tables
from gantext.errors import UserError
from gantext.settings import Device

if TYPE_CHECKING:
    from gantext.evaluation import Asked
    from gantext.frontier import Frontier

Seeds = Annotated[str, typer.Option(help="Seeds of the samples, with commas between.")]
Order = Annotated[int, typer.Option(min=2, max=5, help="N of the plot and of the reading.")]
TEMPERATURES = "0.5,0.6,0.7,0.8,0.9,1.0,1.1,1.2"
EXAMPLES = """[bold]Examples[/bold]

  gantext eval frontier

  gantext eval frontier RUN RUN --temperatures 0.6,0.8,1.0 --seeds 0,1,2

  gantext eval frontier RUN --samples published.txt --out figures"""


def register() -> None:
    """Add the command to `gantext eval`."""
    evaluation.app.command(epilog=EXAMPLES)(frontier)


def numbers(text: str, option: str) -> list[float]:
    """Numbers of an option, with commas between. Raises UserError."""
    try:
        found = [float(word) for word in text.split(",") if word.strip()]
    except ValueError:
        found = []
    if not found or not all(0 <= value < 1e9 for value in found):
        raise UserError(f"{option} {text}: numbers with commas between are needed, e.g. 0.8,1.0")
    return found


def asked_for(
    words: list[str] | None,
    samples: list[Path] | None,
    preset: str,
    n: int | None,
    seed: int,
    device: Device,
    runs_dir: Path,
) -> "Asked":
    """What is scored at temperature 1 unless the command says otherwise."""
    from gantext.evaluation import Asked

    files = tuple(samples or ())
    return Asked(
        tuple(words or ()), files, None, preset, n, 1.0, seed, None, None, device, runs_dir
    )


def frontier(
    words: evaluation.Words = None,
    temperatures: Annotated[
        str, typer.Option(help="Temperatures, with commas between.")
    ] = TEMPERATURES,
    seeds: Seeds = "0",
    order: Order = 4,
    samples: evaluation.Samples = None,
    preset: evaluation.PresetName = "texygen",
    n: evaluation.Count = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of frontier.csv and frontier.png (default: the run's plots)."),
    ] = None,
    device: evaluation.DeviceName = Device.auto,
    runs_dir: evaluation.RunsDir = Path("runs"),
    json: evaluation.Json = False,
) -> None:
    """Quality against diversity over temperatures: table, CSV and PNG.

    Each run's curve stands beside its own MLE generator's, the real text and published points;
    BLEU-N is read where Self-BLEU-N is the real text's.
    """
    from gantext import frontier_files
    from gantext.frontier import frontier as measure

    heats = numbers(temperatures, "--temperatures")
    draws = [int(seed) for seed in numbers(seeds, "--seeds")]
    asked = asked_for(words, samples, preset, n, 0, device, runs_dir)
    with tables.working() as say:
        found = measure(asked, heats, draws, order, say)
        folder = out or (asked.models()[0].run.plots if asked.runs else Path())
        paths = frontier_files.save(found, folder)
    if json:
        tables.print_json(_document(found, paths))
        return
    _show(found, preset)
    tables.hint("written: " + ", ".join(str(path) for path in paths))


def _document(found: "Frontier", paths: list[Path]) -> dict[str, object]:
    return {
        "order": found.order,
        "real": {"bleu": found.real.bleu, "self_bleu": found.real.self_bleu},
        "at_real": [vars(one) for one in found.at_real],
        "scores": [score.to_json() for own in found.scores.values() for score in own],
        "published": [vars(one) for one in found.published],
        "files": [str(path) for path in paths],
    }


def _show(found: "Frontier", preset: str) -> None:
    from gantext.frontier_files import protocols, reading, rows
    from gantext.metrics.signatures import signature_lines

    columns, body = rows(found)
    tables.table(f"quality and diversity, preset {preset}", columns, body)
    tables.table(*reading(found))
    for line in signature_lines(protocols(found)):
        tables.out.print(f"  {line}", style="dim", soft_wrap=True, markup=False)
