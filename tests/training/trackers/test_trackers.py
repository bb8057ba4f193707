"""Trackers: what they are told, that they change nothing, and what in a run's folder is believed.

The packages are stand-ins (`packages/`); real ones are tried by tests/engines.
"""

import importlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gantext.records.content import Damaged
from gantext.runs.folder import RunDir
from gantext.training.trackers import check_ids
from tests.conftest import SMALL_IMAGE_GAN, SMALL_MLE, Command, finished

SMALL = [word for word in SMALL_MLE if not word.startswith("log.trackers")]
BRIEF = [*SMALL, "model.mle.epochs=1", "eval.samples=10"]
PACKAGES = ("wandb", "trackio", "mlflow")
KEY = "key-that-is-a-secret"


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The stand-ins, in place of what may be installed."""
    monkeypatch.syspath_prepend(Path(__file__).parent / "packages")
    for name in PACKAGES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    found = {name: importlib.import_module(name) for name in PACKAGES}
    yield found
    for name in PACKAGES:
        sys.modules.pop(name, None)


def rows_of(run: RunDir) -> list[tuple[int, dict[str, float]]]:
    """What a tracker is to hear of a run's rows."""
    told = []
    for row in run.metrics():
        names = [key for key in row if key not in ("phase", "step", "total")]
        told.append((row["total"], {f"{row['phase']}/{key}": row[key] for key in names}))
    return told


def back_to(run: RunDir, total: int) -> None:
    """Leave of a run what a kill after its step `total` would have left."""
    for path in run.checkpoints.iterdir():
        if int(path.name[:9]) > total:
            shutil.rmtree(path)
    (run.path / "result.json").unlink()
    run.update(status="running")


def test_a_run_goes_on_under_its_id_and_tells_no_step_twice(
    packages: dict[str, Any], cli: Command, tmp_path: Path
) -> None:
    found = cli("train", *SMALL, "log.trackers=[wandb,trackio,mlflow]", "name=r", "--json")
    assert found.code == 0 and "warning" not in found.err and "that prints" not in found.out
    run = RunDir(tmp_path / "runs" / "r")
    ids = run.info["trackers"]
    assert ids["wandb"] == "id-0" and ids["mlflow"] == "run0"
    assert ids["trackio"].startswith("r-") and "mlflow: memory:" in found.err
    back_to(run, 9)
    for store in packages["trackio"].STORES.values():  # the kill took what it had not written yet
        store[:] = [(kind, step, values) for kind, step, values in store if step <= 4]
    assert cli("train", "--resume", "r").code == 0
    assert run.info["trackers"] == ids
    scored = json.loads(found.out)
    assert (scored["run"], scored["path"]) == ("r", str(run.path))
    last = {score["name"]: score["value"] for score in scored["scores"]}
    final = {f"final/{name}": float(value) for name, value in last.items()}
    for name in ("wandb", "trackio"):
        assert [one["resume"] for one in packages[name].OPENED] == ["allow"] * 2
        (told,) = packages[name].STORES.values()
        rows = [(step, values) for kind, step, values in told if kind == "row"]
        looks = [(step, values) for kind, step, values in told if kind == "look"]
        assert rows == rows_of(run)
        assert [step for step, values in looks if "sample" in values] == [5, 10, 15, 16]
        assert looks[0][1]["sample"] == [[line] for line in run.samples("000000005-mle")[:10]]
    (code, summary), _ = packages["wandb"].ENDS
    assert code == 0 and summary.keys() == final.keys() | {"status"}
    (stored,) = packages["mlflow"].RUNS.values()
    assert stored.info.status == "FINISHED" and stored.data.tags["status"] == "finished"
    assert stored.data.params["model.generator.hidden"] == "8"
    steps = [one.step for one in stored.data.told if one.key == "mle/nll"]
    assert steps == list(range(1, 17))
    assert not [path for path in run.path.rglob("*") if path.is_file() and KEY in text_of(path)]


