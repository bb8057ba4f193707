"""Files of named arrays (.npz), of which only what has the expected shape is unpacked."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gantext.errors import UserError

HEADER = 64 * 1024  # bytes before the numbers of an array; numpy's own are 128
# float16, float32 and float64: what else numpy calls floating differs between machines.
WIDTHS = (2, 4, 8)
BROKEN = (
    EOFError,
    KeyError,
    MemoryError,
    NotImplementedError,  # a way of packing that there is no library for
    OSError,
    OverflowError,
    RuntimeError,  # encrypted
    SyntaxError,  # within numpy's own header
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


def read_floats(
    path: Path, shapes: Mapping[str, tuple[int, ...]]
) -> dict[str, NDArray[np.float32]]:
    """One array of float32 for each name in `shapes`, of its shape; others are left unread.

    Raises:
        UserError: the file cannot be read or is damaged; an array is missing, has another shape,
            or holds anything but numbers that are finite in float32.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.removesuffix(".npy") for info in archive.namelist()}
            for name in shapes:
                if name not in names:
                    there = ", ".join(sorted(names)).encode("unicode_escape").decode()
                    raise UserError(f"{path}: no array {name}; it has {there}")
            return {name: _array(path, archive, name, shapes[name]) for name in shapes}
    except zipfile.BadZipFile as error:
        raise UserError(f"{path}: not an .npz file of arrays ({_line(error)})") from error
    except BROKEN as error:
        raise UserError(f"{path}: not a whole .npz file ({_line(error)})") from error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _array(
    path: Path, archive: zipfile.ZipFile, name: str, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    with archive.open(f"{name}.npy") as file:
        found, fortran, kind = _header(file)
        if found != shape:
            raise UserError(f"{path}: {name} has shape {found}, not {shape}")
        if kind.kind != "f" or kind.itemsize not in WIDTHS:
            raise UserError(f"{path}: {name} must hold finite floating-point numbers, not {kind}")
        size = int(np.prod(shape)) * kind.itemsize
        content = file.read(size + 1)
    if len(content) != size:
        raise UserError(f"{path}: {name} has not the {size} bytes that its header tells of")
    numbers = np.frombuffer(content, kind).reshape(shape, order="F" if fortran else "C")
    with np.errstate(over="ignore"):
        array = numbers.astype(np.float32, order="C")
    if not np.isfinite(array).all():
        raise UserError(f"{path}: {name} must hold finite floating-point numbers")
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, "np.dtype[np.generic]"]:
    """(shape, in Fortran's order, type of the numbers) of an array."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0
    if version > (1, 0):
        read = np.lib.format.read_array_header_2_0
    shape, fortran, kind = read(file, max_header_size=HEADER)
    return shape, fortran, kind
