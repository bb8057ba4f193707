"""A search as a sweep whose jobs are made up as others end: each trial of a study is one.

The folder is planned before the first trial. A trial is a job as any other, which a process of its
own runs (pool.py). This process reads from its folder how it does, and ends it where it is
hopeless.
"""

import dataclasses
import math
import shlex
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from gantext.config import words
from gantext.config.search import Search
from gantext.config.settings import Device, Settings
from gantext.errors import UserError
from gantext.evaluation import measures
from gantext.evaluation.at_real import order_of
from gantext.evaluation.sweep_scores import values_of
from gantext.files import is_held, made
from gantext.runs.folder import LOCK
from gantext.runs.kinds import PICTURES, TEXT, model_kind
from gantext.runs.study import StudyDir
from gantext.runs.sweep_job import PRUNED, SweepJob
from gantext.runs.sweep_state import state_of
from gantext.training.board import Board
from gantext.training.pool import RETRIES, Pool, Process, Slots
from gantext.training.study import Study, Trial

LOOK_SECONDS = 1.0  # between two looks at what a trial reports, and for a trial where all are taken
PATIENCE = 60.0  # seconds for another process to plan the study
REPORTED = "nll_valid"  # what is looked at while a trial is trained: nats per token
DEFAULT = {TEXT: "nll-test", PICTURES: "frechet"}  # objective where none is named


@dataclass(frozen=True)
class Opened:
    """A search that may begin or go on.

    Attributes:
        search: its words.
        folder: of its trials.
        study: in its storage.
        config_dir: the user's own configs.
        threads: of each job.
        device: of each job.
    """

    search: Search
    folder: StudyDir
    study: Study
    config_dir: str | None
    threads: int
    device: Device = Device.auto

    @property
    def has_ended(self) -> bool:
        """Whether it has all its trials, and all have come to an end."""
        return self.study.has_ended(self.search.trials)

    @property
    def words(self) -> list[str]:
        """What a process on any machine gives gantext to work on it."""
        own = [] if self.config_dir is None else ["--config-dir", self.config_dir]
        return ["tune", self.folder.path.name, f"n={self.search.trials}", *self.search.words, *own]


def opened(
    name: str,
    search: Search,
    config_dir: Path | None = None,
    storage: str | None = None,
    jobs_at_once: int = 1,
) -> Opened:
    """Check a search, and plan its folder where that is not there yet; then open its study.

    Args:
        name: of the study, that of its folder too.
        search: what is to be tried.
        config_dir: the user's own configs.
        storage: the URL of a database; None: a file in the folder.
        jobs_at_once: what shares the cores, when the study begins.

    Raises:
        UserError: a trial at an end of what is searched cannot begin, the folder is another's, or
            the storage is none; nothing is left behind.
    """
    from gantext.training import study as kept
    from gantext.training.jobs import origin_of
    from gantext.training.sweep_jobs import ready

    kept.optuna()
    folder, settings, falls = checked(name, search, config_dir)
    own = origin_of([], config_dir)["config_dir"]
    is_new = not folder.path.exists()
    with ExitStack() as stack:
        if is_new:
            made(folder.path)
            stack.enter_context(folder.lock())
        url = storage or f"sqlite:///{folder.database}"
        try:
            study = Study(name, url, search.space, falls=falls)
        except UserError:
            if is_new:
                folder.files.remove(folder.database)
                folder.remove_if_unbegun()
            raise
        if folder.jobs() and study.is_new:
            raise UserError(f"{folder.path} has trials of another storage: name it by --storage")
        threads = study.threads(ready(settings, jobs_at_once).threads)
        if is_new:  # last, since what has a plan is taken to be whole
            line = shlex.join(["tune", name, *search.words])
            folder.save_plan(line, search.words, own, None)
    return Opened(search, folder, study, own, threads, settings.device)


def checked(name: str, search: Search, config_dir: Path | None) -> tuple[StudyDir, Settings, bool]:
    """The folder of a study, the settings of one of its trials, and whether its objective is better
    the lower it is; those at the ends of what is searched are checked.

    Raises:
        UserError: a trial cannot begin, nobody knows the objective, or the folder is another's.
    """
    from gantext.config.compose import compose
    from gantext.training.preparation import check

    words.check_name(name)
    for corner in search.corners():
        settings = compose(corner, config_dir)
        check(settings)
    folder = StudyDir(Path(settings.runs_dir).absolute() / name)
    if folder.path.exists():
        _wait_for_the_plan(folder)
        _check_same(folder, name, search)
    return folder, settings, _falls(settings)


def _falls(settings: Settings) -> bool:
    """Whether the objective is better the lower it is. Raises UserError where nobody knows."""
    kind = model_kind(settings.model.name)
    name = settings.objective or DEFAULT[kind]
    if order_of(name) is not None:
        return False
    names = measures.judging(kind)
    if name not in names:
        raise UserError(f"objective={name}: a search needs one of {', '.join(names)}")
    return measures.falls(name)


