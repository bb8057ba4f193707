"""Settings and a corpus -> device, named generators, algorithm; a run folder -> the same."""

import logging
from dataclasses import dataclass
from typing import Any

import torch

from gantext import models
from gantext.config.settings import Device, Settings
from gantext.data import Reads
from gantext.data.corpus import encode_split
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError
from gantext.models.build import build, singletons
from gantext.models.contract import Algorithm, Painter, PictureTask, Task
from gantext.runs.folder import RunDir

logger = logging.getLogger(__name__)


def best_device(wanted: Device) -> torch.device:
    """The device asked for; with `auto` the best one present.

    Raises:
        UserError: it is not there.
    """
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if wanted is Device.auto:
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if present[name]))
    if not present[wanted.value]:
        raise UserError(
            f"device={wanted.value} is asked for, but torch {torch.__version__} sees none"
        )
    return torch.device(wanted.value)


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


@dataclass(frozen=True)
class Trained:
    """A run of a text model rebuilt from its folder alone."""

    run: RunDir
    settings: Settings
    vocabulary: Vocabulary
    algorithm: Algorithm
    device: torch.device
    step: int


@dataclass(frozen=True)
class TrainedPainter:
    """A run of a picture model rebuilt from its folder alone; the vocabulary is of captions."""

    run: RunDir
    settings: Settings
    vocabulary: Vocabulary | None
    algorithm: Painter
    device: torch.device
    step: int


def restore(run: RunDir, device: Device | None = None, phase: str | None = None) -> Trained:
    """Rebuild a run's algorithm from its newest whole checkpoint (or the end of `phase`).

    Raises:
        UserError: it is no run of a text model, or lacks a vocabulary or a whole checkpoint.
    """
    settings = run.settings
    if models.reads(settings.model.name) is not Reads.text:
        raise UserError(
            f"{run.path.name} is a run of model={settings.model.name}, which draws pictures: "
            "this needs a model of text"
        )
    target = best_device(device or Device.auto)
    vocabulary, facts = _vocabulary_of(run), run.info
    if vocabulary is None or "max_length" not in facts:
        raise UserError(f"{run.path} is not a whole run: its vocabulary or run.json is missing")
    task = Task(
        len(vocabulary), facts["max_length"], facts["train_size"], singletons(vocabulary), target
    )
    algorithm: Algorithm
    algorithm, step = _with_weights(build(settings.model, settings.seed, task), run, phase)
    return Trained(run, settings, vocabulary, algorithm, target, step)


def restore_painter(
    run: RunDir, device: Device | None = None, phase: str | None = None
) -> TrainedPainter:
    """Rebuild a picture model as `restore` does a text model. Raises UserError as it does."""
    settings = run.settings
    if models.reads(settings.model.name) is Reads.text:
        raise UserError(
            f"{run.path.name} is a run of model={settings.model.name}, which writes text: "
            "this needs a model of pictures"
        )
    target = best_device(device or Device.auto)
    vocabulary, facts = _vocabulary_of(run), run.info
    if "channels" not in facts or (facts["max_length"] and vocabulary is None):
        raise UserError(f"{run.path} is not a whole run: its vocabulary or run.json is missing")
    task = PictureTask(
        facts["channels"],
        facts["size"],
        facts["classes"],
        len(vocabulary) if vocabulary else 0,
        facts["max_length"],
        facts["train_size"],
        _captions_of(run, vocabulary, facts["max_length"]),
        target,
    )
    algorithm: Painter
    algorithm, step = _with_weights(build(settings.model, settings.seed, task), run, phase)
    return TrainedPainter(run, settings, vocabulary, algorithm, target, step)


def _vocabulary_of(run: RunDir) -> Vocabulary | None:
    stored = run.vocabulary
    return None if stored is None else Vocabulary.from_json(stored)


def _captions_of(run: RunDir, vocabulary: Vocabulary | None, width: int) -> torch.Tensor:
    """The captions that the run was trained on, (N, T)."""
    lines = run.pictures.captions
    if vocabulary is None or not lines:
        return torch.zeros(run.info["train_size"], 0, dtype=torch.int64)
    words = [vocabulary.tokenize(line) for line in lines]
    return encode_split(vocabulary, words, lines, width).tokens


def _with_weights(algorithm: Any, run: RunDir, phase: str | None) -> tuple[Any, int]:
    """Load the weights of a checkpoint; returns its step too."""
    state, damaged = run.load_checkpoint(phase)
    if state is None:
        raise run.no_checkpoint(phase)
    for line in damaged:
        logger.warning("warning: %s; the one before it is used", line)
    algorithm.load_state_dict(state["algorithm"])
    return algorithm, state["total"]
