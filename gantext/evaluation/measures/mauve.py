"""eval mauve: how far samples and real text overlap, as a sentence encoder sees them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.embedded import EmbeddedText, embedded_text
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.score import Score, Setting
from gantext.metrics.text.mauve import SCALE, clusters, k_means
from gantext.metrics.text.mauve import mauve as mauve_of

MOST = 5000  # sentences of each set, as the paper has; k-means of twice as many takes four times


def mauve(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """MAUVE of the sentences and the test text, and that of training text in their place."""
    if subject.name == REAL:  # its value stands with the samples'
        return []
    return mauve_scores(subject.lines, embedded_text(ground, protocol))


def mauve_scores(lines: Sequence[str], real: EmbeddedText) -> list[Score]:
    """`mauve`, samples against references, and `mauve-real`, training text against these.

    Of as many as the smallest of the three sets, and at most `MOST`. The embeddings are those of
    the Frechet distance, so that both encode the text once.
    """
    whole = real.size(lines)
    n = min(whole, MOST)
    sides = real.samples(lines, whole), real.training(whole), real.references(whole)
    samples, training, references = (_chosen(side, n, real.seed) for side in sides)
    sign: dict[str, Setting] = {"features": real.encoder.id, "clusters": clusters(n)}
    sign |= {"scale": SCALE, **real.signature(lines, n)}
    del sign["encoder"]
    group = k_means(real.seed)
    return [
        Score("mauve", mauve_of(samples, references, group), sign),
        Score("mauve-real", mauve_of(training, references, group), sign),
    ]


def _chosen(embeddings: ArrayLike, n: int, seed: int) -> ArrayLike:
    """A seeded choice of n of them."""
    given = np.asarray(embeddings)
    return given[np.random.default_rng([seed, 3]).permutation(len(given))[:n]]
