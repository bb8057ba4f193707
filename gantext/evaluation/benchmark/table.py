"""The tables of the benchmark: a row a method, over the seeds of its records."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gantext.evaluation.benchmark.record import Record, State
from gantext.metrics.score import Score, shown, signature_line

CHANCE = 0.05  # below which a difference from a run's own start counts as shown
LIKE_TRAINING = "reverse-lm-held-out"
NOT_RUN = "not run"
NONE = "-"


@dataclass(frozen=True)
class Row:
    """A method, or one with settings that are not its own, and its records, which may be none."""

    method: str
    departures: Mapping[str, object]
    records: tuple[Record, ...]

    @property
    def name(self) -> str:
        """The method, and what departs from it."""
        others = (f"{key}={json.dumps(value)}" for key, value in self.departures.items())
        return " ".join([self.method, *others])


def rows(records: Iterable[Record], methods: Sequence[str]) -> list[Row]:
    """A row of each method with its own settings, run or not, and of what departs from it below.

    Args:
        records: of one data set.
        methods: in the order of the table; others that there are records of come behind.
    """
    groups: dict[tuple[str, str], list[Record]] = {}
    for one in records:
        key = one["method"], json.dumps(one["departures"], sort_keys=True)
        groups.setdefault(key, []).append(one)
    others = sorted({method for method, _ in groups} - {*methods})
    found = []
    for method in [*methods, *others]:
        own = groups.pop((method, "{}"), [])
        found.append(Row(method, {}, tuple(own)))
        departing = sorted(text for name, text in groups if name == method)
        found += [_departing(method, groups[method, text]) for text in departing]
    return [row for row in found if row.records or row.method in methods]


def _departing(method: str, records: Sequence[Record]) -> Row:
    return Row(method, records[0]["departures"], tuple(records))


def scores_of(row: Row, name: str) -> list[Score]:
    """A score of each of the records that have it."""
    every = [one for record in row.records for one in record["run"]["scores"]]
    return [Score.from_json(one) for one in every if one["name"] == name]


def over_seeds(scores: Sequence[Score]) -> str:
    """The mean, with the standard deviation (n - 1) over the seeds where there are several."""
    if not scores:
        return NONE
    values = [one.value for one in scores]
    mean = shown(statistics.fmean(values))
    if len(values) == 1 or not all(map(math.isfinite, values)):
        return mean
    decimals = len(mean.partition(".")[2])
    return f"{mean} ± {statistics.stdev(values):.{decimals}f}"


def seeds(row: Row) -> str:
    """How many seeds were run."""
    return str(len(row.records)) if row.records else NOT_RUN


def minutes(row: Row) -> str:
    """The time of training of the quickest seed, in minutes: what else a machine does only adds."""
    if not row.records:
        return NONE
    return f"{min(one['seconds'] for one in row.records) / 60:.0f}"


def beside_start(row: Row) -> str:
    """How the score of coverage ends beside the runs' own maximum-likelihood start.

    A difference counts where the paired bootstrap shows it; lower is better. Behind it that of
    coverage of sentences like the training ones, where the test split may be of others.
    """
    found = [one["beside_start"] for one in row.records]
    sides = [one for one in found if one is not None]
    if not sides:
        return NONE
    mean = statistics.fmean(one["difference"] for one in sides)
    worse = sum(one["p"] < CHANCE and one["difference"] > 0 for one in sides)
    better = sum(one["p"] < CHANCE and one["difference"] < 0 for one in sides)
    of = f" in {{}} of {len(sides)} seeds" if len(sides) > 1 else ""
    said = [f"**below its start**{of.format(worse)}"] if worse else []
    said += [f"above its start{of.format(better)}"] if better else []
    shown = f"{mean:+.4f}, {', '.join(said) or 'no difference shown'}"
    moved = [value for one in row.records if (value := _moved(one, LIKE_TRAINING)) is not None]
    return f"{shown}; held out {statistics.fmean(moved):+.4f}" if moved else shown


def _moved(record: Record, name: str) -> float | None:
    """A score at a run's end less that at its start; None where either lacks it."""
    start = record["start"]
    end, begin = (_value(side, name) for side in (record["run"], start or record["run"]))
    return None if start is None or end is None or begin is None else end - begin


def _value(side: State, name: str) -> float | None:
    scores = map(Score.from_json, side["scores"])
    return next((one.value for one in scores if one.name == name), None)


def protocols(found: Sequence[Row], name: str) -> dict[str, list[str]]:
    """The methods by what a score of theirs was computed under; more than one is no comparison."""
    by_line: dict[str, list[str]] = {}
    for row in found:
        for one in scores_of(row, name):
            methods = by_line.setdefault(signature_line(one), [])
            if row.name not in methods:
                methods.append(row.name)
    return by_line
