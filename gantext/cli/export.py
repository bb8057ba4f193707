"""gantext export."""

from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import tables
from gantext.cli.options import GivenRun, Json, Phase, RunsDir
from gantext.config.words import command
from gantext.training.terminal import tell


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext export latest to-share\n\n"
        "  gantext export RUN@mle to-share --force\n\n"
        "  gantext sample to-share"
    )(export)


def export(
    run: GivenRun,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new or an empty folder.", show_default=False)
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Replace an export that is there; other files stay.")
    ] = False,
    phase: Phase = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Write a run to a folder that can be shared: weights as safetensors, vocabulary, settings, and
    a model card with its scores and their signatures.

    The layout is that of the Hugging Face hub. `gantext.load_run(DIR)` and every command that takes
    a RUN read it, by the readers that take a stranger's run. It has no optimiser, so that it
    cannot be resumed; --from begins a new run with its weights.
    """
    from gantext import api
    from gantext.data.memory import size

    found = api.load_run(run, phase, runs_dir=runs_dir)
    made = found.export(folder, force)
    files = sorted(path for path in made.path.rglob("*") if path.is_file())
    total, facts = sum(path.stat().st_size for path in files), made.folder.info
    if json:
        names = [str(path.relative_to(made.path)) for path in files]
        document = {"path": str(made.path), "run": str(found), "step": facts["total"]}
        tables.print_json({**document, "bytes": total, "files": names})
        return
    of = f"{found.name}@{found.phase}" if found.phase else found.name
    text = f"{of} at step {facts['total']:,} in {folder}: {len(files)} files, {size(total)}"
    tell(tables.out, text)
    for value in _own_paths(made.settings.data):
        tables.hint(f"note: its config.yaml names {value}")
    tables.hint(f"next: {command('sample', folder)}  |  read {folder / 'README.md'}")


def _own_paths(data: object) -> list[str]:
    """The folders and files of this machine that a data's settings name."""
    values = [value for value in vars(data).values() if isinstance(value, str)]
    return [value for value in values if value.startswith("/")]
