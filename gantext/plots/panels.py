"""The curves of a run's metrics, taken apart into figures."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gantext.plots.layouts import LAYOUTS, Layout

Row = Mapping[str, Any]
HUGE = 1e300  # no axis can hold more
COORDINATES = ("phase", "step", "total")


@dataclass(frozen=True)
class Series:
    """The values of one key: steps (P,), values (P,); NaN where a value was not finite."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]

    @property
    def lost(self) -> int:
        """How many values were not finite."""
        return int(np.isnan(self.y).sum())


def number(value: object) -> float:
    """A value of a metrics row as a float; NaN for what is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value) if abs(value) < HUGE else math.nan


def series(rows: Sequence[Row], key: str) -> Series:
    """The values of a key at the rows that have it, over the run's total step."""
    pairs = [(row["total"], number(row[key])) for row in rows if key in row]
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    return Series(table[:, 0], table[:, 1])


def layouts(rows: Sequence[Row], other: bool) -> list[tuple[Layout, dict[str, Series]]]:
    """The figures of a run and their series: only of keys that have a finite value.

    Args:
        rows: each with a finite "total".
        other: also one figure for each key that no layout knows.
    """
    keys = dict.fromkeys(key for row in rows for key in row if key not in COORDINATES)
    found = {key: series(rows, key) for key in keys}
    drawn = {key: values for key, values in found.items() if values.lost < len(values.y)}
    known = [(layout, {key: drawn[key] for key in layout.keys(drawn)}) for layout in LAYOUTS]
    used = {key for layout, own in known if own for key in [*own, *layout.band.values()]}
    rest = [key for key in drawn if key not in used] if other else []
    extra = [(Layout(key, "", key, {key: key}), {key: drawn[key]}) for key in rest]
    return [*(pair for pair in known if pair[1]), *extra]


def running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Centred mean over `window` (odd) values, fewer at the ends; NaN does not count.

    A window without any value is NaN.
    """
    present = np.isfinite(values)
    half = window // 2
    places = np.arange(len(values))
    low, high = np.maximum(places - half, 0), np.minimum(places + half + 1, len(values))
    sums = np.concatenate([[0.0], np.cumsum(np.where(present, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(present)])
    count = counts[high] - counts[low]
    mean = (sums[high] - sums[low]) / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan)