def _wait_for_the_plan(folder: StudyDir) -> None:
    """Wait for a process that begins the same study at this moment."""
    end = time.monotonic() + PATIENCE
    while folder.plan is None and is_held(folder.path / LOCK) and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)


def _check_same(folder: StudyDir, name: str, search: Search) -> None:
    """Raises UserError where the folder is no study, or one of other words; or a link is in it."""
    folder.files.check()
    plan = folder.plan
    if plan is None or plan["jobs"] is not None:
        raise UserError(f"{folder.path} is there already, and no study")
    if plan["words"] != [*search.words]:
        before = words.command("tune", name, f"n={search.trials}", *plan["words"])
        raise UserError(f"{folder.path} is a study of other words, which goes on by: {before}")


@dataclass
class TrialPool(Pool):
    """Runs the trials of a search in its slots, until so many have ended as it is to have.

    Args:
        opened: the search.
    """

    opened: Opened = field(kw_only=True)
    trials: dict[str, Trial] = field(default_factory=dict, kw_only=True)  # of the jobs it has
    hopeless: set[str] = field(default_factory=set, kw_only=True)
    _looked: float = field(default=0.0, kw_only=True)
    _asked: float = field(default=0.0, kw_only=True)

    def run(self) -> None:
        """Run trials until all have ended, those of other processes too.

        Raises:
            Stopped: on a signal, once all are saved.
        """
        try:
            super().run()
        finally:
            for trial in [*self.trials.values()]:
                self._settle(trial, is_over=False)

    def _goes_on(self) -> bool:
        if super()._goes_on() or time.monotonic() - self._asked < LOOK_SECONDS:
            return True
        return not self.opened.has_ended

    def _fill(self) -> None:
        while (
            len(self.running) + len(self.waiting) < len(self.slots.gpus)
            and time.monotonic() - self._asked >= LOOK_SECONDS
        ):
            trial = self.opened.study.ask(self.opened.search.trials)
            if trial is None:
                self._asked = time.monotonic()
            else:
                self._take(trial)
        super()._fill()

    def _take(self, trial: Trial) -> None:
        """Let a trial's job wait for a slot; one that cannot be composed has failed."""
        job = self.opened.folder.job(trial.job)
        try:
            if not job.can_go_on:
                _plan(job, trial, self.opened)
        except UserError as error:
            self.opened.study.tell_failed(trial)
            made(job.folder)
            job.save_failure(self.opened.search.words_of(trial.drawn), str(error))
            self.board.say(job, f"failed: {error}")
            return
        self.trials[job.name] = trial
        self.board.add([job])
        self.waiting.append(job)

    def _look(self) -> None:
        super()._look()
        self.opened.study.beat([*self.trials.values()])
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            for one in self.running:
                self._end_if_hopeless(one)

    def _end_if_hopeless(self, one: Process) -> None:
        """Let a job save and end where the others' have been better at the same step."""
        name = one.job.name
        if name in self.hopeless or not one.job.run.config.exists():
            return
        rows = one.job.run.metrics()
        values = {int(row["total"]): float(row[REPORTED]) for row in rows if REPORTED in row}
        if self.opened.study.is_hopeless(self.trials[name], values):
            self.hopeless.add(name)
            one.child.send(signal.SIGTERM)

    def _end(self, one: Process, code: int) -> None:
        job = one.job
        if job.name in self.hopeless and not job.is_over:
            job.prune()
            self.board.refresh(job)
            self.board.say_end(job, code)
        else:
            super()._end(one, code)
        if job not in self.waiting:
            self._settle(self.trials[job.name], is_over=True)

    def _settle(self, trial: Trial, is_over: bool) -> None:
        """Tell the study what has become of a trial's job; if it is to go on, that too."""
        study, state = self.opened.study, state_of(self.opened.folder.job(trial.job))
        value = values_of(state).get(state.get("objective", ""), math.nan)
        status = state["status"]
        is_over = is_over and (status != "stopped" or self.deaths[trial.job] > RETRIES)
        if status == "finished" and math.isfinite(value):
            study.tell(trial, value)
        elif status == PRUNED:
            study.tell_pruned(trial)
        elif is_over or status in ("finished", "diverged"):
            study.tell_failed(trial)
        else:
            study.hand_back(trial)
        del self.trials[trial.job]


def _plan(job: SweepJob, trial: Trial, opened: Opened) -> None:
    """Write what a trial's job is to do. Raises UserError where that does not compose."""
    from gantext.config.compose import compose
    from gantext.training.sweep_jobs import ready

    drawn = opened.search.words_of(trial.drawn)
    own = None if opened.config_dir is None else Path(opened.config_dir)
    settings = dataclasses.replace(ready(compose(drawn, own), 1), threads=opened.threads)
    job.plan(drawn, opened.config_dir, settings)


def search(opened: Opened, slots: Slots, console: Console) -> None:
    """Run the trials of a search until there are as many as it is to have.

    Raises:
        Stopped: on a signal, once all that this process ran are saved.
    """
    with Board(console, opened.folder.jobs()) as board:
        TrialPool((), slots, board, opened=opened).run()
