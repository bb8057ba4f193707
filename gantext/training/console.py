"""What a person sees of a run while it trains: a live bar on a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live

from gantext.runs.enclosed import Enclosed
from gantext.runs.sweep_job import Headway
from gantext.training.progress import Progress, lines
from gantext.training.terminal import Terminal, tell
from gantext.training.timetable import Timetable
from gantext.training.waiting import REFRESHES, shows_bars

PLAIN_SECONDS = 10.0  # between two plain lines with metrics
SILENT_SECONDS = 30.0  # without one, as where steps take long, until there is one without new ones
FOLLOWED_SECONDS = 1.0  # between two words on how far a job of a sweep is


class Listened(Terminal):
    """A console whose reader may go, as `| head` does: the run goes on, and its log has it all."""

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        self.quiet = True


def console_of(progress: bool) -> Console:
    """Where a run is told of: stderr (in a notebook the cell's output), or nowhere."""
    return Listened(stderr=True, quiet=not progress)


def headline(metrics: Mapping[str, float], names: Sequence[str]) -> str:
    """The metrics that matter, those of these names that are there, in one line."""
    return "  ".join(f"{name} {metrics[name]:.3f}" for name in names if name in metrics)


@dataclass(frozen=True)
class Audience:
    """Who hears of a run.

    Attributes:
        console: where it is shown.
        label: before each line.
        follow: is given its headway now and then, as a sweep's table of all its jobs shows it.
    """

    console: Console
    label: str = ""
    follow: Callable[[Headway], None] | None = None


def stderr() -> Audience:
    """Who reads stderr."""
    return Audience(console_of(progress=True))


class Reporter:
    """Shows phase, step, rate, time left, metrics and the sample of the moment; writes the log.

    Args:
        audience: who hears of it.
        log: the file that it is written to.
        metrics: names of those of steps that the lines of progress show, in order.
        timetable: of the run; None: nothing but lines is said.
        looks: names of those that are computed now and then, of which the phase's last are shown.
    """

    def __init__(
        self,
        audience: Audience,
        log: Path | None = None,
        metrics: Sequence[str] = (),
        timetable: Timetable | None = None,
        looks: Sequence[str] = (),
    ) -> None:
        self.console, self.label, self._follow = audience.console, audience.label, audience.follow
        self.log, self.metrics, self.looks = log, metrics, looks
        self.timetable = timetable or Timetable(())
        self._progress: Progress | None = None
        self._looked: dict[str, float] = {}
        self._is_live = shows_bars(self.console)
        self._live = Live(
            console=self.console,
            get_renderable=self._shown,
            refresh_per_second=REFRESHES,
            transient=True,
        )
        self._spoken = self._followed = 0.0

    def __enter__(self) -> "Reporter":
        if self._is_live:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def _shown(self) -> RenderableType:
        return lines(self._progress, self.label, self.console) if self._progress else ""

    def say(self, text: str, style: str = "") -> None:
        """Tell the user one line, and the log."""
        tell(self.console, self.label + text, style)
        self.write_log(text)

    def note(self, text: str) -> None:
        """Tell the user what they may not have meant."""
        self.say(f"note: {text}")

    def warn(self, text: str) -> None:
        """Tell the user aloud."""
        self.say(f"warning: {text}", "yellow")

    def write_log(self, text: str) -> None:
        """A line of train.log with its time."""
        if self.log is not None and self.log.parent.is_dir():
            line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}"
            Enclosed(self.log.parent).append(self.log, line)

    def phase(self, name: str, done: int, steps: int) -> None:
        """A phase begins, or goes on at step `done`."""
        self._progress = Progress(self.timetable, name, steps, done)
        self._looked = {}  # of the phases before there are lines of their own
        self._spoken = time.monotonic()
        where = f" from step {done}" if done else ""
        self.write_log(f"phase {name}: {steps} steps{where}")
        if not self._is_live:
            times = self._progress.times
            self._print(f"{name}: {steps} steps{where}{f', {times}' if times else ''}")
        self._tell_headway()

    def step(self, done: int) -> None:
        """A step of the phase is done."""
        progress = self._moving
        progress.move(done)
        now = progress.moved
        if now - self._followed > FOLLOWED_SECONDS:
            self._tell_headway()
        if now - self._spoken > SILENT_SECONDS:
            self._say_progress()

    def report(self, metrics: Mapping[str, float]) -> None:
        """The metrics of the step just done."""
        self._moving.losses = headline(metrics, self.metrics)
        self._looked |= {name: metrics[name] for name in self.looks if name in metrics}
        self._moving.looked = headline(self._looked, self.looks)
        if time.monotonic() - self._spoken > PLAIN_SECONDS:
            self._say_progress()

    def _say_progress(self) -> None:
        """A plain line on how far the phase is, where no bar is seen."""
        self._spoken = time.monotonic()
        if not self._is_live:
            self._print("  ".join([self._moving.line, *self._moving.reported]))

    def end_phase(self) -> None:
        """The phase has ended: what it ended with stays in sight, and its rate is remembered."""
        progress = self._moving
        if progress.rate > 0:
            self.timetable.measured[progress.phase] = progress.rate
        self._tell_headway()
        self.write_log(progress.end)
        self._print(progress.end)

    @contextlib.contextmanager
    def doing(self, text: str) -> Iterator[None]:
        """Say what is done besides steps while the block runs, with a clock."""
        began = time.monotonic()
        self.write_log(text)
        if not self._is_live:
            self._print(text, style="dim")
        if self._progress is not None:
            self._progress.doing = text, began
        try:
            yield
        finally:
            if self._progress is not None:
                self._progress.doing = None

    @property
    def _moving(self) -> Progress:
        assert self._progress is not None  # a phase has begun
        return self._progress

    def _print(self, text: str, style: str = "") -> None:
        tell(self.console, self.label + text, style)

    def _tell_headway(self) -> None:
        """Tell who follows the run how far it is."""
        progress = self._moving
        if self._follow is None:
            return
        phase, run = progress.phase_left, progress.run_left
        headway = Headway(
            phase=progress.phase,
            step=progress.done,
            steps=progress.steps,
            rate=progress.rate,
            left=0.0 if phase is None else phase.seconds,
            place=progress.place,
        )
        if run is not None:
            headway["run"] = str(run)
        self._follow(headway)
        self._followed = time.monotonic()

    def sample(self, text: str) -> None:
        """The sample of the moment."""
        line = f"  sample: {text}"
        self._print(line, "dim")
        self.write_log(line)
