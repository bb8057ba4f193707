"""Student's t against scipy, and Welch's degrees of freedom by hand."""

import math

import pytest
from scipy import stats

from gantext.metrics.student import quantile, two_sided, welch_degrees


@pytest.mark.parametrize("degrees", [1, 2.5, 4, 30, 1000, math.inf])
def test_equals_scipy(degrees: float) -> None:
    for t in (0.0, 0.3, 1.0, 2.5, 12.0):
        assert two_sided(-t, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), abs=1e-9)
    assert quantile(0.05, degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-8)


def test_welch_by_hand() -> None:
    """Equal errors of 3 values each have 4 degrees; one without error has the other's 2."""
    assert welch_degrees((1.0, 3), (1.0, 3)) == pytest.approx(4)
    assert welch_degrees((1.0, 3), (0.0, 9)) == pytest.approx(2)
    assert welch_degrees((0.0, 3), (0.0, 3)) == math.inf
    assert welch_degrees((2.0, 3), (1.0, 5)) == pytest.approx((4 + 1) ** 2 / (16 / 2 + 1 / 4))


def test_what_is_certain_and_what_never_happens() -> None:
    """Infinitely far lies nothing, as near as 0 all; beyond a million no t is sought."""
    assert two_sided(math.inf, 4) == 0
    assert quantile(0.9, 3) == pytest.approx(stats.t.ppf(0.55, 3), rel=1e-8)
    assert quantile(1.0, math.inf) == pytest.approx(0, abs=1e-17)
    assert quantile(1e-9, 1) == 1e6
