"""gantext sample."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gantext.cli import tables
from gantext.cli.options import DeviceName, Json, Phase, Run, RunsDir, SampleSeed, Temperature
from gantext.config.settings import Device
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.inference.drawing import PictureRequest
    from gantext.inference.sampling import SamplingRequest
    from gantext.runs.folder import RunDir
    from gantext.runs.kinds import Kind


SENTENCES = 10


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
        Path | None, typer.Option(help="Write to a file: one sentence a line, or a PNG grid.")
    ] = None,
    seed: SampleSeed = 0,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Write sentences of a trained model to stdout or a file, or pictures to a PNG grid."""
    if not 0 < top_p <= 1:
        raise UserError(f"--top-p {top_p}: a probability above 0 and at most 1 is needed")
    from gantext.inference.drawing import PictureRequest
    from gantext.inference.sampling import SamplingRequest
    from gantext.runs.folder import RunDir
    from gantext.runs.kinds import PICTURES, model_kind

    found = RunDir.find(run, runs_dir)
    kind = model_kind(found.settings.model.name)
    _check_options(found, kind, ctx)
    if kind is PICTURES:
        request = PictureRequest(n, tuple(caption or ()), columns, seed, phase)
        _pictures(found, request, out, device, json)
    else:
        heat = 0.0 if greedy else temperature
        _text(
            found,
            SamplingRequest(n or SENTENCES, heat, top_k, top_p, seed, phase),
            out,
            device,
            json,
        )


def _check_options(run: "RunDir", kind: "Kind[Any, Any]", ctx: typer.Context) -> None:
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


def _text(
    run: "RunDir", request: "SamplingRequest", out: Path | None, device: Device, json: bool
) -> None:
    from gantext.files import write_output
    from gantext.inference.sampling import sample_run

    lines, signature = sample_run(run, request, device)
    if out is not None:
        write_output(out, "".join(f"{line}\n" for line in lines).encode())
        tables.err.print(f"{len(lines)} sentences of {run.path.name} in {out}")
    if json:
        tables.print_json({"samples": lines, "signature": signature})
    elif out is None:
        print("\n".join(lines))


def _pictures(
    run: "RunDir", request: "PictureRequest", out: Path | None, device: Device, json: bool
) -> None:
    from gantext.cli import preview
    from gantext.files import write_output
    from gantext.inference.drawing import draw_run
    from gantext.plots.pictures import SCALE, grid_array, to_png_bytes

    if out is not None and out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: pictures are written as PNG; name a file that ends in .png")
    drawing = draw_run(run, request, device)
    for note in drawing.notes:
        tables.err.print(f"warning: {note}", style="yellow", markup=False, soft_wrap=True)
    path = out or run.pictures.grid(drawing.name)
    write_output(path, to_png_bytes(grid_array(drawing.pictures, drawing.columns, SCALE)))
    count = len(drawing.pictures)
    if json:
        document = {"path": str(path), "pictures": count, "signature": drawing.signature}
        tables.print_json(document)
    elif out is not None:
        tables.err.print(f"{count} pictures of {run.path.name} in {out}")
    else:
        preview.show(tables.out, grid_array(drawing.pictures, drawing.columns))
        print(path)
