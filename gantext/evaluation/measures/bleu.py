"""eval bleu and eval self-bleu."""

from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Ground, Subject
from gantext.metrics.score import Score
from gantext.metrics.text.bleu_scores import bleu_scores, self_bleu_scores
from gantext.metrics.text.corpus_bleu import corpus_bleu_score


def bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """BLEU-2..5 of the sentences, and their corpus BLEU, against the references."""
    lines, references = subject.lines, ground.references
    return [
        *bleu_scores(lines, references, protocol.preset, seed=protocol.seed, data_hash=ground.hash),
        corpus_bleu_score(lines, references, data_hash=ground.hash),
    ]


def self_bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Self-BLEU-2..5: each sentence against all the others."""
    return self_bleu_scores(
        subject.lines, protocol.preset, seed=protocol.seed, data_hash=ground.hash
    )
