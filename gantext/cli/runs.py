"""gantext runs show; the group of commands of runs."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gantext.cli import tables
from gantext.cli.formats import Format
from gantext.cli.layout import Table
from gantext.cli.options import FormatName, Json, RunAtPhase, RunsDir, Signatures, form_of
from gantext.config.words import command
from gantext.runs import listing
from gantext.runs.brief import named
from gantext.runs.folder import RunDir
from gantext.runs.note import note_of
from gantext.runs.stored_checkpoint import BEST
from gantext.runs.summary import clock, failure, paced, phase_scores
from gantext.training.terminal import tell

if TYPE_CHECKING:
    from gantext.metrics.score import Score

# A run of these is gone on with first of all.
GOES_ON = ("stopped", "killed", "failed")
FIRST = ("status", "note", "phase", "total", "time", "created", "command", "overrides", "device")

app = typer.Typer(help="Look at runs.", no_args_is_help=True, rich_markup_mode="rich")


def show_scores(
    title: str,
    scores: Mapping[str, "Sequence[Score]"],
    run: RunDir,
    signatures: bool = False,
    form: Format = Format.table,
) -> None:
    """The scores of a run's phases."""
    data = named(run, run.info).get("data", "")
    tables.score_table(title, scores, of="phase", data=data, signatures=signatures, form=form)


def next_steps(run: RunDir, name: str) -> str:
    """What to do with a run that has ended."""
    kind = run.kind
    sample = command("sample", name, "-n", str(kind.shown))
    return f"{sample}  |  {command('eval', kind.scored, name)}"


def register() -> None:
    """Add the command to those of runs."""
    app.command()(show)


def show(
    run: RunAtPhase = None,
    runs_dir: RunsDir = Path("runs"),
    signatures: Signatures = False,
    format: FormatName = Format.table,
    json: Json = False,
) -> None:
    """One run: its state, settings, scores and warnings; or as it was at the end of a phase."""
    form = form_of(format, json)
    found, phase = listing.find_at(run, runs_dir)
    scores = phase_scores(found)
    config = found.config_text
    info = found.info
    facts: dict[str, Any] = {**info, "status": found.status, "note": note_of(found)}
    if phase is not None:
        facts |= _at_end_of(found, phase)
        scores = {name: scores[name] for name in _phases_until(found, phase) if name in scores}
    if form is Format.json:
        if error := found.divergence or failure(found):
            facts["error"] = error
        tables.print_json(_shown_run(found, phase, facts, config, scores))
        return
    if form is Format.csv:
        from gantext.evaluation.table import to_csv  # late: it loads numpy

        tables.print_csv(to_csv(scores, "phase"))
        return
    name = f"{found.path}@{phase}" if phase else str(found.path)
    _say_failure(found)
    tables.show(Table(name, ["", ""], _rows_of(facts), range(2)), form=form)
    if form is Format.table:
        tables.out.print(config, style="cyan", markup=False, soft_wrap=True)
    if scores:
        show_scores("scores after each phase", scores, found, signatures, form)
    if form is not Format.table:
        return
    _say_warnings(found)
    if found.divergence:
        tell(tables.out, f"it {found.divergence}", "red")
        _say_bad_step(found)
    if found.status in GOES_ON and phase is None:
        tables.hint(f"next: {command('train', '--resume', found.path)}")
    elif found.last_checkpoint():
        tables.hint(f"next: {next_steps(found, name)}")


def _shown_run(
    run: RunDir,
    phase: str | None,
    facts: dict[str, Any],
    config: str,
    scores: "Mapping[str, Sequence[Score]]",
) -> dict[str, Any]:
    """A run in JSON: its last scores, and those of each phase as RUN@PHASE has them."""
    from gantext.evaluation.document import scored_run

    name = run.path.name
    last = list(scores.values())[-1] if scores else []
    phases = [scored_run(f"{name}@{end}", run.path, own) for end, own in scores.items()]
    whole = scored_run(f"{name}@{phase}" if phase else name, run.path, last)
    return {**facts, "config": config, **whole, "phases": phases}


def _rows_of(facts: dict[str, Any]) -> list[list[str]]:
    """What is known of a run, where it is first; the words of its command are the overrides."""
    words = shlex.join(facts.get("overrides", []))
    command = facts.get("command", "").removesuffix(words).rstrip()
    told = {**dict.fromkeys(FIRST), **facts, "command": command, "overrides": words}
    told |= _improvement(facts)
    told["rates"] = ", ".join(f"{phase} {paced(r)}" for phase, r in facts.get("rates", {}).items())
    told |= {"time": clock(facts["seconds"]) if "seconds" in facts else None, "seconds": None}
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
    tell(tables.out, f"it failed: {why}", "red")
    for line in (f"log: {run.log}", f"go on with: {command('train', '--resume', run.path)}"):
        tables.out.print(line, markup=False, soft_wrap=True)


def _say_warnings(run: RunDir) -> None:
    for warning in (run.result or {}).get("warnings", []):
        tell(tables.out, f"warning: {warning}", "yellow")


def _say_bad_step(run: RunDir) -> None:
    """Where the batch of the step lies that a diverged run broke at, and what looks into it."""
    if run.bad_step.is_dir():
        tell(tables.out, f"the batch of that step is in {run.bad_step}", "red")
        tables.hint(f"how it broke: {command('train', '--replay', run.path)}")
