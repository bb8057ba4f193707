"""One training job from settings to result: begun, or gone on with."""

import contextlib
import dataclasses
import math
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from gantext import models
from gantext.config import groups, schema
from gantext.config.settings import Settings
from gantext.errors import UserError, note_log
from gantext.files import FULL
from gantext.models.contract import Noted, Phase
from gantext.nn import ranks
from gantext.nn.text import held_out
from gantext.runs import crash, listing
from gantext.runs.folder import RESULT, RunDir
from gantext.runs.stored_checkpoint import is_export
from gantext.runs.trained import began_on
from gantext.training import curve, extension, probe, trackers
from gantext.training.console import Audience, Reporter, stderr
from gantext.training.divergence import Diverged
from gantext.training.introduction import introduction
from gantext.training.needs import without_memory
from gantext.training.phases import chosen_phases
from gantext.training.preparation import (
    Job,
    facts,
    prepare,
    settled,
    take_pretrained,
    vocabulary_of,
)
from gantext.training.processes import resume_command
from gantext.training.stop import Interrupted, Mode, Stopped, StopRequest, stop_request
from gantext.training.threads import UNKNOWN, notes_on, threads_of
from gantext.training.timetable import Timetable
from gantext.training.waiting import waiting


def origin_of(overrides: list[str], config_dir: Path | None) -> dict[str, Any]:
    """What the user asked for, in the words of which `adversarial-train --from` asks again."""
    own = groups.own_folder(config_dir)
    return {
        "overrides": overrides,
        "config_dir": str(own.resolve()) if own else None,
    }


def start(
    settings: Settings,
    folder: Path,
    origin: dict[str, Any],
    audience: Audience | None = None,
    mark: bool = True,
) -> float | None:
    """Begin a new run in `folder`; returns the value of its objective.

    Bad input leaves nothing behind: the data is read and the model built before the run is made.

    Args:
        settings: of the run.
        folder: that it comes to lie in.
        origin: what the user asked for.
        audience: who hears of it; None: who reads stderr.
        mark: it becomes the latest run in its `runs_dir`.
    """
    run, audience = RunDir(folder), audience or stderr()
    if run.config.exists():
        raise run.taken
    with stop_request() as stop, _written(run), run.lock(), threads_of(settings.threads):
        job = prepare(settled(settings), audience.console)
        taken = take_pretrained(job)
        timetable = _timetable(job, audience)
        ranks.meet()
        info = {**facts(job), **taken.facts, **origin}
        captions = getattr(job.data.train, "captions", ())
        with stop.doing(Mode.wait):
            config = schema.to_yaml(job.settings)
            run = RunDir.create(folder, config, vocabulary_of(job), info, captions)
            if mark:
                listing.mark_latest(run, Path(settings.runs_dir))
            return _train(job, run, audience, None, stop, timetable, taken.notes)


def resume(
    run: RunDir,
    audience: Audience | None = None,
    force: bool = False,
    threads: int | None = None,
    words: Sequence[str] = (),
) -> float | None:
    """Go on with a run from its newest whole checkpoint, exactly as if it had not stopped.

    Args:
        run: the run.
        audience: who hears of it; None: who reads stderr.
        force: even if it seems to need more memory than there is.
        threads: None for as many as it had.
        words: settings in place of its own, as `extension` allows them.

    Raises:
        UserError: its data has changed, its folder cannot be written to, or it cannot go on with
            these settings.
    """
    change, audience = extension.changed(run, words), audience or stderr()
    settings, console = change.settings, audience.console
    settings = dataclasses.replace(settings, force=settings.force or force)
    before = run.info.get("threads", UNKNOWN) or settings.threads
    wanted = threads or before
    with stop_request() as stop, _written(run), run.lock(), threads_of(wanted) as used:
        if run.info.get("status") == "finished" and not change.lengths:
            console.print(f"{run.path.name} has finished already", highlight=False, markup=False)
            return None
        if is_export(run.path):
            raise UserError(
                f"{run.path} is an export, weights alone: a new run begins with them by --from"
            )
        trackers.check_ids(run)
        run.remove_leftovers()
        run.upgrade()
        job = prepare(settings, console)
        if not began_on(run, job.data):
            raise UserError(f"the data has changed since {run.path.name} began")
        state = _newest_state(run, console)
        extension.check_steps(change, _phases_before(run, job), job.phases, state)
        if state is None:
            take_pretrained(job)
        ranks.meet()
        run.update(threads=used)
        if change.now:
            run = extension.store(change, state["total"] if state else 0)
        timetable = _timetable(job, audience, run.info.get("rates"))
        notes = notes_on(used, before)
        with stop.doing(Mode.wait):
            return _train(job, run, audience, state or {}, stop, timetable, notes)


def _phases_before(run: RunDir, job: Job) -> Sequence[Phase]:
    """The phases that the run has by its own settings, of a model without memory for weights."""
    if job.settings.model == run.settings.model:
        return job.phases
    return chosen_phases(without_memory(run.settings, job.data)[0], run.settings)


