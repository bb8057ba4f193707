"""Files that are there whole or not at all."""

import contextlib
import errno
import itertools
import os
import stat
import sys
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from gantext.errors import UserError

STDIN = STDOUT = Path("-")  # as a file that the user names
Pieces = bytes | Iterable[bytes]  # what a file is to hold, at once or one piece after the other
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system says of a disk without room


# What lies in a folder that may come from a stranger, as a run does. The folder itself may be
# reached through a symbolic link, which is the user's; below it none is followed.
LINKLESS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # nor does a pipe in a file's place wait


class NotInside(UserError):
    """A name that does not stay in its folder: a symbolic link, a pipe or a device, or a `..`."""


@contextlib.contextmanager
def folder_inside(root: Path, folder: Path, make: bool = False) -> Iterator[int]:
    """Open a folder that is `root` or below it, for calls that take `dir_fd`.

    Args:
        make: whether missing ones below `root` are made.

    Raises:
        UserError: a part of its name below `root` is a symbolic link, or leads out of `root`.
        OSError: it is not there, or no folder.
    """
    parts = () if folder == root else folder.relative_to(root).parts
    place, path = os.open(root, os.O_RDONLY | os.O_DIRECTORY), root
    try:
        for part in parts:
            path = path / part
            if part == "..":
                raise NotInside(f"{folder} leads out of {root}")
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=place)
            outer, place = place, _open_at(place, path, os.O_RDONLY | os.O_DIRECTORY)
            os.close(outer)
        yield place
    finally:
        os.close(place)


def open_inside(root: Path, path: Path, flags: int = os.O_RDONLY) -> int:
    """Open a file below `root`, as os.open does; the one that is there must be a regular file.

    Raises:
        UserError: it, or a folder on the way to it, is a symbolic link, a pipe or a device.
        OSError: it is not there.
    """
    with folder_inside(root, path.parent) as place:
        return _open_at(place, path, flags)


def below(root: Path) -> Callable[[str, int], int]:
    """`open_inside` as the `opener` of Python's own open."""
    return lambda name, flags: open_inside(root, Path(name), flags)


def _open_at(place: int, path: Path, flags: int) -> int:
    """Open the last part of a path in the folder that is open as `place`."""
    check_at(place, path)
    try:
        return os.open(path.name, flags | LINKLESS, 0o666, dir_fd=place)
    except OSError:
        check_at(place, path)  # it may have become a link meanwhile
        raise


def check_at(place: int, path: Path) -> None:
    """Refuse what is neither a file nor a folder in the folder `place`. Raises UserError."""
    try:
        mode = os.lstat(path.name, dir_fd=place).st_mode
    except OSError:  # not there: what is done with it says so
        return
    if stat.S_ISLNK(mode):
        raise NotInside(f"{path} is a symbolic link: nothing in a run is reached through one")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise NotInside(f"{path} is neither a file nor a folder")


def names_inside(root: Path, folder: Path) -> list[str]:
    """The names in a folder below `root`, sorted; none where it is not there. Raises UserError."""
    try:
        with folder_inside(root, folder) as place:
            return sorted(os.listdir(place))
    except (FileNotFoundError, NotADirectoryError):
        return []


def write_inside(root: Path, path: Path, data: bytes) -> None:
    """Replace a file below `root` whole or not at all; missing folders are made.

    Raises:
        UserError: as `open_inside`.
        OSError: it cannot be written.
    """
    with folder_inside(root, path.parent, make=True) as place:
        check_at(place, path)
        _replace_at(place, path.name, data)


def _replace_at(place: int, name: str, data: Pieces) -> None:
    temporary = f".{name}.{os.getpid()}.partial"
    try:
        with contextlib.suppress(FileNotFoundError):  # of a killed process that had this number
            os.unlink(temporary, dir_fd=place)
        write_synced(place, temporary, data)
        os.replace(temporary, name, src_dir_fd=place, dst_dir_fd=place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=place)


def write_synced(place: int, name: str, data: Pieces) -> None:
    """Write a new file in the folder that is open as `place`; wait until the disk has it.

    Args:
        place: the folder.
        name: of the file.
        data: its content, or the pieces of it.
    """
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666, dir_fd=place)
    with open(descriptor, "wb") as file:
        file.writelines(_pieces(data))
        file.flush()
        os.fsync(descriptor)


def _pieces(data: Pieces) -> Iterable[bytes]:
    return (data,) if isinstance(data, bytes) else data


