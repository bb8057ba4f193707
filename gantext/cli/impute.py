"""gantext impute."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import completion, tables
from gantext.cli.layout import Table
from gantext.cli.options import DeviceName, Json, Phase, RunsDir
from gantext.config.settings import Device
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.inference.imputation import Completions


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n"
        '  gantext impute "a man riding a ___ on a ___"\n\n'
        '  gantext impute RUN "there is a ___ circle ___ ." --max-words 3 -n 10\n\n'
        '  gantext impute RUN "___ on the grass ." --beam 20 --json'
    )(impute)


def impute(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[RUN] TEXT",
            help="A run's folder or name (default: the latest); a sentence with ___ where words "
            "are missing.",
            autocompletion=completion.runs,
            show_default=False,
        ),
    ],
    n: Annotated[int, typer.Option("-n", min=1, help="How many completions.")] = 5,
    beam: Annotated[int, typer.Option(min=1, help="Hypotheses of the beam, n at least.")] = 5,
    rounds: Annotated[
        int, typer.Option(min=1, help="Of a VAE: searches, each with the z of the one before.")
    ] = 3,
    max_words: Annotated[int, typer.Option(min=1, help="Words that a blank may have.")] = 1,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Fill the blanks of a sentence by beam search; the likeliest sentences first.

    A language model's or GAN's generator searches once, its beam ranked by the given words after a
    blank too. A VAE starts from the z of the sentence with <unk> at its blanks and alternates: a
    search given z, then the z of the best sentence. The table has log p(sentence) in nats, of a
    VAE the importance-weighted estimate. On data=scenes: whether each is grammatical.
    """
    from gantext import api

    *named, text = words
    if len(named) > 1:
        raise UserError(f"impute takes a run and one sentence, not {len(words)} words: quote it")
    if "___" not in text:  # said before torch is loaded
        raise UserError(f"{text!r} has no blank: write ___ where words are missing")
    run = named[0] if named else None
    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    best = found.impute(text, n=n, beam=beam, rounds=rounds, max_words=max_words)
    for note in best.notes:
        tables.hint(note)
    if json:
        tables.print_json({"text": text, **best.to_json()})
    else:
        _show(best, found.path.name)


def _show(found: "Completions", name: str) -> None:
    known = found.best[0].grammatical is not None
    columns = ["sentence", "filled in", "log p(x)", *(["grammatical"] if known else [])]
    rows = [
        [
            one.text,
            " | ".join(" ".join(words) for words in one.words),
            f"{one.log_prob:.2f}",
            *([("no", "yes")[bool(one.grammatical)]] if known else []),
        ]
        for one in found.best
    ]
    k = found.signature.get("k")
    how = f", importance-weighted, k={k}" if k else ""
    title = f"completions by {name}; nats{how}"
    tables.show(Table(title, columns, rows, range(2), keys=0))
