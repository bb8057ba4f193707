"""The scores at the end of a phase: which measures, of which samples, in the order of a run's."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gantext import models
from gantext.config.settings import Settings
from gantext.data import Reads
from gantext.data.corpus import Corpus
from gantext.data.gallery import Gallery
from gantext.evaluation import measures
from gantext.evaluation.ground import Ground, ground_of_corpus, ground_of_gallery
from gantext.evaluation.measure import Measure, Protocol
from gantext.evaluation.subjects import Model, Subject, blank_origin
from gantext.inference.request import signed_temperature
from gantext.inference.sampling import naming, sample_texts
from gantext.metrics.score import Score, Setting
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.kinds import PICTURES, TEXT
from gantext.runs.trained import Trained, TrainedPictures, TrainedText

Drawn = tuple[Sequence[str], Sequence[Sequence[str]]]  # sentences and their words
LAST = ("corpus-bleu", "unique")  # of a run's scores, in this order


@dataclass(frozen=True, kw_only=True)
class InTraining(Model):
    """A model as it is in memory, before any checkpoint of it is read."""

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


def score_text(trained: TrainedText, corpus: Corpus, phase: str) -> tuple[list[str], list[Score]]:
    """Sample a model and score it as `eval` in its settings says: (samples, scores)."""
    chosen = trained.settings.eval
    lines, words = _sampled(trained, corpus)
    origin: dict[str, Setting] = {
        "phase": phase,
        "weights": trained.origin(phase)["weights"],
        "temperature": signed_temperature(chosen.temperature),
        "sample_seed": chosen.seed,
        **blank_origin(lines),
    }
    return lines, _scores(trained, ground_of_corpus(corpus), origin, lines, words)


def _sampled(trained: TrainedText, corpus: Corpus) -> tuple[list[str], list[list[str]]]:
    """Sentences of a model as `eval` in its settings says, and their words."""
    chosen = trained.settings.eval
    with naming(trained.run):
        return sample_texts(
            trained.algorithm,
            corpus.vocabulary,
            chosen.samples,
            generator(chosen.seed, "eval", trained.device),
            SamplingOptions(chosen.temperature),
            chosen.batch_size,
        )


def score_pictures(painter: TrainedPictures, gallery: Gallery, phase: str) -> list[Score]:
    """Score what a picture model draws, as `eval` in its settings says."""
    origin = {"phase": phase, "weights": painter.origin(phase)["weights"]}
    return _scores(painter, ground_of_gallery(gallery), origin)


def text_score(trained: TrainedText, ground: Ground, name: str) -> float | None:
    """One of the scores of `score_text` for a model amid a phase; None where it has none.

    Sentences are drawn only where the score is of them.
    """
    corpus = ground.corpus
    assert corpus is not None
    measure = measures.judging(TEXT)[name]
    return _score(trained, ground, measure, name, functools.partial(_sampled, trained, corpus))


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
    subject, protocol = _subject(held, {}, source)
    found = measure.scores(subject, ground, protocol) if measure.fits(subject) else []
    return next((score.value for score in found if score.name == name), None)


def _subject(
    held: Trained[Any, Any], origin: Mapping[str, Setting], source: Callable[[], Drawn]
) -> tuple[Subject, Protocol]:
    """A model as it is in memory, as what is scored, and how `eval` in its settings scores it."""
    settings = held.settings
    model = InTraining(held.run, None, settings.device, held=held)
    size = settings.eval.samples
    subject = Subject(held.run.path.name, origin, {}, source, size, (held.run,), model)
    return subject, Protocol(
        preset=settings.eval.preset, seed=settings.eval.seed, device=settings.device
    )


def _scores(
    held: Trained[Any, Any],
    ground: Ground,
    origin: Mapping[str, Setting],
    lines: Sequence[str] = (),
    words: Sequence[Sequence[str]] = (),
) -> list[Score]:
    subject, protocol = _subject(held, origin, lambda: (lines, words))
    found: list[Score] = []
    for measure in measures.after_phase():
        if measure.fits(subject):
            scores = measure.scores(subject, ground, protocol)
            found += scores if measure.of_model else [with_origin(one, origin) for one in scores]
    return sorted(found, key=lambda one: LAST.index(one.name) if one.name in LAST else -1)


def with_origin(score: Score, origin: Mapping[str, Setting]) -> Score:
    """A score whose signature says where the samples are from: behind how many there are.

    At the end where the signature does not say how many.
    """
    items = list(score.signature.items())
    keys = [key for key, _ in items]
    place = keys.index("sentences") + 1 if "sentences" in keys else len(keys)
    signature = dict([*items[:place], *origin.items(), *items[place:]])
    return dataclasses.replace(score, signature=signature)
