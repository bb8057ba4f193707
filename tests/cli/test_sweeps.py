"""Sweeps: a job a folder, one table, failures that stay alone, and launchers of other people."""

import csv
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from tests.conftest import Command

# A launcher as a plugin's package has it: it passes the job function on BY NAME, so pickled.
LAUNCHER = '''
import os, pickle, subprocess, sys
from dataclasses import dataclass
from pathlib import Path
from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import OmegaConf, open_dict

@dataclass
class Config:
    _target_: str = "hydra_plugins.by_name.launcher.ByName"

ConfigStore.instance().store(group="hydra/launcher", name="by_name", node=Config)

class ByName(Launcher):
    def setup(self, *, hydra_context, task_function, config):
        self.context, self.function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides, initial_job_idx):
        found = []
        for i, words in enumerate(job_overrides):
            sweep = self.context.config_loader.load_sweep_config(self.config, list(words))
            with open_dict(sweep):
                sweep.hydra.job.id = sweep.hydra.job.num = initial_job_idx + i
            work = pickle.dumps((self.context, self.function, sweep))
            assert len(pickle.dumps(self.function)) < 100
            child = subprocess.run([sys.executable, "-c", CODE], input=work, env=os.environ)
            job = JobReturn(overrides=list(words), hydra_cfg=sweep, cfg=sweep)
            job.status = JobStatus.COMPLETED
            job.return_value = float(child.returncode)
            found.append(job)
        return found

CODE = """
import pickle, sys
from hydra.core.utils import run_job, setup_globals
setup_globals()
context, function, config = pickle.loads(sys.stdin.buffer.read())
run_job(function, config, "hydra.sweep.dir", "hydra.sweep.subdir", context)
"""
'''


def table(sweep: Path) -> list[dict[str, str]]:
    """The rows of the jobs; those of means over seeds stand behind them."""
    return [row for row in whole_table(sweep) if row["job"].isdecimal()]


def whole_table(sweep: Path) -> list[dict[str, str]]:
    with open(sweep / "scores.csv", newline="") as file:
        return list(csv.DictReader(file))


def the_sweep(folder: Path) -> Path:
    (found,) = (folder / "runs").glob("*-sweep")
    return found


@pytest.mark.parametrize("place", [0, -1])
def test_a_job_a_folder_and_a_table(
    cli: Command, small_mle: list[str], tmp_path: Path, place: int
) -> None:
    words = [*small_mle, "seed=1,2"]
    words.insert(place if place == 0 else len(words), "-m")
    found = cli("train", *words)
    assert found.code == 0, found.err
    sweep = the_sweep(tmp_path)
    rows = table(sweep)
    assert [(row["job"], row["status"]) for row in rows] == [("0", "finished"), ("1", "finished")]
    assert [row["overrides"].split()[-1] for row in rows] == ["seed=1", "seed=2"]
    first, second = (float(row["nll-test"]) for row in rows)
    assert first != second
    mean, sd = whole_table(sweep)[2:]
    assert (mean["job"], sd["job"], mean["status"]) == ("mean", "sd", "2 seeds")
    assert float(mean["nll-test"]) == pytest.approx((first + second) / 2)
    assert float(sd["nll-test"]) == pytest.approx(abs(first - second) / 2**0.5)
    for job in ("0", "1"):
        run = RunDir(sweep / job)
        assert run.info["status"] == "finished" and f"seed={int(job) + 1}" in run.info["overrides"]
    # Only what differs is in the table on the screen.
    seeds = next(line.split() for line in found.out.splitlines() if line.startswith(" seed "))
    assert seeds[1:3] == ["1", "2"] and "train_size" not in found.out
    assert f"all scores: runs/{sweep.name}/scores.csv" in found.out
    assert (tmp_path / "runs" / "latest").resolve() == sweep / "1"
    assert "[1] mle: 16 steps" in found.err