def text_of(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


@pytest.fixture(scope="module")
def untold(tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A run that no tracker is told of."""
    return RunDir(finished(tmp_path_factory.mktemp("untold"), [*BRIEF, "log.trackers=[]"]))


@pytest.mark.parametrize("failing", [{"init"}, {"log", "finish"}, {"finish"}])
def test_a_tracker_that_fails_changes_nothing_but_one_warning(
    failing: set[str], untold: RunDir, packages: dict[str, Any], cli: Command, tmp_path: Path
) -> None:
    packages["wandb"].FAILING |= failing
    found = cli("train", *BRIEF, "log.trackers=[wandb]", "name=run")
    warnings = [line for line in found.errors if line.startswith("warning: ")]
    assert found.code == 0 and len(warnings) == 1
    assert warnings[0].startswith(
        "warning: wandb is told no more (ConnectionError: no route to the server); metrics.jsonl "
        f"has it all, and: gantext runs replay-to wandb {tmp_path / 'runs/run'}"
    )
    told = RunDir(tmp_path / "runs" / "run")
    assert told.metrics() == untold.metrics()
    assert told.checkpoint().digest == untold.checkpoint().digest
    results = [dict(run.result or {}) for run in (untold, told)]
    assert [result.pop("overrides") for result in results] and results[0] == results[1]


def test_a_failed_run_ends_as_failed(packages: dict[str, Any], cli: Command) -> None:
    words = ["model.mle.learning_rate=1e30", "model.mle.clip=1e30", "model.mle.warmup_steps=0"]
    assert cli("train", *SMALL, *words, "log.trackers=[wandb,mlflow]").code == 1
    assert packages["wandb"].ENDS == [(1, {"status": "diverged"})]
    (stored,) = packages["mlflow"].RUNS.values()
    assert stored.info.status == "FAILED" and stored.data.tags["status"] == "diverged"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("wnadb", "no tracker 'wnadb' (did you mean wandb?)"),
        ("aim", "no tracker 'aim' (there are: mlflow, tensorboard, trackio, wandb)"),
        ("mlflow", "mlflow: mlflow is not installed: pip install 'gantext[mlflow]'"),
    ],
)
def test_what_is_not_there_is_refused(
    name: str, said: str, cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    found = cli("train", *SMALL, f"log.trackers=[{name}]")
    assert found.code == 2 and found.errors == [f"error: log.trackers: {said}"]
    assert not list(tmp_path.glob("runs/*"))


def copy_of(trained: Path, folder: Path) -> RunDir:
    """The session's run, to be changed."""
    return RunDir(Path(shutil.copytree(trained, folder / "copy")))


@pytest.mark.parametrize("words", [["train", "--resume", "copy"], ["runs", "replay-to", "wandb"]])
@pytest.mark.parametrize("identity", ["../../etc", "a\x1b[2J"])
def test_an_id_in_somebodys_run_is_an_id(
    words: list[str], identity: str, trained: Path, cli: Command, tmp_path: Path
) -> None:
    run = copy_of(trained, tmp_path)
    run.update(trackers={"wandb": identity}, status="stopped")
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    found = cli(*words, *([] if words[0] == "train" else ["copy"]))
    assert found.code == 2 and len(found.errors) == 1 and "\x1b" not in found.err
    assert 'run.json: "trackers.wandb": found ' in found.err
    after = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert {**before, run.path / ".lock": b""} == {**after, run.path / ".lock": b""}


def test_ids(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "a", "seed: 1\n", None, {"status": "new"})
    assert check_ids(run) == {}
    for identity in ("z2xlq4zp", "gan-scenes-s1-15b83d4e", "7bf0be28a36f4903", "x" * 128):
        run.update(trackers={"wandb": identity})
        assert check_ids(run) == {"wandb": identity}
    for identity in ("", "a b", "a/b", "é", "a\n", "x" * 129):
        run.update(trackers={"wandb": identity})
        with pytest.raises(Damaged):
            check_ids(run)


def test_a_stored_run_is_told_once(
    trained: Path, packages: dict[str, Any], cli: Command, tmp_path: Path
) -> None:
    run = copy_of(trained, tmp_path)
    (run.path / "samples" / "000000900-mle.txt").write_text("of a future that is gone\n")
    shown = cli("runs", "replay-to", "wandb", "copy")
    assert shown.code == 0 and shown.out == (
        "wandb was told of 30 steps and 16 scores of copy: https://wandb.example/run\n"
    )
    again = cli("runs", "replay-to", "wandb", "copy", "--json")
    assert json.loads(again.out)["steps"] == 0
    (told,) = packages["wandb"].STORES.values()
    assert [(step, values) for kind, step, values in told if kind == "row"] == rows_of(run)
    looks = [step for kind, step, _ in told if kind == "look"]
    stored = {int(path.name[:9]) for path in (run.path / "samples").glob("0*")}
    assert looks == sorted(stored - {900})
    assert len(packages["wandb"].ENDS) == 2 and run.info["trackers"] == {"wandb": "id-0"}
    for _ in range(2):
        assert cli("runs", "replay-to", "mlflow", "copy").code == 0
    (kept,) = packages["mlflow"].RUNS.values()
    assert len({(one.key, one.step) for one in kept.data.told}) == len(kept.data.told)
    assert packages["mlflow"].FILES["sample/000000005.txt"].splitlines() == [
        *run.samples("000000005-mle")[:10]
    ]


def test_an_id_that_another_run_has_is_not_gone_on_with(
    trained: Path, packages: dict[str, Any], cli: Command, tmp_path: Path
) -> None:
    """A mark says whose run it is; one that a store of MLflow does not know is begun."""
    run = copy_of(trained, tmp_path)
    theirs = packages["mlflow"].MlflowClient().create_run("x", "theirs", {})
    for identity, new in ((theirs.info.run_id, "run1"), ("unknown", "run2")):
        run.update(trackers={"mlflow": identity})
        assert cli("runs", "replay-to", "mlflow", "copy").code == 0
        assert run.info["trackers"] == {"mlflow": new}
    assert theirs.data.told == []
    other = packages["wandb"].init(id="theirs")
    run.update(trackers={"wandb": "theirs"})
    assert cli("runs", "replay-to", "wandb", "copy").code == 0
    assert run.info["trackers"]["wandb"] == "id-1" and not other.told and not other.config


def test_what_replay_to_cannot_do(
    trained: Path, packages: dict[str, Any], cli: Command, tmp_path: Path
) -> None:
    run = copy_of(trained, tmp_path)
    packages["wandb"].FAILING.add("log")
    with run.lock():
        used = cli("runs", "replay-to", "wandb", "copy")
    failed = cli("runs", "replay-to", "wandb", "copy")
    unknown = cli("runs", "replay-to", "x", "copy")
    said = [found.errors for found in (used, failed, unknown)]
    assert [found.code for found in (used, failed, unknown)] == [2, 2, 2]
    assert "is in use by process" in said[0][0] and "no tracker 'x'" in said[2][0]
    assert said[1] == [
        "error: wandb cannot be told of copy: ConnectionError: no route to the server"
    ]


def test_pictures_are_told_too(packages: dict[str, Any], cli: Command, tmp_path: Path) -> None:
    words = [word for word in SMALL_IMAGE_GAN if not word.startswith("log.trackers")]
    assert cli("train", *words, "log.trackers=[wandb,mlflow]", "name=r").code == 0
    looks = RunDir(tmp_path / "runs" / "r").pictures.looks()
    (told,) = packages["wandb"].STORES.values()
    shapes = {step: values["samples"] for kind, step, values in told if kind == "look"}
    assert list(shapes) == [look.total for look in looks] == [5, 8]
    assert packages["mlflow"].FILES["samples/000000005.png"] == str(shapes[5])
    assert cli("runs", "replay-to", "trackio", "r").code == 0
    (again,) = packages["trackio"].STORES.values()
    found = {step: values["samples"] for kind, step, values in again if "samples" in values}
    assert found == shapes
