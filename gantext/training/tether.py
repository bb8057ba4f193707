"""What ends a process together with the one that started it, however that one ended.

The parent holds the other end of the child's stdin. The system closes it when the parent ends, also
by SIGKILL, and on any system; no process has to look at who its parent is.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from gantext.files import open_inside

STDIN = 0
COMMAND = (sys.executable, "-m", "gantext")


def tethered(
    words: Sequence[str], log: Path, place: str | None = None
) -> "subprocess.Popen[bytes]":
    """A process of gantext that ends, saved, when this one does.

    Args:
        words: what it is given, `--tethered` among them.
        log: what it says is added to this file.
        place: the folder that it works in; None: that of this process.
    """
    with open(opened_log(log), "ab") as said:
        return subprocess.Popen(
            [*COMMAND, *words],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            cwd=place,
            start_new_session=True,
        )


def opened_log(log: Path) -> int:
    """A file that what a process says is added to. Raises OSError, and UserError for a link."""
    return open_inside(log.parent, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def end_with_parent() -> None:
    """From now on be ended as by SIGTERM, which saves, when stdin ends."""

    def wait() -> None:
        while os.read(STDIN, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="tether", daemon=True).start()
