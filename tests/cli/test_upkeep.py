"""gantext runs rm, slim, rename, note, diff, du; what RUN names."""

import io
import json
import os
import shutil
from pathlib import Path

import pytest
import typer

from gantext.files import hold
from gantext.runs import listing
from gantext.runs.folder import RunDir
from tests.conftest import Command

CONFIG = "seed: {seed}\nmodel:\n  name: gan\n  mle:\n    learning_rate: {rate}\n"


def made(name: str, seed: int = 1, rate: float = 0.1, **facts: object) -> RunDir:
    """A finished run in ./runs, the newest of all."""
    config = CONFIG.format(seed=seed, rate=rate)
    run = RunDir.create(Path("runs", name), config, None, {"status": "finished", **facts})
    (run.path / "samples").mkdir()
    (run.path / "samples" / "final.txt").write_text("a b\n" * 100)
    os.utime(run.config, ns=(seed, seed))
    listing.mark_latest(run, Path("runs"))
    return run


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """./runs with three runs, of which the last is the latest."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("first", "second", "third"), 1):
        made(name, seed, data=f"hash{seed // 3}", torch="2.13")
    return tmp_path / "runs"


def interrupted(question: str, err: bool) -> bool:
    """Ctrl-C at a question, as typer has it."""
    try:
        raise KeyboardInterrupt
    except KeyboardInterrupt:
        raise typer.Abort from None


def test_rm_asks_and_removes_all_that_was_named(
    cli: Command, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    found = cli("runs", "rm", "third", "second")
    assert found.code == 130 and (runs / "third" / "config.yaml").exists()
    assert "remove third, second (" in found.err and "B)?" in found.err
    for nobody in (io.StringIO(""), None):
        monkeypatch.setattr("sys.stdin", nobody)
        found = cli("runs", "rm", "third")
        assert found.code == 2
        assert found.err.endswith("error: nobody answered; with --yes it is not asked\n")
    with monkeypatch.context() as patch:
        patch.setattr("typer.confirm", interrupted)
        patch.setattr("sys.stdin", io.StringIO(""))
        found = cli("runs", "rm", "third")
    assert found.code == 130 and found.err.endswith("interrupted\n")
    assert (runs / "third" / "config.yaml").exists()
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    found = cli("runs", "rm", "third", "second")
    assert found.code == 0 and found.out.strip() == "removed third\nremoved second"
    assert sorted(path.name for path in runs.iterdir()) == ["first", "latest"]
    assert listing.find(None, runs).path.name == "first"
    assert cli("runs", "rm", "latest", "--yes").code == 0
    assert cli("runs", "show").err.startswith("error: there is no run in runs yet")


def test_rm_never_takes_a_running_one_nor_what_a_link_leads_to(cli: Command, runs: Path) -> None:
    mine = runs.parent / "mine"
    mine.mkdir()
    (mine / "kept.txt").write_text("kept")
    (runs / "second" / "plots").symlink_to(mine)
    with hold(runs / "first" / ".lock"):
        found = cli("runs", "rm", "second", "first", "--yes")
        assert found.code == 2 and "first is in use" in found.err
        assert (runs / "second" / "config.yaml").exists()
    found = cli("runs", "rm", "second", "first", "--yes", "--json")
    removed = json.loads(found.out)
    assert removed["removed"] == ["second", "first"] and removed["bytes"] > 800
    assert (mine / "kept.txt").read_text() == "kept" and not (runs / "second").exists()


def test_rm_takes_a_sweep_as_a_whole(cli: Command, runs: Path) -> None:
    for job in ("0", "1"):
        made(f"sweep/{job}", seed=7)
    (runs / "sweep" / "sweep.json").write_text("{}")
    with hold(runs / "sweep" / "1" / ".lock"):
        found = cli("runs", "rm", "sweep", "--yes")
        assert found.code == 2 and "sweep/1 is in use" in found.err
    assert "whose name is its number" in cli("runs", "rename", "sweep/0", "mine").err
    assert cli("runs", "rm", "sweep", "--yes").out == "removed sweep\n"
    assert not (runs / "sweep").exists() and listing.find(None, runs).path.name == "third"
    made("1")
    assert cli("runs", "rm", "runs", "--yes").code == 2  # a folder of runs, one named by a number
    assert cli("runs", "rename", "1", "one").code == 0
    found = cli("runs", "rm", "", "--yes")
    assert found.code == 2 and found.err == "error: '' names no run\n"


def test_rename_keeps_latest_and_refuses_paths(cli: Command, runs: Path) -> None:
    assert cli("runs", "rename", "third", "best one").out.endswith("runs/best one\n")
    assert listing.find(None, runs).path.name == "best one" and not (runs / "third").exists()
    for name, said in [
        ("..", "it is that of a folder in runs_dir"),
        ("a/b", "it is that of a folder in runs_dir"),
        (".hidden", "does not begin with '.'"),
        ("latest", "is not 'latest'"),
        ("a\nb", "letters that are seen are needed"),
        ("first", "first is there already"),
    ]:
        found = cli("runs", "rename", "second", name)
        assert found.code == 2 and said in found.err and found.err.count("\n") == 1
    with hold(runs / "second" / ".lock"):
        assert "second is in use by process" in cli("runs", "rename", "second", "x").err


@pytest.mark.parametrize("name", ["..", "a/b", "latest", "'.x'"])
def test_a_new_run_is_not_named_by_a_path(cli: Command, runs: Path, name: str) -> None:
    before = sorted(runs.parent.rglob("*"))
    found = cli("train", "experiment=demo", f"name={name}")
    assert found.code == 2 and "it is that of a folder in runs_dir" in found.err
    assert sorted(runs.parent.rglob("*")) == before
    found = cli("train", "-m", "experiment=demo", "seed=1,2", f"name={name}")
    assert found.code == 2 and "it is that of a folder in runs_dir" in found.err
    assert sorted(runs.parent.rglob("*")) == before


def test_a_note_is_shown_wherever_runs_are(cli: Command, runs: Path) -> None:
    assert "note" not in cli("runs", "list").out
    assert cli("runs", "note", "second", "D at half the rate\nsee mail").code == 0
    assert cli("runs", "note", "second").out == "D at half the rate\nsee mail\n"
    listed = cli("runs", "list").out
    assert "D at half the rate" in listed and "see mail" not in listed
    assert "D at half the rate" in cli("runs", "show", "second").out
    notes = [run["note"] for run in json.loads(cli("runs", "list", "--json").out)]
    assert notes == ["", "D at half the rate\nsee mail", ""]
    assert cli("runs", "note", "second", "").code == 0
    assert "note" not in cli("runs", "list").out
    found = cli("runs", "note", "second", "x" * 10_001)
    assert found.code == 2 and "at most 10,000 characters" in found.err


def test_diff_shows_what_differs_and_nothing_else(cli: Command, runs: Path) -> None:
    made("fourth", seed=4, rate=0.5, data="hash1", torch="2.13")
    found = json.loads(cli("runs", "diff", "third", "fourth", "--json").out)
    assert found == {
        "runs": ["third", "fourth"],
        "settings": {"seed": [3, 4], "model.mle.learning_rate": [0.1, 0.5]},
        "facts": {},
    }
    found = json.loads(cli("runs", "diff", "first", "second", "third", "--json").out)
    assert found["settings"] == {"seed": [1, 2, 3]}
    assert found["facts"] == {"data": ["hash0", "hash0", "hash1"]}
    table = cli("runs", "diff", "third", "fourth").out
    assert "model.mle.learning_rate" in table and "0.5" in table and "model.name" not in table
    assert "takes two runs" in cli("runs", "diff", "third").err


def test_du_counts_the_bytes_of_files(cli: Command, runs: Path) -> None:
    (runs / "first" / "checkpoints" / "000000001").mkdir(parents=True)
    (runs / "first" / "checkpoints" / "000000001" / "tensors").write_bytes(bytes(5000))
    found = json.loads(cli("runs", "du", "--json").out)
    assert [one["run"] for one in found] == ["second", "third", "first"]
    assert found[-1]["parts"]["checkpoints"] == 5000 and found[-1]["parts"]["samples"] == 400
    files = [path for path in (runs / "first").rglob("*") if path.is_file()]
    assert found[-1]["bytes"] == sum(path.stat().st_size for path in files)
    table = cli("runs", "du", "first").out
    assert "4.9 KiB" in table and "400 B" in table and "together" in table


def test_the_beginning_of_one_name_is_enough(cli: Command, runs: Path) -> None:
    assert json.loads(cli("runs", "show", "sec", "--json").out)["path"].endswith("/second")
    made("secret", seed=9)
    found = cli("runs", "show", "sec")
    assert found.code == 2 and "begins the names of 2 runs: second, secret" in found.err
    assert cli("runs", "show", "second").code == 0


def test_latest_is_the_newest_where_its_link_leads_nowhere(cli: Command, runs: Path) -> None:
    (runs / "latest").unlink()
    (runs / "latest").symlink_to("gone")
    assert json.loads(cli("runs", "show", "--json").out)["path"].endswith("/third")
    (runs / "latest").unlink()
    assert json.loads(cli("runs", "show", "latest", "--json").out)["path"].endswith("/third")


def test_slim_leaves_the_weights_of_old_ends_and_what_was_scored(
    cli: Command, tmp_path: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained, tmp_path / "runs" / "a")
    before = json.loads(cli("eval", "bleu", "a@mle", "-n", "20", "--json").out)
    sampled = cli("sample", "a@mle", "-n", "3").out
    [sizes] = json.loads(cli("runs", "du", "--json").out)
    assert sizes["slim"] > 0 and "gantext runs slim a" in cli("runs", "du").err
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    found = cli("runs", "slim", "a")
    assert found.code == 130 and found.err.startswith("slim a by ")
    with hold(tmp_path / "runs" / "a" / ".lock"):
        assert cli("runs", "slim", "a", "--yes").code == 2
    freed = json.loads(cli("runs", "slim", "a", "--yes", "--json").out)
    assert freed == {"slimmed": ["a"], "bytes": freed["bytes"]} and freed["bytes"] > 0
    [slim] = json.loads(cli("runs", "du", "--json").out)
    assert slim["slim"] == 0 and slim["bytes"] < sizes["bytes"]
    assert cli("runs", "slim", "a").out == "a: 0 B freed\n"
    with monkeypatch.context() as patch:  # read back, not computed again
        patch.setattr("gantext.inference.sampling.draw", None)
        assert json.loads(cli("eval", "bleu", "a@mle", "-n", "20", "--json").out) == before
    assert cli("sample", "a@mle", "-n", "3").out == sampled
