"""eval lm: small language models trained on the samples and on the real text."""

from gantext.errors import UserError
from gantext.evaluation.judges.lm_score import lm_scores, real_lm_scores
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Ground, Subject
from gantext.metrics.score import Score
from gantext.runs.trained import best_device


def lm(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Each set of sentences, scored by a model of the other."""
    if ground.corpus is None:
        raise UserError("eval lm needs training text: give data=NAME instead of --references")
    device = best_device(protocol.device)
    if subject.name == REAL:
        size = subject.size
        return real_lm_scores(ground.corpus, sentences=size, seed=protocol.seed, device=device)
    return lm_scores(subject.lines, ground.corpus, seed=protocol.seed, device=device)
