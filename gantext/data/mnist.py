"""MNIST: 28 x 28 grey pictures of handwritten digits, from the four original IDX files."""

import enum
import gzip
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gantext.data.download import Remote, find, locate
from gantext.data.ranges import RowsOrNone, Seed
from gantext.errors import UserError
from gantext.files import attempt

if TYPE_CHECKING:
    from gantext.data.gallery import Gallery, PictureSplit


CLASSES = tuple("0123456789")
PIXELS = 28
# Bytes of the original files, by their sha256.
SIZES = {
    "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609": 9_912_422,
    "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c": 28_881,
    "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6": 1_648_877,
    "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6": 4_542,
}


class Part(enum.Enum):
    """Which of the two parts of MNIST to train on."""

    train = "train"
    t10k = "t10k"


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/mnist.yaml."""

    name: str
    split: Part
    folder: str
    url: str
    train_images_sha256: str
    train_labels_sha256: str
    t10k_images_sha256: str
    t10k_labels_sha256: str
    validation_size: RowsOrNone
    test_size: RowsOrNone
    seed: Seed


def files(cfg: Config) -> tuple[Remote, ...]:
    """Return pictures and labels of `train`, if they are trained on, and then of `t10k`."""
    t10k = (
        _remote(cfg, "t10k-images", 3, cfg.t10k_images_sha256),
        _remote(cfg, "t10k-labels", 1, cfg.t10k_labels_sha256),
    )
    if cfg.split is Part.t10k:
        return t10k
    hint = (
        "data.split=t10k trains on the test files, which are there" if all(map(find, t10k)) else ""
    )
    train = (
        _remote(cfg, "train-images", 3, cfg.train_images_sha256, hint),
        _remote(cfg, "train-labels", 1, cfg.train_labels_sha256, hint),
    )
    return train + t10k


def _remote(cfg: Config, part: str, dimensions: int, sha256: str, hint: str = "") -> Remote:
    """One of the files, whether as it is downloaded or as others leave it.

    torchvision unpacks it in a folder MNIST/raw; Kaggle writes a dot for a hyphen, and has each
    file in a folder of its name.
    """
    plain, dotted = f"{part}-idx{dimensions}-ubyte", f"{part}.idx{dimensions}-ubyte"
    name = f"{plain}.gz"
    unpacked = (plain, dotted, f"{plain}/{plain}", f"{dotted}/{dotted}", f"{plain}/{dotted}")
    torchvision = (f"MNIST/raw/{plain}", f"MNIST/raw/{name}")
    others = tuple(f"{cfg.folder}/{other}" for other in (*unpacked, *torchvision))
    url = f"{cfg.url.rstrip('/')}/{name}" if cfg.url else ""
    return Remote(f"{cfg.folder}/{name}", url, sha256, others, hint, SIZES.get(sha256, 0))


def load_pictures(cfg: Config) -> "Gallery":
    """Find or download the files and split them.

    split=train: all of t10k is the test split, as the papers have it. split=t10k: `test_size`
    pictures of t10k are held out for test, so that no test picture is trained on. Validation
    pictures are held out of those to train on.
    Raises UserError when a file cannot be had, is damaged or is not MNIST.
    """
    from gantext.data.gallery import build_gallery, hold_out

    wanted = files(cfg)
    parts = [_read(*pair) for pair in zip(wanted[::2], wanted[1::2], strict=True)]
    if cfg.split is Part.train:
        train, validation, _ = hold_out(parts[0], cfg.validation_size, 0, cfg.seed)
        return build_gallery(cfg.name, train, validation, parts[1], classes=CLASSES)
    splits = hold_out(parts[0], cfg.validation_size, cfg.test_size, cfg.seed)
    note = f"split=t10k: {cfg.test_size} of {len(parts[0])} pictures held out for test"
    return build_gallery(cfg.name, *splits, classes=CLASSES, notes=[note])


def _read(images: Remote, labels: Remote) -> "PictureSplit":
    from gantext.data.gallery import labelled

    paths = locate(images), locate(labels)
    pictures, classes = read_labelled(*paths)
    if pictures.shape[1:] != (PIXELS, PIXELS):
        sides = " x ".join(map(str, pictures.shape[1:]))
        raise UserError(f"{paths[0]} has pictures of {sides} pixels, not {PIXELS} x {PIXELS}")
    wrong = np.flatnonzero(classes >= len(CLASSES))
    if len(wrong):
        row = f"label {wrong[0] + 1} of {len(classes)}"
        raise UserError(f"{paths[1]}: {row} is {classes[wrong[0]]}, not 0 to 9")
    return labelled(pictures, classes)


# IDX files, the format of MNIST, plain or gzipped.
#
# Two zero bytes, a byte for the type of the numbers, a byte for the count of dimensions, the size
# of each dimension as four bytes (big-endian), then the numbers (LeCun, Cortes & Burges, "The
# MNIST database of handwritten digits").
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
    with attempt(f"read {path}"):
        try:
            content = path.read_bytes()
            return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UserError(f"{path} is a truncated or damaged gzip file: {error}") from error


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
