"""A run folder -> its trained model: device, vocabulary, an algorithm with its weights."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, overload

import torch

from gantext.config.settings import Device, Memory, Settings
from gantext.data.corpus import Corpus, content_hash
from gantext.data.flat import Tokens
from gantext.data.gallery import Gallery
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError
from gantext.metrics.score import Setting
from gantext.models.build import build, class_counts, lines_of, singletons
from gantext.models.contract import Algorithm, Painter, PictureTask, Task
from gantext.nn.memory import keep_blocks
from gantext.nn.state import restore as restore_state
from gantext.records.content import Damaged
from gantext.runs.checkpoint import Checkpoint, load
from gantext.runs.device import best_device
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES, TEXT, A, Kind, V, model_kind
from gantext.runs.origin import origin_of
from gantext.runs.stored_checkpoint import CheckpointDamaged, StoredCheckpoint

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Trained(Generic[A, V]):
    """A run rebuilt from its folder alone.

    Attributes:
        run: its folder.
        settings: those of its config.
        vocabulary: of its text or of its captions; None where there is none.
        algorithm: with the weights of the checkpoint.
        device: where it computes.
        step: of the checkpoint.
        phase: at whose end it was written, if one was asked for.
        digest: of the weights, SHA-256 (hex); None while it trains, before there is a checkpoint.
        whole: of all that the checkpoint holds.
    """

    run: RunDir
    settings: Settings
    vocabulary: V
    algorithm: A
    device: torch.device
    step: int
    phase: str | None
    digest: str | None = None
    whole: str | None = None

    def origin(self, phase: str | None) -> dict[str, Setting]:
        """See `origin_of`."""
        model = self.settings.model.name
        return origin_of(self.run, model, self.step, phase, self.digest)


TrainedText = Trained[Algorithm, Vocabulary]
TrainedPictures = Trained[Painter, Vocabulary | None]


@overload
def restore(run: RunDir, device: Device | None = None, phase: str | None = None) -> TrainedText: ...
@overload
def restore(
    run: RunDir, device: Device | None, phase: str | None, kind: Kind[A, V]
) -> Trained[A, V]: ...
def restore(
    run: RunDir,
    device: Device | None = None,
    phase: str | None = None,
    kind: Kind[Any, Any] = TEXT,
) -> Trained[Any, Any]:
    """Rebuild a run's algorithm from its newest whole checkpoint (or the end of `phase`).

    Args:
        run: a run of a model that makes what is needed.
        device: None for the best one.
        phase: None for the newest checkpoint.
        kind: what is needed.

    Raises:
        UserError: its model makes another kind of thing, or it lacks a vocabulary or a whole
            checkpoint.
    """
    if model_kind(run.settings.model.name) is not kind:
        raise run.refusal(f"this needs a model of {kind.makes}")
    return rebuild(run, device, phase)


def rebuild(
    run: RunDir,
    device: Device | None = None,
    phase: str | None = None,
    stored: StoredCheckpoint | None = None,
) -> Trained[Any, Any]:
    """As `restore`, whatever the model makes; of a checkpoint that was found already, if given.

    What optimisers keep of the weights is not read: who goes on training loads the checkpoint.

    Raises:
        UserError: it lacks a vocabulary or a whole checkpoint.
    """
    settings, target = run.settings, best_device(device or Device.auto)
    if settings.memory is Memory.keep:
        keep_blocks()
    vocabulary = run.vocabulary
    task = TASKS[model_kind(settings.model.name)](run, vocabulary, target)
    algorithm = build(settings.model, settings.seed, task)
    found = _read(stored) if stored else run.checkpoint(phase, moments=False)
    for line in found.damaged:
        logger.warning("warning: %s; the one before it is used", line)
    state = found.model
    restore_state(algorithm, state["algorithm"], found.file, "algorithm", to_train=False)
    step = state["total"]
    return Trained(
        run, settings, vocabulary, algorithm, target, step, phase, found.digest, found.whole
    )


def _read(stored: StoredCheckpoint) -> Checkpoint:
    try:
        return load(stored, moments=False)
    except CheckpointDamaged as error:
        raise Damaged(stored.folder, str(error)) from error


def data_facts(data: Corpus | Gallery) -> dict[str, Any]:
    """What run.json keeps of the data, so that the model can be built again without it."""
    sizes = {"max_length": data.max_length, "train_size": len(data.train)}
    found: dict[str, Any] = {"data": data.hash, **sizes}
    if named := dict(zip(data.classes, class_counts(data), strict=True)):
        found["class_counts"] = named
    if isinstance(data, Corpus):
        return {**found, "labels": data.labels_hash} if named else found
    return {**found, "channels": data.channels, "size": data.size, "classes": len(data.classes)}


def began_on(run: RunDir, data: Corpus | Gallery) -> bool:
    """Whether this is the data of a run, its classes too."""
    known, labels = run.info.get("data"), run.info.get("labels")
    if not isinstance(data, Corpus) or not data.classes:
        return known == data.hash and not labels
    if labels is None:  # of an earlier run, whose one hash has the classes
        return known == content_hash(data.vocabulary, data.splits, data.classes)
    return known == data.hash and labels == data.labels_hash


def _text_task(run: RunDir, vocabulary: Vocabulary | None, device: torch.device) -> Task:
    facts = run.info
    if vocabulary is None or not {"max_length", "train_size"} <= facts.keys():
        raise _not_whole(run)
    rare = singletons(vocabulary)
    sizes = len(vocabulary), facts["max_length"], facts["train_size"]
    drawn = run.settings.cuda_graphs, bool(vocabulary.fixed_length)
    counts = tuple(facts.get("class_counts", {}).values())
    return Task(*sizes, rare, device, *drawn, lines=lines_of(vocabulary), class_counts=counts)


PICTURE_FACTS = frozenset({"channels", "size", "classes", "max_length", "train_size"})


def _picture_task(run: RunDir, vocabulary: Vocabulary | None, device: torch.device) -> PictureTask:
    facts = run.info
    if not PICTURE_FACTS <= facts.keys() or (facts["max_length"] and vocabulary is None):
        raise _not_whole(run)
    return PictureTask(
        facts["channels"],
        facts["size"],
        facts["classes"],
        len(vocabulary) if vocabulary else 0,
        facts["max_length"],
        facts["train_size"],
        _captions_of(run, vocabulary, facts["max_length"]),
        device,
    )


TASKS: dict[Kind[Any, Any], Callable[[RunDir, Vocabulary | None, torch.device], Any]] = {
    TEXT: _text_task,
    PICTURES: _picture_task,
}


def _not_whole(run: RunDir) -> UserError:
    return UserError(f"{run.path} is not a whole run: its vocabulary or run.json is missing")


def _captions_of(run: RunDir, vocabulary: Vocabulary | None, width: int) -> torch.Tensor:
    """The captions that the run was trained on, (N, T)."""
    lines = run.pictures.captions
    if vocabulary is None or not lines:
        return torch.zeros(run.info["train_size"], 0, dtype=torch.int64)
    words = [vocabulary.tokenize(line) for line in lines]
    for number, row in enumerate(words, 1):
        if len(row) >= width:
            fault = f"line {number} has {len(row)} words; the longest that it was trained on has"
            raise Damaged(run.pictures.captions_file, f"{fault} {width - 1}")
    return Tokens.of(map(vocabulary.encode, words)).padded(width)
