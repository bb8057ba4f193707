"""MNIST: 28 x 28 grey pictures of handwritten digits, from the four original IDX files."""

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gantext.data.download import Remote, locate
from gantext.data.idx import read_labelled
from gantext.errors import UserError

if TYPE_CHECKING:  # imports torch
    from gantext.data.gallery import Gallery, PictureSplit

CLASSES = tuple("0123456789")
PIXELS = 28


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
    validation_size: int
    test_size: int
    seed: int


def files(cfg: Config) -> tuple[Remote, ...]:
    """Return pictures and labels of `train`, if they are trained on, and then of `t10k`."""
    train = (
        _remote(cfg, "train-images-idx3-ubyte.gz", cfg.train_images_sha256),
        _remote(cfg, "train-labels-idx1-ubyte.gz", cfg.train_labels_sha256),
    )
    t10k = (
        _remote(cfg, "t10k-images-idx3-ubyte.gz", cfg.t10k_images_sha256),
        _remote(cfg, "t10k-labels-idx1-ubyte.gz", cfg.t10k_labels_sha256),
    )
    return t10k if cfg.split is Part.t10k else train + t10k


def _remote(cfg: Config, name: str, sha256: str) -> Remote:
    url = f"{cfg.url.rstrip('/')}/{name}" if cfg.url else ""
    return Remote(f"{cfg.folder}/{name}", url, sha256)


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
