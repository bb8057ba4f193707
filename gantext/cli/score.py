"""gantext score."""

from pathlib import Path

import typer

from gantext.cli import tables
from gantext.cli.options import (
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
from gantext.training.terminal import say, tell


def register(app: typer.Typer) -> None:
    """Add the scoring command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext score latest sentences.txt\n\n"
        "  gantext score RUN sentences.txt.gz --out scores.tsv\n\n"
        "  gantext score RUN sentences.txt --phase discriminator --json\n\n"
        "  gantext sample -n 100 | gantext score latest -"
    )(score)


def score(
    run: GivenRun,
    file: SentenceFile,
    out: TableFile = None,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Score sentences: the generator's log-likelihood, the discriminator's probability of 'real'.

    A tab-separated table with a header: line, tokens and unknown (counts), log_prob and
    log_prob_per_token (nats, <eos> counted), real (where the model has a discriminator), text.
    """
    from gantext import api
    from gantext.files import STDIN, write_output

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    check_out(out, json)
    if file != STDIN and not file.exists():  # said before torch is loaded
        raise UserError(f"{file}: no such file")
    scores = found.score(file)
    for note in scores.notes:
        tell(tables.err, note, "dim")
    if out is not None:
        write_output(out, scores.to_tsv().encode())
        tables.hint(f"{len(scores.lines)} sentences scored by {found.path.name} in {out}")
    if json:
        tables.print_json(scores.to_json())
    elif out is None:
        say(scores.to_tsv(), end="")
