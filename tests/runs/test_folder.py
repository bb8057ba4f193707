"""The run folder: found by name, held by one process, cut and read back."""

import os
from pathlib import Path

import pytest

from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError
from gantext.runs import listing
from gantext.runs.folder import RunDir

WORDS = Vocabulary.build([["é", "b"]])


def make(path: Path) -> RunDir:
    return RunDir.create(path, "seed: 1\n", WORDS.to_json(), {"status": "new", "data": "abc"})


def test_create_writes_what_a_run_is_rebuilt_from(tmp_path: Path) -> None:
    run = make(tmp_path / "a")
    assert run.config.read_text() == "seed: 1\n" and run.vocabulary == WORDS
    assert run.info["data"] == "abc" and run.info["created"][:2] == "20"
    run.update(status="running", phase="mle")
    assert RunDir(run.path).info["phase"] == "mle" and run.info["data"] == "abc"
    with pytest.raises(UserError, match="holds a run already"):
        make(tmp_path / "a")


def test_find_by_path_by_name_and_the_latest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runs = Path("runs")
    for name in ("first", "sweep/0", "second"):
        listing.mark_latest(make(runs / name), runs)
    assert listing.find(None, runs).path == tmp_path / "runs" / "second"
    assert listing.find("latest", runs).path.name == "second"
    for spec in ("runs/sweep/0", "sweep/0", str(tmp_path / "runs/sweep/0")):
        assert listing.find(spec, runs).path == tmp_path / "runs/sweep/0"
    with pytest.raises(UserError, match=r"no run at 'frist' \(did you mean first\?\)"):
        listing.find("frist", runs)
    with pytest.raises(UserError, match="there is no run in nowhere yet"):
        listing.find(None, Path("nowhere"))
    assert [run.name_in(runs) for run in listing.list_runs(runs)] == ["first", "sweep/0", "second"]


def test_a_run_outside_has_a_name_too(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "elsewhere")
    names = [run.name_in(tmp_path / "runs") for run in listing.list_runs(tmp_path / "runs")]
    assert names == ["../elsewhere"]


def test_one_process_holds_the_folder(tmp_path: Path) -> None:
    run = make(tmp_path / "a")
    run.update(status="running")
    assert run.status == "killed"
    with run.lock():
        assert run.status == "running"
        with pytest.raises(UserError, match=f"in use by process {os.getpid()}"), run.lock():
            pass
    with run.lock():
        pass


def test_a_folder_in_which_no_run_came_about_goes(tmp_path: Path) -> None:
    for name, kept in (("empty", False), ("full", True)):
        folder = tmp_path / name
        folder.mkdir()
        if kept:
            (folder / "notes.txt").write_text("mine")
        with pytest.raises(UserError, match="bad data"), RunDir(folder).lock():
            raise UserError("bad data")
        assert folder.exists() == kept
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_metrics_are_cut_where_a_checkpoint_was(tmp_path: Path) -> None:
    run = make(tmp_path / "a")
    assert run.metrics() == [] and run.metrics_size() == 0
    run.cut_metrics(10)
    run.append_metrics({"step": 1})
    size = run.metrics_size()
    run.append_metrics({"step": 2})
    run.cut_metrics(size)
    run.append_metrics({"step": 2.5})
    assert run.metrics() == [{"step": 1}, {"step": 2.5}]


def test_samples_come_back_line_by_line(tmp_path: Path) -> None:
    run = make(tmp_path / "a")
    lines = ["a b", "", "c\u2028d", "é\x0c"]
    run.save_samples("mle", lines)
    assert run.samples("mle") == lines and run.samples("none") == []


def test_a_damaged_json_file_is_one_line(tmp_path: Path) -> None:
    run = make(tmp_path / "a")
    (run.path / "run.json").write_text("{")
    with pytest.raises(UserError, match=r"cannot read .*run\.json"):
        assert run.info


def test_a_run_may_have_an_at_in_its_name(tmp_path: Path) -> None:
    """What is a run's folder as a whole is one; else a phase stands behind the last @."""
    for name in ("a", "a@mle", "b@home/run"):
        make(tmp_path / name)
    for spec, name, phase in [
        ("a", "a", None),
        ("a@mle", "a@mle", None),
        ("a@adversarial", "a", "adversarial"),
        ("a@mle@mle", "a@mle", "mle"),
        ("b@home/run", "run", None),
        (f"{tmp_path}/b@home/run@mle", "run", "mle"),
    ]:
        run, found = listing.find_at(spec, tmp_path)
        assert (run.path.name, found) == (name, phase), spec
    with pytest.raises(UserError, match="no run at 'c@home'"):
        listing.find_at("c@home@mle", tmp_path)


def test_the_latest_with_weights_is_the_newest_that_has_some(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    older, newer = make(tmp_path / "older"), make(tmp_path / "newer")
    os.utime(older.config, ns=(1, 1))
    listing.mark_latest(newer, tmp_path)
    assert listing.find_trained_at(None, tmp_path)[0].path.name == "newer"  # nothing has any
    (older.checkpoints / "000000016-mle").mkdir(parents=True)
    for spec, phase in ((None, None), ("latest", None), ("latest@mle", "mle")):
        caplog.clear()
        found = listing.find_trained_at(spec, tmp_path)
        assert (found[0].path.name, found[1]) == ("older", phase)
        said = "newer has no checkpoint yet; older, the newest run that has one, is taken"
        assert caplog.messages == [f"note: {said}"]
    assert listing.find_at(None, tmp_path)[0].path.name == "newer"  # as --resume and show have it
    assert listing.find_trained_at("newer", tmp_path)[0].path.name == "newer"  # as it was named
    (newer.path / "config.yaml").unlink()  # what the link leads to is no run any more
    assert listing.find_trained_at(None, tmp_path)[0].path.name == "older"
