"""The Frechet distance against its closed form, scipy's matrix root and its invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import sqrtm

from gantext.errors import UserError
from gantext.metrics.frechet import Gaussian, _factor, error, fit, frechet_distance

Floats = NDArray[np.float64]


def cloud(n: int, d: int, seed: int) -> Floats:
    """N correlated points away from the origin."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)


def by_definition(x: Floats, y: Floats) -> float:
    """Heusel et al. 2017, eq. 6, as written, with scipy's matrix root."""
    a, b = np.cov(x.T), np.cov(y.T)
    shift = x.mean(0) - y.mean(0)
    return float(shift @ shift + np.trace(a + b - 2 * sqrtm(a @ b).real))


@pytest.mark.parametrize("d", [3, 30])  # of full rank, and of more dimensions than points
def test_its_error_is_that_of_nudged_weights(d: int) -> None:
    """The influence of a point by definition: the distance moves as it gains a little weight."""
    x, y = cloud(20, d, 0), cloud(200, d, 1)
    a, b = fit([x]), fit([y])

    def weighted(weights: Floats) -> float:
        mean = weights @ x
        covariance = (x - mean).T @ ((x - mean) * weights[:, None])
        return frechet_distance(Gaussian(mean, covariance * 20 / 19, 20), b)

    even, step = np.full(20, 1 / 20), 1e-6
    influences = [
        (weighted(even + step * (np.eye(20)[i] - even)) - weighted(even)) / step for i in range(20)
    ]
    expected = np.std(influences, ddof=1) / np.sqrt(20)
    assert error(x, a, b) == pytest.approx(expected, rel=0.06)  # N / (N - 1) is 1.05


def test_its_error_by_hand() -> None:
    """One dimension, mean 0 and variance 1/15, beside mean 1/2 and variance 1/60: the map halves
    x. So x moves the distance by -x + x^2 - x^2 / 2."""
    x = np.array([-0.1, 0.1, -0.3, 0.3])
    b = Gaussian(np.array([0.5]), np.array([[1 / 60]]), 9)
    expected = np.std(-x + x**2 / 2, ddof=1) / 2
    assert error(x[:, None], fit([x[:, None]]), b) == pytest.approx(expected, rel=1e-12)


def test_sets_without_any_spread_have_no_error() -> None:
    x, y = np.zeros((5, 2)), np.tile([3.0, 4.0], (5, 1))
    with np.errstate(all="raise"):
        assert error(x, fit([x]), fit([y])) == 0


def test_variances_that_are_only_rounding_are_left_out() -> None:
    """Those of up to D epsilons of the largest: of two dimensions 1.5 and not 2.5."""
    tiny = np.finfo(np.float64).eps
    assert _factor(np.diag([1.5 * tiny, 1.0])).shape == (2, 1)
    assert _factor(np.diag([2.5 * tiny, 1.0])).shape == (2, 2)


def test_small_numbers_keep_their_digits() -> None:
    x = cloud(9, 3, 2) * 1e-20
    np.testing.assert_allclose(fit([x[:4], x[4:]]).mean, x.mean(0), rtol=1e-12)


def test_fit_is_mean_and_unbiased_covariance() -> None:
    x = cloud(50, 4, 0)
    found = fit([x])
    np.testing.assert_allclose(found.mean, x.mean(0), rtol=1e-13)
    np.testing.assert_allclose(found.covariance, np.cov(x.T), rtol=1e-12)
    assert found.count == 50
    assert found.mean.dtype == found.covariance.dtype == np.float64


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_chunks_of_any_size_give_the_same(sizes: list[int], seed: int) -> None:
    x = cloud(sum(sizes) + 2, 3, seed)
    found = fit(np.split(x, np.cumsum(sizes)))
    np.testing.assert_allclose(found.mean, x.mean(0), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(x.T), rtol=1e-10, atol=1e-12)


def test_a_large_mean_costs_no_digits() -> None:
    """Sums of squares about 1e16 would leave nothing of a variance of 1 in double precision."""
    x = cloud(200, 3, 1) + 1e8
    found = fit(np.split(x, 8))
    np.testing.assert_allclose(found.covariance, np.cov(x.T), rtol=1e-6)


