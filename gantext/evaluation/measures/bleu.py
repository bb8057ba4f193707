"""eval bleu and eval self-bleu."""

from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject
from gantext.metrics.score import Score
from gantext.metrics.text.bleu_scores import bleu_scores, prepared_preset, self_bleu_scores
from gantext.metrics.text.corpus_bleu import CHARACTERS, corpus_bleu_score


def bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """BLEU-2..5 of the sentences, and their corpus BLEU, against the references."""
    lines, references, preparation = subject.lines, ground.references, ground.preparation
    preset = prepared_preset(protocol.preset, preparation)
    tokenizer = CHARACTERS if preparation.characters else None
    return [
        *bleu_scores(lines, references, preset, seed=protocol.seed, data_hash=ground.hash),
        corpus_bleu_score(lines, references, tokenizer=tokenizer, data_hash=ground.hash),
    ]


def self_bleu(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Self-BLEU-2..5: each sentence against all the others."""
    preset = prepared_preset(protocol.preset, ground.preparation)
    return self_bleu_scores(subject.lines, preset, seed=protocol.seed, data_hash=ground.hash)
