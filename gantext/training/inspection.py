"""How a run's samples are looked at and scored while it trains: a class for text, one for pictures.

The training loop knows nothing else of what a model makes.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from gantext import models
from gantext.config.settings import Settings
from gantext.data.corpus import Corpus
from gantext.data.gallery import Gallery
from gantext.evaluation.ground import Ground, ground_of_corpus, ground_of_gallery
from gantext.evaluation.phase import picture_score, score_pictures, score_text, text_score
from gantext.inference.drawing import SIDE, look_at
from gantext.inference.likelihood import likelihood_of
from gantext.inference.sampling import sample_texts
from gantext.metrics.score import Score
from gantext.metrics.text.diversity import unique_share
from gantext.models.contract import Ability, Algorithm, Latent, Painter
from gantext.nn.latent import active_units, gaussian_kl
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions
from gantext.plots.pictures import grid_array, grid_png
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES, TEXT, Kind, model_kind
from gantext.runs.trained import Trained, TrainedPictures, TrainedText
from gantext.training.console import Reporter
from gantext.training.tracker import Tracker

LOOK = 200  # sentences of a look at the samples
ENCODED = 500  # sentences of a look at the posteriors


class Inspector(Protocol):
    """Looks at samples and scores them."""

    @property
    def objective(self) -> str:
        """The score that a sweep's optimiser receives, unless the settings name another."""
        ...

    @property
    def measured(self) -> tuple[str, ...]:
        """The metrics that `look` gives, in the order in which the line of progress has them."""
        ...

    def look(self, name: str, total: int, tracker: Tracker, reporter: Reporter) -> dict[str, float]:
        """Store and show a few samples of the step `total` as `name`; metrics of them.

        The random numbers are a generator's of their own, so that looking changes nothing.
        """
        ...

    def measure(self, score: str, phase: str, total: int) -> float | None:
        """One of the scores of a phase's end, amid the phase; nothing is stored.

        None where the model, or its data, has no such score.
        """
        ...

    def score(self, phase: str, total: int, digest: str | None) -> list[Score]:
        """Sample at the end of a phase, store samples under its name, and score them.

        Args:
            phase: its name.
            total: the run's steps up to here.
            digest: of its weights as they were saved.
        """
        ...


@dataclass(frozen=True)
class TextInspector:
    """Of a text model: sentences, their unique share, the validation likelihood; then BLEU."""

    settings: Settings
    run: RunDir
    corpus: Corpus
    algorithm: Algorithm
    device: torch.device
    objective: str = "nll-test"
    measured: tuple[str, ...] = ("unique", "nll_valid")

    def look(self, name: str, total: int, tracker: Tracker, reporter: Reporter) -> dict[str, float]:
        """See `Inspector.look`."""
        rng = generator(self.settings.seed, f"look/{total}", self.device)
        vocabulary = self.corpus.vocabulary
        lines = sample_texts(self.algorithm, vocabulary, LOOK, rng, SamplingOptions(), LOOK)[0]
        self.run.save_samples(name, lines)
        reporter.sample(lines[0])
        tracker.text("sample", lines[:10], total)
        found = {"unique": unique_share(lines)}
        if len(self.corpus.validation):
            found["nll_valid"] = likelihood_of(self.algorithm, self.corpus.validation, self.device)
        if Ability.latent in models.abilities(self.settings.model.name):
            found.update(posterior_use(self.algorithm, self._encoded()))
        return found

    def _encoded(self) -> Tensor:
        """Sentences whose posteriors are looked at, (N, T): of validation, else of training."""
        validation = self.corpus.validation
        split = validation if len(validation) > 1 else self.corpus.train  # of one nothing varies
        tokens: Tensor = split.tokens.take(slice(ENCODED)).padded(self.corpus.max_length)
        return tokens.to(self.device)

    @functools.cached_property
    def _ground(self) -> Ground:
        return ground_of_corpus(self.corpus)

    def measure(self, score: str, phase: str, total: int) -> float | None:
        """See `Inspector.measure`."""
        return text_score(self._trained(phase, total, None), self._ground, score)

    def score(self, phase: str, total: int, digest: str | None) -> list[Score]:
        """See `Inspector.score`."""
        lines, scores = score_text(self._trained(phase, total, digest), self.corpus, phase)
        self.run.save_samples(phase, list(lines))
        return scores

    def _trained(self, phase: str, total: int, digest: str | None) -> TrainedText:
        return Trained(
            self.run,
            self.settings,
            self.corpus.vocabulary,
            self.algorithm,
            self.device,
            total,
            phase,
            digest,
        )


def posterior_use(algorithm: Algorithm, tokens: Tensor) -> dict[str, float]:
    """What the posteriors of sentences, (N, T), say: KL (nats per sentence), active units."""
    assert isinstance(algorithm, Latent)
    mu, log_var = algorithm.encode(tokens)
    kl = float(gaussian_kl(mu, log_var).sum(1).double().mean())
    return {"kl_valid": kl, "active_units": active_units(mu)}


@dataclass(frozen=True)
class PictureInspector:
    """Of a picture model: a grid of pictures, always from the same noise; then picture scores."""

    settings: Settings
    run: RunDir
    gallery: Gallery
    algorithm: Painter
    device: torch.device
    objective: str = "frechet"
    measured: tuple[str, ...] = ()

    def look(self, name: str, total: int, tracker: Tracker, reporter: Reporter) -> dict[str, float]:
        """See `Inspector.look`."""
        pictures = look_at(self.algorithm, self.gallery, self.settings.seed, self.device)
        path = self.run.pictures.save_grid(name, grid_png(pictures, SIDE))
        reporter.sample(str(path))
        tracker.picture("samples", grid_array(pictures, SIDE, scale=4), total)
        return {}

    def score(self, phase: str, total: int, digest: str | None) -> list[Score]:
        """See `Inspector.score`."""
        pictures = look_at(self.algorithm, self.gallery, self.settings.seed, self.device)
        self.run.pictures.save_grid(phase, grid_png(pictures, SIDE))
        return score_pictures(self._trained(phase, total, digest), self.gallery, phase)

    def measure(self, score: str, phase: str, total: int) -> float | None:
        """See `Inspector.measure`."""
        painter = self._trained(phase, total, None)
        return picture_score(painter, ground_of_gallery(self.gallery), score)

    def _trained(self, phase: str, total: int, digest: str | None) -> TrainedPictures:
        return Trained(
            self.run,
            self.settings,
            self.gallery.vocabulary,
            self.algorithm,
            self.device,
            total,
            phase,
            digest,
        )


def inspector(
    settings: Settings,
    run: RunDir,
    data: Corpus | Gallery,
    algorithm: Any,
    device: torch.device,
) -> Inspector:
    """The inspector for what the model makes."""
    of_kind = INSPECTORS[model_kind(settings.model.name)]
    return of_kind(settings, run, data, algorithm, device)


INSPECTORS: dict[Kind[Any, Any], Callable[..., Inspector]] = {
    TEXT: TextInspector,
    PICTURES: PictureInspector,
}
