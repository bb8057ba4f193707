"""Student's t against scipy, and Welch's degrees of freedom by hand."""

import math

import pytest
from scipy import stats

from gantext.metrics.student import quantile, two_sided, welch_degrees


@pytest.mark.parametrize("degrees", [1, 2.5, 4, 30, 1000, math.inf])
def test_equals_scipy(degrees: float) -> None:
    for t in (0.0, 0.3, 1.0, 2.5, 12.0):
        assert two_sided(-t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), abs=1e-9)
    assert quantile(0.05, degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-6)


def test_welch_by_hand() -> None:
    """Equal errors of 3 values each have 4 degrees; one without error has the other's 2."""
    assert welch_degrees((1.0, 3), (1.0, 3)) == pytest.approx(4)
    assert welch_degrees((1.0, 3), (0.0, 9)) == pytest.approx(2)
    assert welch_degrees((0.0, 3), (0.0, 3)) == math.inf
