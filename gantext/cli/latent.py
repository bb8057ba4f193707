"""gantext latent."""

from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import completion, tables
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.inference.options import Colouring, Projection


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext latent\n\n"
        "  gantext latent RUN --by shape --out shapes.png\n\n"
        "  gantext latent RUN --method tsne -n 3000 --json"
    )(latent)


def latent(
    run: Annotated[
        str | None,
        typer.Argument(help="A run's folder or name.", autocompletion=completion.runs),
    ] = None,
    by: Annotated[
        Colouring, typer.Option(help="What the colours show; shape and colour on data=scenes.")
    ] = Colouring.length,
    method: Annotated[Projection, typer.Option(help="tsne needs scikit-learn.")] = Projection.pca,
    n: Annotated[int, typer.Option("-n", min=3, help="How many test sentences.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the choice and of t-SNE.")] = 0,
    phase: Annotated[
        str | None, typer.Option(help="The run as it was at the end of this phase.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The PNG file.")] = Path("latent.png"),
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    runs_dir: Annotated[Path, typer.Option(help="Where the runs are.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Draw a VAE's latent space: test sentences' posterior means in a plane, as a PNG.

    The plane is that of the first two principal components (or t-SNE's), the colour a property of
    the sentence: its number of words or, on data=scenes, the first shape or colour that it names.
    """
    from gantext import api
    from gantext.cli.options import check_png

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    check_png(out)
    from gantext.plots.latent import latent_figure
    from gantext.plots.output import to_png

    plane = found.latent(by=by, method=method, n=n, seed=seed)
    try:
        to_png(latent_figure(plane.plot), out)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from error
    if json:
        tables.print_json({**plane.to_json(), "file": str(out)})
    tables.hint(f"{len(plane.texts)} latent vectors of {found.path.name} in {out}")
