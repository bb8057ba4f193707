"""Files that are there whole or not at all."""

import contextlib
import errno
import fcntl
import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from gantext.errors import UserError

STDOUT = Path("-")  # as a file that the user names
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system says of a disk without room


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_atomic(path: Path, data: bytes) -> None:
    """Replace a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        write_synced(temporary, data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def attempt(deed: str) -> Iterator[None]:
    """Say in one line why a deed with files, such as 'write a.png', failed.

    Raises:
        UserError: for an OSError of the block: 'cannot write a.png: No space left on device'.
    """
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot {deed}: {error.strerror}") from error


def write_output(path: Path, data: bytes) -> None:
    """Write to what the user named. Raises UserError.

    A file is replaced whole or not at all, the one that a symbolic link points to in its place;
    "-" is stdout; what is no file, as a pipe or a device, is written into.
    """
    with attempt(f"write {path}"):
        if is_stdout(path):
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        elif is_stream(path):
            path.write_bytes(data)
        else:
            write_atomic(Path(os.path.realpath(path)), data)


def is_stdout(path: Path) -> bool:
    """Whether a path is this process's stdout: "-", or a name of it such as /dev/stdout."""
    if path == STDOUT:
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:  # no such file, or no stdout
        return False


def is_stream(path: Path) -> bool:
    """Whether a path is there and no file, as a pipe or a device is."""
    return path.exists() and not stat.S_ISREG(path.stat().st_mode)


def check_output(path: Path) -> None:
    """Refuse a path that no file can be written to, before the work for it. Raises UserError."""
    if path.is_dir() or not Path(os.path.realpath(path)).parent.is_dir():
        raise UserError(f"cannot write {path}: not a file in a folder that is there")


def write_json(path: Path, document: Any) -> None:
    """Replace a JSON file whole or not at all."""
    write_atomic(path, json.dumps(document, indent=1, ensure_ascii=False).encode())


def read_json(path: Path, default: Any) -> Any:
    """Read a JSON file; `default` when it is not there. Raises UserError when it is damaged."""
    if not path.is_file():
        return default
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def sync_folder(folder: Path) -> None:
    """Wait until the disk has a folder's entries."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# A file that one process at a time holds; the system lets go of it however that process ends.
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
        with contextlib.suppress(OSError):  # on a full disk it is held too, nobody knows by whom
            file.truncate(0)
            os.write(file.fileno(), str(os.getpid()).encode())
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
