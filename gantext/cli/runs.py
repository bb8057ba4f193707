"""gantext runs list, show."""

import shlex
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any

import typer

from gantext.cli import tables
from gantext.cli.options import Json, RunAtPhase, RunsDir
from gantext.config.words import command
from gantext.evaluation import measures
from gantext.metrics.score import shown
from gantext.runs import listing
from gantext.runs.folder import RunDir
from gantext.runs.note import note_of
from gantext.runs.overview import Overview, overviews
from gantext.runs.stored_checkpoint import BEST
from gantext.runs.summary import clock, failure, phase_scores

# A run of these is gone on with first of all.
GOES_ON = ("stopped", "killed", "failed")
FIRST = ("status", "note", "phase", "total", "seconds", "created", "command", "overrides", "device")

app = typer.Typer(help="Look at runs.", no_args_is_help=True, rich_markup_mode="rich")


@app.command("list")
def list_command(runs_dir: RunsDir = Path("runs"), json: Json = False) -> None:
    """All runs, the jobs of sweeps too, with their last scores."""
    runs = overviews(runs_dir)
    if json:
        tables.print_json([_record(name, overview) for name, overview in runs.items()])
        return
    if not runs:
        tables.err.print(f"no runs in {runs_dir} yet")
        return
    names = short_names({name for overview in runs.values() for name in overview["scores"]})
    columns = ["run", "status", "phase", "steps", "time", *names]
    rows = [_row(name, overview, names) for name, overview in runs.items()]
    if any("note" in overview for overview in runs.values()):
        columns.append("note")
        rows = [
            [*row, overview.get("note", "").partition("\n")[0]]
            for row, overview in zip(rows, runs.values(), strict=True)
        ]
    tables.table(f"runs in {runs_dir}", columns, rows, text_columns=3)
    last, status = rows[-1][:2]
    if option := {**dict.fromkeys(GOES_ON, "--resume"), "diverged": "--replay"}.get(status):
        tables.hint(f"next: {command('train', option, runs_dir / last)}")
        return
    if status.startswith("damaged"):
        return
    # A name is enough where the runs lie in the folder that every command looks into.
    name = [last, *([] if runs_dir == Path("runs") else ["--runs-dir", str(runs_dir)])]
    steps = f"{command('runs', 'show', *name)}  |  {command('sample', *name, '-n', '20')}"
    tables.hint(f"next: {steps}")


def short_names(present: Container[str]) -> list[str]:
    """The scores that a table of runs shows, of those that some run has."""
    return [name for name in measures.summary() if name in present]


def next_steps(run: RunDir, name: str) -> str:
    """What to do with a run that has ended."""
    kind = run.kind
    sample = command("sample", name, "-n", str(kind.shown))
    return f"{sample}  |  {command('eval', kind.scored, name)}"


def _time(overview: Overview) -> str | None:
    return clock(overview["seconds"]) if "seconds" in overview else None


def _row(name: str, overview: Overview, scores: Sequence[str]) -> list[str]:
    """One run in a table, with these of its scores."""
    steps = overview.get("total")
    facts = (name, overview["status"], overview.get("phase"), steps, _time(overview))
    values = map(overview["scores"].get, scores)
    return [
        *(str(fact or "-") for fact in facts),
        *(shown(None if value is None else float(value)) for value in values),
    ]


def _record(name: str, overview: Overview) -> dict[str, Any]:
    """One run in JSON."""
    return {
        "run": name,
        "scores": {score: float(value) for score, value in overview["scores"].items()},
        "status": overview["status"],
        "time": _time(overview),
        "phase": overview.get("phase"),
        "steps": overview.get("total"),
        "created": overview.get("created"),
        "note": overview.get("note", ""),
    }


