"""A search by two processes on one sqlite file, one of which is killed; by workers of clusters."""

import os
import signal
import time
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_state import status_of
from tests.conftest import SMALL_MLE
from tests.engines.cases import Started, kill, the_sweep, wait_for_steps
from tests.engines.cluster import IS_INSTALLED, ask, cluster
from tests.engines.conftest import CASES
from tests.forker import until

pytest.importorskip("optuna")
pytestmark = pytest.mark.engines
TRIALS = 6
SEARCH = [
    *(word for word in SMALL_MLE if not word.startswith(("model.generator.hidden", "model.mle"))),
    *("model.mle.batch_size=8", "model.mle.epochs=6"),
    "model.mle.learning_rate=tag(log,interval(1e-4,1e-1))",
    "model.generator.hidden=choice(4,8)",
]


def tune(folder: Path, *more: str) -> Started:
    return Started(folder, ["tune", "s", f"n={TRIALS}", *SEARCH, *more])


def wait_for(sweep: SweepDir, name: str) -> None:
    """Wait until a trial is amid its training."""
    end = time.monotonic() + 300
    while not sweep.job(name).run.config.exists():
        assert time.monotonic() < end
        time.sleep(0.1)
    wait_for_steps(sweep.job(name))


def check(folder: Path, event: str, *names: str, engine: str = "tune --jobs 2") -> None:
    """All trials have ended, and the killed ones as the command of `best` would train them."""
    sweep = the_sweep(folder)
    ended = [status_of(job) for job in sweep.jobs()]
    assert len(ended) >= TRIALS and set(ended) <= {"finished", "pruned"}
    same = 0
    finished = [name for name in names if status_of(sweep.job(name)) == "finished"]
    for name in finished:
        child = Started(folder, ["train", *sweep.job(name).words, f"name=again-{name}"])
        assert child.wait() == 0, child.said
        again = (RunDir(folder / "runs" / f"again-{name}").result or {})["scores"]
        scores = (sweep.job(name).run.result or {})["scores"]
        same += [(s["name"], s["value"]) for s in again] == [
            (s["name"], s["value"]) for s in scores
        ]
    CASES.append((engine, event, f"{same} of {len(finished)} the same"))
    assert same == len(finished)


def test_a_killed_trial_goes_on(tmp_path: Path) -> None:
    child = tune(tmp_path, "--jobs", "2")
    wait_for(the_sweep(tmp_path), "1")
    kill(the_sweep(tmp_path).job("1"))
    assert child.wait() == 0, child.said
    assert "its process died by SIGKILL: it goes on" in child.said and "best: trial" in child.said
    check(tmp_path, "SIGKILL of a trial", "1")


def test_another_process_takes_over_the_trials_of_one_that_was_killed(tmp_path: Path) -> None:
    first = tune(tmp_path)
    wait_for(the_sweep(tmp_path), "0")
    second = tune(tmp_path)
    wait_for(the_sweep(tmp_path), "1")
    os.kill(first.process.pid, signal.SIGKILL)
    assert first.wait() == -signal.SIGKILL and second.wait() == 0, second.said
    check(tmp_path, "SIGKILL of one of two processes", "0")


def test_a_stopped_search_goes_on_by_the_same_words(tmp_path: Path) -> None:
    child = tune(tmp_path, "--jobs", "2")
    wait_for(the_sweep(tmp_path), "1")
    child.send(signal.SIGTERM)
    assert child.wait() == 143, child.said
    assert "stopped and saved; go on with: gantext tune s" in child.said
    again = tune(tmp_path, "--jobs", "2")
    assert again.wait() == 0, again.said
    check(tmp_path, "SIGTERM, the same words again", "0", "1")


@pytest.mark.skipif(not IS_INSTALLED, reason="no slurmctld, slurmd and munged, or not root")
def test_workers_of_slurm_one_of_which_is_requeued(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(tmp_path_factory.mktemp("slurm")) as found:
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        child = tune(tmp_path, "--jobs", "2", "--slurm", "time=1:00:00")
        assert child.wait() == 0, child.said
        array = child.said.split()[-1]
        wait_for(the_sweep(tmp_path), "1")
        ask(dict(os.environ), "scontrol", "requeue", f"{array}_0")
        until(lambda: not ask(dict(os.environ), "squeue", "--noheader"), seconds=900)
    check(tmp_path, "scontrol requeue of a worker", "0", "1", engine="tune --slurm")
    again = tune(tmp_path, "--slurm")
    assert again.wait() == 0 and "best: trial" in again.said, again.said


def test_workers_of_ray_one_of_which_is_killed(tmp_path: Path, home: dict[str, str]) -> None:
    pytest.importorskip("ray")
    child = Started(tmp_path, ["tune", "s", f"n={TRIALS}", *SEARCH, "--ray", "--jobs", "2"], home)
    wait_for(the_sweep(tmp_path), "1")
    os.kill(worker_of(tmp_path), signal.SIGKILL)
    assert child.wait() == 0 and "best: trial" in child.said, child.said
    check(tmp_path, "SIGKILL of a worker", "0", "1", engine="tune --ray")


def worker_of(folder: Path) -> int:
    """A process that works on the search there, with all its words."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"--tethered" in words and b"tune" in words and (place / "cwd").readlink() == folder:
                return int(place.name)
        except OSError:
            continue
    raise AssertionError("no worker")
