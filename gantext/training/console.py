"""What a person sees of a run while it trains: a live bar on a terminal, plain lines elsewhere."""

import contextlib
import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from gantext.data.download import Progress as Downloaded
from gantext.runs.enclosed import Enclosed
from gantext.runs.summary import clock
from gantext.runs.sweep_job import Headway
from gantext.training.terminal import Terminal

PLAIN_SECONDS = 10.0
FOLLOWED_SECONDS = 1.0  # between two words on how far a job of a sweep is


class Listened(Terminal):
    """A console whose reader may go, as `| head` does: the run goes on, and its log has it all."""

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        self.quiet = True


def console_of(progress: bool) -> Console:
    """Where a run is told of: stderr (in a notebook the cell's output), or nowhere."""
    return Listened(stderr=True, quiet=not progress)


def shows_bars(console: Console) -> bool:
    """Whether a bar that moves can be seen: on a terminal, or in a notebook with ipywidgets."""
    notebook = console.is_jupyter and importlib.util.find_spec("ipywidgets") is not None
    return not console.quiet and (console.is_terminal or notebook)


def headline(metrics: Mapping[str, float], names: Sequence[str]) -> str:
    """The metrics that matter, those of these names that are there, in one line."""
    return "  ".join(f"{name} {metrics[name]:.3f}" for name in names if name in metrics)


def paced(rate: float) -> str:
    """How quick a run is, by its steps a second, in eleven characters; '' where that is unknown."""
    if rate <= 0:
        return ""
    return f"{rate:.1f} step/s" if rate >= 1 else f"{1 / rate:.1f} s/step"


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
        metrics: names of those that the line of progress shows, in order.
    """

    def __init__(
        self, audience: Audience, log: Path | None = None, metrics: Sequence[str] = ()
    ) -> None:
        self.console, self.label, self._follow = audience.console, audience.label, audience.follow
        self.log, self.metrics = log, metrics
        self._live = shows_bars(self.console)
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:>6.0f}/{task.total:.0f}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("[cyan]{task.fields[losses]}"),
            console=self.console,
            disable=not self._live,
        )
        self._task: TaskID | None = None
        self._sample_task: TaskID | None = None
        self._phase, self._steps, self._start, self._began = "", 0, 0, 0.0
        self._spoken = self._followed = 0.0

    def __enter__(self) -> "Reporter":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.refresh()  # in a notebook stopping shows no last step
        self._progress.stop()

    def say(self, text: str, style: str = "") -> None:
        """Tell the user one line, and the log."""
        line = escape(self.label + text)
        shown = f"[{style}]{line}[/]" if style else line
        self._progress.console.print(shown, highlight=False, soft_wrap=True)
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
        if self._task is not None:
            self._progress.remove_task(self._task)
        self._phase, self._steps, self._start, self._began = name, steps, done, time.monotonic()
        self._spoken = 0.0
        self._task = self._progress.add_task(
            f"{self.label}{name}", total=steps, completed=done, rate="", losses=""
        )
        where = f" from step {done}" if done else ""
        self.write_log(f"phase {name}: {steps} steps{where}")
        if not self._live:
            line = f"{self.label}{name}: {steps} steps{where}"
            self.console.print(line, highlight=False, markup=False)
        self._tell_headway(done, 0.0)

    def step(self, done: int, metrics: dict[str, float]) -> None:
        """A report of the step just done."""
        now = time.monotonic()
        rate = (done - self._start) / max(now - self._began, 1e-9)
        speed = paced(rate)
        losses = headline(metrics, self.metrics)
        if now - self._followed > FOLLOWED_SECONDS or done == self._steps:
            self._tell_headway(done, rate)
        if self._task is not None:
            self._progress.update(self._task, completed=done, rate=speed, losses=losses)
        if not self._live and (now - self._spoken > PLAIN_SECONDS or done == self._steps):
            left = (self._steps - done) / max(rate, 1e-9)
            line = f"{self.label}{self._phase} {done}/{self._steps}  {speed}  {clock(left)} left"
            self.console.print(f"{line}  {losses}", highlight=False, soft_wrap=True, markup=False)
            self._spoken = now

    def _tell_headway(self, done: int, rate: float) -> None:
        """Tell who follows the run how far it is, at `rate` steps a second."""
        if self._follow is not None:
            left = (self._steps - done) / rate if rate else 0.0
            self._follow(
                Headway(phase=self._phase, step=done, steps=self._steps, rate=rate, left=left)
            )
            self._followed = time.monotonic()

    def sample(self, text: str) -> None:
        """The sample of the moment."""
        self.say(f"  sample: {text}", "dim")


# A rich progress bar for downloads.
@contextlib.contextmanager
def download_bar(console: Console) -> Iterator[Downloaded]:
    """A callback that shows each file's download: a bar on a terminal, else a line a file."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    live = shows_bars(console)
    with Progress(*columns, console=console, transient=True, disable=not live) as bar:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(f"downloading {name}", total=total)
                if not live:
                    console.print(f"downloading {name}", highlight=False, markup=False)
            bar.update(tasks[name], completed=done, total=total)

        yield show
