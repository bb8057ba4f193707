"""gantext runs replay-to."""

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import completion, tables
from gantext.cli.options import Json, RunsDir
from gantext.runs import listing
from gantext.training.terminal import tell


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext runs replay-to wandb RUN\n\n"
        "  MLFLOW_TRACKING_URI=http://localhost:5000 gantext runs replay-to mlflow"
    )(replay_to)


def replay_to(
    tracker: Annotated[
        str, typer.Argument(help="wandb, trackio, mlflow or tensorboard.", show_default=False)
    ],
    run: Annotated[
        str | None,
        typer.Argument(help="A run's folder or name.", autocompletion=completion.runs),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Tell a tracker of a run as it is stored: its metrics, looks at samples and final scores.

    Told again, it takes what is new; the run's folder keeps under which id the tracker knows it.
    """
    from gantext.training.trackers.retelling import retell

    found = listing.find(run, runs_dir)
    retold = retell(tracker, found)
    if json:
        tables.print_json({"run": str(found.path), **dataclasses.asdict(retold)})
        return
    told = f"{tracker} was told of {retold.steps:,} steps and {retold.scores} scores"
    where = f": {retold.place}" if retold.place else ""
    tell(tables.out, f"{told} of {found.path.name}{where}")
