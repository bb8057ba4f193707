"""What is scored: samples of runs, files of sentences, and the real text beside them."""

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gantext import data, models
from gantext.config.settings import Device, Settings
from gantext.data import Reads
from gantext.data.corpus import Corpus
from gantext.data.gallery import Gallery
from gantext.data.lines import is_blank, read_lines
from gantext.data.tokenizers import UNKNOWN
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError
from gantext.evaluation.once import Once
from gantext.inference.sampling import SamplingRequest, draw, signature
from gantext.metrics.score import Setting
from gantext.metrics.text.preparation import AS_IT_IS, Preparation
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES, TEXT, Kind, kind_of
from gantext.runs.stored_checkpoint import StoredCheckpoint
from gantext.runs.trained import Trained, TrainedText, best_device, origin_of, rebuild

REAL = "real"
BLANK = "blank_samples"  # in a signature, how many sentences have no word
Words = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Ground:
    """What sentences or pictures are held against.

    Attributes:
        references: the test split, or the file of references; none for pictures.
        training: the training split; none with a file of references, and for pictures.
        hash: the hash of the corpus, of the gallery or of the file; None where there is nothing.
        corpus: the corpus, where there is one.
        gallery: the pictures, for models of pictures.
        preparation: what was done to these sentences, and has to be done to what is held against
            them.
        notes: what is to be said of them.
        lost: the data with this hash cannot be read any more, so there are no sentences.
    """

    references: Sequence[str]
    training: Sequence[str]
    hash: str | None
    corpus: Corpus | None
    gallery: Gallery | None = None
    preparation: Preparation = AS_IT_IS
    notes: tuple[str, ...] = ()
    lost: bool = False


@dataclass(frozen=True)
class Model:
    """A run at one of its checkpoints, which is read once and rebuilt when it is first needed.

    `once` keeps what was made with it.
    """

    run: RunDir
    phase: str | None
    device: Device
    once: Once = field(default_factory=Once, compare=False, repr=False)

    @property
    def settings(self) -> Settings:
        """Those of the run. Raises UserError where its config does not fit."""
        return self.run.settings

    @functools.cached_property
    def _stored(self) -> StoredCheckpoint:
        return self.run.stored_checkpoint(self.phase)

    @functools.cached_property
    def trained(self) -> Trained[Any, Any]:
        """The run with its weights."""
        found = rebuild(self.run, self.device, self.phase, self._stored)
        _ = self.checkpoint
        del self.__dict__["_stored"]  # as large as the weights and their optimisers
        return found

    @property
    def reads(self) -> Reads:
        """What it was trained on."""
        return models.reads(self.settings.model.name)

    @property
    def kind(self) -> Kind[Any, Any]:
        """What it makes."""
        return kind_of(self.reads)

    @functools.cached_property
    def vocabulary(self) -> Vocabulary | None:
        """The words of its data, where it has any."""
        return self.run.vocabulary

    @functools.cached_property
    def preparation(self) -> Preparation:
        """How its data prepared text."""
        return AS_IT_IS if self.vocabulary is None else Preparation.of(self.vocabulary)

    @functools.cached_property
    def where(self) -> torch.device:
        """Where it computes."""
        return best_device(self.device)

    @functools.cached_property
    def checkpoint(self) -> tuple[int, str, str]:
        """Its step and the digests of its weights and of all that it holds.

        Raises UserError when there is none.
        """
        return self._stored.step, self._stored.digest, self._stored.whole

    @property
    def key(self) -> dict[str, Setting]:
        """What decides its numbers: the weights and the kind of device."""
        return {"weights": self.checkpoint[2], "device": self.where.type}


@dataclass(frozen=True)
class Subject:
    """Sentences to score; they are drawn or read when the first score needs them.

    Of a picture model there are none: what scores it draws the pictures.

    Attributes:
        name: the column that its scores stand in.
        origin: where the sentences come from, for the scores' signatures.
        key: what decides the sentences, for looking up stored scores.
        source: gives the sentences, and their words as the model wrote them (None: from a file).
        size: how many sentences.
        keeper: the run whose folder holds its scores.
        model: the model that wrote the sentences.
        notes: what is to be said of them.
    """

    name: str
    origin: Mapping[str, Setting]
    key: Mapping[str, Setting]
    source: Callable[[], tuple[Sequence[str], Words | None]]
    size: int
    keeper: RunDir | None = None
    model: Model | None = None
    notes: tuple[str, ...] = ()

    @functools.cached_property
    def drawn(self) -> tuple[Sequence[str], Words | None]:
        """(sentences, their words)."""
        return self.source()

    @property
    def lines(self) -> Sequence[str]:
        """The sentences."""
        return self.drawn[0]

    @functools.cached_property
    def blank(self) -> dict[str, Setting]:
        """For the origin in signatures, how many sentences have no word; nothing of none."""
        return blank_origin(self.lines)

    def prepared(self, preparation: Preparation) -> "Subject":
        """The same sentences as they can be held against text that was prepared like this."""

        def source() -> tuple[Sequence[str], Words | None]:
            return preparation.lines(self.lines), self.drawn[1]

        return self if preparation == AS_IT_IS else dataclasses.replace(self, source=source)

    def words(self, corpus: Corpus) -> Words:
        """The sentences' words: as the model wrote them, or as the corpus cuts them."""
        words = self.drawn[1]
        if words is not None:
            return words
        return [corpus.vocabulary.tokenize(line) for line in self.lines]


