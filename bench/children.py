"""Processes of their own: the CPU seconds that one has taken, and what it said."""

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Ended:
    """seconds: of CPU time. said: on stdout and stderr."""

    seconds: float
    said: str


def environment(folder: Path) -> dict[str, str]:
    """Of a child, without this process's settings of gantext."""
    kept = {key: value for key, value in os.environ.items() if key[:8] != "GANTEXT_"}
    return kept | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")}


def seconds_until(mark: bytes, words: list[str], folder: Path) -> float:
    """CPU seconds of `python WORDS` until its terminal shows some bytes; then it is killed.

    Raises:
        RuntimeError: it never does.
    """
    ours, theirs = os.openpty()
    child = subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError), open(ours, "rb", buffering=0) as terminal:
        while mark not in shown and (more := terminal.read(1024)):
            shown += more
        child.kill()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if mark not in shown:
        raise RuntimeError(f"{' '.join(words)}: {shown.decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime


def ended(words: list[str], folder: Path) -> Ended:
    """Run `python WORDS` in a folder.

    Raises:
        RuntimeError: it fails.
    """
    with open(folder / "said.txt", "w+b") as file:
        child = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        said = file.read().decode(errors="replace")
    if child.returncode:
        raise RuntimeError(f"{' '.join(words)}: {said}")
    return Ended(usage.ru_utime + usage.ru_stime, said)
