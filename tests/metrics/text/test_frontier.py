"""The arithmetic of the quality-diversity frontier, by hand and by property."""

import itertools
import math
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gantext.metrics.text.frontier import (
    Point,
    bleu_at,
    mean_over_seeds,
    placed,
)

N = 4
SHARE = st.integers(0, 1000).map(lambda n: n / 1000)
PAIRS = st.lists(st.tuples(SHARE, SHARE), min_size=1, max_size=8)


def point(x: float, y: float, temperature: float | None = 1.0, seed: int | None = 0) -> Point:
    return Point("run", "run", temperature, {N: y}, {N: x}, seed)


def points(pairs: Sequence[tuple[float, float]]) -> list[Point]:
    return [point(x, y) for x, y in pairs]


def test_between_two_points() -> None:
    """From (0.4, 0.2) to (0.8, 0.3), at 0.5: a quarter of the way, 0.2 + 0.1 / 4 = 0.225."""
    curve = points([(0.8, 0.3), (0.4, 0.2)])
    assert bleu_at(curve, 0.5, N) == pytest.approx(0.225)


def test_the_neighbours_count_and_no_others() -> None:
    """Between (0.6, 0.3) and (0.7, 0.4) the middle is 0.35, whatever stands farther out."""
    curve = points([(0.2, 0.9), (0.6, 0.3), (0.7, 0.4), (0.9, 0.0)])
    assert bleu_at(curve, 0.65, N) == pytest.approx(0.35)


def test_nothing_is_extrapolated() -> None:
    curve = points([(0.4, 0.2), (0.8, 0.3)])
    assert bleu_at(curve, 0.4, N) == 0.2
    assert bleu_at(curve, 0.8, N) == 0.3
    assert bleu_at(curve, 0.399, N) is None
    assert bleu_at(curve, 0.801, N) is None
    assert bleu_at(curve, math.nan, N) is None
    assert bleu_at([], 0.5, N) is None


def test_equal_self_bleu_takes_the_mean() -> None:
    """At 0.5: (0.2 + 0.4) / 2 = 0.3; half-way to (0.7, 0.5): 0.4."""
    curve = points([(0.5, 0.2), (0.7, 0.5), (0.5, 0.4)])
    assert bleu_at(curve, 0.5, N) == pytest.approx(0.3)
    assert bleu_at(curve, 0.6, N) == pytest.approx(0.4)


def test_points_without_finite_values_do_not_count() -> None:
    other = Point("run", "run", 1.0, {3: 0.9}, {3: 0.5})
    curve = [*points([(0.4, 0.2), (0.8, 0.3), (0.5, math.nan), (math.inf, 0.9)]), other]
    assert bleu_at(curve, 0.5, N) == pytest.approx(0.225)
    assert bleu_at(curve, 0.5, 3) == 0.9
    assert bleu_at(curve, 0.5, 2) is None
    assert len(placed(curve, N)) == 2


@given(PAIRS, SHARE, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs, at, random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    first, second = bleu_at(points(pairs), at, N), bleu_at(points(shuffled), at, N)
    assert first == second or first == pytest.approx(second, abs=1e-12)


@given(PAIRS)
def test_at_a_point_it_is_that_point(pairs) -> None:
    unique = dict(pairs)
    for x, y in unique.items():
        assert bleu_at(points(list(unique.items())), x, N) == y


@given(st.tuples(SHARE, SHARE), st.tuples(SHARE, SHARE), st.lists(SHARE, min_size=2, max_size=6))
def test_monotone_between_two_points(one, other, shares) -> None:
    assume(one[0] < other[0])
    places = [one[0] + share * (other[0] - one[0]) for share in sorted(shares)]
    found = [bleu_at(points([one, other]), min(place, other[0]), N) for place in places]
    rise = 1 if other[1] >= one[1] else -1
    assert all(rise * (b - a) >= -1e-12 for a, b in itertools.pairwise(found))
    low, high = sorted([one[1], other[1]])
    assert all(low - 1e-12 <= value <= high + 1e-12 for value in found)


def test_mean_and_deviation_over_seeds() -> None:
    """BLEU 0.2, 0.3, 0.4: mean 0.3, sd sqrt((0.01 + 0 + 0.01) / 2) = 0.1. Self-BLEU: sd 0.2."""
    several = [
        Point("a", "g", 0.7, {N: 0.2 + 0.1 * s}, {N: 0.4 + 0.2 * s}, s, {"nll": float(s)})
        for s in range(3)
    ]
    alone = Point("a", "g", 1.0, {N: 0.1}, {N: 0.2}, 0)
    mean, same = mean_over_seeds([several[0], alone, *several[1:]])
    assert same is alone
    assert (mean.label, mean.group, mean.temperature) == ("a", "g", 0.7)
    assert (mean.seed, mean.seeds) == (None, 3)
    assert mean.bleu[N] == pytest.approx(0.3) and mean.bleu_sd[N] == pytest.approx(0.1)
    assert mean.self_bleu[N] == pytest.approx(0.6) and mean.self_bleu_sd[N] == pytest.approx(0.2)
    assert mean.extra == {"nll": 1.0} and mean.extra_sd == {"nll": 1.0}
    assert mean_over_seeds([mean, same]) == [mean, same]


def test_a_value_that_one_seed_lacks_is_left_out() -> None:
    one = Point("a", "g", 1.0, {3: 0.2, 4: 0.1}, {4: 0.5}, 0, {"nll": 2.0})
    other = Point("a", "g", 1.0, {4: 0.3}, {4: 0.7}, 1)
    (mean,) = mean_over_seeds([one, other])
    assert list(mean.bleu) == [4] and mean.bleu[4] == pytest.approx(0.2) and not mean.extra


def test_labels_groups_and_temperatures_stay_apart() -> None:
    one = point(0.5, 0.2)
    others = [
        Point("other", "run", 1.0, one.bleu, one.self_bleu),
        Point("run", "other", 1.0, one.bleu, one.self_bleu),
        Point("run", "run", None, one.bleu, one.self_bleu),
    ]
    assert mean_over_seeds([one, *others]) == [one, *others]
