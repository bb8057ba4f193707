"""One training job from settings to result, and the job function that Hydra's launchers call."""

import contextlib
import logging
import platform
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

import gantext
from gantext import config, data
from gantext.errors import UserError
from gantext.interrupt import Stopped, stop_request
from gantext.progress import Reporter
from gantext.run import RunDir
from gantext.settings import Phases, Settings

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from gantext.metrics.score import Score

logger = logging.getLogger(__name__)


def single_job(cfg: "DictConfig") -> float | None:
    """The job of `gantext train`: errors come through."""
    return start(config.typed(cfg), config.output_folder())


def sweep_job(cfg: "DictConfig") -> float | None:
    """A job of a sweep: a failed one stores its error and does not take the rest with it."""
    folder = config.output_folder()
    words = config.override_words()
    label = f"[{folder.name}] "
    try:
        return start(config.typed(cfg), folder, words, label)
    except UserError as error:
        _store_failure(folder, words, str(error), None)
    except Exception as error:
        _store_failure(folder, words, f"{type(error).__name__}: {error}", traceback.format_exc())
    return float("nan")


def _store_failure(folder: Path, words: list[str], error: str, trace: str | None) -> None:
    run = RunDir(folder)
    run.save_result({"status": "failed", "overrides": words, "error": error, "scores": []})
    Reporter(Console(stderr=True), run.log).say(f"{folder.name} failed: {error}", "red")
    if trace:
        Reporter(Console(quiet=True), run.log).write_log(trace)


def start(
    settings: Settings, folder: Path, words: list[str] | None = None, label: str = ""
) -> float | None:
    """Begin a new run in `folder`; returns the value of its objective.

    Bad input leaves nothing behind: the data is read and the model built before the folder is.
    """
    from gantext import assemble

    console = Console(stderr=True)
    try:
        device = assemble.device_of(settings)
        assemble.set_threads(settings)
        corpus = load_data(settings.data, console)
        algorithm = assemble.build(settings, assemble.task_of(corpus, device))
        _take_pretrained(settings, algorithm, corpus)
        run = RunDir.create(
            folder, config.to_yaml(settings), corpus.vocabulary.to_json(), _info(corpus, device)
        )
    except BaseException:
        with contextlib.suppress(OSError):
            folder.rmdir()
        raise
    run.mark_latest(Path(settings.runs_dir))
    return _train(settings, run, corpus, algorithm, device, words, label, None)


def resume(run: RunDir) -> float | None:
    """Go on with a run from its newest whole checkpoint, exactly as if it had not stopped."""
    from gantext import assemble

    settings = config.from_yaml(run.config)
    console = Console(stderr=True)
    device = assemble.device_of(settings)
    assemble.set_threads(settings)
    corpus = load_data(settings.data, console)
    if corpus.hash != run.info.get("data"):
        raise UserError(f"the data has changed since {run.path.name} began: it cannot go on exactly")
    algorithm = assemble.build(settings, assemble.task_of(corpus, device))
    _take_pretrained(settings, algorithm, corpus)
    with run.lock():
        state, damaged = run.load_checkpoint()
    for line in damaged:
        console.print(f"warning: {line}; the one before it is used", style="yellow")
    stored = run.result or {}
    return _train(
        settings, run, corpus, algorithm, device, stored.get("overrides"), "", state or {}
    )


def load_data(cfg: Any, console: Console) -> Any:
    """Load a corpus, with a progress bar for downloads and its notes."""
    from gantext.downloads import download_bar

    with download_bar(console) as progress:
        corpus = data.load(cfg, progress)
    for note in corpus.notes:
        console.print(f"data {corpus.name}: {note}", style="dim", highlight=False)
    return corpus


def _take_pretrained(settings: Settings, algorithm: Any, corpus: Any) -> None:
    if settings.from_run is None:
        if settings.phases is Phases.adversarial:
            raise UserError("adversarial training needs a pretrained run: --from RUN")
        return
    source = RunDir.find(settings.from_run, Path(settings.runs_dir))
    if source.vocabulary != corpus.vocabulary.to_json():
        raise UserError(f"{source.path.name} was trained with another vocabulary than this data's")
    state, _ = source.load_checkpoint()
    if state is None:
        raise UserError(f"{source.path} has no whole checkpoint")
    try:
        algorithm.load_pretrained(state["algorithm"])
    except (RuntimeError, KeyError) as error:
        raise UserError(f"the weights of {source.path.name} do not fit this model") from error


def _info(corpus: Any, device: Any) -> dict[str, Any]:
    import torch

    return {
        "status": "new", "gantext": gantext.__version__, "torch": torch.__version__,
        "python": platform.python_version(), "device": str(device), "host": platform.node(),
        "command": " ".join(sys.argv[1:]), "data": corpus.hash,
        "max_length": corpus.max_length, "train_size": len(corpus.train),
    }


def _train(
    settings: Settings, run: RunDir, corpus: Any, algorithm: Any, device: Any,
    words: list[str] | None, label: str, state: dict[str, Any] | None,
) -> float | None:
    from gantext.train import Trainer

    began = time.monotonic()
    with run.lock(), stop_request() as stop, Reporter(Console(stderr=True), run.log, label) as say:
        say.write_log(f"gantext {gantext.__version__} on {device}, data {corpus.hash[:8]}")
        trainer = Trainer(settings, run, corpus, algorithm, device, say)
        if state:
            trainer.load_state(state)
            say.say(f"{label}going on with {run.path.name} at step {trainer.total}", "dim")
        elif state is not None:
            run.cut_metrics(0)
        try:
            scores = trainer.train(stop)
        except Stopped:
            run.update(status="stopped", total=trainer.total)
            raise
        except Exception:
            run.update(status="failed", total=trainer.total)
            say.write_log(traceback.format_exc())
            raise
        run.update(status="finished", total=trainer.total, seconds=round(trainer.seconds, 1))
        logger.debug("trained in %.1f s", time.monotonic() - began)
        records = [score.to_json() for score in scores]
        run.save_result({
            "status": "finished", "overrides": words or [], "scores": records,
            "warnings": trainer.watch.warnings,
        })
    return _objective(settings, scores)


def _objective(settings: Settings, scores: "list[Score]") -> float | None:
    return next((s.value for s in scores if s.name == settings.objective), None)
