"""Commands of gantext in processes that begin warm: forked from one that has loaded torch.

What every job imports takes each process seconds. multiprocessing's fork server imports it once and
does nothing else: no kernel has run in it, so that it has neither threads nor CUDA by the time
that a process is forked from it. A forked process runs what `python -m gantext` does with the same
words, environment and signals, in a session of its own.
"""

import atexit
import contextlib
import multiprocessing
import os
import pkgutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.process import BaseProcess
from pathlib import Path

from gantext.errors import UserError
from gantext.training.stop import NUMBERS, Mode, listen
from gantext.training.tether import STDIN, opened_log

MAIN = "gantext.__main__:main"  # by its name, as it is for all that stands above
# What is imported before a fork: nothing that looks at the terminal, which a job has not. Other
# systems than Linux have libraries that no fork may use, so that there each process imports anew.
LOADED = (
    (
        "torch._dynamo",  # which torch imports for the first optimiser of a process
        "torch.utils.tensorboard",
        "typer.rich_utils",
        "gantext.training.sweep_jobs",
        "gantext.training.loop",
        "gantext.training.inspection",
    )
    if sys.platform == "linux"
    else ()
)
FORKS = multiprocessing.get_context("forkserver")
LOST = 255  # what multiprocessing has for the exit code when the fork server was killed


@dataclass
class Forked:
    """A command in a process of its own."""

    process: BaseProcess

    @property
    def code(self) -> int | None:
        """Its exit code; a signal's negative number, LOST, or None while it runs."""
        return self.process.exitcode

    def send(self, number: int) -> None:
        """Send it a signal, where it has not ended."""
        if self.code is None and self.process.pid is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended just now
                os.kill(self.process.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)
        self.process.join()


def load() -> None:
    """Begin to import what processes are forked with, if that has not been done; it goes on beside.

    Signals are held back in the server, as in what is forked from it until it can handle them: one
    that is sent to all of a session or of a cgroup leaves it there.

    Raises:
        UserError: it cannot be started, as where there is no room for its socket.
    """
    forkserver.set_forkserver_preload([*LOADED])
    try:
        resource_tracker.ensure_running()  # of which the server has need; it lets signals in again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    except OSError as error:
        why = f"with its socket in {tempfile.gettempdir()} (TMPDIR): {error}"
        raise UserError(f"cannot start the process that jobs are forked from, {why}") from error


def forked(words: Sequence[str], log: Path, changes: Mapping[str, str]) -> Forked:
    """A command in a process of its own, whose stdin ends when this process does.

    Args:
        words: what gantext is given; with `--tethered` it ends, saved, when its stdin does.
        log: what it says is added to this file.
        changes: of its environment.

    Raises:
        UserError: the log cannot be written, or there is no process to be forked from.
    """
    os.close(opened_log(log))
    load()
    process = FORKS.Process(target=_run, args=(MAIN, [*words], log, {**changes}))
    try:
        process.start()
    except (EOFError, OSError) as error:
        raise UserError("the process that jobs are forked from has died") from error
    return Forked(process)


def _run(main: str, words: list[str], log: Path, changes: dict[str, str]) -> None:
    """Be the command, in a process that has just been forked."""
    os.setsid()
    os.environ.update(changes)
    parent = multiprocessing.parent_process()
    assert parent is not None
    os.dup2(parent.sentinel, STDIN)
    said = opened_log(log)
    for number, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(said, number)
        setattr(sys, name, open(number, "w", buffering=1, closefd=False))
    sys.argv = ["gantext", *words]
    listen(Mode.leave)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)
    try:
        pkgutil.resolve_name(main)()
    finally:
        atexit._run_exitfuncs()  # which a forked process leaves out
