"""gantext latent."""

from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import tables
from gantext.cli.options import DeviceName, Json, Phase, PngFile, Run, RunsDir, check_png
from gantext.config.settings import Device
from gantext.inference.options import Colouring, Projection


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext latent\n\n"
        "  gantext latent RUN --by shape --out shapes.png\n\n"
        "  gantext latent RUN --method tsne -n 3000 --json"
    )(latent)


def latent(
    run: Run = None,
    by: Annotated[
        Colouring, typer.Option(help="What the colours show; shape and colour on data=scenes.")
    ] = Colouring.length,
    method: Annotated[Projection, typer.Option(help="tsne needs scikit-learn.")] = Projection.pca,
    n: Annotated[int, typer.Option("-n", min=3, help="How many test sentences.")] = 1000,
    seed: Annotated[int, typer.Option(help="Seed of the choice and of t-SNE.")] = 0,
    phase: Phase = None,
    out: PngFile = Path("latent.png"),
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Draw a VAE's latent space: test sentences' posterior means in a plane, as a PNG.

    The plane is that of the first two principal components (or t-SNE's), the colour a property of
    the sentence: its number of words or, on data=scenes, the first shape or colour that it names.
    """
    from gantext import api

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    check_png(out, json)
    from gantext.plots.latent import latent_figure
    from gantext.plots.output import to_png

    plane = found.latent(by=by, method=method, n=n, seed=seed)
    to_png(latent_figure(plane.plot), out)
    if json:
        tables.print_json({**plane.to_json(), "file": str(out)})
    tables.hint(f"{len(plane.texts)} latent vectors of {found.path.name} in {out}")
