"""eval lm: small language models trained on the samples and on the real text."""

from dataclasses import replace

from gantext.data.corpus import Corpus, Split
from gantext.data.flat import Tokens
from gantext.errors import UserError
from gantext.evaluation.ground import Ground
from gantext.evaluation.judges.lm_score import encoded, lm_scores, real_lm_scores
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Subject
from gantext.metrics.score import Score
from gantext.runs.device import best_device


def lm(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Each set of sentences, scored by a model of the other."""
    if ground.corpus is None:
        raise UserError("eval lm needs training text: give data=NAME instead of --references")
    corpus, device = _prepared(ground.corpus, ground), best_device(protocol.device)
    if subject.name == REAL:
        return real_lm_scores(corpus, sentences=subject.size, seed=protocol.seed, device=device)
    return lm_scores(subject.lines, corpus, seed=protocol.seed, device=device)


def _prepared(corpus: Corpus, ground: Ground) -> Corpus:
    """The corpus as the samples are prepared: without `<unk>` where these cannot hold it."""
    if not ground.preparation.unknown:
        return corpus
    prepared = ground.preparation.sentences(corpus.validation.text)
    train, validation, test = (
        Split(encoded(lines, corpus) if lines else Tokens.of([]), tuple(lines))
        for lines in (ground.training, prepared, ground.references)
    )
    return replace(corpus, train=train, validation=validation, test=test)
