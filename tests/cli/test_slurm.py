"""What SLURM is given: the array of a sweep, its script, and what is refused before and by it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gantext.errors import UserError
from gantext.runs.study import StudyDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_job import SweepJob
from gantext.training import slurm
from tests.conftest import SMALL_MLE, Command

BEGIN = ["train", "-m", *SMALL_MLE, "threads=2", "name=s", "seed=1,2,3,4"]
RESUME = ["train", "--resume", "runs/s"]
Fake = Callable[[str, str], Path]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """`fake(name, body)`: a command of this name, in sh, found before all others."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]]))

    def put(name: str, body: str) -> Path:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    put("sbatch", f'echo "$@" >> {tmp_path}/asked; echo "7;here"')
    put("squeue", "")
    return put


@pytest.fixture
def sweep(tmp_path: Path) -> SweepDir:
    """The sweep that the commands begin."""
    return SweepDir(tmp_path / "runs" / "s")


def head(sweep: SweepDir) -> list[str]:
    """The options in the script, without --output."""
    lines = sweep.script.read_text().splitlines()
    starts = [line.removeprefix("#SBATCH --") for line in lines if line.startswith("#SBATCH ")]
    return [line for line in starts if not line.startswith("output=")]


def test_an_array_is_submitted_and_nothing_is_waited_for(
    cli: Command, fake: Fake, sweep: SweepDir, tmp_path: Path
) -> None:
    found = cli(*BEGIN, "--jobs", "2", "--slurm", "partition=gpu,nodelist=a,b,exclusive=,gpus=1")
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert lines[-2:] == [
        "sweep runs/s: SLURM has its jobs as array 7",
        "look: gantext runs sweep runs/s  |  cancel: scancel 7",
    ]
    assert head(sweep) == [
        'job-name="gantext-s"',
        'array="0-3%2"',
        'cpus-per-task="2"',
        'open-mode="append"',
        "requeue",
        'signal="B:TERM@90"',
        'partition="gpu"',
        'nodelist="a,b"',
        "exclusive",
        'gpus="1"',
    ]
    text = sweep.script.read_text()
    assert f'#SBATCH --output="{sweep.path}/%a/job.log"\n' in text
    assert f'{sys.executable} -m gantext job {sweep.path}/"$SLURM_ARRAY_TASK_ID" &\n' in text
    assert (tmp_path / "asked").read_text() == f"--parsable {sweep.script}\n"
    assert not any(job.has_begun for job in sweep.jobs()) and not sweep.table.exists()


def test_exactly_the_jobs_that_have_not_ended_are_submitted_again(
    cli: Command, fake: Fake, sweep: SweepDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(*BEGIN, "--slurm").code == 0
    ended = {"1"}
    monkeypatch.setattr(SweepJob, "is_over", property(lambda job: job.name in ended))
    found = cli(*RESUME, "--slurm", "time=1:00:00", "--force", "--json")
    assert json.loads(found.out) == {"sweep": "runs/s", "slurm": 7}, found.err
    assert head(sweep)[1] == 'array="0,2-3"' and head(sweep)[-1] == 'time="1:00:00"'
    assert "-m gantext job --force " in sweep.script.read_text()
    # What SLURM has is not submitted once more, whatever path the sweep is named by.
    before = (tmp_path / "asked").read_text()
    fake("squeue", f"echo '5 /else/slurm.sh'; echo '7 {sweep.script}'")
    (tmp_path / "link").symlink_to(sweep.path)
    for name in ("runs/s", "link"):
        found = cli("train", "--resume", name, "--slurm")
        assert found.code == 2 and found.errors[0].endswith("in array 7: scancel 7")
    fake("squeue", "")
    ended |= {"0", "2", "3"}
    found = cli(*RESUME, "--slurm")
    assert "SLURM has" not in found.out and "sweep runs/s" in found.out
    assert (tmp_path / "asked").read_text() == before


def test_workers_of_a_search_are_tasks_of_an_array(fake: Fake, tmp_path: Path) -> None:
    study = StudyDir(tmp_path / "s")
    study.path.mkdir()
    order = slurm.Order({"partition": "gpu"}, at_once=3)
    words = ["tune", "s", "n=9", "seed=range(1,4)"]
    assert slurm.submit_workers(study, words, 2, order) == 7
    text = study.script.read_text()
    assert '#SBATCH --array="0-2"\n' in text and '#SBATCH --cpus-per-task="2"\n' in text
    assert f'#SBATCH --output="{study.path}/worker-%a.log"\n' in text
    assert f"{sys.executable} -m gantext tune s n=9 'seed=range(1,4)' &\n" in text
    assert str(study.log(2)) == f"{study.path}/worker-2.log"
    fake("squeue", f"echo '7 {study.script}'")
    with pytest.raises(UserError, match="scancel 7"):
        slurm.submit_workers(study, words, 2, order)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("gpu", "KEY=VALUE"),
        ("gpus=1,gpus=2", "each KEY once"),
        ("--gpus=1", "KEY=VALUE"),
        ("gpus=1,nodes;ls=2", "KEY=VALUE"),
        ("array=1-9", "left to gantext: the jobs of the plan"),
        ("cpus-per-task=4", "left to gantext: the threads of the plan (threads=N)"),
        ("comment=a b", "cannot be in a value"),
        ("comment=$(id)", "cannot be in a value"),
        ("comment=a\n#SBATCH", "cannot be in a value"),
    ],
)
def test_options_that_cannot_be_are_refused(
    cli: Command, fake: Fake, tmp_path: Path, options: str, said: str
) -> None:
    found = cli("train", "-m", "seed=1,2", f"--slurm={options}")
    assert found.code == 2 and found.out == "" and said in found.err
    assert not (tmp_path / "runs").exists()


