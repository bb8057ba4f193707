"""The paired bootstrap: of sentences that all say the same, by hand, and beside the formula."""

import numpy as np
import pytest

from gantext.metrics import standard_error
from gantext.metrics.paired import DRAWS, paired_bootstrap


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


@pytest.mark.parametrize("difference", [0.02, -0.03, 0.3])
def test_it_is_the_bootstrap_as_it_is_written(difference: float) -> None:
    """By a plain loop over the same draws: the 95 % interval, and twice the rarer sign's share."""
    apart = np.array([0.5, -0.2, -0.4, 0.1, 0.3, -0.3])
    rng = np.random.default_rng(0)
    drawn = np.array([difference + apart[rng.integers(6, size=6)].mean() for _ in range(2000)])
    assert DRAWS == 2000
    found = paired_bootstrap(difference, apart)
    assert found[:2] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=1e-12)
    sign = 1 if difference > 0 else -1
    assert found.p == pytest.approx(2 * np.mean(sign * drawn <= 0), abs=1e-12)