@contextlib.contextmanager
def _written(run: RunDir) -> Iterator[None]:
    """Say in one line that a run's folder cannot be written to, and why.

    Raises:
        UserError: for an OSError of the block that says so.
    """
    try:
        yield
    except OSError as error:
        inside = str(error.filename or "").startswith(str(run.path))
        if error.errno not in FULL and (not inside or isinstance(error, FileNotFoundError)):
            raise
        why = f"cannot write to {run.path}: {error.strerror}"
        if error.errno in FULL and run.config.exists():
            why += f"; make room, then: {resume_command(run.path)}"
        raise UserError(why) from error


def _newest_state(run: RunDir, console: Console) -> dict[str, Any] | None:
    state, damaged = run.load_checkpoint()
    used = "the one before it is used" if state else "none is left; starting again"
    for line in damaged:
        console.print(f"warning: {line}; {used}", style="yellow", highlight=False, markup=False)
    return state


def _timetable(
    job: Job, audience: Audience, measured: Mapping[str, float] | None = None
) -> Timetable:
    """What is known of how long the phases take; they are probed where somebody hears of it."""
    measured = {name: rate for name, rate in (measured or {}).items() if 0 < rate < math.inf}
    unknown = any(phase.name not in measured for phase in job.phases)
    probed: dict[str, float] = {}
    if unknown and (audience.follow is not None or not audience.console.quiet):
        with waiting(audience.console, "estimating the time that it takes", plain=False):
            probed = probe.rates(job)
    return Timetable(job.phases, measured, probed)


def _of_the_model(job: Job) -> Sequence[str]:
    return job.algorithm.notes() if isinstance(job.algorithm, Noted) else ()


def _train(
    job: Job,
    run: RunDir,
    audience: Audience,
    state: dict[str, Any] | None,
    stop: StopRequest,
    timetable: Timetable,
    notes: Sequence[str] = (),
) -> float | None:
    """Train; `state` is where a resumed run goes on, empty when it must begin again.

    A signal waits for the end of a step, which is saved then.
    """
    from gantext.training.inspection import inspector
    from gantext.training.loop import Trainer

    looks = inspector(job.settings, run, job.data, job.algorithm, job.device)
    run.files.remove(run.path / RESULT)  # of an end that was none
    metrics = models.progress_metrics(job.settings.model.name)
    looked_at = (*held_out.SHOWN, *curve.NAMES, *looks.measured)
    with Reporter(audience, run.log, metrics, timetable, looked_at) as say:
        for line in introduction(job, run.path, timetable):
            say.say(line, "dim")
        for note in (*notes, *_of_the_model(job)):
            say.note(note)
        trainer = Trainer(job, run, looks, say)
        if state:
            trainer.load_state(state)
            say.say(f"going on with {run.path.name} at step {trainer.total}", "dim")
        elif state is not None:
            run.cut_metrics(0)
        try:
            scores = trainer.train(stop)
        except Stopped:
            stop.settled = True
            run.update(status="stopped", total=trainer.total)
            raise
        except Interrupted as error:
            stop.settled = True
            run.update(status="stopped")
            raise Stopped(error.number, resume_command(run.path), saved=False) from error
        except ranks.Lost as error:
            run.update(status="stopped")
            raise ranks.Lost(f"{error}; go on with: {resume_command(run.path)}") from error
        except Diverged as error:
            _note_divergence(error, run, trainer, say)
            raise
        except Exception as error:
            _note_failure(error, run, trainer, say)
            raise
        wanted = job.settings.objective or looks.objective
        records = [score.to_json() for score in scores]
        _end(run, trainer, "finished", scores=records, objective=wanted)
        objective = objective_of(run)
        if objective is None and (scores or job.settings.objective):
            say.warn(f"objective={wanted} is none of the last phase's scores")
    return objective


def objective_of(run: RunDir) -> float | None:
    """The value of a finished run's objective; None where that is none of its last scores."""
    result = run.result or {}
    wanted = result.get("objective")
    scores = (score for score in result.get("scores", []) if score["name"] == wanted)
    return next((float(score["value"]) for score in scores), None)


def _end(run: RunDir, trainer: Any, status: str, **result: Any) -> None:
    """Store the result, and how far the run came."""
    overrides, warnings = run.info.get("overrides", []), trainer.watch.warnings
    run.save_result({"status": status, "overrides": overrides, **result, "warnings": warnings})
    run.update(status=status, total=trainer.total, seconds=round(trainer.seconds, 1))


def _note_divergence(error: Diverged, run: RunDir, trainer: Any, say: Reporter) -> None:
    """Keep what happened in the run, and a traceback in its log where a step failed for it."""
    say.write_log(traceback.format_exc() if error.__cause__ else str(error))
    _end(run, trainer, "diverged", scores=[], error=str(error))


def _note_failure(error: Exception, run: RunDir, trainer: Any, say: Reporter) -> None:
    """Keep what it was in the run, the traceback in its log, and where that is on the error."""
    with contextlib.suppress(OSError):
        say.write_log(crash.report(error, run))
        note_log(error, run.log)
        line = schema.first_line(error)
        said = line if isinstance(error, UserError) else f"{type(error).__name__}: {line}"
        _end(run, trainer, "failed", scores=[], error=said)
