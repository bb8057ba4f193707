"""Scores against a known distribution: the grammatical share and nll-oracle."""

from collections.abc import Sequence

import numpy as np

from gantext.data.corpus import Corpus
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject
from gantext.metrics import standard_error
from gantext.metrics.score import Score, signed
from gantext.metrics.text.likelihood import grammatical_share, nll_oracle


def truth_scores(sentences: Sequence[Sequence[str]], corpus: Corpus) -> list[Score]:
    """Share of sentences that the known distribution can write, and their nll-oracle."""
    if corpus.truth is None:
        return []
    log_prob = np.asarray(corpus.truth.log_prob(sentences), dtype=np.float64)
    tokens = np.array([len(s) for s in sentences], dtype=np.float64)
    sign = signed(sentences=len(sentences), data=corpus.hash)
    possible = np.isfinite(log_prob)
    share = Score(
        "grammatical", grammatical_share(log_prob), sign, standard_error.of_mean(possible)
    )
    nll = nll_oracle(log_prob, tokens)
    error = standard_error.of_ratio(log_prob[possible], tokens[possible])
    return [share, Score("nll-oracle", nll, {"unit": "nats/token, possible ones", **sign}, error)]


def truth(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """Scores of the sentences against the distribution that the data came from."""
    if ground.corpus is None or ground.corpus.truth is None:
        return []
    return truth_scores(subject.words(ground.corpus), ground.corpus)
