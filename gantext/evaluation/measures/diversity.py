"""eval diversity: distinct n-grams, copying, divergence of n-grams."""

from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Ground, Subject
from gantext.metrics.score import Score


def _diversity(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.metrics.text.diversity import diversity_scores

    # Of the training text itself everything is copied: that says nothing.
    training = () if subject.name == REAL else ground.training
    return diversity_scores(subject.lines, ground.references, training, data_hash=ground.hash)
