"""Quality against diversity: one model at several temperatures is a curve, not a number.

A lower temperature makes samples better and less diverse together, so two models are compared where
they are equally diverse (or equally good), or by which one's points dominate (Caccia et al. 2020,
"Language GANs Falling Short"). What stands on the axes is said by `gantext.metrics.text.planes`.
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Point:
    """One model's samples at one temperature, or real text, or what a paper reports.

    Attributes:
        label: the name of its curve.
        group: what shares a colour, such as a run and its MLE-only generator.
        temperature: of sampling; None where it is not known.
        values: scores by name, those of the axes and others.
        seed: of the run; None for a mean over several.
        sd: for a mean over seeds, the standard deviations of the values by name.
        seeds: how many points it is the mean of.
    """

    label: str
    group: str
    temperature: float | None
    values: Mapping[str, float]
    seed: int | None = None
    sd: Mapping[str, float] = field(default_factory=dict)
    seeds: int = 1

    def value(self, score: str) -> float:
        """A score's value; NaN where it has none."""
        return self.values.get(score, math.nan)

    def at(self, x: str, y: str) -> tuple[float, float] | None:
        """Where it stands on the axes of two scores; None unless it has a finite value of both."""
        place = self.value(x), self.value(y)
        return place if all(map(math.isfinite, place)) else None


def placed(points: Iterable[Point], x: str, y: str) -> list[Point]:
    """Return the points that have a finite value of both scores."""
    return [point for point in points if point.at(x, y) is not None]


def value_at(points: Iterable[Point], score: str, where: str, at: float) -> float | None:
    """Return a curve's value of a score where another one is `at`, by linear interpolation.

    The points are sorted by that other score; where some have the same, their mean counts.

    Args:
        points: one curve, in any order; points without finite values do not count.
        score: what is read.
        where: the other score.
        at: its value there, for example the real text's own.

    Returns:
        The value, or None outside the measured range: nothing is extrapolated.
    """
    heights: dict[float, list[float]] = {}
    for x, y in filter(None, (point.at(where, score) for point in points)):
        heights.setdefault(x, []).append(y)
    places = sorted(heights)
    if not places or not places[0] <= at <= places[-1]:
        return None
    means = [statistics.fmean(heights[place]) for place in places]
    return float(np.interp(at, places, means))


def undominated(points: Iterable[Point], x: str, y: str) -> list[Point]:
    """Return the points of which no other is as low in both scores, and lower in one.

    A curve of likelihoods turns back: above some temperature samples get worse and less of the data
    is covered too. What is left has one y for each x.
    """
    found = placed(points, x, y)

    def dominated(a: float, b: float) -> bool:
        others = (point.at(x, y) or (math.nan, math.nan) for point in found)
        return any(c <= a and d <= b and (c, d) != (a, b) for c, d in others)

    return [point for point in found if not dominated(point.value(x), point.value(y))]


def mean_over_seeds(points: Iterable[Point]) -> list[Point]:
    """Return one point for each label, group and temperature, in order of first appearance.

    A mean over several points carries their standard deviations (n - 1 in the denominator) in
    `sd`. A point that is alone is returned as it is. A value counts only if all points of the mean
    have it.
    """
    found: dict[tuple[str, str, float | None], list[Point]] = {}
    for point in points:
        found.setdefault((point.label, point.group, point.temperature), []).append(point)
    return [_mean(same) for same in found.values()]


def _mean(points: Sequence[Point]) -> Point:
    if len(points) == 1:
        return points[0]
    first = points[0]
    shared = [name for name in first.values if all(name in point.values for point in points)]
    columns = {name: np.array([point.values[name] for point in points]) for name in shared}
    with np.errstate(invalid="ignore"):  # infinite values have no deviation
        means = {name: float(column.mean()) for name, column in columns.items()}
        sd = {name: float(column.std(ddof=1)) for name, column in columns.items()}
    return Point(first.label, first.group, first.temperature, means, sd=sd, seeds=len(points))
