"""The Frechet distance between samples and real text, on sentence embeddings.

An encoder sees topic and meaning before word order: shuffled words cost little. The floor is that
of two sets of real text, and not 0: it holds what test and training text differ in themselves.
"""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.embedded import EmbeddedText, embedded_text
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.frechet import Gaussian, error, fit, frechet_distance
from gantext.metrics.score import Score

Distance = tuple[float, float | None]  # and its standard error


def frechet(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """The distance of the sentences, and its floor."""
    if subject.name == REAL:  # its floor stands with the samples' distance
        return []
    return frechet_scores(subject.lines, embedded_text(ground, protocol))


def frechet_scores(lines: Sequence[str], real: EmbeddedText) -> list[Score]:
    """`frechet`, samples against references, and `frechet-real`, its floor at the same N.

    N is the smallest of the three sizes; of the others a seeded choice is taken.

    Raises:
        UserError: one of the three has fewer than two sentences.
    """
    n = real.size(lines)
    sign = real.signature(lines, n)
    references = fit([real.references(n)])
    value, spread = _distance(real.samples(lines, n), references)
    floor, floor_spread = _distance(real.training(n), references)
    return [
        Score("frechet", value, sign, spread),
        Score("frechet-real", floor, sign, floor_spread),
    ]


def _distance(embeddings: ArrayLike, references: Gaussian) -> Distance:
    samples = fit([embeddings])
    return frechet_distance(samples, references), error(embeddings, samples, references)
