"""Captions with new real pictures, for judges that are to know no picture by heart."""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from gantext.data.gallery import Gallery, PictureBatch, PictureSplit, to_unit
from gantext.data.scenes import draw


class Pairs(Protocol):
    """A split whose batches are (places, pictures and captions)."""

    def __len__(self) -> int: ...

    def batch(self, chosen: Tensor) -> tuple[Tensor, PictureBatch]:
        """The places themselves, (B,), and the rows there."""
        ...


def pairs_of(gallery: Gallery, seed: int) -> Pairs:
    """The training captions: with new pictures where these can be drawn, else with their own."""
    return Redrawn(gallery.train, seed) if gallery.scenes else Kept(gallery.train)


class Kept:
    """A split with the pictures that it has."""

    def __init__(self, split: PictureSplit) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, chosen: Tensor) -> tuple[Tensor, PictureBatch]:
        """The places themselves, (B,), and the rows there."""
        return chosen, self.split.batch(chosen)


class Redrawn:
    """A split whose batches have a new picture of each caption every time.

    Args:
        split: with captions of the scene grammar.
        seed: of the pictures.
    """

    def __init__(self, split: PictureSplit, seed: int) -> None:
        self.split, self.hand = split, np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self.split)

    def batch(self, chosen: Tensor) -> tuple[Tensor, PictureBatch]:
        """The places themselves, (B,), and the rows there with new pictures."""
        rows = self.split.batch(chosen)
        captions = [self.split.captions[place] for place in chosen.tolist()]
        pictures = torch.tensor(draw(captions, self.hand)).permute(0, 3, 1, 2).contiguous()
        return chosen, PictureBatch(to_unit(pictures), rows.labels, rows.tokens)
