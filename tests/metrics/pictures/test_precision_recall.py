"""Precision and recall by neighbours: by hand, against plain loops, and what they must see."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantext.errors import UserError
from gantext.metrics.pictures.precision_recall import precision_recall


def cloud(n: int, d: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, scale, (n, d))


def by_definition(samples: np.ndarray, real: np.ndarray, k: int) -> tuple[float, float]:
    """Kynkaanniemi et al. 2019, eq. 1 and 2, as written."""

    def covered(point: np.ndarray, region: np.ndarray) -> bool:
        for place, centre in enumerate(region):
            others = np.delete(region, place, axis=0)
            radius = np.sort(np.linalg.norm(others - centre, axis=1))[k - 1]
            if np.linalg.norm(point - centre) <= radius:
                return True
        return False

    precision = np.mean([covered(point, real) for point in samples])
    recall = np.mean([covered(point, samples) for point in real])
    return float(precision), float(recall)


def test_by_hand() -> None:
    """k = 1. Real 0, 1, 5, 6: every ball has radius 1, the region is [-1, 2] and [4, 7]; of the
    samples 1.5, 2.5, 3, 20 only 1.5 is in it: 1/4. The samples' radii are 1, 0.5, 0.5, 17; the ball
    around 20 reaches down to 3: 5 and 6 are in it; 1 is within 1 of 1.5, and 0 is not: 3/4.
    """
    samples, real = np.array([[1.5], [2.5], [3], [20]]), np.array([[0.0], [1], [5], [6]])
    assert precision_recall(samples, real, k=1) == (0.25, 0.75)


@given(st.integers(4, 15), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
def test_equals_plain_loops(n: int, d: int, k: int, seed: int) -> None:
    samples, real = cloud(n, d, seed, 0.5), cloud(n, d, seed + 100)
    assert precision_recall(samples, real, k) == pytest.approx(by_definition(samples, real, k))


def test_swapping_the_sets_swaps_the_two() -> None:
    samples, real = cloud(50, 3, 0, 0.3), cloud(50, 3, 1)
    assert precision_recall(samples, real) == precision_recall(real, samples)[::-1]


def test_a_copy_of_the_real_set_has_both() -> None:
    real = cloud(60, 4, 0) + 1000
    assert precision_recall(np.random.default_rng(0).permutation(real), real) == (1, 1)


def test_what_is_far_away_has_neither() -> None:
    assert precision_recall(cloud(60, 4, 0, shift=50), cloud(60, 4, 1)) == (0, 0)


def test_a_lost_mode_costs_recall_alone() -> None:
    """Real points in two far clusters, samples in one of them: all precise, half recalled."""
    real = np.concatenate([cloud(100, 2, 0), cloud(100, 2, 1, shift=100)])
    found = precision_recall(cloud(200, 2, 2), real)
    assert found.precision > 0.9 and 0.4 < found.recall <= 0.5


def test_a_wider_set_costs_precision_alone() -> None:
    found = precision_recall(cloud(300, 4, 0, scale=4), cloud(300, 4, 1))
    assert found.precision < 0.3 and found.recall > 0.9


def test_large_numbers_cost_no_digits() -> None:
    """Squares of 1e9 have steps of 128: without centring the balls would be noise."""
    samples, real = cloud(40, 2, 0, 0.5), cloud(40, 2, 1)
    moved = precision_recall(samples + 1e9, real + 1e9, 3)
    assert 0 < moved.precision < 1
    assert moved == pytest.approx(by_definition(samples, real, 3))


@pytest.mark.parametrize("place", [0, 1])
def test_one_number_that_is_not_finite_is_enough(place: int) -> None:
    sets = [cloud(6, 2, 0), cloud(6, 2, 1)]
    sets[place][4, 1] = np.inf
    with pytest.raises(UserError, match="finite"):
        precision_recall(*sets)


def test_bad_sets_are_refused() -> None:
    with pytest.raises(UserError, match="one size"):
        precision_recall(cloud(5, 2, 0), cloud(6, 2, 0))
    with pytest.raises(UserError, match="3 pictures have no neighbour number 3"):
        precision_recall(cloud(3, 2, 0), cloud(3, 2, 1))
    with pytest.raises(UserError, match="finite"):
        precision_recall(np.full((5, 2), np.nan), cloud(5, 2, 1))
