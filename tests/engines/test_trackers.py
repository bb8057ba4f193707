"""The real trackers: runs that are killed and go on, and stored runs that are told twice.

    pip install 'gantext[wandb]' 'gantext[trackio]' 'gantext[mlflow]'

wandb is tried offline. What it wrote is looked at as far as that goes without its server.
"""

import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from tests.conftest import SMALL_MLE, Result, environment

pytestmark = pytest.mark.engines
WORDS = [*(word for word in SMALL_MLE if "trackers" not in word), "model.mle.epochs=10"]
STEPS = 80


def needs(name: str) -> "pytest.MarkDecorator":
    return pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"no {name}")


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that they write lies in the test's folder."""
    kept = {
        "WANDB_DIR": ".",
        "WANDB_CACHE_DIR": "c",
        "WANDB_CONFIG_DIR": "d",
        "WANDB_DATA_DIR": "e",
    }
    for name, place in {**kept, "TRACKIO_DIR": "trackio", "HOME": "home"}.items():
        monkeypatch.setenv(name, str(tmp_path / place))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")


def killed(folder: Path, tracker: str, number: signal.Signals) -> RunDir:
    """A run that was sent a signal amid its steps."""
    words = [
        sys.executable,
        "-m",
        "gantext",
        "train",
        *WORDS,
        f"log.trackers=[{tracker}]",
        "name=r",
    ]
    run = RunDir(folder / "runs" / "r")
    with open(folder / "said", "w") as said:
        child = subprocess.Popen(words, cwd=folder, env=environment(), stdout=said, stderr=said)
        while child.poll() is None and len(run.metrics()) < 20:
            time.sleep(0.02)
        child.send_signal(number)
        code = child.wait(600)
    assert code in (-number, 128 + number), (folder / "said").read_text()
    assert len(run.metrics()) < STEPS
    return run


def gantext(folder: Path, *words: str) -> Result:
    """A command in a process of its own; these packages alone may import for minutes."""
    asked = [sys.executable, "-m", "gantext", *words]
    pipes = {"capture_output": True, "text": True, "check": False}
    found = subprocess.run(asked, cwd=folder, env=environment(), timeout=600, **pipes)
    assert found.returncode == 0, found.stderr
    return Result(found.returncode, found.stdout, found.stderr)


def went_on(folder: Path, run: RunDir) -> None:
    """Resume it to its end, without a warning."""
    found = gantext(folder, "train", "--resume", "r", "--json")
    assert "warning" not in found.err, found.err
    assert json.loads(found.out)["scores"] and len(run.metrics()) == STEPS


SIGNALS = [signal.SIGKILL, signal.SIGINT]


def of_trackio(folder: Path, run: RunDir) -> Counter[int]:
    """How often trackio has each step of the run's rows."""
    with sqlite3.connect(folder / "trackio" / "gantext.db") as store:
        found = store.execute(
            "select step, metrics from metrics where run_name = ?",
            [run.info["trackers"]["trackio"]],
        ).fetchall()
    return Counter(step for step, metrics in found if "mle/nll" in json.loads(metrics))


def of_mlflow(folder: Path, run: RunDir) -> Counter[int]:
    """The same of MLflow's store, by its tables."""
    with sqlite3.connect(folder / "mlflow.db") as store:
        found = store.execute(
            "select step from metrics where run_uuid = ? and key = 'mle/nll'",
            [run.info["trackers"]["mlflow"]],
        ).fetchall()
    return Counter(step for (step,) in found)


READ = {"trackio": of_trackio, "mlflow": of_mlflow}


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("tracker", [pytest.param(name, marks=needs(name)) for name in READ])
def test_each_step_is_there_once(tracker: str, number: signal.Signals, tmp_path: Path) -> None:
    run = killed(tmp_path, tracker, number)
    went_on(tmp_path, run)
    once = Counter(range(1, STEPS + 1))
    assert READ[tracker](tmp_path, run) == once
    for _ in range(2):
        gantext(tmp_path, "runs", "replay-to", tracker, "r")
    assert READ[tracker](tmp_path, run) == once


@pytest.mark.parametrize("number", SIGNALS)
@needs("wandb")
def test_wandb_goes_on_under_the_same_id(number: signal.Signals, tmp_path: Path) -> None:
    run = killed(tmp_path, "wandb", number)
    first = run.info["trackers"]["wandb"]
    went_on(tmp_path, run)
    gantext(tmp_path, "runs", "replay-to", "wandb", "r")
    assert run.info["trackers"] == {"wandb": first}
    folders = sorted(path.name for path in (tmp_path / "wandb").glob("offline-run-*"))
    assert len(folders) == 3 and all(name.endswith(f"-{first}") for name in folders)
    assert all(
        (tmp_path / "wandb" / name / f"run-{first}.wandb").stat().st_size for name in folders
    )


@needs("wandb")
def test_nobody_is_asked_for_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    found = gantext(tmp_path, "train", *WORDS, "model.mle.epochs=1", "log.trackers=[wandb]")
    assert found.err.count("warning: ") == 1
    assert "wandb is told no more (RuntimeError: no API key" in found.err
    assert os.environ["HOME"].startswith(str(tmp_path))
