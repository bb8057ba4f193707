"""Settings and a corpus -> device, named generators, algorithm; a run folder -> the same."""

import contextlib
import hashlib
import logging
from dataclasses import dataclass
from typing import Any, overload

import torch

from gantext import models, schema
from gantext.data import Reads
from gantext.data.corpus import Corpus, encode_split
from gantext.data.gallery import Gallery
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError
from gantext.nn.algorithm import Algorithm, Painter, PictureTask, Task
from gantext.run import RunDir
from gantext.settings import Device, Precision, Settings

logger = logging.getLogger(__name__)


def device_of(settings: Settings) -> torch.device:
    """The device of a run. Raises UserError when one that is not there is asked for."""
    return best_device(settings.device)


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


def generator(seed: int, name: str, device: torch.device) -> torch.Generator:
    """A generator of its own for one purpose: the seed and the name give its seed."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:7], "big"))


def autocast(settings: Settings, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """bf16 forward passes when they are asked for.

    Without autocast's cache of cast weights: one step updates weights and uses them again, and
    would go on with the old ones.
    """
    if settings.precision is Precision.fp32:
        return contextlib.nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)


def set_threads(settings: Settings) -> None:
    """Apply `threads`; 0 leaves torch's choice."""
    if settings.threads:
        torch.set_num_threads(settings.threads)


def singletons(vocabulary: Vocabulary) -> torch.Tensor:
    """(V,) bool: words seen once in training."""
    return torch.tensor([count == 1 for count in vocabulary.counts])


@overload
def task_of(data: Corpus, device: torch.device) -> Task: ...
@overload
def task_of(data: Gallery, device: torch.device) -> PictureTask: ...
def task_of(data: Corpus | Gallery, device: torch.device) -> Task | PictureTask:
    """The facts that a model is built for."""
    if isinstance(data, Corpus):
        rare = singletons(data.vocabulary)
        return Task(len(data.vocabulary), data.max_length, len(data.train), rare, device)
    return PictureTask(
        data.channels,
        data.size,
        len(data.classes),
        len(data.vocabulary) if data.vocabulary else 0,
        data.max_length,
        len(data.train),
        data.train.tokens,
        device,
    )


def build(settings: Settings, task: Task | PictureTask) -> Any:
    """A new algorithm with weights from the run's seed: an Algorithm, or a Painter for pictures."""
    rng = generator(settings.seed, "init", torch.device("cpu"))
    return models.module(settings.model.name).build(settings.model, task, rng)


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
    settings = schema.from_yaml(run.config)
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
    algorithm, step = _with_weights(build(settings, task), run, phase)
    return Trained(run, settings, vocabulary, algorithm, target, step)


def restore_painter(
    run: RunDir, device: Device | None = None, phase: str | None = None
) -> TrainedPainter:
    """Rebuild a picture model as `restore` does a text model. Raises UserError as it does."""
    settings = schema.from_yaml(run.config)
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
    algorithm, step = _with_weights(build(settings, task), run, phase)
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
