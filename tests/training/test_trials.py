"""Trials of a search, with a stand-in for the study: Optuna itself is tried in tests/engines."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gantext.config.search import search_of
from gantext.errors import UserError
from gantext.runs.study import StudyDir
from gantext.runs.sweep_job import SweepJob
from gantext.runs.sweep_state import state_of
from gantext.training import study as studies
from gantext.training import trials
from gantext.training.board import Board
from gantext.training.pool import Slots
from gantext.training.study import Trial
from gantext.training.trials import Opened, TrialPool
from tests.conftest import SMALL_MLE


class StandIn:
    """Remembers what it is told."""

    def __init__(self, hopeless: bool = False) -> None:
        self.told: list[tuple[Any, ...]] = []
        self.reported: dict[int, float] = {}
        self.hopeless = hopeless

    def is_hopeless(self, trial: Trial, values: dict[int, float]) -> bool:
        self.reported |= values
        return self.hopeless

    def tell(self, trial: Trial, value: float) -> None:
        self.told.append((trial.job, value))

    def tell_pruned(self, trial: Trial) -> None:
        self.told.append((trial.job, "pruned"))

    def tell_failed(self, trial: Trial) -> None:
        self.told.append((trial.job, "failed"))

    def hand_back(self, trial: Trial) -> None:
        self.told.append((trial.job, "waiting"))


@pytest.fixture
def pool(tmp_path: Path) -> TrialPool:
    """A pool with one trial taken."""
    search = search_of([*SMALL_MLE, "model.mle.learning_rate=interval(0.1,2e3)", "n=2"])
    found: Any = StandIn()
    folder = StudyDir(tmp_path / "s")
    folder.path.mkdir()
    board = Board(Console(quiet=True), [])
    made = TrialPool(
        (), Slots((None,)), board, opened=Opened(search, folder, found, None, threads=3)
    )
    made._take(Trial("0", {"model.mle.learning_rate": 0.2}, None))
    return made


def job_of(pool: TrialPool) -> SweepJob:
    (job,) = pool.waiting
    return job


def end(pool: TrialPool, is_over: bool = True, **result: Any) -> Any:
    """What the study is told of a trial whose job has left this result."""
    job = job_of(pool)
    if result:
        job.run.save_result({"overrides": [], "scores": [], **result})
        job.run.config.write_text("")
        job.run.update(status=result["status"])
    pool._settle(pool.trials["0"], is_over)
    assert not pool.trials
    study: Any = pool.opened.study
    ((name, said),) = study.told
    assert name == "0"
    return said


def test_a_trial_is_a_planned_job_with_the_threads_of_the_study(pool: TrialPool) -> None:
    job = job_of(pool)
    assert job.words == [*SMALL_MLE, "model.mle.learning_rate=0.2"]
    assert job.settings.threads == 3 and job.settings.model.mle.learning_rate == 0.2


def test_a_trial_that_cannot_be_composed_has_failed(pool: TrialPool) -> None:
    pool._take(Trial("1", {"model.mle.learning_rate": -1}, None))
    study: Any = pool.opened.study
    assert study.told == [("1", "failed")] and set(pool.trials) == {"0"}
    state = state_of(pool.opened.folder.job("1"))
    assert state["status"] == "failed" and "learning_rate" in state["error"]


SCORES = [{"name": "nll-test", "value": 2.5, "signature": {}}]


@pytest.mark.parametrize(
    ("status", "is_over", "said"),
    [
        ("finished", True, 2.5),
        ("finished", False, 2.5),
        ("diverged", True, "failed"),
        ("diverged", False, "failed"),
        ("failed", True, "failed"),
        ("failed", False, "waiting"),
        ("stopped", True, "waiting"),
        ("stopped", False, "waiting"),
    ],
)
def test_what_the_study_is_told(pool: TrialPool, status: str, is_over: bool, said: object) -> None:
    """`is_over`: the job's process ended by itself; else the search itself was stopped."""
    assert end(pool, is_over, status=status, objective="nll-test", scores=SCORES) == said


