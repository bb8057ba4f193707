"""Likelihoods by hand: totals over tokens, and sentences that a known distribution cannot write."""

import math

import numpy as np
import pytest

from gantext.metrics.text.likelihood import (
    grammatical_share,
    nll_oracle,
    nll_per_token,
    perplexity,
)

IMPOSSIBLE = -math.inf


def test_the_total_is_shared_by_all_tokens() -> None:
    """(3 + 5) nats over (1 + 3) tokens are 2 each, not the mean of 3 and 5 / 3."""
    log_prob, tokens = np.array([-3.0, -5.0]), np.array([1.0, 3.0])
    assert nll_per_token(log_prob, tokens) == 2
    assert perplexity(log_prob, tokens) == pytest.approx(math.e**2, rel=1e-15)


def test_a_perplexity_that_is_too_large_for_a_float_is_infinite() -> None:
    with np.errstate(all="raise"):  # nor a warning
        assert perplexity(np.array([-1e6]), np.array([1.0])) == math.inf


def test_the_share_of_possible_sentences() -> None:
    assert grammatical_share(np.array([-1.0, IMPOSSIBLE, -3.0, -2.0])) == 0.75
    assert grammatical_share(np.array([IMPOSSIBLE])) == 0
    assert grammatical_share(np.array([])) == 0


def test_impossible_sentences_are_left_out_of_the_mean() -> None:
    """Of 2 + 4 nats over 1 + 2 tokens; the impossible one's 7 tokens do not count."""
    log_prob = np.array([-2.0, IMPOSSIBLE, -4.0])
    assert nll_oracle(log_prob, np.array([1.0, 7.0, 2.0])) == 2
    assert math.isnan(nll_oracle(np.array([IMPOSSIBLE, IMPOSSIBLE]), np.array([1.0, 1.0])))
