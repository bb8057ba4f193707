"""gantext runs list."""

import dataclasses
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from gantext.cli import tables
from gantext.cli.formats import Format
from gantext.cli.grid import label
from gantext.cli.layout import Table, least_widths, side_by_side
from gantext.cli.options import FormatName, Json, RunsDir, form_of
from gantext.cli.runs import GOES_ON
from gantext.config.words import command
from gantext.errors import UserError, nearest
from gantext.evaluation import measures
from gantext.evaluation.spreadsheet import csv_text
from gantext.metrics.score import Score, shown
from gantext.runs.folder import RunDir
from gantext.runs.kinds import KINDS
from gantext.runs.overview import LAST, Overview, overviews
from gantext.runs.summary import clock, not_adversarial

STATUSES = ("running", "killed", "damaged", "newer", "unknown", *LAST)
FACTS = ("run", "created", "model", "data", "seed", "status", "phase")
MORE = ("steps", "time", "note")  # which are shown where there is something to show, or asked for
TEXTS = frozenset({"run", "created", "model", "data", "status", "phase", "note"})
# What a narrow terminal shows first; the other scores come last.
TELLING = (
    *("run", "status", "nll-test", "grammatical", "bleu-4", "frechet", "retrieval-1"),
    *("note", "phase", "model", "seed", "data", "created"),
)
EXAMPLES = """[bold]Examples[/bold]

  gantext runs list --model mle --status finished -n 10

  gantext runs list --sort -bleu-4 --columns status,bleu-4,self-bleu-4

  gantext runs list --format csv > runs.csv"""

Runs = Mapping[str, Overview]


def _sorts(incomplete: str) -> list[str]:
    """Completions of --sort: the columns that every list has, and each turned around."""
    names = (*FACTS, *MORE, *measures.summary())
    found = [f"{sign}{name}" for sign in ("", "-") for name in names]
    return [one for one in found if one.startswith(incomplete)]


def register(app: typer.Typer) -> None:
    """Add the command to those of runs."""
    app.command("list", epilog=EXAMPLES)(list_command)


def list_command(
    model: Annotated[str | None, typer.Option(help="Only runs of this model.")] = None,
    data: Annotated[str | None, typer.Option(help="Only runs on this data.")] = None,
    status: Annotated[
        str | None, typer.Option(help="Only these: finished, running, stopped, failed, ...")
    ] = None,
    sort: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="In the order of a column; -COLUMN turns it around.",
            autocompletion=_sorts,
        ),
    ] = "-created",
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="These instead: any score too, and steps, time, note."),
    ] = None,
    n: Annotated[int | None, typer.Option("-n", min=1, help="No more than so many.")] = None,
    runs_dir: RunsDir = Path("runs"),
    format: FormatName = Format.table,
    json: Json = False,
) -> None:
    """All runs, the jobs of sweeps too, with their last scores: the newest first.

    Runs of text and of pictures stand in tables of their own. A terminal shows the columns that it
    has room for, the most telling first; --columns chooses others.
    """
    form = form_of(format, json)
    known = overviews(runs_dir)
    kept = {"model": model, "data": data, "status": status}
    scores = dict.fromkeys(score for overview in known.values() for score in overview["scores"])
    chosen = _columns(columns, scores)
    runs = _sorted(_filtered(known, kept), sort, scores)
    runs = dict(list(runs.items())[:n])
    if form is Format.json:
        tables.print_json([_record(name, runs_dir, overview) for name, overview in runs.items()])
    elif form is Format.csv:
        tables.print_csv(_csv(runs, chosen))
    elif not runs:
        which = " ".join(f"--{option} {value}" for option, value in kept.items() if value)
        tables.err.print(f"no runs in {runs_dir}{' with ' * bool(which) + which or ' yet'}")
    else:
        _show(runs, chosen, runs_dir, form)
        if len(runs) < len(known):
            tables.hint(f"{len(runs):,} of {len(known):,} runs in {runs_dir}")
        _say_next(next(iter(runs.items())), runs_dir)


def _columns(asked: str | None, scores: Collection[str]) -> list[str] | None:
    """The columns that a user asks for, the name of the run first; None where nobody does."""
    if asked is None:
        return None
    names = [name for name in map(str.strip, asked.split(",")) if name]
    for name in names:
        _check_column("--columns", name, scores)
    return list(dict.fromkeys(["run", *names]))


