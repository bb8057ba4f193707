"""Commands in processes of their own that start in milliseconds, so that they can be killed."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tests.conftest import Result, environment

# Imports all that commands may need once, what jobs are forked with among it, then forks a process
# for each command: only the commands are killed. It has one thread, since others would not be in
# its forks, and has not asked for GPUs, whose state is no child's. A signal that it was started to
# ignore, as in the background of a shell, is not ignored by the commands.
FORKER = """
import contextlib, glob, importlib, json, os, pkgutil, signal, sys
import gantext, torch
for module in pkgutil.walk_packages(gantext.__path__, "gantext."):
    importlib.import_module(module.name)
from gantext.training.warm import LOADED
for name in LOADED:
    importlib.import_module(name)
for name in ("nltk", "sacrebleu", "PIL.PngImagePlugin", "sklearn.datasets"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
threads = [open(path).read().strip() for path in glob.glob("/proc/self/task/*/comm")]
others = [name for name in threads[1:] if name != "jemalloc_bg_thd"]  # which knows of forks
assert not others, f"a fork would lack {others}"
assert not torch.cuda.is_initialized()
print("ready", flush=True)
for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        os.chdir(order["cwd"])
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
        sys.argv = ["gantext", *order["words"]]
        from gantext.__main__ import main
        main()
    print(child, flush=True)
    sys.stdin.readline()  # asked for its end; until then its number is no other process's
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Child:
    """A command that runs in a process of its own."""

    def __init__(self, forker: "Forker", number: int, out: Path, err: Path) -> None:
        self.forker, self.number, self.out, self.err = forker, number, out, err

    def kill(self, number: int) -> int:
        """Send it a signal, after its end too; its exit code, or the signal's negative number."""
        os.kill(self.number, number)
        return self.wait()

    def wait(self) -> int:
        """What it ended with."""
        print(file=_pipe(self.forker.process.stdin), flush=True)
        return int(self.forker.line())

    @property
    def said(self) -> str:
        """All that it has printed until now."""
        paths = dict.fromkeys((self.out, self.err))
        return "".join(path.read_text() for path in paths if path.exists())

    def result(self) -> Result:
        """What came of it, as of `cli`."""
        return Result(self.wait(), self.out.read_text(), self.err.read_text())


class Forker:
    """Starts commands quickly, one at a time, in this environment but for `changes`."""

    def __init__(self, **changes: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", FORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(**changes),
        )
        assert self.line() == "ready"

    def line(self) -> str:
        """The next thing that it says."""
        return _pipe(self.process.stdout).readline().strip()

    def start(self, cwd: Path, *words: str, apart: bool = False) -> Child:
        """Begin a command in a folder; `apart`: with stdout and stderr in files of their own."""
        out = cwd / f"said-{time.monotonic_ns()}.txt"
        err = out.with_suffix(".err") if apart else out
        order = {"cwd": str(cwd), "words": words, "out": str(out), "err": str(err)}
        print(json.dumps(order), file=_pipe(self.process.stdin), flush=True)
        return Child(self, int(self.line()), out, err)

    def close(self) -> None:
        """End it."""
        _pipe(self.process.stdin).close()
        self.process.wait(60)


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def rows(run: Path) -> int:
    """How many reports a run has written."""
    path = run / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait; a minute at most, or so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited for {seconds:g} seconds"
        time.sleep(0.0005)
