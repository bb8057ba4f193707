"""One training job from settings to result, and the job function that Hydra's launchers call."""

import contextlib
import dataclasses
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from rich.console import Console

import gantext
from gantext import models
from gantext.config import groups, schema, words
from gantext.config.compose import output_folder, override_words, user_folder
from gantext.config.settings import Memory, Settings
from gantext.errors import UserError, note_log, noted_log
from gantext.files import FULL
from gantext.models.contract import Noted
from gantext.nn.memory import keep_blocks
from gantext.runs import crash, listing
from gantext.runs.folder import RunDir
from gantext.training import trackers
from gantext.training.console import Reporter, console_of
from gantext.training.divergence import Diverged
from gantext.training.preparation import (
    Job,
    facts,
    prepare,
    settled,
    take_pretrained,
    vocabulary_of,
)
from gantext.training.stop import Interrupted, Mode, Stopped, StopRequest, stop_request
from gantext.training.terminal import Terminal
from gantext.training.threads import UNKNOWN, counted, notes_on, threads_of

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gantext.metrics.score import Score


def sweep_job(cfg: "DictConfig") -> float | None:
    """A job of a sweep: a failed one stores its error and does not take the rest with it."""
    folder, origin = output_folder(), origin_of(override_words(), user_folder())
    try:
        return start(schema.typed(cfg), folder, origin, f"[{folder.name}] ")
    except Stopped as error:
        _store(folder, origin, "stopped", f"go on with: {error.command}")
        raise
    except Diverged as error:
        Reporter(Terminal(stderr=True)).say(f"{folder.name} {error}", "red")
    except UserError as error:
        _store_failure(folder, origin, str(error))
    except Exception as error:
        _store_failure(folder, origin, f"{type(error).__name__}: {schema.first_line(error)}")
        if noted_log(error) is None:
            Reporter(Terminal(quiet=True), RunDir(folder).log).write_log(crash.report(error))
    return float("nan")


def origin_of(overrides: list[str], config_dir: Path | None) -> dict[str, Any]:
    """What the user asked for, in the words of which `adversarial-train --from` asks again."""
    own = groups.own_folder(config_dir)
    return {
        "overrides": overrides,
        "config_dir": str(own.resolve()) if own else None,
    }


def _store(folder: Path, origin: dict[str, Any], status: str, error: str) -> None:
    result = {"status": status, "overrides": origin["overrides"], "error": error, "scores": []}
    folder.mkdir(exist_ok=True)  # what no run came of is gone
    RunDir(folder).save_result(result)


def _store_failure(folder: Path, origin: dict[str, Any], error: str) -> None:
    _store(folder, origin, "failed", error)
    Reporter(Terminal(stderr=True), RunDir(folder).log).say(f"{folder.name} failed: {error}", "red")


def start(
    settings: Settings,
    folder: Path,
    origin: dict[str, Any],
    label: str = "",
    console: Console | None = None,
) -> float | None:
    """Begin a new run in `folder`; returns the value of its objective.

    It is told of on the console; None: on stderr. Bad input leaves nothing behind: the data is read
    and the model built before the run is made.
    """
    run, console = RunDir(folder), console or console_of(progress=True)
    if run.config.exists():
        raise run.taken
    with stop_request() as stop, _written(run), run.lock(), threads_of(settings.threads):
        job = prepare(settled(settings), console)
        take_pretrained(job)
        info, captions = {**facts(job), **origin}, getattr(job.data.train, "captions", ())
        with stop.doing(Mode.wait):
            config = schema.to_yaml(job.settings)
            run = RunDir.create(folder, config, vocabulary_of(job), info, captions)
            listing.mark_latest(run, Path(settings.runs_dir))
            return _train(job, run, label, None, console, stop)


