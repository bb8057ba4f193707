"""Settings and a corpus -> device, named generators, algorithm; a run folder -> the same."""

import contextlib
import hashlib
import logging
from dataclasses import dataclass

import torch

from gantext import models, schema
from gantext.data.corpus import Corpus
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError
from gantext.nn.algorithm import Algorithm, Task
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


def task_of(corpus: Corpus, device: torch.device) -> Task:
    """The facts that a model is built for."""
    rare = singletons(corpus.vocabulary)
    return Task(len(corpus.vocabulary), corpus.max_length, len(corpus.train), rare, device)


def build(settings: Settings, task: Task) -> Algorithm:
    """A new algorithm with weights from the run's seed."""
    rng = generator(settings.seed, "init", torch.device("cpu"))
    algorithm: Algorithm = models.module(settings.model.name).build(settings.model, task, rng)
    return algorithm


@dataclass(frozen=True)
class Trained:
    """A run rebuilt from its folder alone."""

    run: RunDir
    settings: Settings
    vocabulary: Vocabulary
    algorithm: Algorithm
    device: torch.device
    step: int


def restore(run: RunDir, device: Device | None = None, phase: str | None = None) -> Trained:
    """Rebuild a run's algorithm from its newest whole checkpoint (or the end of `phase`).

    Raises:
        UserError: the folder lacks a vocabulary or a whole checkpoint.
    """
    settings = schema.from_yaml(run.config)
    target = best_device(device or Device.auto)
    if run.vocabulary is None or "max_length" not in run.info:
        raise UserError(f"{run.path} is not a whole run: its vocabulary or run.json is missing")
    vocabulary = Vocabulary.from_json(run.vocabulary)
    facts = run.info
    task = Task(
        len(vocabulary), facts["max_length"], facts["train_size"], singletons(vocabulary), target
    )
    algorithm = build(settings, task)
    state, damaged = run.load_checkpoint(phase)
    if state is None:
        raise run.no_checkpoint(phase)
    for line in damaged:
        logger.warning("warning: %s; the one before it is used", line)
    algorithm.load_state_dict(state["algorithm"])
    return Trained(run, settings, vocabulary, algorithm, target, state["total"])
