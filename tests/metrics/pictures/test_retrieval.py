"""Retrieval, by hand and against a sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantext.errors import UserError
from gantext.metrics.pictures.retrieval import found_at, ranks, reciprocal_ranks


def test_by_hand() -> None:
    """Row 1: its own .9 is first. Row 2: .8 stands before its .5. Row 3: .7 and .6 before .1.

    R@1 = 1/3, R@2 = 2/3, R@3 = 1; MRR = (1 + 1/2 + 1/3) / 3 = 11/18.
    """
    places = ranks([[0.9, 0.1, 0.2], [0.8, 0.5, 0.0], [0.7, 0.6, 0.1]])
    assert places.tolist() == [1, 2, 3]
    assert [found_at(places, k).mean() for k in (1, 2, 3)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert reciprocal_ranks(places).mean() == pytest.approx(11 / 18)


def test_ties_are_misses() -> None:
    """All pictures alike: every query's own stands last, R@1 = 0 and MRR = 1/4."""
    places = ranks(np.ones((4, 4)))
    assert places.tolist() == [4, 4, 4, 4]
    assert found_at(places, 1).mean() == 0 and found_at(places, 4).mean() == 1
    assert reciprocal_ranks(places).mean() == 0.25


def test_one_query_always_finds_its_own() -> None:
    assert ranks([[-3.0]]).tolist() == [1]


@given(st.integers(1, 8), st.integers(0, 1000), st.booleans())
def test_equals_a_sort(size: int, seed: int, coarse: bool) -> None:
    """Sorted with the query's own candidate behind its equals, its place is counted by hand."""
    table = np.random.default_rng(seed).normal(size=(size, size))
    table = table.round() if coarse else table
    wanted = []
    for i, row in enumerate(table):
        order = sorted(range(size), key=lambda j, row=row, i=i: (-row[j], j == i))
        wanted.append(order.index(i) + 1)
    assert ranks(table).tolist() == wanted


@pytest.mark.parametrize("table", [np.zeros((2, 3)), np.zeros((0, 0)), np.zeros(3)])
def test_what_is_no_table_of_pairs_is_refused(table: np.ndarray) -> None:
    with pytest.raises(UserError, match="a candidate for each query"):
        ranks(table)


def test_nan_is_refused() -> None:
    """NaN >= NaN is false: unchecked, a broken model would stand at place 0."""
    with pytest.raises(UserError, match="that are numbers"):
        ranks([[float("nan"), 0.0], [0.0, 1.0]])
