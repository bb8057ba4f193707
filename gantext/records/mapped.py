"""Files of facts and arrays, of which only what is looked at comes into memory.

In this order: a mark, the length of the header (8 bytes, little-endian), the header as JSON, the
arrays, each from a multiple of 64 bytes on, and the SHA-256 of all that.
"""

import hashlib
import json
import mmap
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Generic, Literal, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from gantext.files import attempt, write_atomic
from gantext.records.content import Damaged
from gantext.records.json_file import fitting, parsed
from gantext.records.shape import Whole

T = TypeVar("T", bound=Mapping[str, Any])

MARK = b"gantext-arrays-1"
ALIGNED = 64
HEAD = len(MARK) + 8
DIGEST = hashlib.sha256().digest_size
PIECE = 1 << 20  # bytes read at once


class ArrayRecord(TypedDict):
    """An array of one dimension: its numbers, how many, and where they begin behind the header."""

    kind: Literal["uint8", "uint16", "uint32", "int32", "int64"]
    size: Whole
    start: Whole


class Header(TypedDict):
    """What stands before the arrays; the facts are of the shape that a `MappedFile` names."""

    arrays: dict[str, ArrayRecord]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Column:
    """An array of `size` numbers of a kind that is written piece by piece."""

    kind: np.dtype[Any]
    size: int
    pieces: Iterable[NDArray[Any]]


@dataclass(frozen=True)
class MappedFile(Generic[T]):
    """A kind of such files.

    Attributes:
        shape: the `TypedDict` of the facts.
    """

    shape: type[T]

    def write(self, path: Path, facts: T, columns: Mapping[str, Column]) -> None:
        """Replace a file whole or not at all. Raises OSError."""
        write_atomic(path, _content(facts, columns))

    def read(self, path: Path) -> tuple[T, dict[str, NDArray[Any]]] | None:
        """The facts, and the arrays by their names, which can only be read; None: no such file.

        Raises:
            UserError: it cannot be read.
            Damaged: it is no such file, or not as it was written.
        """
        with attempt(f"read {path}"):
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except FileNotFoundError:
                return None
            with open(descriptor, "rb") as file:
                _check(path, file)
                held = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        first = HEAD + int.from_bytes(held[len(MARK) : HEAD], "little")
        header = fitting(path, Header, parsed(path, held[HEAD:first]))
        arrays = {name: _array(path, held, first, one) for name, one in header["arrays"].items()}
        return fitting(path, self.shape, header["facts"]), arrays


def _content(facts: Mapping[str, Any], columns: Mapping[str, Column]) -> Iterator[bytes]:
    """All that a file holds, piece by piece."""
    digest = hashlib.sha256()
    for piece in _pieces(facts, columns):
        digest.update(piece)
        yield piece
    yield digest.digest()


def _pieces(facts: Mapping[str, Any], columns: Mapping[str, Column]) -> Iterator[bytes]:
    records, start = {}, 0
    for name, column in columns.items():
        size = column.size * column.kind.itemsize
        records[name] = {"kind": column.kind.name, "size": column.size, "start": start}
        start += size + _gap(size)
    header = json.dumps({"arrays": records, "facts": facts}).encode()
    header += b" " * _gap(HEAD + len(header))
    yield MARK + len(header).to_bytes(8, "little") + header
    for column in columns.values():
        yield from (piece.tobytes() for piece in column.pieces)
        yield bytes(_gap(column.size * column.kind.itemsize))


def _gap(size: int) -> int:
    """Bytes up to the next multiple."""
    return -size % ALIGNED


def _check(path: Path, file: IO[bytes]) -> None:
    """Hold the file against its own digest. Raises Damaged."""
    state = os.fstat(file.fileno())
    left = state.st_size - DIGEST
    if not stat.S_ISREG(state.st_mode) or left < HEAD or file.read(len(MARK)) != MARK:
        raise Damaged(path, "it is no file of arrays")
    digest, left = hashlib.sha256(MARK), left - len(MARK)
    while left and (piece := file.read(min(PIECE, left))):
        digest.update(piece)
        left -= len(piece)
    if file.read() != digest.digest():
        raise Damaged(path, "it is not as it was written: its checksum differs")


def _array(path: Path, held: mmap.mmap, first: int, record: ArrayRecord) -> NDArray[Any]:
    kind, start = np.dtype(record["kind"]), first + record["start"]
    if start + record["size"] * kind.itemsize > len(held) - DIGEST:
        raise Damaged(path, "an array ends behind it")
    return np.frombuffer(held, kind, record["size"], start)
