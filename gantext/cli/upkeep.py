"""gantext runs rm, slim, rename, note, diff, du."""

import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gantext.cli import completion, tables
from gantext.cli.layout import Table
from gantext.cli.options import GivenRun, Json, RunsDir
from gantext.config.words import command
from gantext.data.memory import size
from gantext.errors import UserError
from gantext.runs import differences, listing, upkeep
from gantext.runs.folder import RunDir
from gantext.runs.note import note_of, set_note
from gantext.runs.sweep import is_planned
from gantext.training.terminal import tell

Removed = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Folders or names of runs or sweeps, or latest.",
        autocompletion=completion.runs_or_sweeps,
        show_default=False,
    ),
]
Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN...",
        help="Runs' folders or names, or latest.",
        autocompletion=completion.runs,
        show_default=False,
    ),
]
NAMED = 3  # runs of a hint
SomeRuns = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]...",
        help="Runs' folders or names (default: all).",
        autocompletion=completion.runs,
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to those of runs."""
    for function in (rm, slim, rename, note, diff, du):
        app.command()(function)


def rm(
    runs: Removed,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Remove runs and sweeps with all that lies in them; asks first. Never one that is running."""
    folders = list(dict.fromkeys(_folder(word, runs_dir) for word in runs))
    upkeep.check_free(folders)
    total = sum(sum(upkeep.sizes(folder).values()) for folder in folders)
    names = [RunDir(folder).name_in(runs_dir) for folder in folders]
    if not yes:
        _confirm(f"remove {', '.join(map(shlex.quote, names))} ({size(total)})?")
    for folder in folders:
        upkeep.remove(folder, runs_dir)
    if json:
        tables.print_json({"removed": names, "bytes": total})
        return
    for name in names:
        tables.out.print(f"removed {name}", markup=False, soft_wrap=True)


def slim(
    runs: Runs,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Keep only the weights of runs at the ends of their earlier phases; asks first.

    These are sampled and scored as before, and their stored scores hold. A run goes on from its
    newest checkpoint, which stays as it is.
    """
    found = _found(runs, runs_dir)
    upkeep.check_free(run.path for run in found)
    frees = {run.name_in(runs_dir): upkeep.slimmable(run) for run in found}
    if not yes and any(frees.values()):
        _confirm(f"slim {', '.join(map(shlex.quote, frees))} by {size(sum(frees.values()))}?")
    freed = {run.name_in(runs_dir): upkeep.slim(run) for run in found}
    if json:
        tables.print_json({"slimmed": list(freed), "bytes": sum(freed.values())})
        return
    for name, count in freed.items():
        tables.out.print(f"{name}: {size(count)} freed", markup=False, soft_wrap=True)


def rename(run: GivenRun, name: str, runs_dir: RunsDir = Path("runs"), json: Json = False) -> None:
    """Give a run's folder another name."""
    renamed = upkeep.rename(listing.find(run, runs_dir), name, runs_dir)
    if json:
        tables.print_json({"run": str(renamed.path)})
        return
    tables.out.print(f"run: {renamed.path}", markup=False, soft_wrap=True)


def note(
    run: GivenRun,
    text: Annotated[
        str | None,
        typer.Argument(help="What to note; '' removes the note; without it, it is printed."),
    ] = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """Note something of a run, which lists, runs show and the report then say."""
    found = listing.find(run, runs_dir)
    if text is not None:
        set_note(found, text)
    said = note_of(found)
    if json:
        tables.print_json({"run": str(found.path), "note": said})
        return
    told = said if text is None else f"noted of {found.path.name}"
    tell(tables.out, told)


def diff(runs: Runs, runs_dir: RunsDir = Path("runs"), json: Json = False) -> None:
    """The settings in which runs differ, and the data, versions and devices."""
    found = _found(runs, runs_dir)
    if len(found) < 2:
        raise UserError(f"to compare settings takes two runs: {command('runs', 'diff', 'A', 'B')}")
    settings, facts = differences.settings(found), differences.facts(found)
    names = [run.name_in(runs_dir) for run in found]
    if json:
        tables.print_json({"runs": names, "settings": settings, "facts": facts})
        return
    if not settings and not facts:
        tables.out.print("no difference", markup=False)
        return
    rows = [
        [key, *map(_shown, values)] for table in (settings, facts) for key, values in table.items()
    ]
    columns = ["setting", *names]
    tables.show(Table("where they differ", columns, rows, range(len(columns)), named=True))


def du(runs: SomeRuns = None, runs_dir: RunsDir = Path("runs"), json: Json = False) -> None:
    """What runs take on the disk, the largest last."""
    found = _found(runs, runs_dir) if runs else listing.list_runs(runs_dir)
    sizes = {run.name_in(runs_dir): upkeep.sizes(run.path) for run in found}
    sizes = dict(sorted(sizes.items(), key=lambda item: sum(item[1].values())))
    slims = {run.name_in(runs_dir): upkeep.slimmable(run) for run in found}
    if json:
        records = [
            {"run": name, "bytes": sum(parts.values()), "parts": parts, "slim": slims[name]}
            for name, parts in sizes.items()
        ]
        tables.print_json(records)
        return
    parts = [part for part in upkeep.PARTS if any(part in inner for inner in sizes.values())]
    rows = [_row_of(name, inner, parts) for name, inner in sizes.items()]
    together: Counter[str] = Counter()
    for parts_of_one in sizes.values():
        together.update(parts_of_one)
    rows.append(_row_of("together", together, parts))
    tables.show(Table(f"sizes in {runs_dir}", ["run", "all", *parts, "others"], rows))
    if any(slims.values()):
        named = [name for name, count in slims.items() if count]
        again = command("runs", "slim", *(named if len(named) <= NAMED else ["RUN..."]))
        tables.hint(f"{size(sum(slims.values()))} of it can go: {again}")


def _folder(word: str, runs_dir: Path) -> Path:
    """The folder of the run or the sweep that a word names. Raises UserError."""
    if not word:  # elsewhere the latest, which nobody who means it would remove by an empty word
        raise UserError("'' names no run")
    sweep = next((place for place in (Path(word), runs_dir / word) if is_planned(place)), None)
    return listing.find(word, runs_dir).path if sweep is None else sweep.resolve()


def _found(words: list[str], runs_dir: Path) -> list[RunDir]:
    """The runs that are named, each once."""
    found = [listing.find(word, runs_dir) for word in words]
    return list({run.path: run for run in found}.values())


def _row_of(name: str, sizes: Mapping[str, int], parts: Sequence[str]) -> list[str]:
    told = [sizes.get(part, 0) for part in parts]
    others = sum(sizes.values()) - sum(told)
    return [name, *map(size, (sum(sizes.values()), *told, others))]


def _shown(value: Any) -> str:
    return "-" if value is None else str(value)


def _confirm(question: str) -> None:
    """Go on where the answer is yes.

    Raises:
        UserError: nobody answers.
        typer.Abort: the answer is no.
    """
    unasked = "nobody answered; with --yes it is not asked"
    if sys.stdin is None:  # it is closed
        raise UserError(unasked)
    try:
        answered = typer.confirm(question, err=True)
    except typer.Abort as error:
        if sys.stdin.isatty() or not isinstance(error.__context__, EOFError):  # Ctrl-D, Ctrl-C
            raise
        typer.echo(err=True)  # ends the line of the question
        raise UserError(unasked) from error
    if not answered:
        raise typer.Abort
