"""The number of CPU threads: chosen when a run begins, kept, and taken again by a resume."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gantext.runs.folder import RunDir
from gantext.training.loop import Trainer
from tests.conftest import Command


@pytest.fixture
def stopped(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[RunDir]:
    """A run that torch had two threads for, stopped after a step; now torch has one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    words = [word for word in small_mle if not word.startswith("threads")]
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_save_due", lambda *_: signal.raise_signal(signal.SIGTERM))
        found = cli("train", *words, "model.mle.epochs=1", "eval.samples=10", "name=r")
    assert found.code == 143 and "on cpu, 2 threads, data " in found.err
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)
    yield RunDir(Path("runs/r"))
    assert torch.get_num_threads() == 1
    torch.set_num_threads(threads)


def notes(text: str) -> list[str]:
    return [line for line in text.splitlines() if "last bits" in line]


def test_a_resume_computes_with_as_many_as_the_run_began_with(
    cli: Command, stopped: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where there are fewer cores, which is said."""
    monkeypatch.setattr("gantext.training.threads.cores", lambda: 1)
    assert stopped.info["threads"] == 2 and stopped.settings.threads == 0
    found = cli("train", "--resume")
    assert found.code == 0 and "on cpu, 2 threads" in found.err
    (note,) = notes(found.err)
    assert note.startswith("note: it goes on with 2 threads, and there are fewer cores")
    assert "with threads=1 after --resume" in note


def test_another_number_is_taken_with_a_note(cli: Command, stopped: RunDir) -> None:
    for word in ("threads=0", "threads=x", "threads=1e9", "threads="):
        found = cli("train", "--resume", "r", word)
        assert found.code == 2 and len(found.errors) == 1 and word in found.err
    found = cli("train", "--resume", "r", "threads=1")
    assert found.code == 0 and stopped.info["threads"] == 1
    said = "it goes on with 1 thread instead of 2: its end will differ in the last bits"
    assert notes(found.err) == [f"note: {said}"]


def test_a_run_from_before_the_number_was_kept(cli: Command, stopped: RunDir) -> None:
    """It takes torch's number, as it did."""
    facts = json.loads((stopped.path / "run.json").read_text())
    del facts["threads"]
    (stopped.path / "run.json").write_text(json.dumps({**facts, "format": 2}))
    found = cli("train", "--resume")
    (note,) = notes(found.err)
    assert found.code == 0 and stopped.info["threads"] == 1
    assert note.startswith("note: how many threads it began with is not known: it goes on with 1")