def _check_column(option: str, name: str, scores: Collection[str]) -> None:
    known = dict.fromkeys((*FACTS, *MORE, *scores, *measures.summary()))
    if name not in known:
        raise UserError(f"{option} {name}: no such column{nearest(name, known)}")


def _filtered(runs: Runs, kept: Mapping[str, str | None]) -> dict[str, Overview]:
    """The runs that are as asked for. Raises UserError for what no run can be."""
    from gantext.config import groups

    for fact, value in kept.items():
        if value is not None:
            there = {_fact(overview, fact) for overview in runs.values()}
            usual = STATUSES if fact == "status" else groups.names(fact)
            known = sorted(there.union(usual) - {"-"})
            if value not in known:
                raise UserError(f"--{fact} {value}: no such {fact}{nearest(value, known)}")
    wanted = {fact: value for fact, value in kept.items() if value is not None}
    return {
        name: overview
        for name, overview in runs.items()
        if all(_fact(overview, fact) == value for fact, value in wanted.items())
    }


def _sorted(runs: dict[str, Overview], sort: str, scores: Collection[str]) -> dict[str, Overview]:
    """The runs in the order of a column; those without a value last. Raises UserError."""
    column, turned = sort.removeprefix("-"), sort.startswith("-")
    _check_column("--sort", column, scores)
    if column == "created":  # as they come, which tells more than the seconds of a text
        return dict(reversed(runs.items())) if turned else runs
    keys = {name: _key(name, overview, column) for name, overview in runs.items()}
    there = [name for name, key in keys.items() if key is not None]
    there.sort(key=lambda name: keys[name], reverse=turned)
    return {name: runs[name] for name in (*there, *(n for n in runs if keys[n] is None))}


def _key(name: str, overview: Overview, column: str) -> Any:
    """By what a run is sorted: a number or a text; None where it has none."""
    raw = {"steps": "total", "time": "seconds"}.get(column, column)
    if raw in ("total", "seconds", "seed"):
        return overview.get(raw)
    if column in (*FACTS, *MORE):
        return None if (text := CELLS[column](name, overview)) == "-" else text
    value = overview["scores"].get(column)
    return None if value is None or value == "nan" else float(value)


def _fact(overview: Overview, fact: str) -> str:
    value = str(overview.get(fact, "-"))
    return value.partition(":")[0].partition(" ")[0] if fact == "status" else value


def _time(overview: Overview) -> str:
    return clock(overview["seconds"]) if "seconds" in overview else "-"


# What stands in a column for a run of this name.
CELLS: Mapping[str, Callable[[str, Overview], str]] = {
    "run": lambda name, _: name,
    "created": lambda _, overview: overview.get("created", "-")[:16],  # without the seconds
    "status": lambda _, overview: _fact(overview, "status"),
    "steps": lambda _, overview: str(overview.get("total", "-")),
    "time": lambda _, overview: _time(overview),
    "note": lambda _, overview: overview.get("note", "").partition("\n")[0],
    "model": lambda _, overview: overview.get("model", "-"),
    "data": lambda _, overview: overview.get("data", "-"),
    "seed": lambda _, overview: str(overview.get("seed", "-")),
    "phase": lambda _, overview: overview.get("phase", "-"),
}


def _column(runs: Runs, column: str) -> list[str]:
    """What stands in a column for each run; by columns, since there may be thousands of runs."""
    if column in CELLS:
        return [CELLS[column](name, overview) for name, overview in runs.items()]
    values = (overview["scores"].get(column) for overview in runs.values())
    return ["-" if value is None else shown(float(value)) for value in values]


def _show(runs: Runs, chosen: Sequence[str] | None, runs_dir: Path, form: Format) -> None:
    """A table of the runs of each kind that there are some of."""
    kinds: dict[str, dict[str, Overview]] = {kind.makes: {} for kind in KINDS}
    for run, overview in runs.items():
        # Of a damaged one it is not known.
        kinds.get(overview.get("makes", ""), kinds[KINDS[0].makes])[run] = overview
    several = all(kinds.values())
    for makes, own in kinds.items():
        if own:
            title = f"runs in {runs_dir}" + f": {makes}" * several
            table = _table(title, own, chosen or _usual(own))
            if form is Format.table and chosen is None:
                table = _roomy(table, tables.out.width)
            tables.show(table, form=form)