def test_one_failing_job_does_not_take_the_rest_with_it(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    (tmp_path / "there.txt").write_text("a b c\nd e f\na e c\n" * 5)
    words = [w for w in small_mle if not w.startswith("data")]
    found = cli("train", "-m", *words, "data=text", "data.train=missing.txt,there.txt", "seed=1,2")
    assert found.code == 1
    rows = table(the_sweep(tmp_path))
    assert [row["status"] for row in rows] == ["failed", "failed", "finished", "finished"]
    assert rows[0]["bleu-4"] == "" and float(rows[3]["bleu-4"]) >= 0
    assert f"job 0: {tmp_path}/missing.txt: no such file" in found.out
    assert "Traceback" not in found.err
    assert not (the_sweep(tmp_path) / "0" / "config.yaml").exists()
    found = cli("runs", "list")
    assert found.out.count("finished") == 2


def test_an_unexpected_failure_of_a_job_is_in_its_log(
    cli: Command, small_mle: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gantext.training.loop import Trainer

    score = Trainer._score

    def broken(self: Trainer, *rest: object) -> object:
        if self.settings.seed == 1:
            raise ZeroDivisionError("broken")
        return score(self, *rest)

    monkeypatch.setattr(Trainer, "_score", broken)
    found = cli("train", "-m", *small_mle, "seed=1,2")
    assert found.code == 1
    sweep = the_sweep(tmp_path)
    assert [row["status"] for row in table(sweep)] == ["failed", "finished"]
    assert (sweep / "0" / "train.log").read_text().count("Traceback (most") == 1
    assert "job 0: ZeroDivisionError: broken" in found.out


def test_a_bad_value_is_refused_before_the_first_job(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    for word in ("seed=1,2,x", "model.mle.clip=5,-1", "eval.samples=50,1"):
        found = cli("train", "-m", *small_mle, word)
        assert (found.code, len(found.errors)) == (2, 1) and not (tmp_path / "runs").exists()


def test_two_sweeps_in_one_second_have_folders_of_their_own(
    cli: Command, small_mle: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*small_mle, "hydra.sweep.dir=runs/mine", "eval.samples=10", "model.mle.epochs=1"]
    assert cli("train", "-m", *words, "seed=1,2").code == 0
    assert cli("train", "-m", *words, "seed=3,4").code == 0
    names = sorted(path.name for path in (tmp_path / "runs").iterdir())
    assert names == ["latest", "mine", "mine-2"]


@pytest.mark.slow
def test_a_launcher_of_other_people(shell: Command, small_mle: list[str], tmp_path: Path) -> None:
    """A `hydra_plugins` namespace package on the path; each job in a process of its own."""
    plugin = tmp_path / "plugins" / "hydra_plugins" / "by_name"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text("")
    (plugin / "launcher.py").write_text(LAUNCHER)
    (tmp_path / "mine" / "data").mkdir(parents=True)
    text = (Path(__file__).parents[2] / "conf/data/scenes.yaml").read_text()
    (tmp_path / "mine" / "data" / "few.yaml").write_text(text)
    words = [w if w != "data=scenes" else "data=few" for w in small_mle]
    found = shell(
        "train",
        *words,
        "seed=1,2",
        "hydra/launcher=by_name",
        "-m",
        "--config-dir",
        "mine",
        PYTHONPATH=str(tmp_path / "plugins"),
    )
    assert found.code == 0, found.err
    rows = table(the_sweep(tmp_path))
    assert [(row["job"], row["status"]) for row in rows] == [("0", "finished"), ("1", "finished")]
    info = RunDir(the_sweep(tmp_path) / "1").info
    assert info["config_dir"] == str(tmp_path / "mine") and "seed=2" in info["overrides"]


@pytest.mark.slow
def test_a_job_whose_process_died_is_in_the_table(
    shell: Command, small_mle: list[str], tmp_path: Path
) -> None:
    """The launcher of above, whose first job is killed amid its training."""
    plugin = tmp_path / "plugins" / "hydra_plugins" / "by_name"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text("")
    killed = LAUNCHER.replace("run_job(function", KILL + "run_job(function")
    (plugin / "launcher.py").write_text(killed)
    found = shell(
        "train",
        "-m",
        *small_mle,
        "seed=1,2",
        "hydra/launcher=by_name",
        PYTHONPATH=str(tmp_path / "plugins"),
    )
    assert found.code == 1, found.err
    assert [row["status"] for row in table(the_sweep(tmp_path))] == ["killed", "finished"]
    run = the_sweep(tmp_path) / "0"
    found = shell("train", "--resume", str(run))
    assert found.code == 0 and RunDir(run).info["status"] == "finished"


KILL = """
import os, signal
from gantext.training.loop import Trainer
if config.seed == 1:
    Trainer._score = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_name_is_that_of_the_sweep_s_folder(
    cli: Command, small_mle: list[str], tmp_path: Path
) -> None:
    words = ["train", "-m", *small_mle, "eval.samples=10", "model.mle.epochs=1", "name=mine"]
    assert cli(*words, "seed=1,2").code == 0
    jobs = sorted(path.parent.name for path in (tmp_path / "runs/mine").glob("*/config.yaml"))
    assert jobs == ["0", "1"] and not list((tmp_path / "runs").glob("*-sweep"))
    for more, said in (
        ("hydra.sweep.dir=other", "name and hydra.sweep.dir both name the sweep's folder"),
        ("name=a,b", "name: it is that of the sweep's folder, so it has one value"),
    ):
        found = cli(*words, "seed=1,2", more)
        assert found.code == 2 and len(found.errors) == 1 and said in found.err
