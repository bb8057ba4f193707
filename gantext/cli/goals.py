"""gantext goals."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import tables
from gantext.cli.layout import Table
from gantext.cli.options import (
    DeviceName,
    Json,
    Phase,
    PngFile,
    Run,
    RunsDir,
    SampleSeed,
    Temperature,
    check_png,
)
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.files import is_stdout

if TYPE_CHECKING:
    from gantext.inference.goals import Goals


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext goals\n\n"
        '  gantext goals RUN --text "a man rides a bike" --text "a red bus on a street"\n\n'
        "  gantext goals RUN -n 4 --seed 1 --phase pretraining --out before.png"
    )(goals)


def goals(
    run: Run = None,
    text: Annotated[
        list[str] | None,
        typer.Option(help="A sentence of your own instead of samples (repeatable)."),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many samples (up to 6).")] = 3,
    seed: SampleSeed = 0,
    temperature: Temperature = 1.0,
    phase: Phase = None,
    out: PngFile = Path("goals.png"),
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Look at a LeakGAN's goals: their projection and the leaked features' path over the words.

    Writes a PNG: a panel for each sentence with the features' path in the plane of their first two
    principal components and the goals as arrows, and one with the goals alone. The table has the
    mean cosine of a goal and the move of the features over the words that the goal is for.
    """
    from gantext import api

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    _check(text or [], n, out, json)
    from gantext.plots.goals import goals_figure
    from gantext.plots.output import to_png

    drawn = found.goals(text or [], n=n, temperature=temperature, seed=seed)
    for note in drawn.notes:
        tables.hint(note)
    to_png(goals_figure(drawn.plot), out)
    if json:
        tables.print_json({**drawn.to_json(), "file": str(out)})
    elif not is_stdout(out):
        _show(drawn, found.path.name)
    tables.hint(f"goals of {found.path.name} in {out}")


def _check(texts: list[str], n: int, out: Path, json: bool) -> None:
    """What can be refused before torch is loaded."""
    from gantext.plots.goals import MOST

    if not all(text.strip() for text in texts):
        raise UserError("--text is empty: give it words")
    if (len(texts) or n) > MOST:
        raise UserError(f"{len(texts) or n} sentences: at most {MOST} can be told apart")
    check_png(out, json)


def _show(drawn: "Goals", name: str) -> None:
    rows = [
        [path.text, str(len(path.words)), f"{path.mean_cosine:.3f}"] for path in drawn.plot.paths
    ]
    title = f"goals of {name}, cosine with the features' move {drawn.goal_steps} words later"
    columns = ["sentence", "words (with <eos>)", "mean cosine"]
    tables.show(Table(title, columns, rows, keys=0))
