"""Neighbours of points against plain loops, at chunk borders, far from the origin, with copies."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantext.errors import UserError
from gantext.metrics.pictures import neighbours as point_neighbours
from gantext.metrics.pictures.neighbours import (
    inside_any,
    kth_squared_distances,
    nearest,
    squared_distances,
)


def points(n: int, d: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d))


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return math.sqrt(math.fsum((x - y) ** 2 for x, y in zip(a.tolist(), b.tolist(), strict=True)))


@pytest.fixture(params=[1, 3, 500])
def chunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(point_neighbours, "CHUNK", request.param)
    return int(request.param)


def test_nearest_by_hand() -> None:
    """(3, 4) is 5 from (0, 0) and sqrt(16 + 49) from (7, -3); (6, -3) is 1 from (7, -3)."""
    found = nearest(np.array([[3, 4], [6, -3]]), np.array([[0, 0], [7, -3]]))
    assert found.indices.tolist() == [0, 1]
    assert found.distances.tolist() == [5, 1]


def test_nearest_equals_a_plain_loop(chunk: int) -> None:
    x, y = points(20, 7, 0), points(31, 7, 1)
    found = nearest(x, y)
    for place, row in enumerate(x):
        apart = [distance(row, other) for other in y]
        assert found.indices[place] == int(np.argmin(apart))
        assert found.distances[place] == pytest.approx(min(apart), rel=1e-14)


def test_a_copy_is_at_distance_zero_even_far_from_the_origin(chunk: int) -> None:
    """With values about 1e4 the squares are 1e8, beyond what single precision tells apart."""
    y = (points(40, 50, 2) + 1e4).astype(np.float32)
    found = nearest(y[[5, 17]], y)
    assert found.indices.tolist() == [5, 17] and found.distances.tolist() == [0, 0]


def test_nearest_takes_bytes() -> None:
    """200 and 250 are 50 apart; as bytes the difference would be 206."""
    found = nearest(np.array([[200]], np.uint8), np.array([[250], [0]], np.uint8))
    assert found.distances.tolist() == [50]


def test_no_query_and_no_point() -> None:
    found = nearest(np.zeros((0, 3)), np.zeros((2, 3)))
    assert len(found.indices) == len(found.distances) == 0
    with pytest.raises(UserError, match="no pictures"):
        nearest(np.zeros((2, 3)), np.zeros((0, 3)))


def test_squared_distances_equal_a_plain_loop_and_are_not_negative() -> None:
    x, y = points(6, 4, 3), points(9, 4, 4)
    found = squared_distances(x, y)
    for i, j in np.ndindex(6, 9):
        assert found[i, j] == pytest.approx(distance(x[i], y[j]) ** 2, rel=1e-12)
    assert (squared_distances(x * 1e8, x * 1e8) >= 0).all()


def test_kth_by_hand() -> None:
    """Of 0, 1, 3, 7 the second nearest other point is 3, 2, 3 and 6 away; of the copies 5, 5, 9
    the first copy's nearest other is the second copy, at 0.
    """
    line = np.array([[0.0], [1], [3], [7]])
    np.testing.assert_allclose(kth_squared_distances(line, 2), [9, 4, 9, 36])
    copies = np.array([[5.0], [5], [9]])
    np.testing.assert_allclose(kth_squared_distances(copies, 1), [0, 0, 16])


@pytest.mark.parametrize("k", [1, 3, 12])
def test_kth_equals_a_plain_loop(chunk: int, k: int) -> None:
    x = points(13, 5, 5)
    for place, found in enumerate(kth_squared_distances(x, k)):
        others = sorted(distance(x[place], x[j]) for j in range(13) if j != place)
        assert math.sqrt(found) == pytest.approx(others[k - 1], rel=1e-12)


@pytest.mark.parametrize("k", [0, 4])
def test_too_few_neighbours_are_refused(k: int) -> None:
    with pytest.raises(UserError, match=f"4 pictures have no neighbour number {k}"):
        kth_squared_distances(points(4, 2, 0), k)


def test_inside_by_hand() -> None:
    """Balls around 0 and 10 of radius 1 and 2: the edge belongs to them."""
    centres, radii = np.array([[0.0], [10]]), np.array([1.0, 4])
    found = inside_any(np.array([[1.0], [1.5], [8], [-1.01], [12]]), centres, radii)
    assert found.tolist() == [True, False, True, False, True]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 3), st.integers(0, 99))
def test_inside_equals_a_plain_loop(n: int, m: int, d: int, seed: int) -> None:
    x, y = points(n, d, seed), points(m, d, seed + 100)
    radii = np.random.default_rng(seed).uniform(0, 1, m)
    expected = [any(distance(a, b) ** 2 <= r for b, r in zip(y, radii, strict=True)) for a in x]
    assert inside_any(x, y, radii).tolist() == expected
