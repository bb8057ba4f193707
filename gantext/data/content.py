"""The text of a file, however it is packed and encoded: what it holds decides, not its name."""

import bz2
import codecs
import gzip
import importlib
import io
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

from gantext.errors import UserError
from gantext.files import attempt

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


def read_text(path: Path, notes: list[str]) -> str:
    """The text of a file, unpacked and decoded, with "\\n" for every line end.

    UTF-8, or UTF-16 and UTF-32 with and without a mark; plain, gzip, bz2, xz or zstd. What was not
    as a plain UTF-8 file has it goes to `notes`. Raises UserError, in one line that names the file,
    when it is missing, unreadable, damaged, empty or no such text.
    """
    data = read_bytes(path)
    found = next((what for mark, what in NOT_TEXT.items() if data.startswith(mark)), None)
    if found:
        raise UserError(f"{path}: this is {found}, not lines of text")
    return _with_line_ends(path, _decoded(path, data, notes), notes)


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked. Raises UserError as `read_text` does."""
    with attempt(f"read {path}"):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise UserError(f"{path}: no such file") from None
    data = _unpacked(path, data) if data else data
    if not data:
        raise UserError(f"{path}: the file is empty")
    return data


def _unpacked(path: Path, data: bytes) -> bytes:
    packing = _packing(data) or SUFFIXES.get(path.suffix)
    if packing is None:
        return data
    try:
        return UNPACK[packing](data)
    except ImportError:
        raise UserError(
            f"{path}: packed with zstd, which needs pyarrow: pip install 'gantext[parquet]'"
        ) from None
    # Each library has its own errors for a content that is cut or is none of its own.
    except (EOFError, OSError, ValueError, zlib.error, lzma.LZMAError) as error:
        raise UserError(f"{path}: damaged {packing} file ({error})") from error


def _packing(data: bytes) -> str | None:
    found = next((name for mark, name in PACKED.items() if data.startswith(mark)), None)
    return None if found == "bz2" and data[4:10] != BZ2_BLOCK else found


def _unpack_zstd(data: bytes) -> bytes:
    pyarrow = importlib.import_module("pyarrow")
    content: bytes = pyarrow.input_stream(io.BytesIO(data), compression="zstd").read()
    return content


UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "bz2": bz2.decompress,
    "xz": lzma.decompress,
    "zstd": _unpack_zstd,
}


def _decoded(path: Path, data: bytes, notes: list[str]) -> str:
    marked = next((name for mark, name in MARKS.items() if data.startswith(mark)), None)
    encoding = marked or _unmarked(data)
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
    if encoding not in ("utf-8", "utf-8-sig"):
        notes.append(f"{path}: read as {encoding.upper()}")
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
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _with_line_ends(path: Path, text: str, notes: list[str]) -> str:
    if "\r" not in text:
        return text
    text = text.replace("\r\r\n", "\n").replace("\r\n", "\n")
    if old := text.count("\r"):
        notes.append(f"{path}: {old} carriage returns alone were read as line ends")
    return text.replace("\r", "\n")
