"""The paired bootstrap: of sentences that all say the same, by hand, and beside the formula."""

import numpy as np
import pytest

from gantext.metrics import standard_error
from gantext.metrics.paired import paired_bootstrap


def test_sentences_that_agree_leave_no_doubt() -> None:
    """Nothing varies: the interval is the difference, and no draw has another sign."""
    assert paired_bootstrap(0.5, [0.0, 0.0, 0.0]) == (0.5, 0.5, 0.0)
    assert paired_bootstrap(0.0, [0.0, 0.0]).p == 1.0


def test_the_interval_is_that_of_the_mean() -> None:
    """1.96 standard errors to either side, to a tenth; .5 of them away from 0: p = .62."""
    apart = np.random.default_rng(0).normal(size=800)
    apart -= apart.mean()
    error = standard_error.of_mean(apart)
    assert error is not None
    found = paired_bootstrap(0.5 * error, apart)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.1)
    assert found.p == pytest.approx(0.617, abs=0.06)
    assert paired_bootstrap(5 * error, apart).p < 0.005
