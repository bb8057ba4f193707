"""The engine of processes: slots of GPUs, deaths, signals; with small scripts as the jobs."""

import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gantext.errors import UserError
from gantext.runs.migrations import FORMAT
from gantext.runs.sweep import SweepDir
from gantext.runs.sweep_state import states
from gantext.training import pool, warm
from gantext.training.pool import RETRIES, Slots, slots_of
from gantext.training.stop import Stopped, stop_request
from tests.conftest import ROOT
from tests.forker import until

START = """
import json, os, signal, sys, time
from pathlib import Path
def main():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a command leaves at once
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    folder = Path(sys.argv[-1])
    with open(folder / "begun", "a") as file:
        file.write("x")
    times = len((folder / "begun").read_text())
    def finish():
        (folder / "result.json").write_text(json.dumps({"status": "finished"}))
"""


@pytest.fixture
def sweep(tmp_path: Path) -> SweepDir:
    """A sweep of four jobs, of which nothing but the folders is looked at here."""
    for number in range(4):
        folder = tmp_path / "s" / str(number)
        folder.mkdir(parents=True)
        plan = {"format": FORMAT, "gantext": "0", "words": [f"seed={number}"], "config_dir": None}
        (folder / "job.json").write_text(json.dumps(plan))
    return SweepDir(tmp_path / "s")


