"""The arithmetic of the quality-diversity frontier, by hand and by property."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gantext.metrics.text.frontier import (
    Point,
    mean_over_seeds,
    placed,
    undominated,
    value_at,
)

X, Y = "self-bleu-4", "bleu-4"
SHARE = st.integers(0, 1000).map(lambda n: n / 1000)
PAIRS = st.lists(st.tuples(SHARE, SHARE), min_size=1, max_size=8)


def point(x: float, y: float, temperature: float | None = 1.0, seed: int | None = 0) -> Point:
    return Point("run", "run", temperature, {Y: y, X: x}, seed)


def points(pairs: Sequence[tuple[float, float]]) -> list[Point]:
    return [point(x, y) for x, y in pairs]


def read(curve: Sequence[Point], at: float) -> float | None:
    return value_at(curve, Y, X, at)


def test_between_two_points() -> None:
    """From (0.4, 0.2) to (0.8, 0.3), at 0.5: a quarter of the way, 0.2 + 0.1 / 4 = 0.225."""
    curve = points([(0.8, 0.3), (0.4, 0.2)])
    assert read(curve, 0.5) == pytest.approx(0.225)


def test_the_neighbours_count_and_no_others() -> None:
    """Between (0.6, 0.3) and (0.7, 0.4) the middle is 0.35, whatever stands farther out."""
    curve = points([(0.2, 0.9), (0.6, 0.3), (0.7, 0.4), (0.9, 0.0)])
    assert read(curve, 0.65) == pytest.approx(0.35)


def test_nothing_is_extrapolated() -> None:
    curve = points([(0.4, 0.2), (0.8, 0.3)])
    assert read(curve, 0.4) == 0.2
    assert read(curve, 0.8) == 0.3
    assert read(curve, 0.399) is None
    assert read(curve, 0.801) is None
    assert read(curve, math.nan) is None
    assert read([], 0.5) is None


def test_equal_self_bleu_takes_the_mean() -> None:
    """At 0.5: (0.2 + 0.4) / 2 = 0.3; half-way to (0.7, 0.5): 0.4."""
    curve = points([(0.5, 0.2), (0.7, 0.5), (0.5, 0.4)])
    assert read(curve, 0.5) == pytest.approx(0.3)
    assert read(curve, 0.6) == pytest.approx(0.4)


def test_points_without_finite_values_do_not_count() -> None:
    other = Point("run", "run", 1.0, {"bleu-3": 0.9, "self-bleu-3": 0.5})
    curve = [*points([(0.4, 0.2), (0.8, 0.3), (0.5, math.nan), (math.inf, 0.9)]), other]
    assert read(curve, 0.5) == pytest.approx(0.225)
    assert value_at(curve, "bleu-3", "self-bleu-3", 0.5) == 0.9
    assert value_at(curve, "bleu-2", "self-bleu-2", 0.5) is None
    assert len(placed(curve, X, Y)) == 2


@given(PAIRS, SHARE, st.randoms(use_true_random=False))
def test_order_does_not_matter(pairs, at, random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    first, second = read(points(pairs), at), read(points(shuffled), at)
    assert first == second or first == pytest.approx(second, abs=1e-12)


@given(PAIRS)
def test_at_a_point_it_is_that_point(pairs) -> None:
    unique = dict(pairs)
    for x, y in unique.items():
        assert read(points(list(unique.items())), x) == y


@given(st.tuples(SHARE, SHARE), st.tuples(SHARE, SHARE), st.lists(SHARE, min_size=2, max_size=6))
def test_monotone_between_two_points(one, other, shares) -> None:
    assume(one[0] < other[0])
    places = [one[0] + share * (other[0] - one[0]) for share in sorted(shares)]
    found = [read(points([one, other]), min(place, other[0])) for place in places]
    rise = 1 if other[1] >= one[1] else -1
    assert all(rise * (b - a) >= -1e-12 for a, b in itertools.pairwise(found))
    low, high = sorted([one[1], other[1]])
    assert all(low - 1e-12 <= value <= high + 1e-12 for value in found)


def test_mean_and_deviation_over_seeds() -> None:
    """BLEU 0.2, 0.3, 0.4: mean 0.3, sd sqrt((0.01 + 0 + 0.01) / 2) = 0.1. Self-BLEU: sd 0.2."""
    several = [
        Point("a", "g", 0.7, {Y: 0.2 + 0.1 * s, X: 0.4 + 0.2 * s, "nll": float(s)}, s)
        for s in range(3)
    ]
    alone = Point("a", "g", 1.0, {Y: 0.1, X: 0.2}, 0)
    mean, same = mean_over_seeds([several[0], alone, *several[1:]])
    assert same is alone
    assert (mean.label, mean.group, mean.temperature) == ("a", "g", 0.7)
    assert (mean.seed, mean.seeds) == (None, 3)
    assert mean.values == pytest.approx({Y: 0.3, X: 0.6, "nll": 1.0})
    assert mean.sd == pytest.approx({Y: 0.1, X: 0.2, "nll": 1.0})
    assert mean_over_seeds([mean, same]) == [mean, same]


def test_infinite_values_have_a_mean_and_no_deviation() -> None:
    several = [Point("a", "g", 1.0, {Y: math.inf}, seed) for seed in range(2)]
    with np.errstate(all="raise"):  # nor a warning
        (mean,) = mean_over_seeds(several)
    assert mean.values[Y] == math.inf and math.isnan(mean.sd[Y]) and several[0].seeds == 1


def test_equal_in_one_score_the_lower_one_dominates() -> None:
    curve = points([(0.1, 0.5), (0.1, 0.4), (0.3, 0.2), (0.2, 0.2)])
    assert [one.at(X, Y) for one in undominated(curve, X, Y)] == [(0.1, 0.4), (0.2, 0.2)]


def test_a_value_that_one_seed_lacks_is_left_out() -> None:
    one = Point("a", "g", 1.0, {"bleu-3": 0.2, Y: 0.1, X: 0.5, "nll": 2.0}, 0)
    other = Point("a", "g", 1.0, {Y: 0.3, X: 0.7}, 1)
    (mean,) = mean_over_seeds([one, other])
    assert mean.values == pytest.approx({Y: 0.2, X: 0.6})


def test_labels_groups_and_temperatures_stay_apart() -> None:
    one = point(0.5, 0.2)
    others = [
        Point("other", "run", 1.0, one.values),
        Point("run", "other", 1.0, one.values),
        Point("run", "run", None, one.values),
    ]
    assert mean_over_seeds([one, *others]) == [one, *others]


def test_a_curve_of_likelihoods_turns_back() -> None:
    """nll-test falls to 8.7 at T = 1.1 and rises again: T = 1.2 is dominated by T = 1.

    At 8.9, between (8.75, 9) at T = 1 and (9.15, 8.6) at T = .9: 9 - .4 * .15 / .4 = 8.85. With
    the dominated point it would be read between that one and T = 1.
    """
    heats = {0.9: (9.15, 8.6), 1.0: (8.75, 9.0), 1.1: (8.7, 9.3), 1.2: (8.9, 9.8)}
    curve = [point(*xy, temperature=heat) for heat, xy in heats.items()]
    front = undominated([*curve, point(math.nan, 1.0)], X, Y)
    assert [one.temperature for one in front] == [0.9, 1.0, 1.1]
    assert read(front, 8.9) == pytest.approx(8.85)
    assert read(curve, 8.9) == pytest.approx(9.8)
    assert undominated([curve[0], curve[0]], X, Y) == [curve[0], curve[0]]


@given(PAIRS)
def test_of_what_is_not_dominated_each_better_x_has_a_worse_y(pairs) -> None:
    front = sorted(one.at(X, Y) for one in undominated(points(pairs), X, Y))
    assert front[0][0] == min(x for x, _ in pairs)
    assert front[-1][1] == min(y for _, y in pairs)
    unique = sorted(set(front))
    assert all(b[1] < a[1] for a, b in itertools.pairwise(unique))
