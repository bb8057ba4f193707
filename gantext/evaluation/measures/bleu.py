"""eval bleu and eval self-bleu."""

from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Ground, Subject
from gantext.metrics.score import Score


def _bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.metrics.text.bleu_scores import bleu_scores
    from gantext.metrics.text.corpus_bleu import corpus_bleu_score

    lines, references = subject.lines, ground.references
    return [
        *bleu_scores(lines, references, protocol.preset, seed=protocol.seed, data_hash=ground.hash),
        corpus_bleu_score(lines, references, data_hash=ground.hash),
    ]


def _self_bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    from gantext.metrics.text.bleu_scores import self_bleu_scores

    return self_bleu_scores(
        subject.lines, protocol.preset, seed=protocol.seed, data_hash=ground.hash
    )
