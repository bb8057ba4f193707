"""Quality against diversity: one model at several temperatures is a curve, not a number.

A lower temperature raises BLEU (quality) and Self-BLEU (lack of diversity) together, so two models
are compared at the same Self-BLEU, or by which one's points dominate (Caccia et al. 2020,
"Language GANs Falling Short").
"""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

Of = TypeVar("Of", int, str)  # values by order or by name


@dataclass(frozen=True)
class Point:
    """One model's samples at one temperature: their quality and their lack of diversity.

    Attributes:
        label: the name of its curve.
        group: what shares a colour, such as a run and its MLE-only generator.
        temperature: of sampling; None where it is not known.
        bleu: BLEU-N (0..1) by N, higher is better.
        self_bleu: Self-BLEU-N (0..1) by N, lower is more diverse.
        seed: of the run; None for a mean over several.
        extra: any other values of the same samples.
        bleu_sd: for a mean over seeds, the standard deviation of BLEU-N by N.
        self_bleu_sd: likewise of Self-BLEU-N.
        extra_sd: likewise of the other values.
        seeds: how many points it is the mean of.
    """

    label: str
    group: str
    temperature: float | None
    bleu: Mapping[int, float]
    self_bleu: Mapping[int, float]
    seed: int | None = None
    extra: Mapping[str, float] = field(default_factory=dict)
    bleu_sd: Mapping[int, float] = field(default_factory=dict)
    self_bleu_sd: Mapping[int, float] = field(default_factory=dict)
    extra_sd: Mapping[str, float] = field(default_factory=dict)
    seeds: int = 1

    def at(self, order: int) -> tuple[float, float] | None:
        """Return (Self-BLEU-N, BLEU-N), the plot's x and y; None unless both are finite."""
        x, y = self.self_bleu.get(order, math.nan), self.bleu.get(order, math.nan)
        return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def placed(points: Iterable[Point], order: int) -> list[Point]:
    """Return the points that have a finite BLEU-N and Self-BLEU-N."""
    return [point for point in points if point.at(order) is not None]


def bleu_at(points: Iterable[Point], self_bleu: float, order: int) -> float | None:
    """Return a curve's BLEU-N at a given Self-BLEU-N, by linear interpolation.

    The points are sorted by Self-BLEU-N; where some have the same, their mean BLEU-N counts.

    Args:
        points: one curve, in any order; points without finite values at `order` do not count.
        self_bleu: where to read it, 0..1, for example the real text's own.
        order: N.

    Returns:
        BLEU-N, or None outside the measured range: nothing is extrapolated.
    """
    heights: dict[float, list[float]] = {}
    for x, y in filter(None, (point.at(order) for point in points)):
        heights.setdefault(x, []).append(y)
    places = sorted(heights)
    if not places or not places[0] <= self_bleu <= places[-1]:
        return None
    means = [statistics.fmean(heights[place]) for place in places]
    return float(np.interp(self_bleu, places, means))


def mean_over_seeds(points: Iterable[Point]) -> list[Point]:
    """Return one point for each label, group and temperature, in order of first appearance.

    A mean over several points carries their standard deviations (n - 1 in the denominator) in
    `bleu_sd`, `self_bleu_sd` and `extra_sd`. A point that is alone is returned as it is.
    A value counts only if all points of the mean have it.
    """
    found: dict[tuple[str, str, float | None], list[Point]] = {}
    for point in points:
        found.setdefault((point.label, point.group, point.temperature), []).append(point)
    return [_mean(same) for same in found.values()]


def _mean(points: Sequence[Point]) -> Point:
    if len(points) == 1:
        return points[0]
    first = points[0]
    bleu, bleu_sd = _means([point.bleu for point in points])
    self_bleu, self_bleu_sd = _means([point.self_bleu for point in points])
    extra, extra_sd = _means([point.extra for point in points])
    return Point(
        label=first.label,
        group=first.group,
        temperature=first.temperature,
        bleu=bleu,
        self_bleu=self_bleu,
        extra=extra,
        bleu_sd=bleu_sd,
        self_bleu_sd=self_bleu_sd,
        extra_sd=extra_sd,
        seeds=len(points),
    )


def _means(values: Sequence[Mapping[Of, float]]) -> tuple[dict[Of, float], dict[Of, float]]:
    """Return the mean and the standard deviation under each key that all have."""
    shared = [key for key in values[0] if all(key in other for other in values)]
    columns = {key: np.array([value[key] for value in values], dtype=float) for key in shared}
    with np.errstate(invalid="ignore"):  # infinite values have no deviation
        means = {key: float(column.mean()) for key, column in columns.items()}
        return means, {key: float(column.std(ddof=1)) for key, column in columns.items()}
