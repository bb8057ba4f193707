"""How long a run had been trained at each of its reports."""

from pathlib import Path

import pytest

from gantext.errors import UserError
from gantext.runs.elapsed import elapsed, note_elapsed
from gantext.runs.folder import RunDir


def test_a_run_that_went_on_has_forgotten_the_later_steps(tmp_path: Path) -> None:
    """Killed at step 6, it goes on from step 2, where 1.5 seconds had passed."""
    run = RunDir(tmp_path)
    assert elapsed(run) == []
    for total, seconds in [(2, 1.5), (4, 2.5), (6, 3.5), (4, 2.0), (6, 2.25)]:
        note_elapsed(run, total, seconds)
    found = [(row["total"], row["seconds"]) for row in elapsed(run)]
    assert found == [(2, 1.5), (4, 2.0), (6, 2.25)]


def test_a_damaged_line_is_named_and_a_row_of_something_else_left_out(tmp_path: Path) -> None:
    run = RunDir(tmp_path)
    (tmp_path / "elapsed.jsonl").write_text('{"total": 1}\n{"total": 2, "seconds": 3}\n')
    assert [row["total"] for row in elapsed(run)] == [2]
    (tmp_path / "elapsed.jsonl").write_text('{"total": "x"}\n{}\n')
    with pytest.raises(UserError, match=r"elapsed.jsonl"):
        elapsed(run)


def test_training_notes_it_at_each_report(trained: Path) -> None:
    rows = elapsed(RunDir(trained))
    assert [row["total"] for row in rows] == [row["total"] for row in RunDir(trained).metrics()]
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds) and seconds[0] > 0
