"""The handwritten digits that come with scikit-learn: 1,797 grey pictures of 8 x 8 pixels."""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gantext.data.ranges import Rows, RowsOrNone, Seed
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.data.gallery import Gallery


WHERE = "in scikit-learn: pip install 'gantext[digits]'"
NEEDS = "sklearn"
CLASSES = tuple("0123456789")
BRIGHTEST = 16  # of the pixels in scikit-learn's table


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/digits.yaml."""

    name: str
    validation_size: RowsOrNone
    test_size: Rows
    seed: Seed


def load_pictures(cfg: Config) -> "Gallery":
    """Read scikit-learn's pictures, scale them to 0 ... 255, and split them with the seed.

    Raises UserError without scikit-learn, and for sizes that make no sense.
    """
    from gantext.data.gallery import build_gallery, hold_out, labelled

    table = _table()
    pictures = np.rint(table.images * (255 / BRIGHTEST)).astype(np.uint8)
    whole = labelled(pictures, table.target)
    splits = hold_out(whole, cfg.validation_size, cfg.test_size, cfg.seed)
    return build_gallery(cfg.name, *splits, classes=CLASSES)


def _table() -> Any:
    try:
        datasets = importlib.import_module("sklearn.datasets")
    except ImportError as error:
        raise UserError("data=digits needs scikit-learn: pip install 'gantext[digits]'") from error
    return datasets.load_digits()
