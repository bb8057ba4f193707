"""The engine of one machine's cores or GPUs: each job a process of its own, some at a time.

A process is `gantext job SWEEP/N`, forked from one that has loaded what jobs need (warm.py). It is
tethered to this one (tether.py) and in a session of its own, so that the signals of a terminal come
here alone, and are passed on once.
"""

import re
import signal
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from gantext.errors import UserError
from gantext.runs import listing
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.training.board import Board
from gantext.training.stop import Interrupted, Mode, Stopped, stop_request
from gantext.training.sweeps import Engine
from gantext.training.warm import LOST, Forked, forked

RETRIES = 3  # of a job whose process dies by a signal that nobody sent to save it
LOOK_SECONDS = 0.1  # between two looks at the processes
GPU = re.compile(r"[\w-]+")  # a number, or a name as nvidia-smi -L has them


@dataclass(frozen=True)
class Slots:
    """What runs at once.

    Attributes:
        gpus: of each slot the GPU that its jobs see; None: all that there are.
        force: as of `run_job`.
        mark: where the latest run is marked; None: nowhere.
    """

    gpus: tuple[str | None, ...]
    force: bool = False
    mark: Path | None = None


def slots_of(jobs: int | None, gpus: str | None) -> tuple[str | None, ...]:
    """The slots of `--jobs` and `--gpus 0,1`: by default one for each GPU.

    Raises:
        UserError: no GPU is named.
    """
    if gpus is None:
        return (None,) * (jobs or 1)
    names = [name.strip() for name in gpus.split(",")]
    if not all(map(GPU.fullmatch, names)) or len(set(names)) < len(names):
        raise UserError(f"--gpus {gpus}: the numbers of GPUs with commas between, e.g. 0,1")
    return tuple(names[slot % len(names)] for slot in range(jobs or len(names)))


def words_of(job: SweepJob, force: bool) -> list[str]:
    """What gantext is given to bring a job to its end; `force`: as of `run_job`."""
    return ["job", "--tethered", *(["--force"] if force else []), str(job.folder)]


@dataclass
class Process:
    """A process, the job that it has and the slot that it is in."""

    job: SweepJob
    slot: int
    child: Forked


@dataclass
class Pool:
    """Runs jobs in the slots; call `run` once.

    Where it ends by an error of its own the processes save and end, as they do with this one.
    """

    jobs: Sequence[SweepJob]
    slots: Slots
    board: Board
    waiting: "deque[SweepJob]" = field(init=False)
    running: list[Process] = field(default_factory=list)
    deaths: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.waiting = deque(self.jobs)

    def run(self) -> None:
        """Run all jobs to their ends.

        Raises:
            Stopped: on a signal, once all are saved.
        """
        with stop_request() as stop:
            try:
                with stop.doing(Mode.wait):
                    while self._goes_on() and stop.number is None:
                        self._fill()
                        self._look()
                    if stop.number is not None:
                        self._stop(stop.number)
                        stop.settled = True
                        raise Stopped(stop.number, "")
            except Interrupted as error:  # the third Ctrl-C
                self._kill()
                stop.settled = True
                raise Stopped(error.number, "", saved=False) from error
            except Exception:
                self._send(signal.SIGTERM)
                raise

    def _goes_on(self) -> bool:
        """Whether a job waits or runs."""
        return bool(self.waiting or self.running)

    def _fill(self) -> None:
        """Start jobs in the slots that are free."""
        taken = {one.slot for one in self.running}
        for slot in range(len(self.slots.gpus)):
            if self.waiting and slot not in taken:
                job = self.waiting.popleft()
                gpu = self.slots.gpus[slot]
                changes = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu}
                child = forked(words_of(job, self.slots.force), job.log, changes)
                self.running.append(Process(job, slot, child))

    def _look(self) -> None:
        """See which processes have ended, and show how far the others are."""
        for one, code in self._reaped():
            self._end(one, code)
        began = self.board.update([one.job for one in self.running])
        if self.slots.mark is not None:
            for job in began:
                listing.mark_latest(job.run, self.slots.mark)

    def _end(self, one: Process, code: int) -> None:
        """Say what came of a job, or let it go on, as its process has ended with this code."""
        self.board.refresh(one.job)
        if code < 0 or code == LOST:
            self._begin_again(one.job, code)
        else:
            self.board.say_end(one.job, code)

    def _reaped(self) -> list[tuple[Process, int]]:
        """The processes that have ended meanwhile, and their codes."""
        time.sleep(LOOK_SECONDS)
        ended = [(one, code) for one in self.running if (code := one.child.code) is not None]
        for one, _ in ended:
            self.running.remove(one)
        return ended

    def _begin_again(self, job: SweepJob, code: int) -> None:
        """Let a job whose process died go on next, so many times.

        One that is only lost may live: what takes over from it waits for its end.
        """
        self.deaths[job.name] += 1
        died = "its process is lost" if code == LOST else f"its process died by {_named(-code)}"
        if self.deaths[job.name] > RETRIES:
            self.board.say(job, f"{died}, the {self.deaths[job.name]}th time: it is left so")
        else:
            self.board.say(job, f"{died}: it goes on")
            self.waiting.appendleft(job)

    def _stop(self, number: int) -> None:
        """Let all processes save and end."""
        self.board.say(None, f"{_named(number)}: the jobs are saved")
        self._send(number)
        while self.running:
            for one, code in self._reaped():
                self.board.refresh(one.job)
                self.board.say_end(one.job, code)

    def _send(self, number: int) -> None:
        for one in self.running:
            one.child.send(number)

    def _kill(self) -> None:
        """End all processes at once; their jobs go on from their checkpoints."""
        for one in self.running:
            one.child.kill()
        self.running.clear()


def _named(number: int) -> str:
    known = {one.value: one.name for one in signal.Signals}
    return known.get(number, f"signal {number}")


def pool(slots: Slots, console: Console) -> Engine:
    """The engine that runs each job in a process of its own; all jobs are shown on the console."""

    def run(sweep: SweepDir, jobs: Sequence[SweepJob]) -> None:
        with Board(console, sweep.jobs()) as board:
            Pool(jobs, slots, board).run()

    return run