def _usual(runs: Runs) -> list[str]:
    """The columns of some runs that nobody chose."""
    present = {score for overview in runs.values() for score in overview["scores"]}
    noted = any("note" in overview for overview in runs.values())
    return [*FACTS, *measures.shown(present), *(["note"] if noted else [])]


def _table(title: str, runs: Runs, columns: Sequence[str]) -> Table:
    """Runs by columns; why one cannot be read stands below."""
    return Table(
        title,
        [name if name in (*FACTS, *MORE) else label(name) for name in columns],
        list(zip(*(_column(runs, column) for column in columns), strict=True)),
        texts=[i for i, name in enumerate(columns) if name in TEXTS],
        cautions=[f"{run}: {why}" for run, one in runs.items() for why in _cautions(one)],
    )


def _cautions(overview: Overview) -> list[str]:
    """Why a run cannot be read; that its adversarial phase was none."""
    unread = overview["status"] if " " in overview["status"] else None
    return [why for why in (unread, not_adversarial(overview.get("policy_on"))) if why]


def _roomy(table: Table, room: int) -> Table:
    """The columns of a table for which there is room, the most telling first."""
    widths = least_widths(table)
    names = [head.partition(" ")[0] for head in table.columns]
    kept: list[int] = []
    for name in sorted(names, key=_place):
        tried = sorted([*kept, names.index(name)])
        if side_by_side(widths[i] for i in tried) <= room or len(kept) < 2:
            kept = tried
    left = [name for i, name in enumerate(names) if i not in kept]
    said = [f"no room for {', '.join(left)} (--columns chooses)"] if left else []
    return dataclasses.replace(
        table,
        columns=[table.columns[i] for i in kept],
        rows=[[row[i] for i in kept] for row in table.rows] if left else table.rows,
        texts=[place for place, i in enumerate(kept) if i in table.texts],
        below=[*table.below, *said],
    )


def _place(name: str) -> int:
    return TELLING.index(name) if name in TELLING else len(TELLING)


def _csv(runs: Runs, chosen: Sequence[str] | None) -> str:
    """A row a run, with all digits."""
    present = dict.fromkeys(score for one in runs.values() for score in one["scores"])
    columns = list(chosen or (*FACTS, *MORE, *present))
    rows = [[_whole(name, one, column) for column in columns] for name, one in runs.items()]
    return csv_text([columns, *rows])


def _whole(name: str, overview: Overview, column: str) -> object:
    """What a column says of a run, with all digits; "" where it says nothing."""
    if column in (*FACTS, *MORE):
        text = CELLS[column](name, overview)
        return "" if text == "-" else text
    return overview["scores"].get(column, "")


def _record(name: str, runs_dir: Path, overview: Overview) -> dict[str, Any]:
    """One run in JSON."""
    from gantext.evaluation.document import scored_run

    facts = ("model", "data", "seed", "makes", "phase", "created")
    run = RunDir(runs_dir / name)
    stored = (run.result or {}).get("scores", []) if overview["scores"] else []
    return {
        **scored_run(name, run.path, map(Score.from_json, stored)),
        "status": overview["status"],
        "time": clock(overview["seconds"]) if "seconds" in overview else None,
        "steps": overview.get("total"),
        **{fact: overview.get(fact) for fact in facts},
        "note": overview.get("note", ""),
    }


def _say_next(newest: tuple[str, Overview], runs_dir: Path) -> None:
    """What to do with the first run of a table."""
    name, status = newest[0], newest[1]["status"]
    if option := {**dict.fromkeys(GOES_ON, "--resume"), "diverged": "--replay"}.get(status):
        tables.hint(f"next: {command('train', option, runs_dir / name)}")
    elif not status.startswith("damaged"):
        # A name is enough where the runs lie in the folder that every command looks into.
        words = [name, *([] if runs_dir == Path("runs") else ["--runs-dir", str(runs_dir)])]
        sample = command("sample", *words, "-n", "20")
        tables.hint(f"next: {command('runs', 'show', *words)}  |  {sample}")
