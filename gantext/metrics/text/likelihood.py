"""Likelihoods: of test text under a model, and of samples under a known distribution.

All values are in nats. Sentences that a known distribution cannot write have log-probability
-inf: their share is a score of its own, and they are left out of the mean (which says so).
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def nll_per_token(log_prob: Floats, tokens: Floats) -> float:
    """Total negative log-likelihood of sentences over their total number of tokens.

    Args:
        log_prob: (N,) nats per sentence.
        tokens: (N,) scored tokens of each sentence.
    """
    return float(-log_prob.sum() / tokens.sum())


def perplexity(log_prob: Floats, tokens: Floats) -> float:
    """exp of `nll_per_token`; infinite where it would overflow."""
    with np.errstate(over="ignore"):
        return float(np.exp(nll_per_token(log_prob, tokens)))


def grammatical_share(log_prob: Floats) -> float:
    """Share of the N sentences that the true distribution can write."""
    return float(np.isfinite(log_prob).mean()) if len(log_prob) else 0.0


def nll_oracle(log_prob: Floats, tokens: Floats) -> float:
    """Nats per token of the possible sentences among N; NaN when there is none."""
    possible = np.isfinite(log_prob)
    if not possible.any():
        return float("nan")
    return nll_per_token(log_prob[possible], tokens[possible])