def be_the_command(folder: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Let the `main` of this source be what a forked process runs."""
    name = f"job_{folder.name}"
    (folder / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(warm, "MAIN", f"{name}:main")
    monkeypatch.setattr(warm, "LOADED", ("gantext.training.warm", "pytest"))


def run(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch, script: str, *gpus: str | None
) -> list[str]:
    """Let a script be the job; the lines that are said."""
    be_the_command(sweep.path.parent, monkeypatch, START + textwrap.indent(script, " " * 4))
    console = Console(file=open(sweep.path / "said", "w"), width=80)
    try:
        pool.pool(Slots(gpus), console)(sweep, sweep.jobs())
    finally:
        console.file.close()
    return (sweep.path / "said").read_text().splitlines()


def test_each_job_sees_the_gpu_of_its_slot_alone(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
gpu = os.environ["CUDA_VISIBLE_DEVICES"]
(folder.parent / f"gpu-{gpu}").touch(exist_ok=False)
time.sleep(0.2)
(folder / "seen").write_text(gpu)
(folder.parent / f"gpu-{gpu}").unlink()
finish()
"""
    said = run(sweep, monkeypatch, script, *slots_of(None, "0,GPU-1a-2b"))
    seen = [(job.folder / "seen").read_text() for job in sweep.jobs()]
    assert sorted(seen) == ["0", "0", "GPU-1a-2b", "GPU-1a-2b"] and seen[:2] == ["0", "GPU-1a-2b"]
    assert sorted(said) == [f"[{job}] finished" for job in range(4)]


def test_the_slots_of_jobs_and_gpus() -> None:
    assert slots_of(None, None) == (None,) and slots_of(2, None) == (None, None)
    assert slots_of(None, "0, 3") == ("0", "3") and slots_of(3, "0,1") == ("0", "1", "0")
    for gpus in ("", "0,", "0,0", "0;1", "a b"):
        with pytest.raises(UserError, match="the numbers of GPUs with commas between"):
            slots_of(None, gpus)


def test_a_job_whose_process_dies_goes_on_so_many_times(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Job 0 dies once, job 1 always, job 2 ends with an error, and says nothing else."""
    script = """
if folder.name == "1" or (folder.name == "0" and times == 1):
    os.kill(os.getpid(), signal.SIGKILL)
if folder.name == "2":
    sys.exit("no module named gantext")
finish()
"""
    said = run(sweep, monkeypatch, script, None, None)
    begun = [len((job.folder / "begun").read_text()) for job in sweep.jobs()]
    assert begun == [2, RETRIES + 1, 1, 1]
    assert [job["status"] for job in states(sweep)] == [
        "finished",
        "planned",
        "planned",
        "finished",
    ]
    assert "[0] its process died by SIGKILL: it goes on" in said
    assert f"[1] its process died by SIGKILL, the {RETRIES + 1}th time: it is left so" in said
    assert f"[2] planned: its process ended with 1: {sweep.job('2').log}" in said
    assert sweep.job("2").log.read_text() == "no module named gantext\n"


def test_a_job_that_is_lost_with_the_fork_server_begins_again(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own process is told to save, as when this one ends."""
    script = """
if folder.name == "0" and times == 1:
    from gantext.training.tether import end_with_parent
    signal.signal(signal.SIGTERM, lambda *_: sys.exit((folder / "saved").touch()))
    end_with_parent()
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)
finish()
"""
    said = run(sweep, monkeypatch, script, None)
    assert said[0] == "[0] its process is lost: it goes on"
    assert sorted(said[1:]) == [f"[{job}] finished" for job in range(4)]
    until(lambda: (sweep.path / "0" / "saved").exists())


def test_an_error_of_the_engine_lets_the_jobs_save(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
signal.signal(signal.SIGTERM, lambda *_: sys.exit((folder / "saved").touch()))
(folder / "ready").touch()
time.sleep(60)
"""
    act_when(sweep, monkeypatch, 2, lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(sweep, monkeypatch, script, None, None)
    until(lambda: all((sweep.path / job / "saved").exists() for job in "01"))


COMMAND = """
import json, os, signal, sys, time
def main():
    print(json.dumps({
        "words": sys.argv,
        "gpu": os.environ["CUDA_VISIBLE_DEVICES"],
        "leads": os.getsid(0) == os.getpid(),
        "blocked": [*signal.pthread_sigmask(signal.SIG_BLOCK, ())],
        "ignored": [n for n in (1, 2, 15) if signal.getsignal(n) is signal.SIG_IGN],
    }))
    os.system("echo more >&2")
    time.sleep(60)
"""


def test_what_a_forked_command_begins_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes before it can be handled is not lost; one that is ignored stays so."""
    be_the_command(tmp_path, monkeypatch, COMMAND)
    log, changes = tmp_path / "log", {"CUDA_VISIBLE_DEVICES": "7"}
    forkserver._forkserver._stop()
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        forked = warm.forked(["a", "b"], log, changes)
        at_once = warm.forked(["c"], tmp_path / "other", changes)
        at_once.send(signal.SIGTERM)
        until(lambda: log.exists() and log.read_text().endswith("more\n"))
        for number in (signal.SIGHUP, signal.SIGTERM):
            forked.send(number)
        for command in (forked, at_once):
            command.process.join()
            assert command.code == 128 + signal.SIGTERM
    finally:
        signal.signal(signal.SIGHUP, handler)
        forkserver._forkserver._stop()
    first, _, rest = log.read_text().partition("\n")
    begun = {"words": ["gantext", "a", "b"], "gpu": "7", "leads": True, "blocked": []}
    assert json.loads(first) == {**begun, "ignored": [signal.SIGHUP]} and rest == "more\n"


def test_where_no_process_can_be_forked_from_that_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room() -> None:
        raise OSError("AF_UNIX path too long")

    monkeypatch.setattr(forkserver, "ensure_running", no_room)
    with pytest.raises(UserError, match=r"\(TMPDIR\): AF_UNIX path too long"):
        warm.forked([], tmp_path / "log", {})
    assert not {signal.SIGINT, signal.SIGTERM} & signal.pthread_sigmask(signal.SIG_BLOCK, ())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_passed_on_once_and_all_jobs_may_save(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    script = """
def save(number, frame):
    with open(folder / "saved", "a") as file:
        file.write(signal.Signals(number).name)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, save)
(folder / "ready").touch()
while not (folder / "saved").exists():
    time.sleep(0.01)
time.sleep(0.2)
sys.exit(99)
"""
    send_when(sweep, monkeypatch, 2, number)
    with pytest.raises(Stopped) as stopped:
        run(sweep, monkeypatch, script, None, None)
    assert stopped.value.number == number and stopped.value.saved
    assert [(sweep.path / job / "saved").read_text() for job in "01"] == [number.name] * 2
    assert not (sweep.path / "2" / "begun").exists()


def test_the_third_ctrl_c_waits_for_no_job(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n(folder / 'ready').touch()\ntime.sleep(60)"
    )
    send_when(sweep, monkeypatch, 1, signal.SIGINT, signal.SIGINT, signal.SIGINT)
    with pytest.raises(Stopped) as stopped:
        run(sweep, monkeypatch, script, None)
    assert (stopped.value.number, stopped.value.saved) == (signal.SIGINT, False)


def send_when(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch, ready: int, *numbers: signal.Signals
) -> None:
    """Send this process signals when so many jobs are ready."""

    def send() -> None:
        nonlocal numbers
        for number in numbers:
            signal.raise_signal(number)
        numbers = ()

    act_when(sweep, monkeypatch, ready, send)


def act_when(
    sweep: SweepDir, monkeypatch: pytest.MonkeyPatch, ready: int, act: Callable[[], object]
) -> None:
    """Let something happen to this process when so many jobs are ready."""
    update = pool.Board.update

    def both(self: pool.Board, *rest: Any) -> object:
        if len(list(sweep.path.glob("*/ready"))) == ready:
            act()
        return update(self, *rest)

    monkeypatch.setattr(pool.Board, "update", both)


@pytest.fixture(autouse=True)
def handled() -> object:
    """The signals are handled as in the command."""
    with stop_request():
        yield


def test_a_tethered_process_saves_when_its_parent_is_gone(tmp_path: Path) -> None:
    """The pipe is closed as the system closes it however the parent ends."""
    script = f"""
import signal, sys, time
sys.path.insert(0, {str(ROOT)!r})
from gantext.training.tether import end_with_parent
signal.signal(signal.SIGTERM, lambda *_: sys.exit("saved"))
end_with_parent()
print("ready", flush=True)
time.sleep(60)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None and child.stdin is not None and child.stderr is not None
    assert child.stdout.readline() == "ready\n"
    child.stdin.close()
    until(lambda: child.poll() is not None)
    assert child.stderr.read() == "saved\n"
    for stream in (child.stdout, child.stderr):
        stream.close()
