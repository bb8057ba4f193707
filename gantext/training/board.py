"""What a person sees of a sweep whose jobs are processes: one live table, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gantext.config.words import key_of
from gantext.evaluation.sweep_axis import tails, value_of
from gantext.evaluation.sweep_scores import differing, objective_of, values_of
from gantext.metrics.score import shown
from gantext.runs.summary import clock, paced
from gantext.runs.sweep_job import Headway, SweepJob
from gantext.runs.sweep_state import PLANNED, RUNNING, STARTING, JobState, state_of
from gantext.training.console import PLAIN_SECONDS
from gantext.training.short_names import shortened
from gantext.training.terminal import tell
from gantext.training.waiting import shows_bars

SHOWN_SECONDS = 0.5  # between two looks at what the jobs say of themselves
AROUND = 5  # lines of the table that are no jobs, and one below it
PHASE = 13  # characters of a phase's name
# Widths; `left` is of the phase and `run` of the whole run.
TIMES = (("step", 11), ("left", 7), ("run", 9))
RATE = ("rate", 13)  # "1000.0 step/s", where there is room
ROOMY = 100  # characters
SCORE = 8  # characters of a score
LEAST_WORDS = 6  # characters of what a job's words are shortened to
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
        tell(self.console, label + text)

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
        jobs = self._in_sight()
        times = [*TIMES, *([RATE] if self.console.width >= ROOMY else [])]
        score = name or "score"
        columns = [
            ("job", max(map(cell_len, ["job", *jobs]))),
            ("state", 8),
            ("phase", PHASE),
            *times,
            (score, max(SCORE, cell_len(score))),
        ]
        table = Table(box=None, padding=(0, 1, 0, 0), expand=True, pad_edge=False)
        for title, width in columns:
            text = title in ("job", "state", "phase")
            side: JustifyMethod = "left" if text else "right"
            table.add_column(Text(title), width=width, justify=side, no_wrap=True)
        table.add_column("overrides", ratio=1, no_wrap=True, overflow="ellipsis")
        room = self.console.width - sum(width + 1 for _, width in columns)
        words, keys = self._names(jobs, max(LEAST_WORDS, room))
        phases = shortened((self._phase(job) for job in jobs), PHASE)
        for job in jobs:
            # Text as it is, never markup: it may come from a stranger.
            cells = [job, self.states[job]["status"], phases[self._phase(job)]]
            cells += [*self._times(job)[: len(times)], self._value(job, name), words[job]]
            table.add_row(*map(Text, cells), style=STYLES.get(self.states[job]["status"]))
        counts = Counter(state["status"] for state in self.states.values())
        said = ", ".join(f"{count} {status}" for status, count in counts.items())
        table.caption = Text("\n".join([said, *keys]), no_wrap=True, overflow="ellipsis")
        table.caption_justify = "left"
        return table

    def _names(self, jobs: Sequence[str], room: int) -> tuple[dict[str, str], list[str]]:
        """The words of each job, as short as there is room for, and the whole keys of a line below.

        What is left of the words of two jobs differs where they do.
        """
        keys = tails(key_of(word) for job in jobs for word in self._words[job])
        words = {
            job: " ".join(f"{keys[key_of(word)]}={value_of(word)}" for word in self._words[job])
            for job in jobs
        }
        short = shortened(words.values(), room)
        whole = ", ".join(f"{tail}: {key}" for key, tail in keys.items() if tail != key)
        return {job: short[text] for job, text in words.items()}, [whole] if whole else []

    def _in_sight(self) -> list[str]:
        """The jobs that there is room for, in their order."""
        room = max(self.console.height - AROUND, 1)
        urgent = {RUNNING: 0, STARTING: 1, PLANNED: 3}
        by_need = sorted(self.states, key=lambda job: urgent.get(self.states[job]["status"], 2))
        kept = set(by_need[:room])
        return [job for job in self.states if job in kept]

    def _headway(self, job: str) -> Headway | None:
        """How far a job is; None of one that no process has begun."""
        state = self.states[job]
        return state.get("headway") if state["status"] != PLANNED else None

    def _phase(self, job: str) -> str:
        headway = self._headway(job)
        return "" if headway is None else headway["phase"]

    def _times(self, job: str) -> list[str]:
        """Steps, time left of the phase and of the run, and rate; '' for what is not known."""
        headway = self._headway(job)
        if headway is None:
            return [""] * 4
        steps = f"{headway['step']}/{headway['steps']}"
        times = [clock(headway["left"]), headway.get("run", ""), paced(headway["rate"])]
        return [steps, *(times if self.states[job]["status"] == RUNNING else [""] * 3)]

    def _value(self, job: str, name: str | None) -> str:
        """The score of this name of a job; '' before there is one."""
        value = None if name is None else values_of(self.states[job]).get(name)
        return "" if value is None else shown(value)
