"""The scores at the end of a phase: which measures, of which samples, in the order of a run's."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gantext import models
from gantext.config.settings import Settings
from gantext.data import Reads
from gantext.data.corpus import Corpus
from gantext.data.gallery import Gallery
from gantext.evaluation import measures
from gantext.evaluation.ground import Ground, ground_of_corpus, ground_of_gallery
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Model, Subject, blank_origin
from gantext.inference.request import signed_temperature
from gantext.inference.sampling import naming, sample_texts
from gantext.metrics.score import Score, Setting
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs.trained import Trained, TrainedPictures, TrainedText

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
    with naming(trained.run):
        lines, words = sample_texts(
            trained.algorithm,
            corpus.vocabulary,
            chosen.samples,
            generator(chosen.seed, "eval", trained.device),
            SamplingOptions(chosen.temperature),
            chosen.batch_size,
        )
    origin: dict[str, Setting] = {
        "phase": phase,
        "weights": trained.origin(phase)["weights"],
        "temperature": signed_temperature(chosen.temperature),
        "sample_seed": chosen.seed,
        **blank_origin(lines),
    }
    return lines, _scores(trained, ground_of_corpus(corpus), origin, lines, words)


def score_pictures(painter: TrainedPictures, gallery: Gallery, phase: str) -> list[Score]:
    """Score what a picture model draws, as `eval` in its settings says."""
    origin = {"phase": phase, "weights": painter.origin(phase)["weights"]}
    return _scores(painter, ground_of_gallery(gallery), origin)


def _scores(
    held: Trained[Any, Any],
    ground: Ground,
    origin: Mapping[str, Setting],
    lines: Sequence[str] = (),
    words: Sequence[Sequence[str]] = (),
) -> list[Score]:
    settings = held.settings
    model = InTraining(held.run, None, settings.device, held=held)
    size = settings.eval.samples
    subject = Subject(
        held.run.path.name, origin, {}, lambda: (lines, words), size, (held.run,), model
    )
    protocol = Protocol(
        preset=settings.eval.preset, seed=settings.eval.seed, device=settings.device
    )
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
