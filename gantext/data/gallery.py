"""Pictures, with their classes or captions: splits, galleries and batches.

Legend: N pictures of a split, B rows of a batch, C channels, H and W pixels, T words of a caption.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gantext.data.corpus import Split
from gantext.data.vocabulary import PAD, Vocabulary
from gantext.errors import UserError

NO_LABEL = -1


def to_unit(pictures: Tensor) -> Tensor:
    """Return the bytes 0 ... 255 as float32 in [-1, 1]."""
    return pictures.to(torch.float32) / 127.5 - 1


def to_bytes(pictures: Tensor) -> Tensor:
    """Return pictures in [-1, 1] as bytes 0 ... 255: rounded, and cut where they lie outside."""
    return ((pictures.to(torch.float32) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


@dataclass(frozen=True)
class PictureBatch:
    """What a picture model is given at a step.

    pictures: (B, C, H, W) float32 in [-1, 1]. labels: (B,) int64, NO_LABEL without classes.
    tokens: (B, T') int64, captions that end with EOS, as wide as the longest; (B, 0) without.
    """

    pictures: Tensor
    labels: Tensor
    tokens: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    def to(self, device: torch.device | str) -> "PictureBatch":
        """Return the batch on another device."""
        moved = (part.to(device) for part in (self.pictures, self.labels, self.tokens))
        return PictureBatch(*moved)

    def first(self, rows: int) -> "PictureBatch":
        """Return the first rows."""
        return PictureBatch(self.pictures[:rows], self.labels[:rows], self.tokens[:rows])


@dataclass(frozen=True)
class PictureSplit:
    """One split of a gallery.

    pictures: (N, C, H, W) uint8. labels: (N,) int64, NO_LABEL without classes.
    tokens: (N, T) int64, each row ends with EOS and is then filled up with PAD; (N, 0) without
    captions. captions: the N captions as text, () without.
    """

    pictures: Tensor
    labels: Tensor
    tokens: Tensor
    captions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        rows, shape = len(self.pictures), tuple(self.pictures.shape)
        if len(shape) != 4 or shape[2] != shape[3] or self.pictures.dtype != torch.uint8:
            raise ValueError(f"(N, C, H, H) uint8 is needed, not {shape} {self.pictures.dtype}")
        if self.labels.shape != (rows,) or self.tokens.dim() != 2 or len(self.tokens) != rows:
            raise ValueError(f"{len(self.labels)} labels, {len(self.tokens)} tokens: not {rows}")
        if len(self.captions) != (rows if self.tokens.shape[1] else 0):
            raise ValueError(f"{len(self.captions)} captions for {rows} pictures")

    def __len__(self) -> int:
        return len(self.pictures)

    def scaled(self, chosen: Tensor | slice) -> Tensor:
        """Return the pictures at these positions, float32 in [-1, 1]."""
        return to_unit(self.pictures[chosen])

    def batch(self, chosen: Tensor) -> PictureBatch:
        """Return the rows at these positions, captions trimmed to the longest of them."""
        tokens = self.tokens[chosen]
        longest = int((tokens != PAD).sum(dim=1).max()) if tokens.numel() else 0
        return PictureBatch(self.scaled(chosen), self.labels[chosen], tokens[:, :longest].clone())

    def take(self, chosen: Tensor) -> "PictureSplit":
        """Return the split of the rows at these positions, in this order."""
        captions = tuple(self.captions[i] for i in chosen.tolist()) if self.captions else ()
        return PictureSplit(
            self.pictures[chosen], self.labels[chosen], self.tokens[chosen], captions
        )


def labelled(pictures: np.ndarray, labels: np.ndarray) -> PictureSplit:
    """Return the split of grey pictures (N, H, W) uint8 with classes (N,) and without captions."""
    tokens = torch.zeros(len(pictures), 0, dtype=torch.int64)
    grey = torch.tensor(pictures).unsqueeze(1)
    return PictureSplit(grey, torch.tensor(labels, dtype=torch.int64), tokens)


def captioned(pictures: np.ndarray, sentences: Split, width: int) -> PictureSplit:
    """Return the split of RGB pictures (N, H, W, 3) uint8 with captions, and with their classes.

    width: T, the tokens of the longest caption of all splits.
    """
    colours = torch.tensor(pictures).permute(0, 3, 1, 2).contiguous()
    labels = torch.full((len(pictures),), NO_LABEL)
    if sentences.labels is not None:
        labels = torch.from_numpy(sentences.labels)
    return PictureSplit(colours, labels, sentences.tokens.padded(width), tuple(sentences.text))


def hold_out(
    split: PictureSplit, validation_size: int, test_size: int, seed: int
) -> tuple[PictureSplit, PictureSplit, PictureSplit]:
    """Return training, validation and test split by a seeded choice, each in the old order.

    Raises UserError as `held_out_places` does.
    """
    places = held_out_places(len(split), validation_size, test_size, seed)
    train, validation, test = map(split.take, places)
    return train, validation, test


def held_out_places(
    count: int, validation_size: int, test_size: int, seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the places, of `count` pictures, of those for training, validation and test.

    The choice of the test pictures depends on `test_size` and `seed` alone.
    Raises UserError when nothing is left to train on.
    """
    if min(validation_size, test_size) < 0 or validation_size + test_size >= count:
        raise UserError(
            f"{count} pictures are too few for data.validation_size={validation_size}"
            f" and data.test_size={test_size}"
        )
    order = torch.from_numpy(np.random.default_rng(seed).permutation(count))
    held = test_size + validation_size
    test, validation, train = order[:test_size], order[test_size:held], order[held:]
    return train.sort().values, validation.sort().values, test.sort().values


@dataclass(frozen=True)
class Gallery:
    """Everything a run needs to know about its pictures.

    classes: the names of the labels 0, 1, ...; () if there are none. vocabulary: of the captions,
    None if there are none. hash: sha256 of all splits (see `gallery_hash`). max_length: T, the
    columns of the captions of every split, EOS included; 0 without. notes: warnings and counts to
    tell the user. scenes: whether captions are of the scene grammar, so that new pictures of them
    can be drawn and what is in a picture is known.
    """

    name: str
    classes: tuple[str, ...]
    vocabulary: Vocabulary | None
    train: PictureSplit
    validation: PictureSplit
    test: PictureSplit
    hash: str
    max_length: int
    notes: tuple[str, ...]
    scenes: bool = False

    @property
    def channels(self) -> int:
        """1 for grey pictures, 3 for RGB."""
        return int(self.train.pictures.shape[1])

    @property
    def size(self) -> int:
        """Pixels of a side; all pictures are square."""
        return int(self.train.pictures.shape[2])


def gallery_hash(
    classes: Sequence[str], vocabulary: Vocabulary | None, splits: Sequence[PictureSplit]
) -> str:
    """Return the sha256 (hex) of names, pixels, labels and captions, in the order given."""
    words = vocabulary.to_json() if vocabulary else None
    digest = hashlib.sha256(json.dumps([list(classes), words], sort_keys=True).encode())
    for split in splits:
        shape = list(split.pictures.shape)
        digest.update(json.dumps([shape, split.labels.tolist(), *split.captions]).encode())
        digest.update(split.pictures.contiguous().numpy().tobytes())
    return digest.hexdigest()


def build_gallery(
    name: str,
    train: PictureSplit,
    validation: PictureSplit,
    test: PictureSplit,
    *,
    classes: Sequence[str] = (),
    vocabulary: Vocabulary | None = None,
    notes: Sequence[str] = (),
    scenes: bool = False,
) -> Gallery:
    """Put three splits together and hash them.

    Raises UserError when no training or no test picture is left.
    """
    for part, split in (("training", train), ("test", test)):
        if not len(split):
            raise UserError(f"data {name}: no {part} picture is left")
    return Gallery(
        name=name,
        classes=tuple(classes),
        vocabulary=vocabulary,
        train=train,
        validation=validation,
        test=test,
        hash=gallery_hash(classes, vocabulary, (train, validation, test)),
        max_length=int(train.tokens.shape[1]),
        notes=tuple(notes),
        scenes=scenes,
    )
