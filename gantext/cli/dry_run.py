"""--dry-run of the commands of training: what they would do, checked and printed, not done."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gantext.cli import sweeps, tables
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from gantext.training.terminal import say


def of_run(words: Sequence[str], config_dir: Path | None, json: bool) -> None:
    """A new run: what it says of itself, as comments, and its config."""
    from gantext.config import schema
    from gantext.training.dry_run import intent_of

    found = intent_of(words, config_dir)
    if json:
        tables.print_json(found.to_json())
        return
    _tell([f"# {line}" for line in found.lines])
    say(schema.to_yaml(found.settings), end="")


def of_sweep(words: list[str], config_dir: Path | None, how: sweeps.How, json: bool) -> None:
    """A new sweep: its jobs by their numbers, with their overrides."""
    from gantext.training.dry_run import sweep_intent

    how.at_once()
    found = sweep_intent(words, config_dir)
    jobs = found.jobs
    if json:
        numbered = [
            {"job": str(number), "overrides": own, **intent.to_json()}
            for number, (own, intent) in enumerate(jobs or ())
        ]
        document = {"sweep": str(found.folder), "jobs": None if jobs is None else numbered}
        tables.print_json(document)
        return
    if jobs is None:
        _tell([f"sweep: {found.folder}", "its sweeper makes up the jobs as it goes"])
        return
    _tell([f"sweep: {found.folder}, {len(jobs)} jobs"])
    _tell([f"{number}  {' '.join(own)}" for number, (own, _) in enumerate(jobs)])


def of_run_on(run: RunDir, words: Sequence[str], threads: int | None, json: bool) -> None:
    """A run that goes on: whether it can, with what in place of its settings, and from where.

    Raises:
        UserError: it cannot go on with these settings.
    """
    from gantext.training import extension
    from gantext.training.preparation import check, device_of

    change = extension.changed(run, words)
    check(change.settings)
    finished, end = run.status == "finished" and not change.lengths, run.last_checkpoint()
    found: dict[str, Any] = {
        "run": str(run.path),
        "status": run.status,
        "from_step": None if finished else run.stored_checkpoint().step if end else 0,
        "device": str(device_of(change.settings)),
        "threads": threads or run.info.get("threads", change.settings.threads),
    }
    if change.now:
        found["now"] = change.now
    _show(found, json)


def _show(found: dict[str, Any], json: bool) -> None:
    if json:
        tables.print_json(found)
        return
    _tell([f"{key}: {_shown(value)}" for key, value in found.items()])


def of_sweep_on(sweep: SweepDir, json: bool) -> None:
    """A sweep that goes on: which jobs have not ended. Raises UserError where it cannot."""
    from gantext.training import sweeps as training

    notes = training.resumable(sweep)
    jobs = sweep.jobs()
    left = [job.name for job in jobs if job.can_go_on and not job.is_over]
    _show({"sweep": str(sweep.path), "jobs": len(jobs), "left": left, "notes": notes}, json)


def of_study(study: str, words: list[str], config_dir: Path | None, json: bool) -> None:
    """A search: where it lies, how many trials, and what each of them draws."""
    from gantext.config.search import search_of
    from gantext.training.study import optuna
    from gantext.training.trials import checked

    optuna()  # which says how it is installed
    search = search_of(words, config_dir)
    folder, _, falls = checked(study, search, config_dir)
    space = {word.partition("=")[0]: word.partition("=")[2] for word in search.words}
    space = {key: value for key, value in space.items() if key in search.space}
    found = {
        "study": str(folder.path),
        "trials": search.trials,
        "fixed": list(search.fixed),
        "searched": space,
        "objective": "the lower the better" if falls else "the higher the better",
    }
    _show(found, json)


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={one}" for key, one in value.items())
    return " ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


def _tell(lines: Sequence[str]) -> None:
    for line in lines:
        say(line)
