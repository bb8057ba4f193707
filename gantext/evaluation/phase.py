"""The scores at the end of a phase: which measures, of which samples, in the order of a run's."""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gantext import models
from gantext.config.settings import Settings, Stream
from gantext.data import Reads
from gantext.data.corpus import Corpus
from gantext.data.gallery import Gallery
from gantext.evaluation import measures, scorebook, subjects
from gantext.evaluation.ground import Ground, ground_of_corpus, ground_of_gallery
from gantext.evaluation.measure import Measure, Protocol
from gantext.evaluation.subjects import Model, Subject
from gantext.inference.request import SamplingRequest
from gantext.inference.sampling import draw
from gantext.metrics.score import Score
from gantext.runs.kinds import PICTURES, TEXT
from gantext.runs.trained import Trained, TrainedPictures, TrainedText

Drawn = tuple[Sequence[str], Sequence[Sequence[str]]]  # sentences and their words
LAST = ("corpus-bleu", "unique")  # of a run's scores, in this order


@dataclass(frozen=True, kw_only=True)
class InTraining(Model):
    """A model as it is in memory, whose checkpoint need not be read."""

    held: Trained[Any, Any]

    @property
    def reads(self) -> Reads:
        """What it is trained on."""
        return models.reads(self.settings.model.name)

    @property
    def settings(self) -> Settings:
        """Those that it is trained with."""
        return self.held.settings

    @property
    def trained(self) -> Trained[Any, Any]:
        """The run with its weights."""
        return self.held

    @functools.cached_property
    def checkpoint(self) -> tuple[int, str, str]:
        """As `Model.checkpoint`; it is not held in memory."""
        stored = self.run.stored_checkpoint(self.phase)
        return stored.step, stored.digest, stored.whole


def score_text(
    trained: TrainedText, corpus: Corpus, phase: str
) -> tuple[Sequence[str], list[Score]]:
    """Sample a model at the end of a phase, whose checkpoint is written, and score the samples.

    They are those that `gantext eval` scores by default, which finds the scores stored.

    Returns:
        (samples, scores).
    """
    subject, scores = _scores(trained, ground_of_corpus(corpus), phase)
    return subject.lines, scores


def score_pictures(painter: TrainedPictures, gallery: Gallery, phase: str) -> list[Score]:
    """Score what a picture model draws, as `score_text` does."""
    return _scores(painter, ground_of_gallery(gallery), phase)[1]


def text_score(trained: TrainedText, ground: Ground, name: str) -> float | None:
    """One of the scores of `score_text` for a model amid a phase; None where it has none.

    Sentences are drawn only where the score is of them.
    """
    corpus = ground.corpus
    assert corpus is not None
    measure = measures.judging(TEXT)[name]
    request = _request(trained.settings)
    stream = trained.settings.eval.stream
    return _score(trained, ground, measure, name, lambda: draw(trained, request, stream))


def picture_score(painter: TrainedPictures, ground: Ground, name: str) -> float | None:
    """One of the scores of `score_pictures` for a model amid a phase; None where it has none."""
    measure = measures.judging(PICTURES)[name]
    return _score(painter, ground, measure, name, lambda: ((), ()))


def _score(
    held: Trained[Any, Any],
    ground: Ground,
    measure: Measure,
    name: str,
    source: Callable[[], Drawn],
) -> float | None:
    settings = held.settings
    model = InTraining(held.run, None, settings.device, held=held)
    size = settings.eval.samples
    subject = Subject(held.run.path.name, {}, {}, source, size, (held.run,), model)
    found = measure.scores(subject, ground, _protocol(settings)) if measure.fits(subject) else []
    return next((score.value for score in found if score.name == name), None)


def _request(settings: Settings, phase: str | None = None) -> SamplingRequest:
    own = settings.eval
    return SamplingRequest(own.samples, own.temperature, seed=own.seed, phase=phase)


def _protocol(settings: Settings) -> Protocol:
    own = settings.eval
    return Protocol(preset=own.preset, seed=own.seed, device=settings.device)


def _scores(held: Trained[Any, Any], ground: Ground, phase: str) -> tuple[Subject, list[Score]]:
    settings = held.settings
    model = InTraining(held.run, phase, settings.device, held=held)
    subject = subjects.of_model(model, _request(settings, phase), held.run.path.parent)
    if settings.eval.stream is not Stream.sampling:  # eval draws others, and must not find these
        source = functools.partial(draw, held, _request(settings), settings.eval.stream)
        subject = dataclasses.replace(subject, source=functools.cache(source), keepers=())
    names = [measure.name for measure in measures.after_phase()]
    found = scorebook.score(names, subject, ground, _protocol(settings), lambda text: None)
    return subject, sorted(found, key=lambda one: LAST.index(one.name) if one.name in LAST else -1)
