"""eval likelihood: the likelihood of held-out sentences under a model."""

import numpy as np
import torch

from gantext.data.corpus import Corpus
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import Subject, _tested
from gantext.inference.likelihood import estimate_signature, split_log_prob
from gantext.metrics.score import Score, signed
from gantext.metrics.text.likelihood import nll_per_token, perplexity
from gantext.models.contract import Algorithm


def likelihood_scores(algorithm: Algorithm, corpus: Corpus, device: torch.device) -> list[Score]:
    """nll-test, nats per token and per sentence, and forward KL where the entropy is known.

    Upper bounds on average where log p is an estimate, as the signature then says.
    """
    log_prob = split_log_prob(algorithm, corpus.test, device)
    tokens = corpus.test.tokens.lengths.astype(np.float64)
    sign = signed(
        sentences=len(log_prob),
        vocabulary=len(corpus.vocabulary),
        eos=True,
        tokenizer=corpus.vocabulary.tokenizer,
        **estimate_signature(algorithm),
        data=corpus.hash,
    )
    mean = float(-log_prob.mean())
    scores = [
        Score("nll-test", nll_per_token(log_prob, tokens), {"unit": "nats/token", **sign}),
        Score("nll-test-sentence", mean, {"unit": "nats/sentence", **sign}),
        Score("perplexity", perplexity(log_prob, tokens), {"unit": "per token", **sign}),
    ]
    entropy = corpus.truth.entropy() if corpus.truth else float("nan")
    if np.isfinite(entropy):
        scores.append(Score("forward-kl", mean - entropy, {"unit": "nats/sentence", **sign}))
    return scores


def likelihood(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """NLL and perplexity of the test sentences."""
    found = _tested(subject, ground)
    if found is None:
        return []
    trained, corpus = found
    return likelihood_scores(trained.algorithm, corpus, trained.device)
