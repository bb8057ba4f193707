"""gantext interpolate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import tables
from gantext.cli.layout import Table
from gantext.cli.options import (
    DecodedBeam,
    DecodedHow,
    DecodedSeed,
    DecodedTemperature,
    DeviceName,
    GivenRun,
    Json,
    Phase,
    RunsDir,
)
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.inference.options import How

if TYPE_CHECKING:
    from gantext.inference.interpolation import Path as Way


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n"
        '  gantext interpolate latest "a man rides a bike" "two dogs on a beach"\n\n'
        '  gantext interpolate RUN "a red ring ." "two gray stars ." --steps 11 --spherical\n\n'
        '  gantext interpolate RUN "a red ring ." "two gray stars ." --how beam --json'
    )(interpolate)


def interpolate(
    run: GivenRun,
    first: Annotated[str, typer.Argument(help="The first sentence.", show_default=False)],
    second: Annotated[str, typer.Argument(help="The second sentence.", show_default=False)],
    steps: Annotated[int, typer.Option(min=2, help="Points on the way, both ends counted.")] = 7,
    spherical: Annotated[
        bool, typer.Option("--spherical", help="Along the arc instead of the line.")
    ] = False,
    how: DecodedHow = How.greedy,
    beam: DecodedBeam = 5,
    temperature: DecodedTemperature = 1.0,
    seed: DecodedSeed = 0,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Write the sentences on the way between two through a VAE's latent space.

    z = (1 - t) z1 + t z2 of the posteriors' means. The table has log p(x|z), of the sentence given
    the z that it was decoded from, and the importance-weighted estimate of log p(x), both in nats;
    the given sentences are its first and last row. On data=scenes: whether each is grammatical.
    """
    from gantext import api

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    if not first.strip() or not second.strip():
        raise UserError("an empty text: give it words")
    way = found.interpolate(
        first,
        second,
        steps=steps,
        spherical=spherical,
        how=how,
        beam=beam,
        temperature=temperature,
        seed=seed,
    )
    for note in way.notes:
        tables.hint(note)
    if json:
        tables.print_json(way.to_json())
    else:
        _show(way, found.path.name)


def _show(way: "Way", name: str) -> None:
    known = way.steps[0].grammatical is not None
    columns = ["t", "sentence", "log p(x|z)", "log p(x)", *(["grammatical"] if known else [])]
    rows = [
        [
            "given" if step.t is None else f"{step.t:.2f}",
            step.text,
            f"{step.log_prob_given:.2f}",
            f"{step.log_prob:.2f}",
            *([("no", "yes")[bool(step.grammatical)]] if known else []),
        ]
        for step in way.steps
    ]
    k = way.signature.get("k")
    title = f"from one sentence to the other in {name}; nats, log p(x) importance-weighted, k={k}"
    tables.show(Table(title, columns, rows, range(2)))