def test_float32_is_summed_in_float64() -> None:
    x = (cloud(1000, 3, 1) + 100).astype(np.float32)
    reference = np.cov(x.astype(np.float64).T)
    np.testing.assert_allclose(fit(np.split(x, 10)).covariance, reference, rtol=1e-11)


def test_hand_case() -> None:
    """Diagonal covariances: |(1,0) - (4,4)|^2 = 9 + 16 = 25, and per axis (sqrt(s) - sqrt(t))^2:
    (sqrt 4 - sqrt 9)^2 + (sqrt 1 - sqrt 16)^2 = 1 + 9 = 10; together 35.
    """
    a = Gaussian(np.array([1.0, 0.0]), np.diag([4.0, 1.0]), 10)
    b = Gaussian(np.array([4.0, 4.0]), np.diag([9.0, 16.0]), 10)
    assert frechet_distance(a, b) == pytest.approx(35, rel=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_equals_scipys_matrix_root(seed: int) -> None:
    x, y = cloud(80, 6, seed), cloud(90, 6, seed + 50)
    found = frechet_distance(fit([x]), fit([y]))
    assert found == pytest.approx(by_definition(x, y), rel=1e-9)
    assert found == pytest.approx(frechet_distance(fit([y]), fit([x])), rel=1e-12)


def test_rank_deficient_covariance() -> None:
    """20 points of 40 dimensions: each covariance has rank 19. Turned into the 38 dimensions or
    fewer that the points span, nothing is lost, and the distance is the same as in the plain
    basis; scipy's root of the singular 40 x 40 product agrees to its own precision.
    """
    x, y = cloud(20, 40, 0), cloud(20, 40, 1)
    found = frechet_distance(fit([x]), fit([y]))
    turn, _ = np.linalg.qr(np.random.default_rng(2).normal(size=(40, 40)))
    assert found == pytest.approx(frechet_distance(fit([x @ turn]), fit([y @ turn])), rel=1e-12)
    assert found == pytest.approx(by_definition(x, y), rel=1e-5)


def test_orthogonal_supports() -> None:
    """One set varies along the first axis only, the other along the second: the root is 0, and
    the distance is the sum of both variances, 2 + 8 = 10 (sets -1, 1 and -2, 2 with N - 1 = 1).
    """
    x, y = np.array([[-1.0, 0.0], [1.0, 0.0]]), np.array([[0.0, -2.0], [0.0, 2.0]])
    assert frechet_distance(fit([x]), fit([y])) == pytest.approx(10, rel=1e-14)


def test_sets_without_any_spread() -> None:
    """All points equal: only the means differ, |(0,0) - (3,4)|^2 = 25."""
    x, y = np.zeros((5, 2)), np.tile([3.0, 4.0], (5, 1))
    assert frechet_distance(fit([x]), fit([y])) == pytest.approx(25, rel=1e-14)


@pytest.mark.parametrize(("n", "d"), [(100, 5), (10, 30)])
def test_identical_and_shuffled_sets_are_at_distance_zero(n: int, d: int) -> None:
    x = cloud(n, d, 3)
    shuffled = np.random.default_rng(0).permutation(x)
    assert frechet_distance(fit([x]), fit([x])) <= 1e-12 * np.trace(np.cov(x.T))
    assert frechet_distance(fit([x]), fit([shuffled])) <= 1e-10 * np.trace(np.cov(x.T))


@given(st.integers(2, 12), st.integers(1, 8), st.integers(0, 99))
def test_never_negative(n: int, d: int, seed: int) -> None:
    x = cloud(n, d, seed)
    assert 0 <= frechet_distance(fit([x]), fit([x * (1 + 1e-9)])) < np.inf


def test_a_shift_of_the_mean_counts_in_full() -> None:
    x = cloud(60, 4, 5)
    assert frechet_distance(fit([x]), fit([x + 0.5])) == pytest.approx(4 * 0.25, rel=1e-9)


def test_too_few_or_broken_embeddings_are_refused() -> None:
    with pytest.raises(UserError, match="at least 2 embeddings a set, not 1"):
        fit([np.zeros((1, 3))])
    with pytest.raises(UserError, match="not 0"):
        fit([])
    with pytest.raises(UserError, match="finite"):
        fit([np.array([[0.0, np.nan], [1.0, 2.0]])])
