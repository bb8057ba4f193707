"""The text of a file, however it is packed and encoded: what it holds decides, not its name.

It is read in pieces, and no more of it than is allowed. A pipe can be read only once, so it will do
for what a command line names, and not for data, which a resume reads again.
"""

import bz2
import codecs
import gzip
import importlib
import io
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from gantext.data.memory import available, size
from gantext.errors import UserError
from gantext.files import STDIN, attempt

MOST = 4 * 2**30  # bytes, unpacked, of a file that no data config bounds, such as one of samples
# Of all memory a file may be one part of so many: its words, each an object, take ten times more.
SHARE = 8
# Text is packed to a tenth, the same line over and over to a hundredth; what unpacks to more than
# this many times its size, once that is some bytes, was made to fill memory.
UNPACKS, UNSUSPECTED = 200, 1 << 26
PIECE = 1 << 20  # bytes read at once
ZEROS = bytes(8)  # more than stand in a row in a text of any encoding

# How the content of packed files begins. gzip's own mark of two bytes is no UTF-8 text.
PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
BZ2_BLOCK = b"1AY&SY"  # after "BZh" and a digit: a text may begin with these three letters too
SUFFIXES = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zst": "zstd"}
NOT_TEXT = {
    b"PK\x03\x04": "a zip archive",
    b"PAR1": "a Parquet file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"%PDF-": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
}
# UTF-32 before UTF-16, whose mark is the beginning of its own.
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")


class _Pipe(io.RawIOBase):
    """What comes out of a pipe, with its beginning, which was looked at before."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a part of the buffer; how many bytes, 0 at the end."""
        piece = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


def read_text(path: Path, notes: list[str], most: int = MOST, pipes: bool = False) -> str:
    """The text of a file, or a pipe if allowed, unpacked and decoded, with "\\n" for line ends.

    UTF-8, or UTF-16 and UTF-32 with and without a mark; plain, gzip, bz2, xz or zstd. What was not
    as a plain UTF-8 file has it goes to `notes`. Raises UserError, in one line that names the file,
    when it is missing, unreadable, damaged, empty, no such text, or holds more than `most` bytes.
    """
    return read_utf8(path, notes, most, pipes).decode()


def read_utf8(path: Path, notes: list[str], most: int = MOST, pipes: bool = False) -> bytes:
    """As `read_text`, but left in UTF-8, which takes less memory. Raises UserError as it does."""
    data = _joined(path, _of_text(_pieces(path, most, pipes)))
    found = next((what for mark, what in NOT_TEXT.items() if data.startswith(mark)), None)
    if found:
        raise UserError(f"{path}: this is {found}, not lines of text")
    return _with_line_ends(path, _in_utf8(path, data, notes), notes)


def read_bytes(path: Path, most: int = MOST) -> bytes:
    """The content of a file, unpacked. Raises UserError as `read_text` does."""
    return _joined(path, _pieces(path, most, pipes=False))


def _joined(path: Path, pieces: Iterator[bytes]) -> bytes:
    data = b"".join(pieces)
    if not data:
        raise UserError(f"{path}: the file is empty")
    return data


def _pieces(path: Path, most: int, pipes: bool) -> Iterator[bytes]:
    """The content of a file, unpacked, piece by piece."""
    with attempt(f"read {path}"), _opened(path, pipes) as file:
        packed = os.fstat(file.fileno()).st_size if file.seekable() else None
        taken = packed or 0  # on the disk: no text takes less unpacked
        bound, why = _bound(most, packed)
        read, unpacked = _reader(path, file), 0
        while taken <= bound and (piece := read(PIECE)):
            unpacked += len(piece)
            taken = max(taken, unpacked)
            yield piece
        if taken > bound:
            raise UserError(f"{path}: it holds more than {size(bound)}, {why}")


