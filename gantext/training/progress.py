"""How far a run is, and how it is shown: three lines that move on a terminal, one elsewhere."""

import time
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from gantext.runs.summary import clock, paced
from gantext.training.timetable import Left, Timetable
from gantext.training.waiting import one_line

LEAST_BAR, WIDEST_BAR = 4, 40  # characters


@dataclass
class Progress:
    """Where a run is in a phase.

    Attributes:
        timetable: of the run.
        phase: its name.
        steps: all of the phase, of which `done` are done.
        start: the step that it began at, or went on from.
        losses: what was reported last of a step.
        looked: what the phase had last of those that are computed only now and then.
        doing: what is done besides steps, such as scoring, and since when.
    """

    timetable: Timetable
    phase: str
    steps: int
    done: int
    losses: str = ""
    looked: str = ""
    doing: tuple[str, float] | None = None
    start: int = field(init=False)

    def __post_init__(self) -> None:
        self.start, self.began = self.done, time.monotonic()
        self.moved = self.began

    def move(self, done: int) -> None:
        """A step is done."""
        self.done, self.moved = done, time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the phase began, or went on."""
        return time.monotonic() - self.began

    @property
    def rate(self) -> float:
        """Steps a second up to the last one; 0 before there is one."""
        return (self.done - self.start) / max(self.moved - self.began, 1e-9)

    @property
    def place(self) -> str:
        """'2/3 discriminator'; without numbers where there is one phase."""
        count = len(self.timetable.phases)
        return f"{self._number + 1}/{count} {self.phase}" if count > 1 else self.phase

    @property
    def _number(self) -> int:
        return self.timetable.number(self.phase)

    @property
    def phase_left(self) -> Left | None:
        """What the rest of the phase takes; it falls by the clock, also amid a step."""
        left = self.timetable.of_phase(self.phase, self.steps - self.done, self.rate)
        return self._by_now(left)

    @property
    def run_left(self) -> Left | None:
        """The same of the whole run."""
        left = self.timetable.of_run(self._number, self.steps - self.done, self.rate)
        return self._by_now(left)

    def _by_now(self, left: Left | None) -> Left | None:
        passed = time.monotonic() - self.moved
        return None if left is None else Left(max(left.seconds - passed, 0.0), left.rough)

    @property
    def times(self) -> str:
        """'0:12:36 left, run ~1:10:36': of the phase, and of the run where it has other phases."""
        phase, run = self.phase_left, self.run_left
        parts = [] if phase is None else [f"{phase} left"]
        if run is not None and len(self.timetable.phases) > 1:
            parts.append(f"run {run}")
        return ", ".join(parts)

    @property
    def reported(self) -> list[str]:
        """What is known of losses and looks."""
        return [text for text in (self.losses, self.looked) if text]

    @property
    def line(self) -> str:
        """All of it but what is reported."""
        parts = [f"{self.place} {self.done}/{self.steps}", paced(self.rate), self.times]
        return "  ".join(filter(None, parts))

    @property
    def end(self) -> str:
        """What the phase ended with."""
        pace = paced(self.rate)
        parts = [f"{self.place} {self.done}/{self.steps} in {clock(self.seconds)}", pace]
        return "  ".join(filter(None, [*parts, *self.reported]))


def lines(progress: Progress, label: str, console: Console) -> RenderableType:
    """Lines for a terminal: bar and times, which always have room in 80 columns; losses; looks."""
    spent = f"  {clock(progress.seconds)} so far"
    below = [one_line(f"{spent}  {progress.losses}", "cyan")]
    below += [one_line(f"  {progress.looked}", "cyan")] if progress.looked else []
    if progress.doing is not None:
        doing, since = progress.doing
        run = progress.run_left
        rest = f", run {run} left" if run is not None and run.seconds else ""
        first = one_line(f"{label}{doing}  {clock(time.monotonic() - since)}{rest}", "bold")
        return Group(first, *below)
    parts = [f"{progress.done}/{progress.steps}", paced(progress.rate), progress.times]
    left, right = f"{label}{progress.place} ", " " + " ".join(filter(None, parts))
    room = min(console.width - len(left) - len(right), WIDEST_BAR)
    grid = Table.grid()
    cells: list[RenderableType] = [Text(left, style="bold", no_wrap=True, overflow="ellipsis")]
    if room >= LEAST_BAR:
        cells.append(ProgressBar(progress.steps, progress.done, width=room))
    grid.add_row(*cells, Text(right, no_wrap=True, overflow="ellipsis"))
    return Group(grid, *below)
