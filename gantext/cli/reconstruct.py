"""gantext reconstruct."""

from pathlib import Path

import typer

from gantext.cli import tables
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
    SentenceFile,
    TableFile,
    check_out,
)
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.inference.options import How
from gantext.training.terminal import say, tell


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext reconstruct latest sentences.txt\n\n"
        "  gantext reconstruct RUN sentences.txt.gz --how beam --beam 10 --out back.tsv\n\n"
        "  gantext reconstruct RUN sentences.txt --how sample --temperature 0.7 --json"
    )(reconstruct)


def reconstruct(
    run: GivenRun,
    file: SentenceFile,
    how: DecodedHow = How.greedy,
    beam: DecodedBeam = 5,
    temperature: DecodedTemperature = 1.0,
    seed: DecodedSeed = 0,
    out: TableFile = None,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Encode sentences and decode them again: what a VAE keeps of them.

    z is the posterior's mean. A tab-separated table with a header: line, words, unknown (words
    read as <unk>), edits (words inserted, deleted or substituted), text, reconstruction. On stderr:
    the share that came back exactly, the word error rate, BLEU-4 against the originals (0 to 100).
    """
    from gantext import api
    from gantext.files import write_output

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    check_out(out, json)
    if not file.exists():  # said before torch is loaded
        raise UserError(f"{file}: no such file")
    back = found.reconstruct(file, how=how, beam=beam, temperature=temperature, seed=seed)
    for note in back.notes:
        tables.hint(note)
    if out is not None:
        write_output(out, back.to_tsv().encode())
        tables.hint(
            f"{len(back.lines)} sentences of {file.name} through {found.path.name} in {out}"
        )
    if json:
        tables.print_json(back.to_json())
    elif out is None:
        say(back.to_tsv(), end="")
    _say(back.summary)


def _say(summary: dict[str, float]) -> None:
    tell(
        tables.err,
        f"exact {summary['exact']:.1%}, word error rate {summary['word_error_rate']:.1%}, "
        f"BLEU-4 {summary['bleu-4']:.1f} against the originals",
    )
