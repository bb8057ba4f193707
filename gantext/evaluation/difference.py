"""By how much the scores of a run differ from another's, and whether chance alone would do that.

What stands on either side decides what its error is made of:

    paired   both models were asked of the same test sentences (or captions): their difference is
             taken sentence by sentence, so that what makes a sentence hard for both is no noise
    samples  each run's score is of its own samples: their two errors, as independent ones
    draws    means over samples of several seeds (--seeds): their deviations, by Welch's test
    seeds    means over runs that differ in their seed alone: their deviations, by Welch's test

Only the last says what another training would have come to. No correction is made for how many
scores are looked at: of twenty that do not differ one is below .05.
"""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gantext.evaluation.table import Table
from gantext.metrics import standard_error, student
from gantext.metrics.score import Score, protocol, shown

BY = {
    "paired": "paired, sentence by sentence",
    "samples": "by the errors of both runs' samples",
    "draws": "Welch's test over the seeds of samples",
    "seeds": "Welch's test over the seeds of runs",
}
LEVEL = 0.05  # of a difference that counts as shown; the interval has the rest


@dataclass(frozen=True)
class Difference:
    """How much higher a score is than beside it.

    Attributes:
        score: its name.
        run, beside: whose it is, and what it stands beside: runs, or "mean of a and 2 more".
        value: of `run`, less that of `beside`.
        low, high: the 95 % interval; None where no error is known.
        p: how probable so large a difference is where there is none, two-sided.
        by: what the interval is made of: paired, samples, draws or seeds.
    """

    score: str
    run: str
    beside: str
    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    by: str | None = None


Side = tuple[str, Sequence[Mapping[str, Score]]]  # what it is called, the scores of its runs


def differences(
    table: Table, groups: Mapping[str, Sequence[str]], names: Sequence[str], beside: str
) -> list[Difference]:
    """Those of all runs of a table from one of them, in the order of `names`, then of the runs.

    Args:
        table: scores by run and file.
        groups: runs that differ in their seed alone, by what their mean is called.
        names: of scores.
        beside: the run that the others stand beside. Where it is one of a group, so do groups
            beside that group.
    """
    scores = {source: {one.name: one for one in own} for source, own in table.items()}
    grouped = {run for runs in groups.values() for run in runs}
    sides: dict[str, Side] = {
        label: (label, [scores[run] for run in runs]) for label, runs in groups.items()
    }
    home = next((label for label, runs in groups.items() if beside in runs), None)
    first: list[tuple[Side, Side]] = []
    if home is not None:
        first = [(side, sides[home]) for label, side in sides.items() if label != home]
        others = [run for run in scores if run not in grouped]
    else:
        others = [run for run in scores if run != beside]
    single = [((run, [scores[run]]), (beside, [scores[beside]])) for run in others]
    found = [_difference(name, own, theirs) for name in names for own, theirs in (*first, *single)]
    return [one for one in found if one is not None]


def _difference(name: str, own: Side, beside: Side) -> Difference | None:
    """None where a side lacks the score, or where they were not computed under one protocol."""
    if not all(name in scores for scores in (*own[1], *beside[1])):
        return None
    sides = [[scores[name] for scores in side[1]] for side in (own, beside)]
    if not _alike(sides[0] + sides[1]):
        return None
    value = statistics.fmean(one.value for one in sides[0]) - statistics.fmean(
        one.value for one in sides[1]
    )
    spread = _spread(*sides)
    # Of shares that are 0 or 1 on both sides nothing is known of what they vary by.
    if spread is None or not spread[0] or not math.isfinite(value):
        return Difference(name, own[0], beside[0], value)
    error, degrees, by = spread
    reach = student.quantile(LEVEL, degrees) * error
    p = student.two_sided(value / error, degrees)
    return Difference(name, own[0], beside[0], value, value - reach, value + reach, p, by)


def _alike(scores: Sequence[Score]) -> bool:
    """Whether the scores may be compared."""
    return all(protocol(one) == protocol(other) for one, other in itertools.pairwise(scores))


def _spread(own: Sequence[Score], beside: Sequence[Score]) -> tuple[float, float, str] | None:
    """(standard error, degrees of freedom, what it is made of) of a difference of means."""
    if len(own) > 1:  # groups stand beside a group, and single runs beside one
        return _welch([_over_runs(side) for side in (own, beside)], "seeds")
    first, second = own[0], beside[0]
    if first.each and second.each and len(first.each) == len(second.each):
        apart = [a - b for a, b in zip(first.each, second.each, strict=True)]
        error = standard_error.of_mean(apart)
        return None if error is None else (error, math.inf, "paired")
    draws = [found for one in (first, second) if (found := _over_draws(one))]
    if len(draws) == 2:
        return _welch(draws, "draws")
    if first.error is None or second.error is None:
        return None
    return math.hypot(first.error, second.error), math.inf, "samples"


def _over_runs(scores: Sequence[Score]) -> tuple[float, int]:
    """(standard error of the mean, how many) of a score of several runs."""
    return standard_error.of_mean([one.value for one in scores]) or 0.0, len(scores)


def _over_draws(score: Score) -> tuple[float, int] | None:
    """(its standard error, how many seeds) of a mean over samples of several seeds."""
    seeds = score.signature.get("seeds")
    if score.sd is None or score.error is None or not isinstance(seeds, int) or seeds < 2:
        return None
    return score.error, seeds


def _welch(sides: Sequence[tuple[float, int]], by: str) -> tuple[float, float, str]:
    error = math.hypot(*(error for error, _ in sides))
    return error, student.welch_degrees(sides[0], sides[1]), by


def difference_rows(found: Sequence[Difference]) -> tuple[list[str], list[list[str]]]:
    """(columns, rows): a row a score and run."""
    rows = [[one.score, one.run, _signed(one.value), _interval(one), _chance(one)] for one in found]
    return ["score", "run", "difference", "95 % interval", "p"], rows


def made_of(found: Sequence[Difference]) -> list[str]:
    """A line for each thing that the intervals are made of, with its scores."""
    names = {
        by: dict.fromkeys(one.score for one in found if one.by == by)
        for by in dict.fromkeys(one.by for one in found if one.by is not None)
    }
    return [f"{BY[by]}: {', '.join(scores)}" for by, scores in names.items()]


def _signed(value: float) -> str:
    return f"+{shown(value)}" if value > 0 else shown(value)


def _interval(one: Difference) -> str:
    ends = [_signed(end) for end in (one.low, one.high) if end is not None]
    return " to ".join(ends) or "-"


def _chance(one: Difference) -> str:
    if one.p is None:
        return "-"
    p = "<.001" if one.p < 0.001 else f"{one.p:.3f}".lstrip("0")
    return f"{p}, none shown" if one.p >= LEVEL else p
