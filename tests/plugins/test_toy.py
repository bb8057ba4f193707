"""A model, data and a measure from outside the package, from their entry points to the report.

The files are the blocks of docs/extending.md, written to a folder as an installation lays them out,
so what the page shows is what works.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Command, environment, scores_in
from tests.forker import Forker, until

PAGE = ROOT / "docs" / "extending.md"
TOY = ["model=toy", "data=toytext", "eval.samples=100", "log.every_steps=10", "threads=1"]


def blocks() -> dict[str, str]:
    """The files that the page shows, by path: a line with the path alone, then a block."""
    found = re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return dict(found)


def written(folder: Path) -> Path:
    """The page's package as pip would have installed it in `folder`."""
    files = blocks()
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    info = f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    files[f"{info}/entry_points.txt"] = "\n".join(
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {where}" for name, where in points.items()))
    )
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of the installed toy, for PYTHONPATH."""
    return str(written(tmp_path_factory.mktemp("site")))


@pytest.fixture(scope="module")
def forker(plugin: str) -> Iterator[Forker]:
    """Starts commands where the toy is installed."""
    forker = Forker(PYTHONPATH=plugin)
    yield forker
    forker.close()


@pytest.fixture
def installed(forker: Forker, tmp_path: Path) -> Command:
    """`installed(*words)`: the command where the toy is installed, in an empty folder."""
    return lambda *words: forker.start(tmp_path, *words, apart=True).result()


@pytest.fixture(scope="module")
def run(forker: Forker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the toy; not to be changed."""
    folder = tmp_path_factory.mktemp("toy")
    trained = forker.start(folder, "train", *TOY, "name=straight")
    assert trained.wait() == 0, trained.said
    return folder / "runs" / "straight"


def test_it_is_shown_where_models_and_data_are(shell: Command, plugin: str) -> None:
    shown = shell("train", "--help", PYTHONPATH=plugin).out
    assert "toy  " in shown and "a table of word pairs" in shown
    assert "who sees whom" in shown
    rows = json.loads(shell("data", "list", "--json", PYTHONPATH=plugin).out)
    (row,) = [row for row in rows if row["name"] == "toytext"]
    assert row["where"] == "made from a seed" and row["state"] == "ready"
    assert "toy" not in shell("train", "--help").out


def test_misfits_are_refused_in_one_line(shell: Command, installed: Command, run: Path) -> None:
    found = installed("train", "model=toy", "data=digits")
    assert found.code == 2 and "data=toytext" in found.errors[-1]
    found = installed("train", "model=toy", "model.stepz=3")
    assert found.code == 2 and "did you mean model.steps?" in found.errors[-1]
    found = shell("sample", str(run))  # where the plugin is not installed
    assert found.code == 2 and found.errors == [
        f"error: cannot read {run}/config.yaml: unknown model 'toy'"
    ]


def test_a_broken_plugin_is_named(shell: Command, plugin: str, tmp_path: Path) -> None:
    shutil.copytree(plugin, tmp_path / "site")
    (tmp_path / "site" / "gantext_toy" / "toy.py").unlink()
    found = shell("train", *TOY, PYTHONPATH=str(tmp_path / "site"))
    assert found.code == 2
    assert "the plugin gantext_toy.toy of toy cannot be imported" in found.errors[-1]
    assert shell("train", "model=mle", "--dry-run", PYTHONPATH=str(tmp_path / "site")).code == 0


def test_it_is_sampled_scored_and_reported(installed: Command, run: Path, tmp_path: Path) -> None:
    sampled = json.loads(installed("sample", str(run), "-n", "5", "--json").out)
    assert len(sampled["samples"]) == 5 and sampled["signature"]["model"] == "toy"
    text = tmp_path / "sentences.txt"
    text.write_text("the cat sees the dog\ndog dog dog dog dog\n")
    scored = installed("score", str(run), str(text), "--json")
    assert scored.code == 0 and json.loads(scored.out), scored.err
    measured = installed("eval", "bleu", str(run), "--json")
    assert measured.code == 0 and json.loads(measured.out), measured.err
    found = installed("report", str(run), "--temperatures", "none")
    assert found.code == 0, found.err
    page = (tmp_path / "report.html").read_text()
    assert "toytext" in page and "Of the training sentences." in page and "vowels" in page


