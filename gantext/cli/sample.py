"""gantext sample."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import tables
from gantext.cli.options import (
    ConfigDir,
    DeviceName,
    Json,
    Phase,
    Run,
    RunsDir,
    SampleSeed,
    Temperature,
    check_out,
    check_png,
)
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.training.terminal import say

if TYPE_CHECKING:
    from gantext import api
    from gantext.inference.drawing import PictureRequest
    from gantext.inference.request import SamplingRequest
    from gantext.runs.kinds import Kind


def register(app: typer.Typer) -> None:
    """Add the sampling command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext sample -n 20\n\n"
        "  gantext sample latest --temperature 0.7 --out samples.txt\n\n"
        "  gantext sample RUN --phase mle --top-p 0.9 --json\n\n"
        "  gantext sample RUN -n 25 --out grid.png\n\n"
        '  gantext sample RUN --caption "two red circles above a blue square ."'
    )(sample)


def sample(
    ctx: typer.Context,
    run: Run = None,
    n: Annotated[
        int | None,
        typer.Option("-n", min=1, help="How many (default: 10 sentences or 25 pictures)."),
    ] = None,
    temperature: Temperature = 1.0,
    top_k: Annotated[int, typer.Option(min=0, help="Keep the k likeliest words (0: all).")] = 0,
    top_p: Annotated[float, typer.Option(help="Nucleus: keep this much probability.")] = 1.0,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always the likeliest word.")] = False,
    caption: Annotated[
        list[str] | None,
        typer.Option(help="Draw n pictures of this caption; may be repeated (8 of each)."),
    ] = None,
    columns: Annotated[int | None, typer.Option(min=1, help="Pictures in a row.")] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write to a file: one sentence a line, or a PNG grid; - is stdout."),
    ] = None,
    seed: SampleSeed = 0,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    config_dir: ConfigDir = None,
    json: Json = False,
) -> None:
    """Write sentences of a trained model to stdout or a file, or pictures to a PNG grid.

    A run has all of its config in its own folder: --config-dir is taken as by other commands, and
    changes nothing.
    """
    if config_dir is not None and not config_dir.is_dir():
        raise UserError(f"config folder not found: {config_dir}")
    if not 0 < top_p <= 1:
        raise UserError(f"--top-p {top_p}: a probability above 0 and at most 1 is needed")
    from gantext import api
    from gantext.api.run import SENTENCES
    from gantext.inference.request import SamplingRequest
    from gantext.runs.kinds import PICTURES, model_kind

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    kind = model_kind(found.settings.model.name)
    check_out(out, json)
    _check_options(found, kind, ctx)
    if kind is PICTURES:
        from gantext.inference.drawing import PictureRequest

        drawn = PictureRequest(n, tuple(caption or ()), columns, seed, found.phase)
        _pictures(found, drawn, out, json)
    else:
        heat = 0.0 if greedy else temperature
        written = SamplingRequest(n or SENTENCES, heat, top_k, top_p, seed, found.phase)
        _text(found, written, out, json)


def _check_options(run: "api.Run", kind: "Kind[Any, Any]", ctx: typer.Context) -> None:
    """Raise UserError for options of what the run's model does not make."""
    from gantext.runs.kinds import KINDS

    makers = {option: one for one in KINDS if one is not kind for option in one.options}
    wrong = [name for name in ctx.params if name in makers and _is_given(ctx, name)]
    if wrong:
        option, other = "--" + wrong[0].replace("_", "-"), makers[wrong[0]].makes
        who = f"{run.path.name} is a run of model={run.settings.model.name}"
        raise UserError(f"{option} is for models of {other}: {who}, which makes {kind.makes}")


def _is_given(ctx: typer.Context, name: str) -> bool:
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _text(run: "api.Run", request: "SamplingRequest", out: Path | None, json: bool) -> None:
    from gantext.files import write_output
    from gantext.inference.sampling import draw_parts

    if json:
        lines = run.write(request)
        parts: Iterable[Sequence[str]] = (lines,)
    else:  # as many as are wanted, which may be more than memory holds
        parts = (part for part, _ in draw_parts(run.trained, request))
    if out is not None:
        write_output(out, ("".join(f"{line}\n" for line in part).encode() for part in parts))
        tables.hint(f"{request.n} sentences of {run.path.name} in {out}")
    if json:
        tables.print_json({"samples": lines, "signature": lines.signature})
    elif out is None:
        for part in parts:
            say("\n".join(part))


def _pictures(run: "api.Run", request: "PictureRequest", out: Path | None, json: bool) -> None:
    from gantext.cli import preview
    from gantext.files import attempt, write_output
    from gantext.plots.pictures import grid_array, grid_png

    if out is not None:
        check_png(out, json)
    drawing = run.draw(request)
    for note in drawing.notes:
        tables.err.print(f"warning: {note}", style="yellow", markup=False, soft_wrap=True)
    png = grid_png(drawing.pictures, drawing.columns)
    if out is not None:
        write_output(out, png)
    with attempt(f"write into {run.path}"):
        path = out or run.folder.pictures.save_grid(drawing.name, png)
    count = len(drawing.pictures)
    if json:
        document = {"path": str(path), "pictures": count, "signature": drawing.signature}
        tables.print_json(document)
    elif out is not None:
        tables.hint(f"{count} pictures of {run.path.name} in {out}")
    else:
        preview.show(tables.out, grid_array(drawing.pictures, drawing.columns))
        say(str(path))
