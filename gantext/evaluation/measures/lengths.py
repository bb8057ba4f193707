"""eval lengths: scores of short and of long sentences."""

import numpy as np

from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject
from gantext.metrics.score import Score, signed
from gantext.metrics.text.bleu_scores import prepared_preset
from gantext.metrics.text.by_length import bleu_by_length, by_length


def lengths(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """BLEU by length, and the grammatical share where the grammar is known."""
    scores = bleu_by_length(
        subject.lines,
        ground.references,
        prepared_preset(protocol.preset, ground.preparation),
        seed=protocol.seed,
        data_hash=ground.hash,
    )
    if ground.corpus is None or ground.corpus.truth is None:
        return scores
    words = subject.words(ground.corpus)
    possible = np.isfinite(np.asarray(ground.corpus.truth.log_prob(words)))
    sizes = np.array([len(sentence) for sentence in words])
    sign = signed(data=ground.hash)
    return [*scores, *by_length("grammatical", possible.astype(np.float64), sizes, sign)]
