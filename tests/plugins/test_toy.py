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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gantext.training.loop import Trainer
from tests.conftest import ROOT, Command, environment, finished, scores_in
from tests.plugins.installation import add_metadata, importable

PAGE = ROOT / "docs" / "extending.md"
TOY = ["model=toy", "data=toytext", "eval.samples=100", "log.every_steps=10", "threads=1"]


def blocks() -> dict[str, str]:
    """The files that the page shows, by path: a line with the path alone, then a block."""
    found = re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return dict(found)


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the toy is installed in."""
    folder = tmp_path_factory.mktemp("site")
    files = blocks()
    add_metadata(folder, files.pop("pyproject.toml"))
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def installed(plugin: Path, cli: Command) -> Iterator[Command]:
    """`installed(*words)`: the command where the toy is installed, in an empty folder."""
    with importable(plugin):
        yield cli


@pytest.fixture(scope="module")
def run(plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of the toy; not to be changed."""
    with importable(plugin):
        return finished(tmp_path_factory.mktemp("toy"), TOY)


def test_it_is_shown_where_models_and_data_are(
    installed: Command, shell: Command, plugin: Path
) -> None:
    shown = installed("train", "--help").out
    assert "toy  " in shown and "a table of word pairs" in shown
    assert "who sees whom" in shown
    listed = shell("data", "list", "--json", PYTHONPATH=str(plugin))  # in a process of its own
    (row,) = [row for row in json.loads(listed.out) if row["name"] == "toytext"]
    assert row["where"] == "made from a seed" and row["state"] == "ready"


def test_misfits_are_refused_in_one_line(installed: Command) -> None:
    found = installed("train", "model=toy", "data=digits")
    assert found.code == 2 and "data=toytext" in found.errors[-1]
    found = installed("train", "model=toy", "model.stepz=3")
    assert found.code == 2 and "did you mean model.steps?" in found.errors[-1]


def test_a_broken_plugin_is_named(cli: Command, plugin: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(plugin, tmp_path / "site"))
    (site / "gantext_toy" / "toy.py").unlink()
    with importable(site):
        found = cli("train", *TOY)
        assert found.code == 2
        assert "the plugin gantext_toy.toy of toy cannot be imported" in found.errors[-1]
        assert cli("train", "model=mle", "--dry-run").code == 0


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
    (row,) = json.loads(installed("runs", "list", *runs, "--json").out)
    (vowels,) = [score["value"] for score in row["scores"] if score["name"] == "vowels"]
    assert row["run"] == "run" and 0.2 < vowels < 0.6
    assert "vowels" in installed("runs", "list", *runs).out

    found = installed("eval", "vowels", str(run), "--json")
    own, real = scores_in(found.out)
    assert (own["name"], real["name"]) == ("vowels", "real-vowels"), found.err
    assert own["signature"]["run"] == "run" and own["signature"]["sentences"] == 100
    assert list((run / "scores").glob("vowels-*.json"))
    beside = installed("compare", str(run), f"{run}@pairs")
    assert "vowels" in beside.out, beside.err


def test_without_the_package_there_is_nothing_of_it(cli: Command, run: Path) -> None:
    assert "toy" not in cli("train", "--help").out
    found = cli("eval", "vowels")
    assert found.code == 2 and "No such command 'vowels'" in found.err
    found = cli("sample", str(run))
    assert found.code == 2 and found.errors == [
        f"error: cannot read {run}/config.yaml: unknown model 'toy'"
    ]


def test_a_measure_that_cannot_be_imported_is_named(
    cli: Command, plugin: Path, tmp_path: Path
) -> None:
    site = Path(shutil.copytree(plugin, tmp_path / "site"))
    (site / "gantext_toy" / "vowels.py").write_text("import there_is_no_such_module\n")
    with importable(site):
        found = cli("eval", "bleu")
        assert found.code == 2 and len(found.errors) == 1
        assert "the measure gantext_toy.vowels:ROW cannot be imported" in found.err
        assert cli("--help").code == 0


def test_it_learns(run: Path) -> None:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["nll"] < 1.2 < rows[0]["nll"]


def test_a_stopped_run_goes_on_exactly(
    installed: Command, run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer._take_step

    def stopped(self: Trainer, *rest: Any) -> Any:
        if self.total == 3:
            signal.raise_signal(signal.SIGTERM)
        return step(self, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_take_step", stopped)
        assert installed("train", *TOY, "name=stopped").code == 128 + signal.SIGTERM
    assert installed("train", "--resume", "stopped").code == 0
    assert weights(tmp_path / "runs" / "stopped") == weights(run)


def weights(run: Path) -> bytes:
    """The tensors of a run's last checkpoint."""
    return max(run.glob("checkpoints/*")).joinpath("tensors.safetensors").read_bytes()


def test_inside_the_package_it_is_one_file_and_one_yaml(tmp_path: Path) -> None:
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