@app.command()
def show(
    run: RunAtPhase = None,
    runs_dir: RunsDir = Path("runs"),
    json: Json = False,
) -> None:
    """One run: its state, settings, scores and warnings; or as it was at the end of a phase."""
    found, phase = listing.find_at(run, runs_dir)
    scores = phase_scores(found)
    config = found.config_text
    info = found.info
    facts: dict[str, Any] = {**info, "status": found.status, "note": note_of(found)}
    if phase is not None:
        facts |= _at_end_of(found, phase)
        scores = {name: scores[name] for name in _phases_until(found, phase) if name in scores}
    if json:
        if error := found.divergence or failure(found):
            facts["error"] = error
        records = {phase: [s.to_json() for s in values] for phase, values in scores.items()}
        tables.print_json({"run": str(found.path), **facts, "config": config, "scores": records})
        return
    name = f"{found.path}@{phase}" if phase else str(found.path)
    _say_failure(found)
    tables.table(name, ["", ""], _rows_of(facts), text_columns=2)
    tables.out.print(config, style="cyan", markup=False, soft_wrap=True)
    if scores:
        tables.score_table("scores after each phase", scores)
    _say_warnings(found)
    if found.divergence:
        tables.out.print(f"it {found.divergence}", style="red", markup=False, soft_wrap=True)
        _say_bad_step(found)
    if found.status in GOES_ON and phase is None:
        tables.hint(f"next: {command('train', '--resume', found.path)}")
    elif found.last_checkpoint():
        tables.hint(f"next: {next_steps(found, name)}")


def _rows_of(facts: dict[str, Any]) -> list[list[str]]:
    """What is known of a run, where it is first; the words of its command are the overrides."""
    words = shlex.join(facts.get("overrides", []))
    command = facts.get("command", "").removesuffix(words).rstrip()
    told = {**dict.fromkeys(FIRST), **facts, "command": command, "overrides": words}
    told |= _improvement(facts)
    told["origin"] = _origin(facts.get("origin"))
    told["extensions"] = "; ".join(map(_extended, facts.get("extensions", [])))
    return [[name, str(fact)] for name, fact in told.items() if fact not in (None, "")]


def _origin(origin: dict[str, Any] | None) -> str | None:
    """Whose weights a run began with, in words."""
    if origin is None:
        return None
    words = "; {kept:,} words kept, {added:,} added, {gone:,} gone" if "kept" in origin else ""
    return ("{run} at step {step:,}" + words).format(**origin)


def _extended(entry: dict[str, Any]) -> str:
    """What a run went on with in place of what, in words."""
    changes = (f"{key} {was} -> {entry['now'][key]}" for key, was in entry["was"].items())
    return f"at step {entry['total']:,} {', '.join(changes)}"


def _improvement(facts: dict[str, Any]) -> dict[str, str | None]:
    """Where a run was best, and which phases ended early, in words."""
    best, ends = facts.get("best"), facts.get("early_ends", {})
    where = "{metric} {value:.4g} at step {step:,} of {phase}"
    early = "{phase} at step {step:,} ({metric} {best:.4g} at step {best_step:,})"
    return {
        "best": best and where.format(**best),
        "early_ends": ", ".join(early.format(phase=phase, **end) for phase, end in ends.items()),
    }


def _at_end_of(run: RunDir, phase: str) -> dict[str, Any]:
    """What run.json would have said at the end of a phase, or in the best state.

    Raises UserError for another phase.
    """
    best = run.info.get("best")
    if phase == BEST and best:
        return {"phase": best["phase"], "total": best["total"]}
    steps = run.phase_steps()
    if phase not in steps:
        raise run.no_checkpoint(phase)
    return {"phase": phase, "total": steps[phase]}


def _phases_until(run: RunDir, phase: str) -> list[str]:
    last = _at_end_of(run, phase)["total"]
    return [name for name, step in run.phase_steps().items() if step <= last]


def _say_failure(run: RunDir) -> None:
    """Why a run failed, where its traceback is, and how to go on."""
    why = failure(run)
    if why is None:
        return
    tables.out.print(f"it failed: {why}", style="red", markup=False, soft_wrap=True)
    for line in (f"log: {run.log}", f"go on with: {command('train', '--resume', run.path)}"):
        tables.out.print(line, markup=False, soft_wrap=True)


def _say_warnings(run: RunDir) -> None:
    for warning in (run.result or {}).get("warnings", []):
        tables.out.print(f"warning: {warning}", style="yellow", markup=False, soft_wrap=True)


def _say_bad_step(run: RunDir) -> None:
    """Where the batch of the step lies that a diverged run broke at, and what looks into it."""
    if run.bad_step.is_dir():
        text = f"the batch of that step is in {run.bad_step}"
        tables.out.print(text, style="red", markup=False, soft_wrap=True)
        tables.hint(f"how it broke: {command('train', '--replay', run.path)}")