def write_atomic(path: Path, data: Pieces) -> None:
    """Replace a file, by all of it or by its pieces, whole or not at all; missing folders are made.

    Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with folder_inside(path.parent, path.parent) as place:
        _replace_at(place, path.name, data)


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


def made(folder: Path) -> Path:
    """The folder, which is made where it is not there. Raises UserError."""
    with attempt(f"make the folder {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def free(folder: Path) -> Path:
    """The folder, or with -2, -3, ... after it, so that it is a new one."""
    numbered = (folder.with_name(f"{folder.name}-{n}") for n in itertools.count(2))
    return next(path for path in itertools.chain([folder], numbered) if not path.exists())


# What the user names as output.
def write_output(path: Path, data: Pieces) -> None:
    """Write to what the user named. Raises UserError, and what making a piece raises.

    A file is replaced whole or not at all, the one that a symbolic link points to in its place;
    "-" is stdout; a pipe or a character device is written into, piece by piece.
    """
    with attempt(f"write {path}"):
        if is_stdout(path):
            sys.stdout.flush()
            _pour(data, sys.stdout.buffer)
            return
        check_output(path)
        if is_stream(path):
            with open(path, "wb") as stream:
                _pour(data, stream)
        else:
            write_atomic(Path(os.path.realpath(path)), data)


def _pour(data: Pieces, stream: BinaryIO) -> None:
    steered = stream.isatty()
    for piece in _pieces(data):
        text = visible(piece.decode(errors="backslashreplace")) if steered else ""
        stream.write(text.encode() if steered else piece)
        stream.flush()


def is_stdout(path: Path) -> bool:
    """Whether a path is this process's stdout: "-", or a name of it such as /dev/stdout."""
    if path == STDOUT:
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:  # no such file, or no stdout
        return False


def is_stream(path: Path) -> bool:
    """Whether a path is a pipe or a character device."""
    return path.exists() and _is_stream(path.stat().st_mode)


def _is_stream(mode: int) -> bool:
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def check_output(path: Path) -> None:
    """Refuse a path that no file can be written to, before the work for it. Raises UserError."""
    if is_stdout(path):
        return
    real = Path(os.path.realpath(path))
    mode = real.stat().st_mode if real.exists() else stat.S_IFREG
    if not (stat.S_ISREG(mode) or _is_stream(mode)) or not real.parent.is_dir():
        raise UserError(f"cannot write {path}: not a file in a folder that is there")


# Text that may come from a stranger.
STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # categories of control and format characters


def visible(text: str) -> str:
    """The text with what steers a terminal, or turns text around, as escapes such as \\x1b.

    New lines and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join(ascii(c)[1:-1] if c not in "\n\t" and is_steering(c) else c for c in text)


def is_steering(character: str) -> bool:
    """Whether it is a control or format character rather than a letter, mark or sign."""
    return unicodedata.category(character) in STEERING


# A file that one process at a time holds; the system lets go of it however that process ends.
LOCKED_BYTE = 1 << 30  # on Windows none else reads a locked byte: one behind the holder's id


class Held(Exception):
    """Another process holds the file; `holder` is its id, as far as it is known."""

    def __init__(self, holder: str) -> None:
        super().__init__(f"held by process {holder}")
        self.holder = holder


@contextlib.contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a file, which says by whom.

    Raises:
        Held: another process holds it.
        UserError: it cannot be written, or is a symbolic link.
    """
    with attempt(f"write {path}"):
        descriptor = open_inside(path.parent, path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
    with open(descriptor, "a+") as file:
        if not any(_taken(file, pause) for pause in (0.0, 0.05, 0.1)):  # `is_held` may be looking
            file.seek(0)
            raise Held(file.read().strip() or "?")
        with contextlib.suppress(OSError):  # on a full disk it is held too, nobody knows by whom
            file.truncate(0)
            os.write(file.fileno(), str(os.getpid()).encode())
        yield


def is_held(path: Path) -> bool:
    """Whether any process holds the file now."""
    try:
        descriptor = open_inside(path.parent, path)
    except FileNotFoundError:
        return False
    with open(descriptor) as file:
        return not _taken(file, 0.0)


def _taken(file: IO[str], pause: float) -> bool:
    time.sleep(pause)
    try:
        _lock(file.fileno())
    except OSError:
        return False
    return True


def _lock(descriptor: int) -> None:
    """Take an open file for its process until it is closed. Raises OSError where another has it."""
    if sys.platform == "win32":  # which has no fcntl
        import msvcrt

        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