def blank_origin(lines: Sequence[str]) -> dict[str, Setting]:
    """What the origin of sentences says of those without a word; nothing where there are none."""
    times = sum(map(is_blank, lines))
    return {BLANK: times} if times else {}


def of_model(model: Model, request: SamplingRequest, runs_dir: Path) -> Subject:
    """Samples of a model; of a picture model no sentences."""
    step, digest, _ = model.checkpoint
    of = origin_of(model.run, model.settings, step, request.phase, digest)
    origin = signature(of, request, model.run.info.get("data"), model.kind)
    del origin["version"]  # each score has it already
    key = {**{k: v for k, v in origin.items() if k != "run"}, **model.key}

    # Kept, so that the same samples under another name are not drawn again.
    @functools.cache
    def source() -> tuple[Sequence[str], Words]:
        return draw(model.trained, request)

    return Subject(label(model, runs_dir), origin, key, source, request.n, model.run, model)


def label(model: Model, runs_dir: Path) -> str:
    """What a model is called in tables: RUN or RUN@PHASE."""
    name = model.run.name_in(runs_dir)
    name = model.run.path.name if name.startswith("..") else name
    return f"{name}@{model.phase}" if model.phase else name


def of_file(path: Path) -> Subject:
    """Sentences of a file; nothing is stored of them."""
    notes: list[str] = []
    lines = _sentences(path, notes)
    origin: dict[str, Setting] = {"samples": path.name, "samples_hash": _digest(lines)[:8]}
    return Subject(path.name, origin, origin, lambda: (lines, None), len(lines), notes=tuple(notes))


def of_real(ground: Ground, beside: Sequence[Subject]) -> Subject:
    """Training text as if it were samples: what a perfect model would get.

    As many sentences as the subjects that it stands beside have, drawn with a fixed seed if there
    are more: Self-BLEU and distinct n-grams depend on the number of sentences.
    """
    size = min(len(ground.training), max(one.size for one in beside))
    keeper = next((one.keeper for one in beside if one.keeper), None)
    origin: dict[str, Setting] = {"samples": "training text"}

    def source() -> tuple[Sequence[str], None]:
        if size == len(ground.training):
            return ground.training, None
        chosen = np.random.default_rng(0).permutation(len(ground.training))[:size]
        return [ground.training[place] for place in np.sort(chosen)], None

    return Subject(REAL, origin, {**origin, "sentences": size}, source, size, keeper)


def ground_of_file(path: Path, preparation: Preparation) -> Ground:
    """The sentences of a file as references. Raises UserError when it cannot be read."""
    notes: list[str] = []
    read = _sentences(path, notes)
    times = preparation.unknowns(read)
    preparation = preparation.met(times > 0)
    lines = preparation.sentences(read)
    if not lines:
        raise UserError(f"{path}: there is no sentence, only {UNKNOWN}")
    notes += preparation.notes(times)
    return Ground(lines, (), _digest(lines), None, preparation=preparation, notes=tuple(notes))


def _sentences(path: Path, notes: list[str]) -> list[str]:
    """The lines of a file that hold a sentence, as those of `data.test` are taken.

    Raises:
        UserError: it cannot be read, or there is none.
    """
    lines = [line for line in map(str.strip, read_lines(path, notes, pipes=True)) if line]
    if not lines:
        raise UserError(f"{path}: there is no sentence, only blank lines")
    if unknown := sum(line.count(UNKNOWN) for line in lines):
        notes.append(f"{path}: {UNKNOWN} stands {unknown} times in it, one token each")
    return lines


def ground_of_data(cfg: Any, reads: Reads, beside: Preparation = AS_IT_IS) -> Ground:
    """The data that `cfg` describes, as models read it that are trained on `reads`.

    Args:
        cfg: the config of the data.
        reads: what the models are trained on.
        beside: how text was prepared that the models are trained on, if it is of other data.

    Raises:
        UserError: the data has nothing that such a model can be held against.
    """
    return GROUNDS[kind_of(reads)](data.load_for(cfg, reads), beside)


def ground_of_corpus(corpus: Corpus, beside: Preparation = AS_IT_IS) -> Ground:
    """The sentences of a corpus, prepared as its vocabulary says, and as `beside` does."""
    preparation = Preparation.of(corpus.vocabulary) | beside
    parts = [split.text for split in (corpus.test, corpus.train)]
    times = [preparation.unknowns(part) for part in parts]
    preparation = preparation.met(any(times))
    test, training = map(preparation.sentences, parts)
    notes = preparation.notes(times[0])
    return Ground(test, training, corpus.hash, corpus, preparation=preparation, notes=notes)


def _ground_of_gallery(gallery: Gallery, beside: Preparation) -> Ground:
    return Ground((), (), gallery.hash, None, gallery)


GROUNDS: dict[Kind[Any, Any], Callable[[Any, Preparation], Ground]] = {
    TEXT: ground_of_corpus,
    PICTURES: _ground_of_gallery,
}


def _digest(lines: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def _tested(subject: Subject, ground: Ground) -> tuple[TrainedText, Corpus] | None:
    """A model with the data that it was trained on; None for what is no model's or has no corpus.

    Raises:
        UserError: it was trained on other data.
    """
    model = subject.model
    if model is None or ground.corpus is None:
        return None
    if model.run.info.get("data") != ground.hash:
        raise UserError(
            f"{model.run.path.name} was trained on other data: for its likelihood of other "
            "sentences use gantext score RUN FILE"
        )
    return model.trained, ground.corpus
