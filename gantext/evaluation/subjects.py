"""What is scored: samples of runs, files of sentences, and the real text beside them."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantext import models
from gantext.config.settings import Device
from gantext.data import Reads
from gantext.errors import UserError
from gantext.evaluation.ground import Ground, digest_of, sentences_of
from gantext.evaluation.keepers import CachedScores, Keeper
from gantext.evaluation.once import Once
from gantext.inference.judges.choice import decided_by
from gantext.inference.request import SamplingRequest, signature
from gantext.metrics.score import Setting
from gantext.metrics.text.preparation import AS_IT_IS, Preparation
from gantext.metrics.text.texts import Texts, once
from gantext.runs.brief import Brief, brief_of
from gantext.runs.device import device_type
from gantext.runs.folder import RunDir
from gantext.runs.kinds import TEXT, Kind, kind_of
from gantext.runs.origin import origin_of
from gantext.runs.stored_checkpoint import StoredCheckpoint

if TYPE_CHECKING:
    from gantext.config.settings import Settings
    from gantext.data.corpus import Corpus
    from gantext.data.vocabulary import Vocabulary
    from gantext.inference.candidates import Chooser
    from gantext.runs.trained import Trained, TrainedText

REAL = "real"
BLANK = "blank_samples"  # in a signature, how many sentences have no word
Words = Sequence[Sequence[str]]
Say = Callable[[str], None]


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
    def settings(self) -> "Settings":
        """Those of the run. Raises UserError where its config does not fit."""
        return self.run.settings

    @functools.cached_property
    def brief(self) -> Brief:
        """Those of its settings that stored scores are found by, known without its model's code."""
        return brief_of(self.run)

    @functools.cached_property
    def _stored(self) -> StoredCheckpoint:
        return self.run.stored_checkpoint(self.phase)

    @functools.cached_property
    def trained(self) -> "Trained[Any, Any]":
        """The run with its weights."""
        from gantext.runs.trained import rebuild

        found = rebuild(self.run, self.device, self.phase, self._stored)
        _ = self.checkpoint
        del self.__dict__["_stored"]  # as large as the weights and their optimisers
        return found

    @property
    def reads(self) -> Reads:
        """What it was trained on."""
        # A picture model's module says whether it reads captions; a run of text says so itself.
        return Reads.text if self.run.kind is TEXT else models.reads(self.brief["model"])

    @property
    def kind(self) -> Kind[Any, Any]:
        """What it makes."""
        return kind_of(self.reads)

    @functools.cached_property
    def vocabulary(self) -> "Vocabulary | None":
        """The words of its data, where it has any."""
        return self.run.vocabulary

    @functools.cached_property
    def preparation(self) -> Preparation:
        """How its data prepared text."""
        return AS_IT_IS if self.vocabulary is None else Preparation.of(self.vocabulary)

    @functools.cached_property
    def checkpoint(self) -> tuple[int, str, str]:
        """Its step and the digests of its weights and of all that it holds.

        Raises UserError when there is none.
        """
        return self._stored.step, self._stored.digest, self._stored.whole

    def chooser(self, request: SamplingRequest, say: Say) -> "Chooser | None":
        """What keeps the sentences of a request, checked once for all of its seeds and sizes."""
        from gantext.inference.candidates import chooser_of

        key = ("chooser", request.candidates, request.options)
        return self.once(key, lambda: chooser_of(self.trained, request, say))

    @property
    def key(self) -> dict[str, Setting]:
        """What decides its numbers: the weights and the kind of device."""
        return {"weights": self.checkpoint[2], "device": device_type(self.device)}


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
        keepers: what holds its scores: its run's folder; of real text the user's cache folder too.
        model: the model that wrote the sentences.
        notes: what is to be said of them.
        path: the run's folder, or the file.
        ready: makes what has to be there before they are drawn, told what takes long; gives what
            only then can be said of their origin.
    """

    name: str
    origin: Mapping[str, Setting]
    key: Mapping[str, Setting]
    source: Callable[[], tuple[Sequence[str], Words | None]]
    size: int
    keepers: tuple[Keeper, ...] = ()
    model: Model | None = None
    notes: tuple[str, ...] = ()
    path: Path | None = None
    ready: Callable[[Say], Mapping[str, Setting]] = lambda say: {}

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
            lines, words = self.drawn
            key = ("prepared", preparation)
            return once(lines, key, lambda: Texts(preparation.lines(lines))), words

        return self if preparation == AS_IT_IS else dataclasses.replace(self, source=source)

    def words(self, corpus: "Corpus") -> Words:
        """The sentences' words: as the model wrote them, or as the corpus cuts them."""
        words = self.drawn[1]
        if words is not None:
            return words
        return [corpus.vocabulary.tokenize(line) for line in self.lines]


