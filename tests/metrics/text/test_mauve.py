"""MAUVE by hand: equal shares, none in common, one cluster of two; and what the clusters are of."""

import itertools
import math
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from gantext.metrics.text.mauve import (
    MIXTURES,
    area,
    clusters,
    components,
    k_means,
    mauve,
    shares,
)


def test_equal_shares_have_the_whole_square() -> None:
    """Both divergences are 0 at every mixture: the curve is the corner (1, 1), the area 1."""
    assert area(np.array([0.3, 0.7]), np.array([0.3, 0.7])) == pytest.approx(1.0)


def test_nothing_in_common_by_hand() -> None:
    """KL(Q | R) = -log(1 - l), KL(P | R) = -log l: x = (1 - l)^5, y = l^5, whose area is
    5 B(5, 6) = 5 * 4! 5! / 10! = 1/252. Added up over 25 mixtures: the trapezia of these points."""
    exact = 5 * math.factorial(4) * math.factorial(5) / math.factorial(10)
    found = area(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    points = sorted([(0.0, 1.0), *(((1 - w) ** 5, w**5) for w in MIXTURES), (1.0, 0.0)])
    steps = itertools.pairwise(points)
    summed = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in steps)
    assert found == pytest.approx(summed)
    assert found == pytest.approx(exact, abs=2e-3)


def test_half_in_common_lies_between_and_neither_set_is_first() -> None:
    """P is all in the first cluster, Q half: KL(P | R) = -log((1 + l) / 2)."""
    p, q = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    assert 0.01 < area(p, q) < 0.9
    assert area(p, q) == pytest.approx(area(q, p))
    middle = MIXTURES[12]
    assert middle == pytest.approx(0.5)
    of_p = -math.log((1 + middle) / 2)  # 0.2877
    of_q = 0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)  # 0.1438
    assert (math.exp(-5 * of_q), math.exp(-5 * of_p)) == pytest.approx((0.487, 0.237), abs=1e-3)


def test_shares_are_of_clusters_of_both_sets() -> None:
    """Three of the four samples are left of 0, one of the references: .75 and .25."""

    def halves(vectors: np.ndarray, count: int) -> np.ndarray:
        assert (vectors.shape, count) == ((8, 1), 2)
        return (vectors[:, 0] > 0).astype(np.int64)

    left, right = [-1.0, 0.0], [1.0, 0.0]
    p, q = shares(
        np.array([left, left, left, right]), np.array([left, right, right, right]), halves
    )
    assert sorted([p[0], q[0]]) == [0.25, 0.75] and p[0] + p[1] == q[0] + q[1] == 1.0
    assert mauve([left, right] * 2, [right, left] * 2, halves) == pytest.approx(1.0)
    assert [clusters(size) for size in (4, 60, 5000)] == [2, 6, 500]


def test_how_many_clusters_there_are_the_smaller_set_says() -> None:
    """A tenth of the smaller one's."""
    asked = []

    def one(vectors: np.ndarray, count: int) -> np.ndarray:
        asked.append(count)
        return np.zeros(len(vectors), np.int64)

    some = np.eye(60)
    for sets in ((some, some[:40]), (some[:40], some)):
        assert [len(part) for part in shares(*sets, one)] == [4, 4]
    assert asked == [4, 4]


def test_components_hold_what_vectors_of_length_one_vary_by() -> None:
    """(3, 4) and (30, 40) are the same direction, so one component is left of two directions."""
    found = components(np.array([[3.0, 4.0], [30.0, 40.0], [-3.0, -4.0], [-3.0, -4.0]]))
    assert found.shape == (4, 1)
    assert np.abs(found[:, 0]) == pytest.approx(1.0)


def along(axes: list[tuple[int, int]], length: float = 1.0) -> np.ndarray:
    """So many pairs of opposite vectors along each axis of three."""
    pairs = [np.repeat(np.eye(3)[[axis]], many, 0) for axis, many in axes]
    return length * np.concatenate([*pairs, *(-one for one in pairs)])


@pytest.mark.parametrize(("many", "kept"), [((12, 7, 1), 2), ((12, 5, 3), 3), ((19, 1, 0), 1)])
def test_as_many_components_are_kept_as_hold_nine_tenths(
    many: tuple[int, int, int], kept: int
) -> None:
    """.6 and .95; .6, .85 and all; .95."""
    assert components(along(list(enumerate(many)))).shape == (40, kept)


def test_short_vectors_and_ones_that_hardly_differ_count_as_others() -> None:
    """And vectors of length 0, or that are all the same, as nothing."""
    vectors = along([(0, 3), (1, 2), (2, 1)])
    assert components(1.5e-12 * vectors) == pytest.approx(components(vectors))
    near = np.array([1.0, 0, 0]) + along([(1, 1), (2, 1)], math.sqrt(1.5e-12) / 2)
    assert components(near).shape == (4, 2)
    with np.errstate(all="raise"):
        assert not components(np.zeros((3, 2))).any() and not components(np.ones((3, 2))).any()


def test_mixtures_are_25_between_either_set_alone() -> None:
    assert np.diff(MIXTURES) == pytest.approx([(1 - 2e-6) / 24] * 24)
    assert (MIXTURES[0], 1 - MIXTURES[-1]) == pytest.approx((1e-6, 1e-6))


def test_k_means_is_asked_for_the_best_of_five(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def means(count: int, **how: int) -> SimpleNamespace:
        asked.append((count, how))
        return SimpleNamespace(fit_predict=lambda vectors: np.arange(len(vectors)))

    monkeypatch.setitem(sys.modules, "sklearn.cluster", SimpleNamespace(KMeans=means))
    assert k_means(7)(np.zeros((3, 2)), 4).tolist() == [0, 1, 2]
    assert asked == [(4, {"n_init": 5, "max_iter": 500, "random_state": 7})]
