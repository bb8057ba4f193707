"""The live table of a sweep's jobs, at 80 columns; plain lines where it is no terminal."""

import io
import json
import re
from pathlib import Path

import pytest

from gantext.runs.folder import RunDir
from gantext.runs.migrations import FORMAT
from gantext.runs.sweep import SweepDir
from gantext.training import board
from gantext.training.board import Board
from gantext.training.terminal import Terminal

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
SCORE = {"name": "nll-test", "value": 4.5, "signature": {}}


def job(sweep: Path, number: int, *words: str) -> RunDir:
    folder = sweep / str(number)
    folder.mkdir(parents=True)
    plan = {"format": FORMAT, "gantext": "0", "words": list(words), "config_dir": None}
    (folder / "job.json").write_text(json.dumps(plan))
    return RunDir(folder)


@pytest.fixture
def sweep(tmp_path: Path) -> SweepDir:
    """One job that has finished, one that runs, one that is planned and looks like markup."""
    path = tmp_path / "s"
    done = job(path, 0, "data=scenes", "seed=1", "model.mle.learning_rate=0.1")
    done.save_result({"status": "finished", "scores": [SCORE], "objective": "nll-test"})
    running = job(path, 1, "data=scenes", "seed=2", "model.mle.learning_rate=0.1")
    running.config.write_text("seed: 1\n")
    running.update(status="running", phase="discriminator")
    headway = {
        "phase": "discriminator",
        "step": 1234,
        "steps": 15000,
        "rate": 1043.25,
        "left": 4236.0,
    }
    headway |= {"place": "2/3 discriminator", "run": "~2:00:00"}
    (running.path / "progress.json").write_text(json.dumps(headway))
    job(path, 2, "data=scenes", "seed=3", "model.odd=[/red]\x1b[2J")
    return SweepDir(path)


def shown(board: Board, height: int = 24, width: int = 80) -> list[str]:
    """The lines of the table on a terminal, without its colours."""
    console = Terminal(file=io.StringIO(), width=width, height=height, force_terminal=True)
    board.console = console
    with console.capture() as captured:
        console.print(board.table())
    return [line.rstrip() for line in COLOUR.sub("", captured.get()).splitlines()]


def test_the_table_of_all_jobs_has_room_in_80_columns(sweep: SweepDir) -> None:
    table = Board(Terminal(file=io.StringIO()), sweep.jobs())
    with RunDir(sweep.path / "1").lock():
        table.refresh(sweep.job("1"))
        lines = shown(table)
    assert max(map(len, lines)) <= 80
    head, first, second, third, counts, keys = lines
    assert head.split() == [
        "job",
        "state",
        "phase",
        "step",
        "left",
        "run",
        "nll-test",
        "overrides",
    ]
    assert first.split()[:4] == ["0", "finished", "4.5000", "seed=1"]
    where = ["1", "running", "discriminator", "1234/15000", "1:10:36", "~2:00:00", "seed=2"]
    assert second.split()[: len(where)] == where
    assert third.split()[:3] == ["2", "planned", "seed=3"]
    assert counts == "1 finished, 1 running, 1 planned"
    assert keys == "learning_rate: model.mle.learning_rate, odd: model.odd"


def test_names_lose_their_middle_and_stay_different(tmp_path: Path) -> None:
    """Words that differ at their start and at their end, and a score of a long name."""
    score = {**SCORE, "name": "grammatical"}
    for number, (seed, rate) in enumerate([(1, 0.1), (2, 0.1), (1, 0.2)]):
        words = (f"seed={seed}", f"model.generator.learning_rate={rate}")
        done = job(tmp_path / "s", number, *words)
        done.save_result({"status": "finished", "scores": [score], "objective": "grammatical"})
    head, *jobs, _, _ = shown(Board(Terminal(file=io.StringIO()), SweepDir(tmp_path / "s").jobs()))
    assert head.split()[-2:] == ["grammatical", "overrides"]
    words = [line.partition("4.5000 ")[2] for line in jobs]
    assert len(set(words)) == 3 and all("…" in one and one.startswith("seed=") for one in words)


def test_a_wider_one_says_how_quick_they_are(sweep: SweepDir) -> None:
    table = Board(Terminal(file=io.StringIO()), sweep.jobs())
    with RunDir(sweep.path / "1").lock():
        table.refresh(sweep.job("1"))
        head, first, second, *_ = shown(table, width=100)
    assert head.split()[4:9] == ["left", "run", "rate", "nll-test", "overrides"]
    assert first.split()[:4] == ["0", "finished", "4.5000", "seed=1"]
    assert second.split()[4:9] == ["1:10:36", "~2:00:00", "1043.2", "step/s", "seed=2"]


def test_what_a_stranger_wrote_is_no_markup_and_steers_no_terminal(sweep: SweepDir) -> None:
    table = Board(Terminal(file=io.StringIO()), sweep.jobs())
    table._words["2"] = ["x=[/red]", "y=\x1b[2J"]
    line = shown(table)[3]
    assert "x=[/red]" in line and "\x1b" not in line


def test_where_there_is_little_room_the_jobs_that_run_are_in_sight(sweep: SweepDir) -> None:
    table = Board(Terminal(file=io.StringIO()), sweep.jobs())
    with RunDir(sweep.path / "1").lock():
        table.refresh(sweep.job("1"))
        lines = shown(table, height=board.AROUND + 1)
    assert [line.split()[0] for line in lines[1:-2]] == ["1"]


def test_plain_lines_say_it_now_and_then(sweep: SweepDir, monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr(board, "SHOWN_SECONDS", 0.0)
    monkeypatch.setattr(board, "PLAIN_SECONDS", 0.0)
    table = Board(Terminal(file=said, width=80), sweep.jobs())
    with table, RunDir(sweep.path / "1").lock():
        began = table.update([sweep.job("1")])
        table.update([sweep.job("1")])
        table.say_end(sweep.job("0"), 0)
    assert [one.name for one in began] == []  # it was a run before
    line = "[1] 2/3 discriminator 1234/15000  1043.2 step/s  1:10:36 left, run ~2:00:00"
    assert said.getvalue().splitlines() == [line, line, "[0] finished  nll-test 4.5000"]
