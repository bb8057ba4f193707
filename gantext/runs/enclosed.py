"""A run's folder as a place that may come from a stranger: no link in it is followed."""

import contextlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantext.files import (
    check_at,
    folder_inside,
    names_inside,
    open_inside,
    write_inside,
)
from gantext.records import content
from gantext.records.json_file import JsonFile, T
from gantext.records.rows import Row, read_rows

# A file of a process that was killed while it wrote it: .NAME.PROCESS.partial
HALF_WRITTEN = re.compile(r"\..+\.\d+\.partial")


@dataclass(frozen=True)
class Enclosed:
    """The files below a folder, each named by its whole path.

    Where one of them, or a folder on the way to it, is a symbolic link, a pipe or a device, all
    raise UserError. Writing raises OSError besides.
    """

    root: Path

    def write(self, path: Path, data: bytes) -> None:
        """Replace a file whole or not at all; missing folders are made."""
        write_inside(self.root, path, data)

    def write_json(self, path: Path, document: Any) -> None:
        """Replace a JSON file whole or not at all."""
        self.write(path, json.dumps(document, indent=1, ensure_ascii=False).encode())

    def json(self, path: Path, kind: JsonFile[T]) -> T | None:
        """What a JSON file of a kind holds; None when it is not there."""
        return kind.read(path, self.root)

    def rows(self, path: Path) -> list[Row]:
        """The rows of a file of them; none when it is not there."""
        return read_rows(path, self.root)

    def lines(self, path: Path, limit: int) -> list[str]:
        """The lines of a text file of at most `limit` bytes; none when it is not there."""
        return content.lines(path, limit, self.root)

    def append(self, path: Path, line: str) -> None:
        """Add a line to a file."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        with open(open_inside(self.root, path, flags), "a", encoding="utf-8") as file:
            file.write(line + "\n")

    def size(self, path: Path) -> int:
        """Bytes of a file; 0 when it is not there."""
        try:
            with open(open_inside(self.root, path), "rb") as file:
                return os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return 0

    def cut(self, path: Path, size: int) -> None:
        """Drop what a file has after its first `size` bytes."""
        if self.size(path) > size:
            with open(open_inside(self.root, path, os.O_WRONLY), "ab") as file:
                file.truncate(size)

    def remove(self, path: Path) -> None:
        """Remove a file where it is there; of a link the link."""
        with contextlib.suppress(FileNotFoundError):
            with folder_inside(self.root, path.parent) as place:
                os.unlink(path.name, dir_fd=place)

    def made(self, folder: Path) -> Path:
        """The folder, which is made where it is not there."""
        with folder_inside(self.root, folder, make=True):
            return folder

    def in_folder(self, folder: Path, names: re.Pattern[str]) -> list[Path]:
        """What has a name of this form in a folder, sorted; none where that is not there."""
        found = [folder / name for name in names_inside(self.root, folder) if names.fullmatch(name)]
        if found:
            with folder_inside(self.root, folder) as place:
                for path in found:
                    check_at(place, path)
        return found

    def check(self) -> None:
        """Refuse links and all else that is no file, before the work of writing begins."""
        for folder, folders, names, place in os.fwalk(self.root.resolve(), follow_symlinks=False):
            for name in (*folders, *names):
                check_at(place, Path(folder, name))

    def remove_half_written(self) -> None:
        """Remove the files that killed processes did not write to their ends."""
        for _, _, names, place in os.fwalk(self.root.resolve(), follow_symlinks=False):
            for name in filter(HALF_WRITTEN.fullmatch, names):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=place)
