"""The scores of a model itself: likelihood, latent variable, midpoints, filled blanks."""

from typing import TYPE_CHECKING

from gantext.assemble import Trained
from gantext.data.corpus import Corpus
from gantext.errors import UserError
from gantext.evaluate import likelihood_scores
from gantext.imputation import imputation_scores
from gantext.interpolate import midpoint_scores
from gantext.latent_scores import latent_scores
from gantext.metrics.score import Score
from gantext.nn.algorithm import Latent
from gantext.subjects import Ground, Subject

if TYPE_CHECKING:
    from gantext.measures import Protocol


def has_latent(subject: Subject) -> bool:
    """Whether it is the samples of a model with a latent variable, seen without building it."""
    return subject.model is not None and hasattr(subject.model.settings.model, "latent_size")


def _tested(subject: Subject, ground: Ground) -> tuple[Trained, Corpus] | None:
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


def likelihood(subject: Subject, ground: Ground, protocol: "Protocol") -> list[Score]:
    """NLL and perplexity of the test sentences."""
    found = _tested(subject, ground)
    if found is None:
        return []
    trained, corpus = found
    return likelihood_scores(trained.algorithm, corpus, trained.device)


def latent(subject: Subject, ground: Ground, protocol: "Protocol") -> list[Score]:
    """ELBO and its parts, importance-weighted NLL, mutual information, active units."""
    found = _tested(subject, ground)
    if found is None:
        return []
    trained, corpus = found
    assert isinstance(trained.algorithm, Latent)
    return latent_scores(
        trained.algorithm,
        corpus,
        trained.device,
        draws=protocol.draws,
        sentences=protocol.sentences,
        seed=protocol.seed,
    )


def interpolation(subject: Subject, ground: Ground, protocol: "Protocol") -> list[Score]:
    """Share of grammatical midpoints between pairs of test sentences."""
    found = _tested(subject, ground)
    return midpoint_scores(*found, protocol.probes, protocol.seed) if found else []


def imputation(subject: Subject, ground: Ground, protocol: "Protocol") -> list[Score]:
    """What the model fills blanks of test sentences with."""
    found = _tested(subject, ground)
    return imputation_scores(*found, protocol.probes, protocol.seed) if found else []
