"""A sweep that was stopped, is looked at, goes on; one of older code; one from a stranger."""

import csv
import json
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gantext.files import hold
from gantext.runs.folder import RunDir
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_state import states
from gantext.training.loop import Trainer
from tests.conftest import ROOT, SMALL_MLE, Command, Result

QUICK = [*SMALL_MLE, "model.mle.epochs=1", "eval.samples=10", "name=s"]
OLD_RUNS = ROOT / "tests" / "old_runs"


def refused(found: Result, said: str) -> None:
    assert (found.code, len(found.errors), found.out) == (2, 1, ""), found.err + found.out
    assert said in found.err


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> SweepDir:
    """The plan of a sweep of four jobs; not to be changed."""
    from gantext.training import sweeps

    folder = tmp_path_factory.mktemp("planned")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = sweeps.planned([*QUICK, "seed=1,2", "eval.seed=3,4"]).sweep
    return SweepDir(folder / found.path)


@pytest.fixture
def copied(planned: SweepDir, tmp_path: Path) -> SweepDir:
    """A copy of the plan, as runs/s."""
    shutil.copytree(planned.path, tmp_path / "runs" / "s")
    return SweepDir(tmp_path / "runs" / "s")


def test_a_sweep_that_was_cut_off_is_looked_at_and_goes_on(
    cli: Command, copied: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in its second job of four; the table, CSV, JSON and figure at any time."""
    report = Trainer._report

    def stop(self: Trainer, *rest: Any) -> Any:
        if self.settings.eval.seed == 4 and self.total == 3:
            signal.raise_signal(signal.SIGTERM)
        return report(self, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_report", stop)
        found = cli("train", "--resume", "s")
    sweep = copied
    go_on = f"gantext train --resume {sweep.path}"
    assert found.code == 143 and found.errors[-1] == f"stopped and saved; go on with: {go_on}"
    statuses = ["finished", "stopped", "planned", "planned"]
    for words in (["s"], [], [str(sweep.path), "--runs-dir", "nowhere"]):
        found = cli("runs", "sweep", *words)
        assert found.code == 0 and go_on in found.err
        assert [found.out.count(status) for status in statuses] == [1, 1, 2, 2]
    found = cli("runs", "sweep", "--json")
    jobs = json.loads(found.out)["jobs"]
    assert [job["status"] for job in jobs] == statuses and found.err == ""
    assert jobs[1]["headway"]["step"] < jobs[0]["headway"]["steps"] == 8
    rows = list(csv.DictReader(cli("runs", "sweep", "--format", "csv").out.splitlines()))
    assert [row["status"] for row in rows] == statuses
    refused(cli("runs", "sweep", "--plot", "a.png"), "differ in their seeds alone")

    found = cli("train", "--resume", "runs/s")
    assert found.code == 0, found.err
    assert "[0]" not in found.err and "[1] going on with 1 at step 3" in found.err
    assert [job["status"] for job in states(sweep)] == ["finished"] * 4
    assert found.out.count("mean") == found.out.count("sd ") == 2
    assert ["eval.seed", *"34343344"] in [line.split() for line in found.out.splitlines()]
    assert sweep.figure.read_bytes()[:4] == b"\x89PNG"
    assert cli("runs", "sweep", "--plot", "a.png", "--score", "bleu-2").code == 0
    assert Path("a.png").read_bytes()[:4] == b"\x89PNG"
    # All have finished: nothing is run again.
    before = (sweep.path / "3" / "result.json").stat().st_mtime_ns
    assert cli("train", "--resume", "s").code == 0
    assert (sweep.path / "3" / "result.json").stat().st_mtime_ns == before


def test_a_job_by_itself(cli: Command, copied: SweepDir) -> None:
    """What an engine runs; the last one to end leaves the table."""
    assert cli("job", "runs/s/1").code == 0 and not copied.table.exists()
    for number in (0, 2, 3):
        assert cli("job", str(copied.path / str(number))).code == 0
    assert len(copied.table.read_text().splitlines()) == 1 + 4 + 2 * 2
    refused(cli("job", "runs/s/4"), "runs/s/4 is no job of a sweep")
    refused(cli("job", "nowhere/0"), "nowhere/0 is no job of a sweep")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--jobs", "2"], "which needs -m"),
        (["train", "-m", "--jobs", "0"], "'--jobs'"),
        (["train", "-m", "--gpus", "0,0"], "the numbers of GPUs"),
        (["train", "--resume", "--jobs", "2"], "--resume SWEEP"),
        (["train", "--resume", "runs/s", "--gpus", "x y"], "the numbers of GPUs"),
        (["train", "-m", "--jobs", "2", "hydra.job.chdir=true"], "leave no job to Hydra"),
        (["train", "-m", "phases=adversarial"], "needs a pretrained run"),
        (["runs", "sweep", "t"], "no sweep at 't'"),
        (["runs", "sweep", "--runs-dir", "none"], "there is no sweep in none yet"),
        (["runs", "sweep", "s", "--plot", "a.jpg"], "has to end in .png"),
        (["runs", "sweep", "s", "--plot", "a.png"], "no job that has finished"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    cli: Command, copied: SweepDir, words: list[str], said: str
) -> None:
    refused(cli(*words), said)
    assert [path.name for path in copied.path.parent.iterdir()] == ["s"]


def test_two_processes_do_not_run_one_sweep(cli: Command, copied: SweepDir) -> None:
    with hold(copied.path / ".lock"):
        refused(cli("train", "--resume", "s"), f"the sweep {copied.path} is run by process ")
    assert not copied.table.exists()


def test_a_sweep_of_older_code_is_shown_and_goes_on(cli: Command, tmp_path: Path) -> None:
    """It has no plan: what is known is what lies there."""
    sweep = SweepDir(tmp_path / "runs" / "old")
    sweep.path.mkdir(parents=True)
    (sweep.path / "multirun.yaml").write_text("hydra: {}\n")
    for name in ("0", "1"):
        shutil.copytree(OLD_RUNS / "mle", sweep.path / name)
    RunDir(sweep.path / "1").update(status="finished")
    (sweep.path / "2").mkdir()
    failed = {"status": "failed", "overrides": ["seed=3"], "error": "no data", "scores": []}
    (sweep.path / "2" / "result.json").write_text(json.dumps(failed))
    found = cli("runs", "sweep", "old")
    assert found.code == 0 and "job 2: no data" in found.out
    assert [job["status"] for job in states(sweep)][1:] == ["finished", "failed"]
    shutil.rmtree(sweep.path / "0")
    found = cli("train", "--resume", "runs/old")
    assert found.code == 1 and "jobs that never began are not known" in found.err
    assert "job 2 left no run and no plan" in found.err
    assert [job["status"] for job in states(sweep)] == ["finished", "failed"]


def planned_half(sweep: SweepDir, own: Path) -> None:
    (sweep.path / "sweep.json").unlink()


def newer(sweep: SweepDir, own: Path) -> None:
    path = sweep.path / "sweep.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


def link_to_a_run(sweep: SweepDir, own: Path) -> None:
    shutil.move(sweep.path / "0", own / "run")
    (sweep.path / "0").symlink_to(own / "run")


def link_of_a_plan(sweep: SweepDir, own: Path) -> None:
    shutil.move(sweep.path / "0" / "job.json", own / "job.json")
    (sweep.path / "0" / "job.json").symlink_to(own / "job.json")


def link_of_a_log(sweep: SweepDir, own: Path) -> None:
    (own / "mine").write_text("mine")
    (sweep.path / "0" / "job.log").symlink_to(own / "mine")


def link_of_the_lock(sweep: SweepDir, own: Path) -> None:
    (sweep.path / ".lock").symlink_to(own / "lock")


def no_plan(sweep: SweepDir, own: Path) -> None:
    (sweep.path / "sweep.json").write_text('{"format": 4}')


FOREIGN: dict[Callable[[SweepDir, Path], None], str] = {
    planned_half: "was not planned to its end",
    newer: "which reads up to format",
    link_to_a_run: "0 is a symbolic link",
    link_of_a_plan: "job.json is a symbolic link",
    link_of_a_log: "job.log is a symbolic link",
    link_of_the_lock: ".lock is a symbolic link",
    no_plan: 'expected one with "gantext"',
}


@pytest.mark.parametrize("harm", FOREIGN, ids=lambda harm: harm.__name__)
def test_a_sweep_from_a_stranger_reaches_nothing_outside(
    cli: Command, copied: SweepDir, tmp_path: Path, harm: Callable[[SweepDir, Path], None]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    harm(copied, own)
    before = {path: path.read_bytes() for path in own.rglob("*") if path.is_file()}
    refused(cli("train", "--resume", "runs/s", "--jobs", "1"), FOREIGN[harm])
    assert {path: path.read_bytes() for path in own.rglob("*") if path.is_file()} == before


def test_the_settings_of_a_stranger_s_job_are_plain_values(
    cli: Command, copied: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job fails in one line, and the others run."""
    monkeypatch.setenv("SECRET", "hidden")
    for name in "23":
        shutil.rmtree(copied.path / name)
    path = copied.path / "0" / "job.yaml"
    path.write_text(path.read_text().replace("objective: null", "objective: ${oc.env:SECRET}"))
    found = cli("train", "--resume", "s")
    assert found.code == 1 and "an interpolation, ${...}" in found.err and "hidden" not in found.err
    assert [job["status"] for job in states(copied)] == ["failed", "finished"]
    # Nor is a link outside of the sweep replaced, which its settings name.
    assert not (copied.path.parent / "latest").exists()
