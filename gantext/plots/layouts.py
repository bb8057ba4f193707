"""What the learning curves of a run show: which keys of its metrics share a figure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEMS = {"g": "generator", "d": "discriminator"}


@dataclass(frozen=True)
class Layout:
    """One figure: its texts, and the keys of metrics.jsonl that it draws where they are there.

    Attributes:
        title: above the figure.
        caption: how to read it.
        ylabel: the quantity and its unit.
        names: how keys are called in the legend.
        suffix: keys that end so are drawn too ("g_loss": generator).
        band: by key, the key of its standard deviation, drawn as a band.
        mean: keys whose mean is drawn too, if all are there.
        level: a height that means something, drawn as a line, and its name.
        covers: heights that the axis always reaches, so that small changes look small.
        exact: it has no noise, and needs no running mean.
    """

    title: str
    caption: str
    ylabel: str
    names: Mapping[str, str] = field(default_factory=dict)
    suffix: str | None = None
    band: Mapping[str, str] = field(default_factory=dict)
    mean: tuple[str, ...] = ()
    level: tuple[float, str] | None = None
    covers: tuple[float, float] | None = None
    exact: bool = False

    def keys(self, present: Iterable[str]) -> list[str]:
        """Which of the present keys it draws."""
        there = list(present)
        more = [key for key in there if self.suffix and key.endswith(self.suffix)]
        return list(dict.fromkeys([*(key for key in self.names if key in there), *more]))

    def name(self, key: str) -> str:
        """What a key is called in the legend."""
        stem = key.removesuffix(self.suffix or "").rstrip("_")
        return self.names.get(key) or STEMS.get(stem) or stem.replace("_", " ") or "model"


# The curves of a run's metrics, taken apart into figures.
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


def filled(
    rows: Sequence[Row], layouts: Sequence[Layout]
) -> list[tuple[Layout, dict[str, Series]]]:
    """The layouts that a run has values for, and their series: of keys with a finite value.

    Args:
        rows: each with a finite "total".
        layouts: in the order of the figures.
    """
    keys = dict.fromkeys(key for row in rows for key in row if key not in COORDINATES)
    found = {key: series(rows, key) for key in keys}
    drawn = {key: values for key, values in found.items() if values.lost < len(values.y)}
    pairs = [(layout, {key: drawn[key] for key in layout.keys(drawn)}) for layout in layouts]
    return [pair for pair in pairs if pair[1]]


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
