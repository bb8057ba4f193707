"""Signals: at the start, amid each part of a training, twice and thrice, after the last line."""

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gantext
from gantext import cli as command_line
from gantext import files
from gantext.runs import checkpoint
from gantext.runs.folder import RunDir
from gantext.training import jobs
from gantext.training.loop import Trainer
from gantext.training.stop import Interrupted, Mode, stop_request
from tests.conftest import Command, environment

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def sent(*numbers: int) -> Callable[..., None]:
    """What sends this process these signals."""
    return lambda *_: [signal.raise_signal(number) for number in numbers] and None


def before(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, act: Callable[..., None]
) -> None:
    """Let something happen just before a function runs."""
    real = getattr(owner, name)

    def both(*words: Any, **named: Any) -> Any:
        act(*words)
        return real(*words, **named)

    monkeypatch.setattr(owner, name, both)


@pytest.mark.parametrize("number", CODES)
def test_a_signal_amid_the_last_scores_ends_with_its_code_and_a_resume_has_them(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """The scores are cut off just before they are stored: all is saved but they."""
    run = RunDir(Path("runs/r"))
    with monkeypatch.context() as patch:
        before(patch, RunDir, "save_scores", sent(number))
        found = cli("train", *small_mle, "name=r")
    assert found.code == CODES[number]
    path = Path("runs/r").resolve()
    assert found.errors[-1] == f"stopped and saved; go on with: gantext train --resume {path}"
    assert run.status == "stopped" and run.scores("phase-mle") is None and run.result is None
    assert f"gantext train --resume {Path('runs/r')}" in cli("runs", "list").err
    found = cli("train", "--resume", "r")
    assert found.code == 0 and run.status == "finished"
    assert run.result is not None and len(run.result["scores"]) > 3


def test_later_signals_change_neither_the_code_nor_the_save(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM amid a step, then five more while that is saved, written and told."""
    several = sent(signal.SIGINT, signal.SIGINT, signal.SIGINT, signal.SIGHUP)
    before(monkeypatch, Trainer, "_report", sent(signal.SIGTERM))
    before(monkeypatch, checkpoint, "write", several)
    before(monkeypatch, RunDir, "_remove_if_no_run", several)
    before(monkeypatch, command_line, "_failed", several)
    found = cli("train", *small_mle, "name=r", "checkpoint.every_steps=0")
    assert found.code == 143 and found.errors[-1].startswith("stopped and saved; go on with: ")
    run = RunDir(Path("runs/r"))
    assert run.status == "stopped" and [row["total"] for row in run.metrics()] == [1]
    state, damaged = run.load_checkpoint()
    assert state is not None and state["total"] == 1 and not damaged
    assert not list(run.path.rglob(".*.partial"))


def test_the_third_ctrl_c_does_not_wait_for_the_step(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs what a kill does: the run goes on from the checkpoint before."""
    step = Trainer._take_step

    def slow(self: Trainer, *rest: Any) -> Any:
        if self.total == 4:
            sent(signal.SIGINT, signal.SIGINT, signal.SIGINT)()
        return step(self, *rest)

    monkeypatch.setattr(Trainer, "_take_step", slow)
    found = cli("train", *small_mle, "name=r")
    assert found.code == 130
    assert found.errors[-1].startswith("stopped at once, not saved; go on with: gantext train --re")
    run = RunDir(Path("runs/r"))
    state, _ = run.load_checkpoint()
    assert run.status == "stopped" and state is not None and state["total"] == 3


def test_before_there_is_a_run_a_signal_leaves_nothing(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run by itself, and a sweep."""
    monkeypatch.setattr(jobs, "prepare", sent(signal.SIGTERM))
    for words in (["name=r"], ["-m", "seed=1,2"]):
        found = cli("train", *small_mle, *words)
        assert (found.code, found.errors) == (143, ["ended by SIGTERM"])
        assert not list(Path("runs").iterdir())


@pytest.mark.parametrize(
    ("number", "line"), [(signal.SIGINT, "interrupted"), (signal.SIGHUP, "ended by SIGHUP")]
)
def test_a_signal_ends_any_command_with_nothing_half_written(
    cli: Command, trained: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, line: str
) -> None:
    before(monkeypatch, files, "write_synced", sent(number))
    found = cli("sample", str(trained), "-n", "3", "--out", "a.txt")
    assert (found.code, found.errors) == (CODES[number], [line])
    assert not [path for path in Path().iterdir() if path.name != "cache"]


def test_a_sweep_ends_with_the_job_that_was_stopped(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, Trainer, "_report", sent(signal.SIGHUP))
    found = cli("train", "-m", *small_mle, "seed=1,2", "name=s")
    assert found.code == 129 and not Path("runs/s/1/config.yaml").exists()
    assert [RunDir(Path("runs/s/0")).status, found.out.count("stopped")] == ["stopped", 1]
    assert found.out.count("planned") == 1


def test_an_ignored_signal_stays_ignored(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As nohup starts a command."""
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        before(monkeypatch, Trainer, "_report", sent(signal.SIGHUP))
        assert cli("train", *small_mle, "name=r", "model.mle.epochs=1").code == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, handler)


def test_from_python_a_signal_is_an_exception_and_the_handlers_come_back(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handlers = [signal.getsignal(number) for number in CODES]
    before(monkeypatch, Trainer, "_report", sent(signal.SIGHUP))
    with pytest.raises(gantext.Stopped) as stopped:
        gantext.train(*small_mle, name="r")
    assert stopped.value.number == signal.SIGHUP and stopped.value.saved
    assert [signal.getsignal(number) for number in CODES] == handlers


def test_a_swallowed_interrupt_still_decides_the_end() -> None:
    """As of a destructor, in which no exception gets out."""
    with stop_request() as stop:
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Interrupted), stop.doing(Mode.interrupt):
            pytest.fail("what a signal has ended begins")
        signal.raise_signal(signal.SIGINT)
        assert stop.number == signal.SIGTERM


def start(*words: str, **options: Any) -> subprocess.Popen[str]:
    """The command in a process of its own, which ignores no signal at its start."""

    def listen() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    command = [sys.executable, *words]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(command, text=True, env=environment(), preexec_fn=listen, **options)


@pytest.mark.parametrize(
    ("number", "module"),
    [(signal.SIGINT, "gantext.cli.tables"), (signal.SIGTERM, "typer"), (signal.SIGHUP, "rich")],
)
def test_a_signal_amid_the_first_imports_ends_without_a_traceback(
    number: signal.Signals, module: str
) -> None:
    child = start("-X", "importtime", "-m", "gantext", "--help")
    assert child.stderr is not None
    names = (line.rpartition("|")[2].strip() for line in child.stderr)
    assert module in names  # it reads until there
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == CODES[number] and "Traceback" not in err and not out


AFTER = """
import atexit, signal
from gantext.__main__ import main
atexit.register(lambda: [signal.raise_signal(n) for n in (signal.SIGINT, signal.SIGTERM)])
main()
"""


def test_after_the_last_line_a_signal_changes_nothing(tmp_path: Path) -> None:
    child = start("-c", AFTER, "runs", "list", cwd=tmp_path)
    assert child.communicate(timeout=60) == ("", "no runs in runs yet\n")
    assert child.returncode == 0


def test_a_terminal_that_is_closed_ends_the_run_with_its_work_saved(
    tmp_path: Path, small_mle: list[str]
) -> None:
    """SIGHUP, after which each write to the terminal fails."""
    ours, theirs = pty.openpty()
    words = ["-m", "gantext", "train", *small_mle, "name=r", "model.mle.epochs=100000"]
    child = start(*words, cwd=tmp_path, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    while b"sample: " not in said:
        said += os.read(ours, 4096)
    os.close(ours)
    child.send_signal(signal.SIGHUP)
    assert child.wait(60) == 129
    run = RunDir(tmp_path / "runs/r")
    state, _ = run.load_checkpoint()
    assert run.status == "stopped" and state is not None
    assert state["total"] == json.loads((run.path / "run.json").read_text())["total"]


def test_a_reader_that_goes_does_not_end_the_training(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of `2>&1 | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        found = cli("train", *small_mle, "name=r", "model.mle.epochs=1")
        monkeypatch.undo()
        stream = None
    assert found.code == 0 and "bleu-4" in found.out
