"""Standard errors by hand, against numpy and the bootstrap, and where there is none."""

import math

import numpy as np
import pytest

from gantext.metrics import standard_error


def test_of_a_mean_by_hand() -> None:
    """1, 2, 3: the sample's sd is 1, so 1 / sqrt 3; of 0, 0, 1, 1 it is sqrt(1/3) / 2."""
    assert standard_error.of_mean([1, 2, 3]) == pytest.approx(1 / math.sqrt(3))
    assert standard_error.of_mean([True, True, False, False]) == pytest.approx(math.sqrt(1 / 12))


def test_of_a_ratio_by_hand() -> None:
    """(1 + 5) / (1 + 2) = 2 with residuals -1 and 1 over the mean 3/2: -2/3 and 2/3, so 2/3."""
    assert standard_error.influences([1, 5], [1, 2]) == pytest.approx([-2 / 3, 2 / 3])
    assert standard_error.of_ratio([1, 5], [1, 2]) == pytest.approx(2 / 3)


def test_a_ratio_of_equal_lengths_is_a_mean() -> None:
    nats = np.random.default_rng(0).normal(size=50)
    expected = standard_error.of_mean(nats / 4)
    assert standard_error.of_ratio(nats, np.full(50, 4)) == pytest.approx(expected)


def test_the_jackknife_of_a_mean_is_its_error() -> None:
    values = np.random.default_rng(0).normal(size=30)
    left_out = (values.sum() - values) / 29
    assert standard_error.jackknifed(left_out) == pytest.approx(standard_error.of_mean(values))


def test_of_a_deviation_by_hand() -> None:
    """0, 0, 3: the mean is 1, sd^2 2, and 1, 1, 4 less 2 over 2 sd: sd(-1, -1, 2) / 2 sqrt 2."""
    moved = np.array([-1, -1, 2]) / (2 * math.sqrt(2))
    assert standard_error.deviation_influences([0, 0, 3]) == pytest.approx(moved)
    expected = moved.std(ddof=1) / math.sqrt(3)
    assert standard_error.of_deviation([0, 0, 3]) == pytest.approx(expected)


def test_the_bootstrap_is_the_deviation_of_200_seeded_draws() -> None:
    """Also of two rows, the fewest that can be drawn from."""
    rows = np.array([1.0, 4.0])
    rng = np.random.default_rng(0)
    drawn = [rows[rng.integers(2, size=2)].mean() for _ in range(200)]
    expected = pytest.approx(np.std(drawn, ddof=1), rel=1e-12)
    assert standard_error.bootstrapped(rows, lambda own: float(own.mean())) == expected


def test_the_bootstrap_agrees_with_the_formulas() -> None:
    """To three of its own errors, of 5 % each."""
    values = np.random.default_rng(1).gamma(2.0, size=2000)
    for score, formula in (
        (np.mean, standard_error.of_mean),
        (np.std, standard_error.of_deviation),
    ):
        drawn = standard_error.bootstrapped(values, lambda rows, of=score: float(of(rows)))
        assert drawn == pytest.approx(formula(values), rel=0.15)
    assert drawn == standard_error.bootstrapped(values, lambda rows: float(np.std(rows)))  # seeded


def test_none_where_none_is_known() -> None:
    assert standard_error.of_mean([1.0]) is None and standard_error.of_mean([]) is None
    assert standard_error.of_mean([1.0, math.inf]) is None
    with np.errstate(all="raise"):  # nor a warning
        assert standard_error.of_ratio([1.0, 2.0], [0, 0]) is None
        assert standard_error.of_ratio([], []) is None
        assert standard_error.of_deviation([]) is None
        some = standard_error.bootstrapped(np.arange(3), lambda rows: math.inf if rows[0] else 0.0)
        assert some is None
    assert standard_error.of_deviation([2.0, 2.0]) is None
    assert standard_error.bootstrapped(np.array([1.0]), np.mean) is None
    assert standard_error.bootstrapped(np.arange(3), lambda rows: math.nan) is None