def test_the_measure_appears_wherever_our_own_do(installed: Command, run: Path) -> None:
    listed = installed("eval", "--help").out
    assert "The share of letters" in listed and listed.index("frechet") < listed.index("vowels")
    options = installed("eval", "vowels", "--help").out
    assert "--temperature" in options and "--preset" not in options

    runs = ("--runs-dir", str(run.parent))
    rows = json.loads(installed("runs", "list", *runs, "--json").out)
    (row,) = [row for row in rows if row["run"] == "straight"]
    assert 0.2 < row["scores"]["vowels"] < 0.6
    assert "vowels" in installed("runs", "list", *runs).out

    found = installed("eval", "vowels", str(run), "--json")
    own, real = scores_in(found.out)
    assert (own["name"], real["name"]) == ("vowels", "real-vowels"), found.err
    assert own["signature"]["run"] == "straight" and own["signature"]["sentences"] == 100
    assert list((run / "scores").glob("vowels-*.json"))
    beside = installed("compare", str(run), f"{run}@pairs")
    assert "vowels" in beside.out, beside.err


def test_without_the_package_there_is_no_such_measure(shell: Command) -> None:
    found = shell("eval", "vowels")
    assert found.code == 2 and "No such command 'vowels'" in found.err


def test_a_measure_that_cannot_be_imported_is_named(
    shell: Command, plugin: str, tmp_path: Path
) -> None:
    site = str(shutil.copytree(plugin, tmp_path / "site"))
    (tmp_path / "site" / "gantext_toy" / "vowels.py").write_text("import there_is_no_such_module\n")
    found = shell("eval", "bleu", PYTHONPATH=site)
    assert found.code == 2 and len(found.errors) == 1
    assert "the measure gantext_toy.vowels:ROW cannot be imported" in found.err
    assert shell("--help", PYTHONPATH=site).code == 0


def test_it_learns(run: Path) -> None:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["nll"] < 1.2 < rows[0]["nll"]


def test_a_stopped_run_goes_on_exactly(forker: Forker, run: Path) -> None:
    folder = run.parent.parent
    child = forker.start(folder, "train", *TOY, "name=stopped", "checkpoint.every_steps=1")
    stopped = folder / "runs" / "stopped"
    until(lambda: any(stopped.glob("checkpoints/*")))
    assert child.kill(signal.SIGTERM) == 128 + signal.SIGTERM, child.said
    assert forker.start(folder, "train", "--resume", "stopped").wait() == 0
    assert weights(stopped) == weights(run)


def weights(run: Path) -> bytes:
    """The tensors of a run's last checkpoint."""
    return max(run.glob("checkpoints/*")).joinpath("tensors.safetensors").read_bytes()


def test_inside_the_package_it_is_one_file_and_one_yaml(tmp_path: Path, shell: Command) -> None:
    for name in ("gantext", "conf"):
        shutil.copytree(ROOT / name, tmp_path / name)
    files = blocks()
    for kind, group, name in (("models", "model", "toy"), ("data", "data", "toytext")):
        code, values = f"gantext_toy/{name}.py", f"gantext_toy/conf/{group}/{name}.yaml"
        (tmp_path / "gantext" / kind / f"{name}.py").write_text(files[code])
        (tmp_path / "conf" / group / f"{name}.yaml").write_text(files[values])
    words = [*TOY, "model.steps=2"]
    found = subprocess.run(
        [sys.executable, "-m", "gantext", "train", *words, "--json"],
        capture_output=True,
        cwd=tmp_path,
        env={**environment(), "PYTHONPATH": str(tmp_path)},
        check=False,
    )
    assert found.returncode == 0 and json.loads(found.stdout), found.stderr
