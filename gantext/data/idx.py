"""IDX files, the format of MNIST, plain or gzipped.

Two zero bytes, a byte for the type of the numbers, a byte for the count of dimensions, the size of
each dimension as four bytes (big-endian), then the numbers (LeCun, Cortes & Burges, "The MNIST
database of handwritten digits").
"""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gantext.errors import UserError

_UNSIGNED_BYTE = 0x08
_CONTENTS = {1: "labels", 3: "pictures"}  # by the count of dimensions

Bytes = npt.NDArray[np.uint8]


def read_labelled(pictures: Path, labels: Path) -> tuple[Bytes, Bytes]:
    """Read pictures (N, H, W) and their labels (N,), both uint8.

    Raises UserError as `read` does, and when there is not one label for each picture.
    """
    found, classes = read(pictures, dimensions=3), read(labels, dimensions=1)
    if len(found) != len(classes):
        raise UserError(
            f"{labels} has {len(classes)} labels for the {len(found)} pictures of {pictures}"
        )
    return found, classes


def read(path: Path, dimensions: int) -> Bytes:
    """Read the bytes of an IDX file with that many dimensions: 1 for labels, 3 for pictures.

    Raises UserError, in one line that names the file, when it cannot be read, is no IDX file, holds
    something else, or more or less than its header says.
    """
    content = _content(path)
    if len(content) < 4 or content[:2] != b"\0\0":
        first = content[:4].hex(" ") or "nothing"
        raise UserError(f"{path} is not an IDX file: it begins with {first}, not with 00 00")
    kind, found = content[2], content[3]
    if kind != _UNSIGNED_BYTE:
        raise UserError(f"{path} holds numbers of type 0x{kind:02x}, not unsigned bytes (0x08)")
    if found != dimensions:
        held, wanted = (_CONTENTS.get(d, f"{d} dimensions") for d in (found, dimensions))
        raise UserError(f"{path} holds {held} where {wanted} are needed")
    header = 4 + 4 * dimensions
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, header, 4)]
    _check_size(path, len(content), header, shape)
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _content(path: Path) -> bytes:
    """The content of a file, unpacked if it begins like a gzip file, whatever it is called."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{path} is a truncated or damaged gzip file: {error}") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error


def _check_size(path: Path, length: int, header: int, shape: list[int]) -> None:
    if length < header:
        raise UserError(f"{path} is truncated: {length} bytes, fewer than its header's {header}")
    said = f"{' x '.join(map(str, shape))} numbers and a header of {header} bytes"
    size = header + math.prod(shape)
    if length < size:
        raise UserError(f"{path} is truncated: {length} of {size} bytes ({said})")
    if length > size:
        raise UserError(f"{path} has {length - size} bytes too many for {said}")
    if size == header:
        raise UserError(f"{path} is empty: {said}")