def _bound(most: int, packed: int | None) -> tuple[int, str]:
    """How many bytes are read of what is so large on the disk (None: a pipe), and why no more."""
    memory = available()
    bounds = [
        (most, "which data.max_bytes allows"),
        (memory.total // SHARE, f"1/{SHARE} of the {memory}"),
    ]
    if packed is not None:
        most_unpacked = max(UNSUSPECTED, UNPACKS * packed)
        bounds.append((most_unpacked, f"{UNPACKS} times what it is packed to"))
    return min(bounds)


def _opened(path: Path, pipes: bool) -> BinaryIO:
    """Open a file, or a pipe, a terminal or stdin if those are allowed. Raises UserError."""
    if pipes and path == STDIN:
        return open(0, "rb", closefd=False)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):  # of a folder open() says that it is one
        return path.open("rb")
    if not pipes:
        raise UserError(f"{path}: not a regular file, but a pipe or a device")
    file = path.open("rb")
    if stat.S_ISFIFO(mode) or file.isatty():
        return file
    file.close()
    raise UserError(f"{path}: not a file or a pipe, but a device")


def _of_text(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces up to the first that cannot be text: what follows may be gigabytes of zeros."""
    for piece in pieces:
        yield piece
        if ZEROS in piece:
            return


def _reader(path: Path, file: BinaryIO) -> Callable[[int], bytes]:
    """What reads the next bytes of a file's content, unpacked; UserError where it is damaged."""
    head = file.read(16)
    if file.seekable():
        file.seek(0)
    else:
        file = io.BufferedReader(_Pipe(head, file), PIECE)
    packing = _packing(head) or (SUFFIXES.get(path.suffix) if head else None)
    if packing is None:
        return file.read
    try:
        return _unpacking(path, packing, UNPACK[packing](file).read)
    except ImportError:
        raise UserError(
            f"{path}: packed with zstd, which needs pyarrow: pip install 'gantext[parquet]'"
        ) from None


def _unpacking(path: Path, packing: str, read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def unpacked(count: int) -> bytes:
        try:
            return read(count)
        # Each library has its own errors for a content that is cut or is none of its own.
        except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise UserError(f"{path}: damaged {packing} file ({error})") from error

    return unpacked


def _packing(data: bytes) -> str | None:
    found = next((name for mark, name in PACKED.items() if data.startswith(mark)), None)
    return None if found == "bz2" and data[4:10] != BZ2_BLOCK else found


def _open_zstd(file: BinaryIO) -> Any:
    return importlib.import_module("pyarrow").input_stream(file, compression="zstd")


# What makes a file of unpacked content of one of packed content.
UNPACK: dict[str, Callable[[BinaryIO], Any]] = {
    "gzip": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
    "zstd": _open_zstd,
}


def _in_utf8(path: Path, data: bytes, notes: list[str]) -> bytes:
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
    encoding = marked or _unmarked(data)
    if encoding == "utf-8" and 0 not in data and _fits(data, encoding):
        return data
    text = _decoded(path, data, encoding)
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"{path}: read as {encoding.upper()}")
    return text.encode()


def _decoded(path: Path, data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        number = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise UserError(
            f"{path}: line {number} is not {name} text (byte {byte:02x}): convert the file, "
            "e.g. iconv -f ENCODING -t UTF-8"
        ) from error
    if "\0" in text:
        number = text.count("\n", 0, text.index("\0")) + 1
        raise UserError(f"{path}: line {number} holds a zero byte: this is not text")
    return text


def _unmarked(data: bytes) -> str:
    """The encoding of a text without a mark: zero bytes stand in UTF-16 and UTF-32 only.

    Among these the right one is that in which the most spaces, line ends and other ASCII come out.
    A few zero bytes in what is UTF-8 otherwise are damage.
    """
    zeros = data.count(0)
    if not zeros or (zeros * 4 < len(data) and _fits(data, "utf-8")):
        return "utf-8"
    plain = {name: _plain_characters(data, name) for name in WIDE}
    best = max(plain, key=lambda name: plain[name])
    return best if plain[best] else "utf-8"


def _plain_characters(data: bytes, encoding: str) -> int:
    """How many ASCII characters a text has; 0 where it cannot be one of this encoding."""
    text = data.decode(encoding) if _fits(data, encoding) else "\0"
    return 0 if "\0" in text else len(text.encode("ascii", "ignore"))


def _fits(data: bytes, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for first in range(0, len(data), PIECE):  # the whole text could take four times as much
            decoder.decode(data[first : first + PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _with_line_ends(path: Path, data: bytes, notes: list[str]) -> bytes:
    if b"\r" not in data:
        return data
    data = data.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n")
    if old := data.count(b"\r"):
        notes.append(f"{path}: {old} carriage returns alone were read as line ends")
    return data.replace(b"\r", b"\n")
