"""How long what is left of a run takes, by the rates of its phases.

A phase that has run has a rate that was measured, in this process or, of a run that goes on, by
the one before. Of one that has not there is what a probe says (probe.py), which is rough; one that
nothing is known of counts as the slowest of the others.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gantext.models.contract import Phase
from gantext.runs.summary import clock


class Left(NamedTuple):
    """Seconds that something takes; rough where not all of it was measured."""

    seconds: float
    rough: bool = False

    def __str__(self) -> str:
        return f"{'~' if self.rough else ''}{clock(self.seconds)}"


class Timetable:
    """The phases of a run, and how quick each is.

    Args:
        phases: in order.
        measured: steps a second of those that have run, by name.
        probed: the same by a probe.

    Attributes:
        measured: also those of phases that have run since.
        scoring: seconds that the scores at the end of a phase took last; None before there were.
    """

    def __init__(
        self,
        phases: Sequence[Phase],
        measured: Mapping[str, float] | None = None,
        probed: Mapping[str, float] | None = None,
    ) -> None:
        self.phases = tuple(phases)
        self.measured, self.probed = dict(measured or {}), dict(probed or {})
        self.scoring: float | None = None

    def number(self, name: str) -> int:
        """The number of a phase, from 0."""
        return next(i for i, phase in enumerate(self.phases) if phase.name == name)

    def of_phase(self, name: str, steps: int, rate: float = 0.0) -> Left | None:
        """What so many steps of a phase take, at `rate` steps a second where that is known by now.

        None where nothing is known of it.
        """
        if rate > 0:
            return Left(steps / rate)
        if name in self.measured:
            return Left(steps / self.measured[name])
        return Left(steps / self.probed[name], True) if name in self.probed else None

    def of_run(self, number: int, steps: int, rate: float = 0.0) -> Left | None:
        """What is left of the run in the phase of this number, of which so many steps are left.

        None where nothing is known of any phase.
        """
        now, later = self.phases[number], self.phases[number + 1 :]
        parts = {now.name: (steps, self.of_phase(now.name, steps, rate))}
        parts |= {one.name: (one.steps, self.of_phase(one.name, one.steps)) for one in later}
        rates = [*self.measured.values(), *self.probed.values(), *([rate] if rate > 0 else [])]
        if not rates:
            return None
        slowest = 1 / min(rates)
        lefts = [left or Left(slowest * n, n > 0) for n, left in parts.values()]
        scored = sum(phase.scored for phase in (now, *later))
        seconds = sum(left.seconds for left in lefts) + scored * (self.scoring or 0.0)
        unscored = scored > 0 and self.scoring is None
        return Left(seconds, unscored or any(left.rough for left in lefts))
