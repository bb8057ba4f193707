"""gantext classify."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gantext.cli import layout, tables
from gantext.cli.options import DeviceName, GivenRun, Json, Phase, RunsDir, TableFile, check_out
from gantext.config.settings import Device
from gantext.errors import UserError
from gantext.training.terminal import say, tell

if TYPE_CHECKING:
    from gantext.inference.classification import Classified

Given = Annotated[
    Path | None,
    typer.Argument(
        help="Sentences, one a line (.gz is unpacked; - is stdin); a PNG or JPEG file or a folder "
        "of them, or an IDX file (default: the test split of the run's data).",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the classifying command."""
    app.command(
        epilog="[bold]Examples[/bold]\n\n  gantext classify latest\n\n"
        "  gantext classify RUN sentences.txt --out classes.tsv\n\n"
        "  gantext classify RUN pictures/ --json"
    )(classify)


def classify(
    run: GivenRun,
    file: Given = None,
    out: TableFile = None,
    phase: Phase = None,
    device: DeviceName = Device.auto,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Say of which class of its data a run takes sentences or pictures to be.

    A tab-separated table with a header: where each stands, its likeliest class, how probable that
    is, text. Without FILE how many of the test split's classes it tells right; --out and --json
    have each of them as well.
    """
    from gantext import api
    from gantext.files import STDIN, write_output

    found = api.load_run(run, phase, runs_dir=runs_dir, device=device)
    check_out(out, json)
    if file not in (None, STDIN) and not file.exists():  # said before torch is loaded
        raise UserError(f"{file}: no such file")
    told = found.classify(file)
    for note in told.notes:
        tell(tables.err, note, "dim")
    if out is not None:
        write_output(out, told.to_tsv().encode())
        tables.hint(f"{len(told.places)} rows classified by {found.path.name} in {out}")
    if json:
        tables.print_json(told.to_json())
    elif told.labels is not None:
        tables.show(accuracy_table(found.path.name, told))
    elif out is None:
        say(told.to_tsv(), end="")


def accuracy_table(run: str, told: "Classified") -> layout.Table:
    """How many of a test split's classes were told right, all and of each class."""
    found = told.accuracy
    rows = [
        [one.name, str(one.count), str(one.right), one.mistaken or "-"] for one in found.by_class
    ]
    right = sum(one.right for one in found.by_class)
    error = "" if found.error is None else f" ± {found.error:.3f}"
    return layout.Table(
        f"classes told by {run}: {found.value:.3f}{error} right",
        ["class", "test", "right", "else mostly"],
        [*rows, ["all", str(len(told.places)), str(right), ""]],
        texts=(0, 3),
        below=[
            f"± is the standard error over the test split; always saying {found.largest}, its "
            f"largest class, is right {found.majority:.3f}"
        ],
    )