def test_without_slurm_or_with_its_refusal_no_plan_is_left(
    cli: Command, fake: Fake, sweep: SweepDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = "sbatch: error: invalid partition: x\\nsbatch: error: Batch job submission failed"
    fake("sbatch", f"printf '{errors}\\n' >&2; exit 1")
    found = cli(*BEGIN, "--slurm", "partition=x")
    refusal = "sbatch refuses the sweep: invalid partition: x; Batch job submission failed"
    assert (found.code, len(found.errors)) == (2, 1) and refusal in found.err
    assert not sweep.path.exists()
    for words, said in (
        (["train", "--slurm"], "which needs -m"),
        (["train", "--resume", "--slurm"], "--resume SWEEP"),
        (["train", "-m", "seed=1,2", "--gpus", "0", "--slurm"], "--slurm gpus=1"),
        (["train", "-m", "seed=1,2", "--slurm", "hydra.job.chdir=true"], "leave no job to Hydra"),
    ):
        found = cli(*words)
        assert (found.code, len(found.errors)) == (2, 1) and said in found.err
    monkeypatch.setenv("PATH", str(tmp_path))
    found = cli(*BEGIN, "--slurm")
    assert (found.code, len(found.errors)) == (2, 1) and "no sbatch here" in found.err
    assert not sweep.path.exists()


def test_a_sweep_of_a_stranger_writes_and_runs_nothing_elsewhere(
    cli: Command, fake: Fake, sweep: SweepDir, tmp_path: Path
) -> None:
    assert cli(*BEGIN, "--slurm").code == 0
    sweep.script.unlink()
    sweep.script.symlink_to(tmp_path / "mine")
    found = cli(*RESUME, "--slurm")
    assert found.code == 2 and "symbolic link" in found.err and not (tmp_path / "mine").exists()
    sweep.script.unlink()
    evil = sweep.path.rename(sweep.path.with_name("s\ntouch mine\n#"))
    found = cli("train", "--resume", str(evil), "--slurm")
    assert found.code == 2 and "cannot stand in a script" in found.err
    (evil / "0").rename(evil / "007")
    with pytest.raises(UserError, match="is no number"):
        slurm.numbers_of(SweepDir(evil).jobs())


def test_numbers_in_ranges() -> None:
    assert [slurm.ranges(found) for found in ([4], [0, 1, 2, 5, 7, 8])] == ["4", "0-2,5,7-8"]


@pytest.mark.parametrize(
    ("ends", "restarts", "state", "again"),
    [
        ("exit 0", 0, "RUNNING", False),
        ("exit 1", 0, "RUNNING", False),
        ("kill -KILL $$", 2, "RUNNING", True),
        ("kill -KILL $$", 3, "RUNNING", False),
        ("exit 143", 99, "RUNNING", True),
        ("exit 143", 100, "RUNNING", False),
        ("exit 143", 0, "CANCELLED", False),
        ("trap 'sleep .2; exit 143' TERM; kill -TERM $PPID; sleep .2", 0, "RUNNING", True),
    ],
)
def test_a_task_that_was_interrupted_asks_for_another_turn(
    fake: Fake, tmp_path: Path, ends: str, restarts: int, state: str, again: bool
) -> None:
    """The script itself, whose job is a small one. The last waits for a job that saves."""
    job = fake("job", f'echo "$@" > {tmp_path}/job; {ends}')
    fake("scontrol", f'echo "$@" >> {tmp_path}/asked; echo JobState={state}')
    text = slurm.BODY.format(command=f'{job} /s/"$SLURM_ARRAY_TASK_ID"', saved=100, killed=3)
    task = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}
    changes = {**task, "SLURM_RESTART_COUNT": str(restarts)}
    found = subprocess.run(["sh", "-c", text], env={**os.environ, **changes}, check=False)
    assert (tmp_path / "job").read_text() == "/s/1\n"
    asked = tmp_path / "asked"
    assert ("requeue 7_1\n" in asked.read_text() if asked.exists() else False) == again
    assert found.returncode == {"exit 0": 0, "exit 1": 1, "kill -KILL $$": 137}.get(ends, 143)
