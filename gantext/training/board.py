"""What a person sees of a sweep whose jobs are processes: one live table, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gantext.evaluation.sweep_scores import differing, objective_of, values_of
from gantext.metrics.score import shown
from gantext.runs.summary import clock
from gantext.runs.sweep_job import SweepJob
from gantext.runs.sweep_state import PLANNED, RUNNING, STARTING, JobState, state_of
from gantext.training.console import PLAIN_SECONDS
from gantext.training.progress import paced
from gantext.training.waiting import shows_bars

SHOWN_SECONDS = 0.5  # between two looks at what the jobs say of themselves
AROUND = 4  # lines of the table that are no jobs, and one below it
# Widths; `left` is of the phase and `run` of the whole run.
COLUMNS = (("job", 3), ("state", 8), ("phase", 13), ("step", 11), ("left", 7), ("run", 9))
RATE = ("rate", 11)  # where there is room
ROOMY = 100  # characters
SCORE = 8  # characters of a score and of its name
STYLES = {RUNNING: "cyan", "finished": "green", "failed": "red", "diverged": "red", "killed": "red"}


class Board:
    """All jobs of a sweep as their folders say how they stand.

    Args:
        console: where they are shown.
        jobs: all of them, those that have ended before too.
    """

    def __init__(self, console: Console, jobs: Sequence[SweepJob]) -> None:
        self.console = console
        self.states: dict[str, JobState] = {}
        self.add(jobs)
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._is_live = shows_bars(console)
        self._looked = 0.0
        self._spoken: dict[str, float] = {}

    def add(self, jobs: Sequence[SweepJob]) -> None:
        """Show these jobs too."""
        self.states |= {job.name: state_of(job) for job in jobs}
        self._words = dict(zip(self.states, differing([*self.states.values()]), strict=True))

    def __enter__(self) -> "Board":
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

    def update(self, running: Sequence[SweepJob]) -> list[SweepJob]:
        """Show how the jobs stand that have processes; those that have become runs just now."""
        now = time.monotonic()
        if now - self._looked < SHOWN_SECONDS:
            return []
        self._looked = now
        before = {job.name: self.states[job.name]["status"] for job in running}
        for job in running:
            self.refresh(job)
        if self._is_live:
            self._live.update(self.table(), refresh=True)
        else:
            self._say_progress(running, now)
        is_new = (PLANNED, STARTING)
        return [
            job
            for job in running
            if before[job.name] in is_new and self.states[job.name]["status"] not in is_new
        ]

    def refresh(self, job: SweepJob) -> None:
        """Look at what a job says of itself."""
        self.states[job.name] = state_of(job)

    def say(self, job: SweepJob | None, text: str) -> None:
        """A line on one job, or on all."""
        label = "" if job is None else f"[{job.name}] "
        self.console.print(label + text, highlight=False, markup=False, soft_wrap=True)

    def say_end(self, job: SweepJob, code: int) -> None:
        """That the process of a job has ended, and what came of it."""
        state = self.states[job.name]
        error, status = state.get("error"), state["status"]
        if status == PLANNED:
            error = f"its process ended with {code}: {job.log}"
        score = self._score(state)
        self.say(job, f"{status}{f': {error}' if error else f'  {score}' if score else ''}")

    def _score(self, state: JobState) -> str:
        """The score that a job is judged by, and its name; '' before there is one."""
        name = objective_of([state])
        value = None if name is None else values_of(state).get(name)
        return "" if value is None else f"{name} {shown(value)}"

    def _say_progress(self, running: Sequence[SweepJob], now: float) -> None:
        """A line a job now and then."""
        for job in running:
            state = self.states[job.name]
            headway = state.get("headway")
            due = self._spoken.setdefault(job.name, now) + PLAIN_SECONDS
            if (
                headway is not None
                and headway["rate"]
                and now >= due
                and state["status"] == RUNNING
            ):
                phase = headway.get("place", headway["phase"])
                run = f", run {headway['run']}" if "run" in headway else ""
                where = f"{phase} {headway['step']}/{headway['steps']}  {paced(headway['rate'])}"
                self.say(job, f"{where}  {clock(headway['left'])} left{run}")
                self._spoken[job.name] = now

    def table(self) -> Table:
        """The table of the moment; where the terminal is too low, of the jobs that run first."""
        name = objective_of([*self.states.values()])
        table = Table(box=None, padding=(0, 1, 0, 0), expand=True, pad_edge=False)
        columns = [*COLUMNS, *([RATE] if self.console.width >= ROOMY else [])]
        for title, width in columns:
            text = title in ("job", "state", "phase")
            table.add_column(title, width=width, justify="left" if text else "right", no_wrap=True)
        score = Text((name or "score")[:SCORE])
        table.add_column(score, width=SCORE, justify="right", no_wrap=True)
        table.add_column("overrides", ratio=1, no_wrap=True, overflow="ellipsis")
        for job in self._in_sight():
            # Text as it is, never markup: it may come from a stranger.
            cells = map(Text, self._cells(job, name, len(columns)))
            table.add_row(*cells, style=STYLES.get(self.states[job]["status"]))
        counts = Counter(state["status"] for state in self.states.values())
        table.caption = Text(", ".join(f"{count} {status}" for status, count in counts.items()))
        table.caption_justify = "left"
        return table

    def _in_sight(self) -> list[str]:
        """The jobs that there is room for, in their order."""
        room = max(self.console.height - AROUND, 1)
        urgent = {RUNNING: 0, STARTING: 1, PLANNED: 3}
        by_need = sorted(self.states, key=lambda job: urgent.get(self.states[job]["status"], 2))
        kept = set(by_need[:room])
        return [job for job in self.states if job in kept]

    def _cells(self, job: str, name: str | None, columns: int) -> list[str]:
        state = self.states[job]
        headway = state.get("headway") if state["status"] != PLANNED else None
        value = None if name is None else values_of(state).get(name)
        words = " ".join(map(_short, self._words[job]))
        place = [""] * 5
        if headway is not None:
            steps = f"{headway['step']}/{headway['steps']}"
            times = [clock(headway["left"]), headway.get("run", ""), paced(headway["rate"])]
            is_moving = state["status"] == RUNNING
            place = [headway["phase"], steps, *(times if is_moving else ["", "", ""])]
        place = place[: columns - 2]
        return [job, state["status"], *place, "" if value is None else shown(value), words]


def _short(word: str) -> str:
    """An override by the last part of its key: learning_rate=0.1."""
    key, equals, value = word.partition("=")
    return f"{key.rpartition('.')[2]}{equals}{value}"
