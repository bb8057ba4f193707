"""eval diversity: distinct n-grams, copying, divergence of n-grams."""

from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.score import Score, signed
from gantext.metrics.text.diversity import diversity_scores, unique_error, unique_share


def diversity(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """All that `diversity_scores` says of the sentences."""
    # Of the training text itself everything is copied: that says nothing.
    training = () if subject.name == REAL else ground.training
    return diversity_scores(
        subject.lines,
        ground.references,
        training,
        tokenizer=ground.preparation.tokenizer("nltk"),
        data_hash=ground.hash,
    )


def unique(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """The share of different sentences alone."""
    lines = subject.lines
    return [Score("unique", unique_share(lines), signed(sentences=len(lines)), unique_error(lines))]
