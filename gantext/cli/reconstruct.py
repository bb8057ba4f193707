"""gantext reconstruct."""

from pathlib import Path
from typing import Annotated

import typer

from gantext.cli import completion, tables
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.inference.options import How


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext reconstruct latest sentences.txt\n\n"
        "  gantext reconstruct RUN sentences.txt.gz --how beam --beam 10 --out back.tsv\n\n"
        "  gantext reconstruct RUN sentences.txt --how sample --temperature 0.7 --json"
    )(reconstruct)


def reconstruct(
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
    how: Annotated[How, typer.Option(help="How sentences are decoded.")] = How.greedy,
    beam: Annotated[int, typer.Option(min=1, help="Hypotheses of --how beam.")] = 5,
    temperature: Annotated[float, typer.Option(min=0.0, help="Of --how sample.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Seed of --how sample.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the table to a file.")] = None,
    phase: Annotated[
        str | None, typer.Option(help="The run as it was at the end of this phase.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to compute.")] = Device.auto,
    runs_dir: Annotated[Path, typer.Option(help="Where the runs are.")] = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Encode sentences and decode them again: what a VAE keeps of them.

    z is the posterior's mean. A tab-separated table with a header: line, words, unknown (words
    read as <unk>), edits (words inserted, deleted or substituted), text, reconstruction. On stderr:
    the share that came back exactly, the word error rate, BLEU-4 against the originals (0 to 100).
    """
    from gantext import api
    from gantext.files import write_atomic

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    if not file.exists():  # said before torch is loaded
        raise UserError(f"{file}: no such file")
    back = found.reconstruct(file, how=how, beam=beam, temperature=temperature, seed=seed)
    for note in back.notes:
        tables.hint(note)
    if out is not None:
        try:
            write_atomic(out, back.to_tsv().encode())
        except OSError as error:
            raise UserError(f"cannot write {out}: {error.strerror}") from error
        tables.hint(
            f"{len(back.lines)} sentences of {file.name} through {found.path.name} in {out}"
        )
    if json:
        tables.print_json(back.to_json())
    elif out is None:
        print(back.to_tsv(), end="")
    _say(back.summary)


def _say(summary: dict[str, float]) -> None:
    tables.err.print(
        f"exact {summary['exact']:.1%}, word error rate {summary['word_error_rate']:.1%}, "
        f"BLEU-4 {summary['bleu-4']:.1f} against the originals",
        soft_wrap=True,
    )
