"""The index of old runs saves reading them, and never says what their folders do not."""

import json
import shutil
from pathlib import Path

import pytest

from gantext.metrics.score import Score
from gantext.runs import overview
from gantext.runs.folder import RunDir
from gantext.runs.overview import INDEX, Overview, overviews
from tests.conftest import Command

SCORES = [Score("bleu-2", 0.5), Score("nll", float("nan"))]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs of all kinds: a finished one, one that was killed, damaged ones, the job of a sweep."""
    monkeypatch.setattr(overview, "INDEXED", 1)
    monkeypatch.setattr(overview, "SETTLED", 0)
    folder = tmp_path / "runs"
    for name, status in [("a", "finished"), ("b", "running"), ("sweep/0", "stopped")]:
        info = {"status": status, "phase": "mle", "total": 5, "seconds": 1.5}
        run = RunDir.create(folder / name, "seed: 1\n", None, info)
        run.save_result({"scores": [score.to_json() for score in SCORES]})
    for name, content in [("damaged", "{"), ("newer", '{"format": 999}')]:
        RunDir.create(folder / name, "seed: 1\n", None, {})
        (folder / name / "run.json").write_text(content)
    (folder / "latest").symlink_to("a")
    return folder


def plain(folder: Path) -> dict[str, Overview]:
    """All runs as their folders say."""
    names = ("a", "b", "sweep/0", "damaged", "newer")
    return {name: overview.read(RunDir(folder / name)) for name in names}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the runs that are read."""
    names: list[str] = []
    reading = overview.read
    monkeypatch.setattr(
        overview, "read", lambda run: (names.append(run.path.name), reading(run))[1]
    )
    return names


def test_only_runs_that_have_ended_are_not_read_again(runs: Path, read: list[str]) -> None:
    expected = plain(runs)
    assert expected["a"]["status"] == "finished" and expected["b"]["status"] == "killed"
    assert expected["a"]["scores"] == {"bleu-2": 0.5, "nll": "nan"}
    read.clear()
    assert overviews(runs) == expected and sorted(read) == ["0", "a", "b", "damaged", "newer"]
    read.clear()
    assert overviews(runs) == expected and sorted(read) == ["b", "damaged", "newer"]
    assert list(overviews(runs)) == sorted(
        expected, key=lambda n: (runs / n / "config.yaml").stat().st_mtime_ns
    )
    RunDir(runs / "a").update(seconds=2.5)
    shutil.rmtree(runs / "sweep")
    read.clear()
    again = overviews(runs)
    assert again["a"]["seconds"] == 2.5 and "a" in read and "sweep/0" not in again
    assert json.loads((runs / INDEX).read_text())["runs"].keys() == {"a"}


def test_an_index_of_other_files_is_not_believed(runs: Path, tmp_path: Path) -> None:
    """Runs that came with an index keep their times of writing, and not those of their change."""
    expected = plain(runs)
    overviews(runs)
    index = runs / INDEX
    index.write_text(index.read_text().replace('"finished"', '"diverged"'))
    assert overviews(runs)["a"]["status"] == "diverged"  # so it is the index that is shown here
    copy = tmp_path / "copy"
    shutil.copytree(runs, copy, symlinks=True, copy_function=shutil.copy2)
    assert overviews(copy) == expected


@pytest.mark.parametrize("content", ["{", '{"version": "0", "runs": {}}', '{"runs": 1}', "link"])
def test_a_bad_index_is_made_anew(runs: Path, tmp_path: Path, content: str) -> None:
    expected = overviews(runs)
    if content == "link":
        (tmp_path / "mine").write_text("mine")
        (runs / INDEX).unlink()
        (runs / INDEX).symlink_to(tmp_path / "mine")
    else:
        (runs / INDEX).write_text(content)
    assert overviews(runs) == expected
    if content == "link":
        assert (tmp_path / "mine").read_text() == "mine"
    else:
        assert json.loads((runs / INDEX).read_text())["runs"].keys() == {"a", "sweep/0"}


def test_without_room_for_an_index_there_is_none(
    runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("gantext.runs.enclosed.Enclosed.write", full)
        assert overviews(runs) == plain(runs)
    monkeypatch.setattr(overview, "INDEXED", 6)
    assert overviews(runs) == plain(runs) and not (runs / INDEX).exists()


def test_a_file_that_may_yet_change_unseen_is_read_again(
    runs: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "SETTLED", 3600 * 10**9)
    overviews(runs)
    overviews(runs)
    assert read.count("a") == 2 and not (runs / INDEX).exists()


def test_runs_list_says_the_same_by_the_index(runs: Path, cli: Command) -> None:
    first, second = (cli("runs", "list", "--runs-dir", str(runs)) for _ in range(2))
    assert first == second and "damaged: run.json" in first.out and " 0.5000 " in first.out
    as_json = json.loads(cli("runs", "list", "--runs-dir", str(runs), "--json").out)
    found = {row["run"]: row for row in as_json}
    scores = {one["name"]: one["value"] for one in found["sweep/0"]["scores"]}
    assert scores == {"bleu-2": 0.5, "nll": "nan"}
    assert (found["a"]["time"], found["a"]["steps"], found["b"]["status"]) == (
        "0:00:01",
        5,
        "killed",
    )