def test_a_score_that_is_no_number_is_no_value(pool: TrialPool) -> None:
    scores = [{**SCORES[0], "value": "nan"}]
    assert end(pool, status="finished", objective="nll-test", scores=scores) == "failed"


def test_a_job_that_left_no_run_has_failed_unless_the_search_was_stopped(pool: TrialPool) -> None:
    assert end(pool, is_over=True) == "failed"


def test_a_hopeless_trial_is_pruned_and_its_job_is_over(pool: TrialPool) -> None:
    job = job_of(pool)
    job.run.config.write_text("")
    job.run.update(status="stopped")
    job.run.append_metrics({"phase": "mle", "step": 5, "total": 5, "nll_valid": 3.5})
    job.run.append_metrics({"phase": "mle", "step": 6, "total": 6, "nll": 3.0})

    class Child:
        sent: tuple[int, ...] = ()

        def send(self, number: int) -> None:
            self.sent += (number,)

    pool.waiting.clear()
    study: Any = pool.opened.study
    child: Any = Child()
    one: Any = trials.Process(job, 0, child)
    pool._end_if_hopeless(one)
    assert study.reported == {5: 3.5} and not one.child.sent
    study.hopeless = True
    pool._end_if_hopeless(one)
    pool._end_if_hopeless(one)
    assert one.child.sent == (15,)
    pool._end(one, 143)
    assert study.told == [("0", "pruned")] and job.is_over
    assert state_of(job)["status"] == job.run.status == "pruned"


class Kept:
    """A stand-in for a study in its storage."""

    is_new = True

    def __init__(self, name: str, url: str, space: Any, falls: bool) -> None:
        Kept.last = (name, url, falls)

    def threads(self, chosen: int) -> int:
        return chosen

    last: tuple[str, str, bool] = ("", "", False)


def test_a_study_is_planned_once_and_goes_on_by_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(studies, "optuna", lambda: None)
    monkeypatch.setattr(trials, "Study", Kept)
    words = [*SMALL_MLE, "model.mle.learning_rate=interval(0.1,0.2)"]
    found = trials.opened("s", search_of([*words, "n=2"]), storage="postgresql://a:secret@b/c")
    assert Kept.last == ("s", "postgresql://a:secret@b/c", True)
    plan = found.folder.plan
    assert plan is not None and plan["words"] == words and plan["jobs"] is None
    assert "secret" not in (found.folder.path / "sweep.json").read_text()
    trials.opened(
        "s",
        search_of(
            [
                *words,
                "n=3",
            ]
        ),
    )
    assert Kept.last[1] == f"sqlite:///{tmp_path}/runs/s/study.db"
    with pytest.raises(UserError, match=r"study of other words, which goes on by: gantext tune s"):
        trials.opened("s", search_of([*words, "seed=2", "n=3"]))
    (found.folder.path / "study.db").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="link"):
        trials.opened("s", search_of([*words, "n=3"]))


@pytest.mark.parametrize(
    ("name", "words", "error"),
    [
        ("s", ["model.mle.learning_rate=interval(-1,1)"], "learning_rate"),
        ("s", ["seed=1,2", "eval.samples=1"], "need at least"),
        ("s", ["seed=1,2", "objective=nll"], "a search needs one of"),
        ("s", ["seed=1,2", "model=image_gan", "data=digits", "objective=bleu-4-at-real"], "text"),
        ("../s", ["seed=1,2"], "name"),
        ("there", ["seed=1,2"], "no study"),
    ],
)
def test_what_cannot_begin_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: list[str], error: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "there").mkdir(parents=True)
    monkeypatch.setattr(studies, "optuna", lambda: None)
    with pytest.raises(UserError, match=error):
        trials.opened(name, search_of([*words, "n=2"]))
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["there"]
