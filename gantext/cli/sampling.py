"""gantext sample."""

from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import completion, tables
from gantext.errors import UserError
from gantext.settings import Device


def register(app: typer.Typer) -> None:
    """Add the sampling command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext sample -n 20\n\n"
        "  gantext sample latest --temperature 0.7 --out samples.txt\n\n"
        "  gantext sample RUN --phase mle --top-p 0.9 --json"
    )(sample)


def sample(
    run: Annotated[
        str | None,
        typer.Argument(help="A run's folder or name.", autocompletion=completion.runs),
    ] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="How many sentences.")] = 10,
    temperature: Annotated[float, typer.Option(min=0.0, help="1 is the model's own.")] = 1.0,
    top_k: Annotated[int, typer.Option(min=0, help="Keep the k likeliest words (0: all).")] = 0,
    top_p: Annotated[float, typer.Option(help="Nucleus: keep this much probability.")] = 1.0,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always the likeliest word.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write to a file, one sentence a line.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the samples.")] = 0,
    phase: Annotated[
        str | None, typer.Option(help="Sample the model as it was at the end of this phase.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    runs_dir: Annotated[Path, typer.Option(help="Where the runs are.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Write sentences of a trained model to stdout or a file."""
    if not 0 < top_p <= 1:
        raise UserError(f"--top-p {top_p}: a probability above 0 and at most 1 is needed")
    from gantext.atomic import write_atomic
    from gantext.run import RunDir
    from gantext.sample import SamplingRequest, sample_run

    request = SamplingRequest(n, 0.0 if greedy else temperature, top_k, top_p, seed, phase)
    found = RunDir.find(run, runs_dir)
    lines, signature = sample_run(found, request, device)
    if out is not None:
        try:
            write_atomic(out, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            raise UserError(f"cannot write {out}: {error.strerror}") from error
        tables.err.print(f"{len(lines)} sentences of {found.path.name} in {out}")
    if json:
        tables.print_json({"samples": lines, "signature": signature})
    elif out is None:
        print("\n".join(lines))