def resume(
    run: RunDir, console: Console | None = None, force: bool = False, threads: int | None = None
) -> float | None:
    """Go on with a run from its newest whole checkpoint, exactly as if it had not stopped.

    Args:
        run: the run.
        console: where it is told of; None: on stderr.
        force: even if it seems to need more memory than there is.
        threads: None for as many as it had.

    Raises:
        UserError: its data has changed, or its folder cannot be written to.
    """
    settings, console = run.settings, console or console_of(progress=True)
    settings = dataclasses.replace(settings, force=settings.force or force)
    before = run.info.get("threads", UNKNOWN) or settings.threads
    wanted = threads or before
    with stop_request() as stop, _written(run), run.lock(), threads_of(wanted) as used:
        if run.info.get("status") == "finished":
            console.print(f"{run.path.name} has finished already", highlight=False, markup=False)
            return None
        trackers.check_ids(run)
        run.remove_leftovers()
        run.upgrade()
        job = prepare(settings, console)
        if job.data.hash != run.info.get("data"):
            raise UserError(f"the data has changed since {run.path.name} began")
        state = _newest_state(run, console)
        if state is None:
            take_pretrained(job)
        run.update(threads=used)
        with stop.doing(Mode.wait):
            return _train(job, run, "", state or {}, console, stop, notes_on(used, before))


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
            why += f"; make room, then: {words.command('train', '--resume', run.path)}"
        raise UserError(why) from error


def _newest_state(run: RunDir, console: Console) -> dict[str, Any] | None:
    state, damaged = run.load_checkpoint()
    used = "the one before it is used" if state else "none is left; starting again"
    for line in damaged:
        console.print(f"warning: {line}; {used}", style="yellow", highlight=False, markup=False)
    return state


def _of_the_model(job: Job) -> Sequence[str]:
    return job.algorithm.notes() if isinstance(job.algorithm, Noted) else ()


def _train(
    job: Job,
    run: RunDir,
    label: str,
    state: dict[str, Any] | None,
    console: Console,
    stop: StopRequest,
    notes: Sequence[str] = (),
) -> float | None:
    """Train; `state` is where a resumed run goes on, empty when it must begin again.

    A signal waits for the end of a step, which is saved then.
    """
    from gantext.training.inspection import inspector
    from gantext.training.loop import Trainer

    looks = inspector(job.settings, run, job.data, job.algorithm, job.device)
    metrics = (*models.progress_metrics(job.settings.model.name), *looks.measured)
    with Reporter(console, run.log, label, metrics) as say:
        where = f"{job.device}, {counted(torch.get_num_threads())}"
        kept = ", memory kept" if job.settings.memory is Memory.keep and keep_blocks() else ""
        data = f"data {job.data.hash[:8]}"
        say.say(f"gantext {gantext.__version__} on {where}, {data}{kept}", "dim")
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
            command = words.command("train", "--resume", run.path)
            raise Stopped(error.number, command, saved=False) from error
        except Diverged as error:
            _note_divergence(error, run, trainer, say)
            raise
        except Exception as error:
            _note_failure(error, run, trainer.total, say)
            raise
        _finish(run, trainer, scores)
        wanted = job.settings.objective or looks.objective
        objective = next((s.value for s in scores if s.name == wanted), None)
        if objective is None and (scores or job.settings.objective):
            say.warn(f"objective={wanted} is none of the last phase's scores")
    return objective


def _finish(run: RunDir, trainer: Any, scores: "list[Score]") -> None:
    _end(run, trainer, "finished", scores=[score.to_json() for score in scores])


def _end(run: RunDir, trainer: Any, status: str, **result: Any) -> None:
    """Store the result, and how far the run came."""
    overrides, warnings = run.info.get("overrides", []), trainer.watch.warnings
    run.save_result({"status": status, "overrides": overrides, **result, "warnings": warnings})
    run.update(status=status, total=trainer.total, seconds=round(trainer.seconds, 1))


def _note_divergence(error: Diverged, run: RunDir, trainer: Any, say: Reporter) -> None:
    """Keep what happened in the run, and a traceback in its log where a step failed for it."""
    say.write_log(traceback.format_exc() if error.__cause__ else str(error))
    _end(run, trainer, "diverged", scores=[], error=str(error))


def _note_failure(error: Exception, run: RunDir, total: int, say: Reporter) -> None:
    """Keep the traceback in the run's log, and where it is on the error."""
    with contextlib.suppress(OSError):
        say.write_log(crash.report(error, run))
        note_log(error, run.log)
        run.update(status="failed", total=total)
