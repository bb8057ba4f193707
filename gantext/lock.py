"""A file that one process at a time holds; the system lets go of it however that process ends."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO


class Held(Exception):
    """Another process holds the file; `holder` is its id, as far as it is known."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"held by process {holder}")
        self.holder = holder


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a file, which says by whom. Raises Held when another process does."""
    with open(path, "a+") as file:
        if not any(_taken(file, pause) for pause in (0.0, 0.05, 0.1)):  # `is_held` may be looking
            file.seek(0)
            raise Held(file.read().strip() or "?")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_held(path: Path) -> bool:
    """Whether any process holds the file now."""
    if not path.exists():
        return False
    with open(path) as file:
        return not _taken(file, 0.0)


def _taken(file: IO[str], pause: float) -> bool:
    time.sleep(pause)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
