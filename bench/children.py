"""Processes of their own: the CPU seconds that one has taken, and what it said."""

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


def ended(words: list[str], folder: Path) -> Ended:
    """Run `python WORDS` in a folder.

    Raises:
        RuntimeError: it fails.
    """
    environment = {key: value for key, value in os.environ.items() if key[:8] != "GANTEXT_"}
    environment |= {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / ".cache")}
    with open(folder / "said.txt", "w+b") as file:
        child = subprocess.Popen(
            [sys.executable, *words],
            cwd=folder,
            env=environment,
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
