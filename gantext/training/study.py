"""A search's trials in Optuna's storage: asked for, reported on and told; the only user of Optuna.

Any number of processes may work on one study at a time. Each says by a heartbeat which trials it
has. Those of one that died are failed by the others after a while, and wait again as new trials,
which have the job of the first one and so go on at its checkpoint.
"""

import contextlib
import math
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gantext.config.search import Choice, Dimension
from gantext.errors import UserError

HEARTBEAT_SECONDS = 10
GRACE_SECONDS = 45  # without one, after which a trial's process counts as dead; a busy disk is slow
THREADS = "threads"  # the attribute of a study that keeps those of its jobs


def optuna() -> Any:
    """The package. Raises UserError where it is not installed."""
    try:
        import optuna
    except ImportError as error:
        raise UserError("gantext tune needs Optuna: pip install 'gantext[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    # Of heartbeats, which Optuna has had for years, and which are recorded here.
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    warnings.filterwarnings("ignore", "Heartbeat of storage is supposed")
    return optuna


@dataclass(frozen=True)
class Trial:
    """What one process tries.

    Attributes:
        job: the name of its job, which it shares with the trials that it goes on from.
        drawn: the value of each key of the search.
        asked: Optuna's own.
    """

    job: str
    drawn: dict[str, Any]
    asked: Any = field(repr=False)


class Study:
    """A study in its storage, with the trials of this process.

    Args:
        name: of the study.
        url: of the storage.
        space: what is searched.
        falls: the objective is better the lower it is.

    Raises:
        UserError: Optuna is not installed, the storage cannot be opened, or it has a study of this
            name whose objective has the other direction.
    """

    def __init__(self, name: str, url: str, space: Mapping[str, Dimension], falls: bool) -> None:
        self.space, self.falls = space, falls
        self._optuna = optuna()
        self._callback = self._optuna.storages.RetryHeartbeatStaleTrialCallback()
        with _opening():
            self._storage = self._optuna.storages.RDBStorage(
                url,
                heartbeat_interval=HEARTBEAT_SECONDS,
                grace_period=GRACE_SECONDS,
                heartbeat_stale_trial_callback=self._callback,
            )
            self._study = self._optuna.create_study(
                study_name=name,
                storage=self._storage,
                direction="minimize" if falls else "maximize",
                pruner=self._optuna.pruners.MedianPruner(),
                load_if_exists=True,
            )
            wanted = self._optuna.study.StudyDirection.MINIMIZE
            if (self._study.direction == wanted) != falls:
                raise UserError(f"the study {name} of this storage has another objective")
        self._beaten = 0.0

    def threads(self, chosen: int) -> int:
        """The threads of all jobs: those of the study's first process, whose choice is kept."""
        kept = self._study.user_attrs.get(THREADS)
        if isinstance(kept, int) and kept > 0:
            return kept
        self._study.set_user_attr(THREADS, chosen)
        return chosen

    @property
    def is_new(self) -> bool:
        """Whether it has no trial yet."""
        return not self._study.get_trials(deepcopy=False)

    def ask(self, most: int) -> Trial | None:
        """The next trial: one whose process died, or a new one; None where there are `most`.

        Raises:
            UserError: the storage has what is none of this search.
        """
        self._optuna.storages.fail_stale_trials(self._study)
        states = [trial.state for trial in self._newest()]
        if len(states) >= most and self._optuna.trial.TrialState.WAITING not in states:
            return None
        asked = self._study.ask()
        # By its number, so that no two processes draw alike, and a search that goes on draws on.
        self._study.sampler = self._optuna.samplers.TPESampler(
            seed=asked.number, constant_liar=True
        )
        self._beat(asked)
        try:
            drawn = {key: _drawn(asked, key, one) for key, one in self.space.items()}
        except ValueError as error:
            raise UserError(f"the study {self._study.study_name}: {error}") from error
        for key, value in drawn.items():
            if not self.space[key].has(value):  # as where somebody else has enqueued it
                raise UserError(f"the study {self._study.study_name} has {key}={value}")
        return Trial(str(self._first(asked)), drawn, asked)

    def has_ended(self, most: int) -> bool:
        """Whether so many trials have come to an end, whatever process has them."""
        states = [trial.state.is_finished() for trial in self._newest()]
        return len(states) >= most and all(states)

    def beat(self, trials: list[Trial]) -> None:
        """Say now and then that this process still works on its trials."""
        now = time.monotonic()
        if now - self._beaten >= HEARTBEAT_SECONDS:
            self._beaten = now
            for trial in trials:
                self._beat(trial.asked)

    def is_hopeless(self, trial: Trial, values: Mapping[int, float]) -> bool:
        """Report what falls while a trial is trained, by its step; whether it is to be pruned.

        A trial is where its best value so far is worse than the median of the others' at that step.
        """
        known = self._storage.get_trial(self._id(trial.asked)).intermediate_values
        for step, value in values.items():
            if step not in known and math.isfinite(value):
                trial.asked.report(value if self.falls else -value, step)
                if trial.asked.should_prune():
                    return True
        return False

    def tell(self, trial: Trial, value: float) -> None:
        """The value of the objective of a trial that has finished."""
        self._study.tell(trial.asked, value, skip_if_finished=True)

    def tell_pruned(self, trial: Trial) -> None:
        """That a trial was ended since it did not promise enough."""
        self._tell(trial, self._optuna.trial.TrialState.PRUNED)

    def tell_failed(self, trial: Trial) -> None:
        """That a trial has no value, and would not have one if it were tried again."""
        self._tell(trial, self._optuna.trial.TrialState.FAIL)

    def hand_back(self, trial: Trial) -> None:
        """Let a trial that was stopped wait for whoever asks next, as one whose process died."""
        self.tell_failed(trial)
        self._callback(self._study, self._storage.get_trial(self._id(trial.asked)))

    def best(self) -> tuple[str, float] | None:
        """The job of the best trial that has finished, and its value."""
        try:
            found = self._study.best_trial
        except ValueError:
            return None
        return str(self._first(found)), float(found.value)

    def importance(self) -> dict[str, float]:
        """The share of each key in the spread of the objective; none where that is not known."""
        # Of too few trials, of equal values, or without what an evaluator needs.
        with contextlib.suppress(ImportError, ValueError, RuntimeError, ZeroDivisionError):
            found = self._optuna.importance.get_param_importances(self._study)
            return {str(key): float(share) for key, share in found.items()}
        return {}

    def _tell(self, trial: Trial, state: Any) -> None:
        self._study.tell(trial.asked, state=state, skip_if_finished=True)

    def _newest(self) -> list[Any]:
        """Of each job the trial that has it now."""
        trials = self._study.get_trials(deepcopy=False)
        return list({self._first(trial): trial for trial in trials}.values())

    def _first(self, trial: Any) -> int:
        """The number of the trial that a trial goes on from, which may be itself."""
        retried = self._optuna.storages.RetryHeartbeatStaleTrialCallback.retried_trial_number
        frozen = trial if hasattr(trial, "state") else self._storage.get_trial(self._id(trial))
        before = retried(frozen)
        return int(frozen.number if before is None else before)

    def _id(self, asked: Any) -> int:
        """What the storage calls a trial."""
        name = self._study.study_name
        study = self._storage.get_study_id_from_name(name)
        return int(self._storage.get_trial_id_from_study_id_trial_number(study, asked.number))

    def _beat(self, asked: Any) -> None:
        self._storage.record_heartbeat(self._id(asked))


def _drawn(asked: Any, key: str, dimension: Dimension) -> Any:
    """The value of a key; of a trial that goes on the one that it had. Raises ValueError."""
    if isinstance(dimension, Choice):
        return asked.suggest_categorical(key, dimension.values)
    low, high, step, log = dimension.low, dimension.high, dimension.step, dimension.log
    if dimension.whole:
        return asked.suggest_int(key, low, high, step=step, log=log)
    return asked.suggest_float(key, low, high, step=step, log=log)


@contextlib.contextmanager
def _opening() -> Iterator[None]:
    """Say in one line why a storage cannot be opened; its URL, which may have a password, is not.

    Raises:
        UserError: for what Optuna, SQLAlchemy and the drivers of databases raise.
    """
    from sqlalchemy.exc import SQLAlchemyError

    refusals = (SQLAlchemyError, optuna().exceptions.OptunaError, ImportError, RuntimeError)
    try:
        yield
    except (*refusals, ValueError, KeyError) as error:
        lines = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
        raise UserError(f"cannot open the storage of the study: {lines[0]}") from error
