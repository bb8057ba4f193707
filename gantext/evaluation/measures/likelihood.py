"""eval likelihood: the likelihood of held-out sentences under a model."""

import numpy as np
import torch

from gantext.data.corpus import Corpus
from gantext.evaluation.ground import Ground
from gantext.evaluation.measure import Protocol
from gantext.evaluation.subjects import REAL, Subject, _tested
from gantext.evaluation.tempered import why_not
from gantext.inference.likelihood import (
    estimate_signature,
    split_log_prob,
    split_written_log_prob,
)
from gantext.metrics import standard_error
from gantext.metrics.score import Score, Setting, signed
from gantext.metrics.text.likelihood import nll_per_token, perplexity
from gantext.models.contract import Algorithm, Writer


def likelihood_scores(
    algorithm: Algorithm, corpus: Corpus, device: torch.device, temperature: float | None = None
) -> list[Score]:
    """nll-test, nats per token and per sentence, and forward KL where the entropy is known.

    Upper bounds on average where log p is an estimate, as the signature then says. With a
    temperature they are of the distribution that sentences are drawn from at it, in which <unk>
    has no part; the signature says so.
    """
    if temperature is None:
        log_prob = split_log_prob(algorithm, corpus.test, device)
        tokens = corpus.test.tokens.lengths.astype(np.float64)
        how = estimate_signature(algorithm)
    else:
        assert isinstance(algorithm, Writer)
        log_prob, tokens = split_written_log_prob(algorithm, corpus.test, temperature, device)
        unknown = tokens.sum() < corpus.test.tokens.lengths.sum()
        how = {"unk": "left out"} if unknown else {}
        how["temperature"] = temperature
    sign = signed(
        sentences=len(log_prob),
        vocabulary=len(corpus.vocabulary),
        eos=bool(corpus.vocabulary.end),
        tokenizer=corpus.vocabulary.tokenizer,
        **how,
        data=corpus.hash,
    )
    mean, of_sentence = float(-log_prob.mean()), standard_error.of_mean(log_prob)
    of_token, spread = standard_error.of_ratio(log_prob, tokens), perplexity(log_prob, tokens)
    of_spread = None if of_token is None else spread * of_token  # d exp(x) = exp(x) dx
    nats: dict[str, Setting] = {"unit": "nats/sentence", **sign}
    per_token = nll_per_token(log_prob, tokens)
    each = standard_error.influences(-log_prob, tokens).tolist()
    scores = [
        Score("nll-test", per_token, {"unit": "nats/token", **sign}, of_token, each=each),
        Score("nll-test-sentence", mean, nats, of_sentence),
        Score("perplexity", spread, {"unit": "per token", **sign}, of_spread),
    ]
    entropy = corpus.truth.entropy() if corpus.truth else float("nan")
    if np.isfinite(entropy):
        scores.append(Score("forward-kl", mean - entropy, nats, of_sentence))
    return scores


def likelihood(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """NLL and perplexity of the test sentences; none at a temperature that a model has none at."""
    found, temperature = _tested(subject, ground), protocol.temperature
    if found is None or (
        temperature is not None
        and subject.model is not None
        and why_not(subject.model, temperature)
    ):
        return []
    trained, corpus = found
    return likelihood_scores(trained.algorithm, corpus, trained.device, temperature)


def true_likelihood(subject: Subject, ground: Ground, protocol: Protocol) -> list[Score]:
    """The floor of nll-test: that of the known distribution itself.

    Over the tokens that a model's nll-test counts: <eos> too, where the data has it.
    """
    corpus = ground.corpus
    if subject.name != REAL or corpus is None or corpus.truth is None:
        return []
    words = [corpus.vocabulary.tokenize(line) for line in corpus.test.text]
    log_prob = np.asarray(corpus.truth.log_prob(words), dtype=np.float64)
    tokens = corpus.test.tokens.lengths.astype(np.float64)
    error = standard_error.of_ratio(log_prob, tokens)
    sign = signed(unit="nats/token", sentences=len(log_prob), data=corpus.hash)
    return [Score("nll-test-real", nll_per_token(log_prob, tokens), sign, error)]