def blank_origin(lines: Sequence[str]) -> dict[str, Setting]:
    """What the origin of sentences says of those without a word; nothing where there are none."""
    from gantext.data.lines import is_blank

    times = sum(map(is_blank, lines))
    return {BLANK: times} if times else {}


def of_model(model: Model, request: SamplingRequest, runs_dir: Path) -> Subject:
    """Samples of a model; of a picture model no sentences."""
    step, digest, _ = model.checkpoint
    of = origin_of(model.run, model.brief["model"], step, request.phase, digest)
    origin = signature(of, request, model.run.info.get("data"), model.kind)
    del origin["version"]  # each score has it already
    judged = decided_by(request.candidates)
    key = {**{k: v for k, v in origin.items() if k != "run"}, **model.key, **judged}

    def ready(say: Say) -> Mapping[str, Setting]:
        chooser = model.chooser(request, say) if judged else None
        return chooser.signature if chooser else {}

    # Kept, so that the same samples under another name are not drawn again.
    @functools.cache
    def source() -> tuple[Sequence[str], Words]:
        from gantext.inference.sampling import draw

        chooser = model.chooser(request, lambda text: None) if judged else None
        lines, words = draw(model.trained, request, chooser=chooser)
        return Texts(lines), words

    return Subject(
        label(model, runs_dir),
        origin,
        key,
        source,
        request.n,
        (model.run,),
        model,
        path=model.run.path,
        ready=ready,
    )


def label(model: Model, runs_dir: Path) -> str:
    """What a model is called in tables: RUN or RUN@PHASE."""
    name = model.run.name_in(runs_dir)
    name = model.run.path.name if name.startswith("..") else name
    return f"{name}@{model.phase}" if model.phase else name


def of_file(path: Path, n: int | None = None) -> Subject:
    """The first n sentences of a file, or all; nothing is stored of them."""
    notes: list[str] = []
    every = sentences_of(path, notes)
    lines = every[:n]
    there = f"{len(every):,} sentences"
    if n is not None and n < len(every):
        notes.append(f"{path}: the first {n:,} of {there} are scored")
    elif n is not None and n > len(every):
        notes.append(f"{path}: only {there}, not {n:,}")
    texts = Texts(lines)
    origin: dict[str, Setting] = {"samples": path.name, "samples_hash": digest_of(lines)[:8]}
    return Subject(
        path.name,
        origin,
        origin,
        lambda: (texts, None),
        len(lines),
        notes=tuple(notes),
        path=path,
    )


def of_real(ground: Ground, beside: Sequence[Subject]) -> Subject:
    """Training text as if it were samples: what a perfect model would get.

    As many sentences as the subjects that it stands beside have, drawn with a fixed seed if there
    are more: Self-BLEU and distinct n-grams depend on the number of sentences.
    """
    size = min(ground.size, max(one.size for one in beside))
    runs = [keeper for one in beside for keeper in one.keepers]
    origin: dict[str, Setting] = {"samples": "training text"}

    def source() -> tuple[Sequence[str], None]:
        if size == ground.size:
            return ground.training, None
        return once(ground.training, ("chosen", size), lambda: chosen(ground.training, size)), None

    key = {**origin, "sentences": size}
    return Subject(REAL, origin, key, source, size, (*runs[:1], CachedScores()))


def chosen(lines: Sequence[str], size: int) -> Texts:
    """A seeded choice of so many of them, in their order."""
    import numpy as np

    places = np.random.default_rng(0).permutation(len(lines))[:size]
    return Texts([lines[place] for place in np.sort(places)])


def _tested(subject: Subject, ground: Ground) -> "tuple[TrainedText, Corpus] | None":
    """A model with the data that it was trained on; None for what is no model's or has no corpus.

    Raises:
        UserError: it was trained on other data.
    """
    from gantext.runs.trained import began_on

    model = subject.model
    if model is None or ground.corpus is None:
        return None
    if model.run.info.get("data") != ground.hash and not began_on(model.run, ground.corpus):
        raise UserError(
            f"{model.run.path.name} was trained on other data: for its likelihood of other "
            "sentences use gantext score RUN FILE"
        )
    return model.trained, ground.corpus
