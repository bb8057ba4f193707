"""gantext score."""

from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import completion, tables
from gantext.config.settings import Device
from gantext.errors import UserError


def register(app: typer.Typer) -> None:
    """Add the scoring command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext score latest sentences.txt\n\n"
        "  gantext score RUN sentences.txt.gz --out scores.tsv\n\n"
        "  gantext score RUN sentences.txt --phase discriminator --json"
    )(score)


def score(
    run: Annotated[
        str,
        typer.Argument(
            help="A run's folder or name, or latest.",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ],
    file: Annotated[
        Path, typer.Argument(help="Sentences, one a line; .gz is unpacked.", show_default=False)
    ],
    out: Annotated[Path | None, typer.Option(help="Write the table to a file.")] = None,
    phase: Annotated[
        str | None, typer.Option(help="The run as it was at the end of this phase.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    runs_dir: Annotated[Path, typer.Option(help="Where the runs are.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Score sentences: the generator's log-likelihood, the discriminator's probability of 'real'.

    A tab-separated table with a header: line, tokens and unknown (counts), log_prob and
    log_prob_per_token (nats, <eos> counted), real (where the model has a discriminator), text.
    """
    from gantext import api
    from gantext.files import write_atomic

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    if not file.exists():  # said before torch is loaded
        raise UserError(f"{file}: no such file")
    scores = found.score(file)
    for note in scores.notes:
        tables.err.print(note, style="dim", markup=False, soft_wrap=True)
    if out is not None:
        try:
            write_atomic(out, scores.to_tsv().encode())
        except OSError as error:
            raise UserError(f"cannot write {out}: {error.strerror}") from error
        tables.err.print(f"{len(scores.lines)} sentences scored by {found.path.name} in {out}")
    if json:
        tables.print_json(scores.to_json())
    elif out is None:
        print(scores.to_tsv(), end="")
