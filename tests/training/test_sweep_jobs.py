"""A sweep is planned before its first job; a job may be begun any number of times, by anybody."""

import dataclasses
import json
import math
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from gantext.config.compose import compose
from gantext.files import hold
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.runs.sweep_state import status_of
from gantext.training import jobs, sweeps
from gantext.training.loop import Trainer
from gantext.training.stop import Interrupted, Stopped
from gantext.training.sweep_jobs import ready, run_job
from tests.conftest import SMALL_MLE

QUICK = [*SMALL_MLE, "model.mle.epochs=1", "eval.samples=10"]


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def planned(*words: str) -> SweepDir:
    return sweeps.planned([*QUICK, "name=s", *words]).sweep


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_jobs_are_planned_before_the_first_begins() -> None:
    words = [word for word in QUICK if not word.startswith("threads")]
    sweep = sweeps.planned([*words, "name=s", "seed=1,2", "eval.seed=3,4"]).sweep
    plans = sweep.jobs()
    assert [job.name for job in plans] == ["0", "1", "2", "3"]
    assert [status_of(job) for job in plans] == ["planned"] * 4
    found = [(job.settings.seed, job.settings.eval.seed) for job in plans]
    assert found == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert sweep.plan is not None and sweep.plan["jobs"] == 4
    assert "seed=1,2" in sweep.plan["words"] and "seed=2" in plans[3].words
    # What `threads=0` comes to is worked out once, and stands in the plan.
    assert {job.settings.threads for job in plans} == {torch.get_num_threads()}


def test_the_threads_of_a_plan_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gantext.training.sweep_jobs.torchs_choice", lambda: 8)
    words = [word for word in QUICK if not word.startswith("threads")]
    settings = compose(words)
    assert [ready(settings, at_once).threads for at_once in (1, 3, 100)] == [8, 2, 1]
    assert ready(dataclasses.replace(settings, threads=5), 3).threads == 5


def test_a_job_that_has_finished_gives_its_result_and_is_left_as_it_is() -> None:
    job = planned("seed=1").job("0")
    value = run_job(job)
    assert value is not None and math.isfinite(value) and status_of(job) == "finished"
    assert job.run.info["command"] == (SweepDir(job.folder.parent).plan or {}).get("command")
    before = contents(job.folder)
    assert run_job(job) == value and contents(job.folder) == before


def test_a_job_that_a_signal_stopped_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from another folder: nothing in the plan depends on the one that it was made in."""
    straight, other = planned("seed=1", "checkpoint.every_steps=0"), planned("seed=1")
    value = run_job(straight.job("0"))
    job = SweepJob(other.path.resolve() / "0")
    with monkeypatch.context() as patch:
        report = Trainer._report

        def stop(self: Trainer, *rest: Any) -> Any:
            if self.total == 5:
                signal.raise_signal(signal.SIGTERM)
            return report(self, *rest)

        patch.setattr(Trainer, "_report", stop)
        with pytest.raises(Stopped):
            run_job(job)
    assert status_of(job) == "stopped" and job.run.result is None
    (other.path.parent / "elsewhere").mkdir()
    monkeypatch.chdir(other.path.parent / "elsewhere")
    assert run_job(job) == value and status_of(job) == "finished"
    assert not list(Path().iterdir())


def test_a_job_that_failed_is_tried_again(tmp_path: Path) -> None:
    words = [word for word in QUICK if not word.startswith("data")]
    text = ["data=text", f"data.train={tmp_path}/there.txt"]
    job = sweeps.planned([*words, *text, "name=s"]).sweep.job("0")
    assert math.isnan(run_job(job) or 0) and status_of(job) == "failed"
    assert "no such file" in str((job.run.result or {}).get("error"))
    (tmp_path / "there.txt").write_text("a b c\nd e f\na e c\n" * 5)
    value = run_job(job)
    assert value is not None and math.isfinite(value) and status_of(job) == "finished"
    assert "error" not in (job.run.result or {})


def test_a_diverged_job_is_over() -> None:
    job = planned("model.mle.learning_rate=1e30").job("0")
    assert math.isnan(run_job(job) or 0) and status_of(job) == "diverged" and job.is_over
    before = contents(job.folder)
    assert math.isnan(run_job(job) or 0) and contents(job.folder) == before


def test_it_waits_for_the_process_that_works_on_the_job(
    capfd: pytest.CaptureFixture[str],
) -> None:
    job = planned("seed=1").job("0")
    held, ended = threading.Event(), []

    def other() -> None:
        with hold(job.folder / ".lock"):
            held.set()
            time.sleep(0.5)
            ended.append(time.monotonic())

    thread = threading.Thread(target=other)
    thread.start()
    held.wait()
    assert status_of(job) == "starting"
    run_job(job)
    thread.join()
    assert status_of(job) == "finished" and "waiting for the process" in capfd.readouterr().err
    created = os.stat(job.run.config).st_mtime
    assert created >= time.time() - (time.monotonic() - ended[0]) - 0.1


def test_another_process_may_have_been_quicker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the job between the look at that and its beginning, and brings it to its end."""
    job = planned("seed=1").job("0")
    start = jobs.start
    times = []

    def second(*words: Any, **named: Any) -> Any:
        times.append(1)
        if len(times) == 1:
            start(*words, **named)  # the other, which ends
        return start(*words, **named)

    monkeypatch.setattr("gantext.training.jobs.start", second)
    value = run_job(job)
    assert value is not None and status_of(job) == "finished" and len(times) == 1


def test_a_plan_that_is_cut_off_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = SweepJob.plan

    def cut(self: SweepJob, *rest: Any) -> None:
        if self.name == "1":
            raise Interrupted(signal.SIGINT)
        plan(self, *rest)

    monkeypatch.setattr(SweepJob, "plan", cut)
    with pytest.raises(Interrupted):
        planned("seed=1,2")
    assert not list(Path("runs").iterdir())


def test_a_job_says_how_far_it_is() -> None:
    job = planned("seed=1").job("0")
    run_job(job)
    headway = job.headway
    assert headway is not None and headway["rate"] > 0
    assert (headway["phase"], headway["step"], headway["steps"]) == ("mle", 8, 8)
    assert json.loads((RunDir(job.folder).path / "progress.json").read_text()) == headway
