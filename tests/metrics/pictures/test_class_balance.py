"""Class counts and their KL to uniform, by hand and against scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from gantext.errors import UserError
from gantext.metrics.pictures.class_balance import class_counts, kl_to_uniform, min_share


def test_counts_have_a_place_for_every_class() -> None:
    assert class_counts([2, 0, 2, 2], 5).tolist() == [1, 0, 3, 0, 0]


@pytest.mark.parametrize("labels", [[], [0, 3], [-1], [-1, 1]])
def test_what_is_no_class_is_refused(labels: list[int]) -> None:
    with pytest.raises(UserError, match="labels from 0 to 2"):
        class_counts(labels, 3)


def test_kl_by_hand() -> None:
    """Shares 3/4 and 1/4 of two classes: 3/4 log(3/2) + 1/4 log(1/2); one class of four: log 4."""
    expected = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    assert kl_to_uniform([3, 1]) == pytest.approx(expected, rel=1e-14)
    assert kl_to_uniform([0, 0, 9, 0]) == pytest.approx(math.log(4), rel=1e-14)
    assert kl_to_uniform([7, 7, 7]) == 0
    assert kl_to_uniform([0.25, 0.25]) == 0


def test_the_share_of_the_rarest_class_by_hand() -> None:
    assert (min_share([3, 2, 5]), min_share([0, 4])) == (0.2, 0)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_kl_equals_scipy_and_stays_in_its_range(counts: list[int]) -> None:
    found = kl_to_uniform(counts)
    assert found == pytest.approx(entropy(counts, np.ones(len(counts))), abs=1e-12)
    assert 0 <= found <= math.log(len(counts)) + 1e-12


def test_even_samples_have_the_bias_that_is_stated() -> None:
    """(K - 1) / 2N = 9 / 1000 = 0.009 on average of 10 classes and 500 samples."""
    rng = np.random.default_rng(0)
    found = [kl_to_uniform(class_counts(rng.integers(0, 10, 500), 10)) for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.009, rel=0.1)


def test_no_samples_are_refused() -> None:
    with pytest.raises(UserError, match="no samples"):
        kl_to_uniform([0, 0])
