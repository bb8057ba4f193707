"""Sweeps on one machine: processes that are killed, parents that are killed, signals."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gantext.runs.sweep_state import states, status_of
from tests.engines.cases import Started, begin, kill, the_sweep, wait_for_steps

pytestmark = pytest.mark.engines
Check = Callable[[Path, str, str], None]


def test_two_at_a_time(tmp_path: Path, configs: Path, ends_alike: Check) -> None:
    child = begin(tmp_path, configs, "--jobs", "2")
    assert child.wait() == 0, child.said
    ends_alike(tmp_path, "--jobs 2", "nothing")
    text = the_sweep(tmp_path).table.read_text()
    assert text.count("\nmean,3 seeds") == 2 and the_sweep(tmp_path).figure.is_file()


def test_a_killed_job_goes_on(tmp_path: Path, configs: Path, ends_alike: Check) -> None:
    child = begin(tmp_path, configs, "--jobs", "2")
    for name in ("0", "3"):
        job = the_sweep(tmp_path).job(name)
        wait_for_steps(job)
        kill(job)
    assert child.wait() == 0, child.said
    assert child.said.count("its process died by SIGKILL: it goes on") == 2
    ends_alike(tmp_path, "--jobs 2", "SIGKILL of two jobs")


@pytest.mark.parametrize("again", [[], ["--jobs", "2"]], ids=["alone", "together"])
def test_a_killed_parent_leaves_no_orphan_and_its_sweep_goes_on(
    tmp_path: Path, configs: Path, ends_alike: Check, again: list[str]
) -> None:
    child = begin(tmp_path, configs, "--jobs", "2")
    wait_for_steps(the_sweep(tmp_path).job("1"))
    child.send(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    # At once, while the jobs are still saved: it waits for them and takes them over.
    other = Started(tmp_path, ["train", "--resume", "runs/s", *again])
    assert other.wait() == 0, other.said
    ends_alike(tmp_path, "--jobs 2", f"SIGKILL of the parent, --resume {' '.join(again)}")


def test_jobs_save_and_end_with_their_parent(
    tmp_path: Path, configs: Path, ends_alike: Check
) -> None:
    child = begin(tmp_path, configs, "--jobs", "2")
    sweep = the_sweep(tmp_path)
    wait_for_steps(sweep.job("1"))
    child.send(signal.SIGKILL)
    end = time.monotonic() + 60
    while any(job.is_held for job in sweep.jobs()):
        assert time.monotonic() < end, "an orphan works on"
        time.sleep(0.1)
    assert {status_of(job) for job in sweep.jobs()} <= {"stopped", "finished", "planned"}
    other = Started(tmp_path, ["train", "--resume", "runs/s", "--jobs", "2"])
    assert other.wait() == 0, other.said
    ends_alike(tmp_path, "--jobs 2", "SIGKILL of the parent, --resume later")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_saves_all_jobs(
    tmp_path: Path, configs: Path, ends_alike: Check, number: signal.Signals, code: int
) -> None:
    child = begin(tmp_path, configs, "--jobs", "2")
    sweep = the_sweep(tmp_path)
    for name in ("0", "1"):
        wait_for_steps(sweep.job(name))
    child.send(number)
    assert child.wait() == code, child.said
    last = child.said.splitlines()[-1]
    assert last == f"stopped and saved; go on with: gantext train --resume {sweep.path}"
    assert {job["status"] for job in states(sweep)} <= {"stopped", "finished", "planned"}
    other = Started(tmp_path, ["train", "--resume", "runs/s", "--jobs", "2"])
    assert other.wait() == 0, other.said
    ends_alike(tmp_path, "--jobs 2", f"{number.name}, --resume")
