"""What a file holds, of a kind whose size has a limit: bytes, text, lines."""

import os
import stat
from pathlib import Path

from gantext.errors import UserError
from gantext.files import attempt, open_inside

MB = 1024 * 1024


class Damaged(UserError):
    """A file that does not hold what one of its kind does.

    Attributes:
        fault: what is wrong with it.
        short: the same after the file's own name, where its folder is known.
    """

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(f"cannot read {path}: {fault}")
        self.fault, self.short = fault, f"{path.name}: {fault}"


def content(path: Path, limit: int, root: Path | None = None) -> bytes | None:
    """The bytes of a file, at most `limit`; None when it is not there.

    Args:
        path: of the file.
        limit: how many bytes it has at most.
        root: the folder that it has to lie in, below which no symbolic link is followed; None:
            links are the user's own.

    Raises:
        UserError: it cannot be read, or a link leads to it.
        Damaged: it is larger, or no regular file.
    """
    with attempt(f"read {path}"):
        try:
            # A pipe in a file's place would be waited for.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(path, flags) if root is None else open_inside(root, path, flags)
        except (FileNotFoundError, NotADirectoryError):
            return None
        with open(descriptor, "rb") as file:
            state = os.fstat(descriptor)
            if not stat.S_ISREG(state.st_mode):
                raise Damaged(path, "it is no regular file")
            if state.st_size > limit:
                raise Damaged(path, f"it is larger than {size(limit)}, the limit for its kind")
            return file.read(state.st_size)  # a run that trains may write more meanwhile


def size(count: int) -> str:
    """Bytes as one reads them: 64 KB, 16 MB."""
    return f"{count // MB:,} MB" if count >= MB else f"{count // 1024} KB"


def decoded(path: Path, data: bytes) -> str:
    """The text of a file that is written in UTF-8. Raises Damaged."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Damaged(path, f"line {line} is not UTF-8") from error


def lines(path: Path, limit: int, root: Path | None = None) -> list[str]:
    """The lines of a text file, each ended by a line feed alone; none when it is not there.

    Raises:
        UserError: as `content`, or it is not UTF-8.
    """
    data = content(path, limit, root)
    return decoded(path, data).removesuffix("\n").split("\n") if data else []
