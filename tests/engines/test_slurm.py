"""Sweeps on a SLURM of one node: tasks that are requeued, killed, cancelled."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from gantext.runs.sweep_state import status_of
from tests.engines.cases import Started, begin, kill, the_sweep, wait_for_steps
from tests.engines.cluster import IS_INSTALLED, ask, cluster
from tests.forker import until

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(not IS_INSTALLED, reason="no slurmctld, slurmd and munged, or not root"),
]
Check = Callable[[Path, str, str], None]
Slurm = Callable[..., str]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """`slurm(*words)`: what a command of the cluster says; gantext finds it too."""
    with cluster(tmp_path_factory.mktemp("slurm")) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.items():
            patch.setenv(name, value)
        yield lambda *words: ask(dict(os.environ), *words)


def array_of(child: Started) -> str:
    """The number of the array that a command has submitted."""
    assert child.wait() == 0, child.said
    found = re.search(r"scancel (\d+)$", child.said, re.MULTILINE)
    assert found, child.said
    return found[1]


def wait_for_the_end(slurm: Slurm) -> None:
    until(lambda: not slurm("squeue", "--noheader"), seconds=900)


def test_an_array(tmp_path: Path, configs: Path, ends_alike: Check, slurm: Slurm) -> None:
    array = array_of(begin(tmp_path, configs, "--slurm", "time=1:00:00,comment=tests"))
    assert "TimeLimit=01:00:00" in slurm("scontrol", "--oneliner", "show", "job", array)
    wait_for_the_end(slurm)
    ends_alike(tmp_path, "--slurm", "nothing")
    # The last job stores the table, as nobody waits for it.
    assert the_sweep(tmp_path).table.read_text().count("\nmean,3 seeds") == 2


def test_tasks_that_are_interrupted_have_another_turn(
    tmp_path: Path, configs: Path, ends_alike: Check, slurm: Slurm
) -> None:
    """By the kernel, by hand, by the signal that comes before the end of their time."""
    array = array_of(begin(tmp_path, configs, "--slurm"))
    sweep = the_sweep(tmp_path)
    wait_for_steps(sweep.job("1"))
    kill(sweep.job("1"))
    for name, words in (
        ("3", ("scontrol", "requeue", f"{array}_3")),
        ("5", ("scancel", "--batch", "--signal=TERM", f"{array}_5")),
    ):
        wait_for_steps(sweep.job(name))
        Thread(target=slurm, args=words).start()  # they may wait for the task's end
    wait_for_the_end(slurm)
    ends_alike(tmp_path, "--slurm", "requeue, SIGTERM and SIGKILL of a job each")
    assert slurm("scontrol", "--oneliner", "show", "job", array).count("Restarts=1") == 3
    for name in ("3", "5"):  # which were saved; 1 may have been killed before its first checkpoint
        assert f"going on with {name} at step" in sweep.job(name).log.read_text()


def test_what_was_cancelled_goes_on(
    tmp_path: Path, configs: Path, ends_alike: Check, slurm: Slurm
) -> None:
    array = array_of(begin(tmp_path, configs, "--slurm", "--jobs", "1"))
    sweep = the_sweep(tmp_path)
    wait_for_steps(sweep.job("1"))
    resume = ["train", "--resume", "runs/s", "--slurm"]
    early = Started(tmp_path, resume)
    assert early.wait() == 2
    assert early.said.splitlines()[-1].endswith(f"in array {array}: scancel {array}")
    slurm("scancel", array)
    wait_for_the_end(slurm)
    assert [status_of(sweep.job(name)) for name in ("0", "1", "5")] == [
        "finished",
        "stopped",
        "planned",
    ]
    array = array_of(Started(tmp_path, resume))
    assert '--array="1-5"' in sweep.script.read_text()
    wait_for_the_end(slurm)
    ends_alike(tmp_path, "--slurm", "scancel, --resume --slurm")
