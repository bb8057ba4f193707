"""Training data that a GPU holds, so that its batches are made where they are used.

A batch that is copied there makes the host wait until the GPU has come to it. Legend: N rows of a
split, B rows of a batch, T words of the longest sentence, T' of a batch's longest.
"""

import math
from typing import Any

import torch
from torch import Tensor

from gantext.data.batches import Rows
from gantext.data.corpus import Split
from gantext.data.flat import Tokens
from gantext.data.gallery import PictureBatch, PictureSplit, to_unit
from gantext.data.labelled import LabelledBatch, LabelledSplit
from gantext.data.memory import of_gpu
from gantext.data.vocabulary import PAD

# Of the free memory of a GPU, that training data takes at most: a model's step needs the rest.
SHARE = 1 / 8
WORD = torch.int32
# T' is a multiple of it: work that is captured as a CUDA graph is captured for each shape.
STEPS = 4


def in_steps(length: int, most: int) -> int:
    """A number of words, rounded up to one of which there are few, at most so many."""
    return min(math.ceil(length / STEPS) * STEPS, most)


def sent(tensor: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on a device, for which the host does not wait where that can be."""
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


class ResidentText:
    """Sentences on a device as a table (N, T) of word ids; `batch` as that of their split, with up
    to three columns of <pad> behind it."""

    def __init__(self, tokens: Tokens, device: torch.device) -> None:
        self._lengths, self._device = tokens.lengths, device
        self._words = torch.full((len(tokens), tokens.longest), PAD, dtype=WORD, device=device)
        first = 0
        for part in tokens.chunks():
            self._words[first : first + len(part)] = part.padded(tokens.longest).to(device, WORD)
            first += len(part)

    def __len__(self) -> int:
        return len(self._words)

    def batch(self, chosen: Tensor) -> Tensor:
        """(B, T') int64, on the device, of the sentences at these places (B,) of the host."""
        longest = in_steps(int(self._lengths[chosen.numpy()].max()), self._words.shape[1])
        return self._words[:, :longest].index_select(0, sent(chosen, self._device)).long()


class ResidentLabelled:
    """Sentences on a device, their classes on the host; `batch` as that of their split."""

    def __init__(self, split: LabelledSplit, device: torch.device) -> None:
        assert split.labels is not None
        self._text, self._labels = ResidentText(split.tokens, device), split.labels

    def __len__(self) -> int:
        return len(self._text)

    def batch(self, chosen: Tensor) -> LabelledBatch:
        """The rows at these places (B,) of the host."""
        labels = torch.from_numpy(self._labels[chosen.numpy()])
        return LabelledBatch(self._text.batch(chosen), labels)


class ResidentPictures:
    """A split of pictures on a device; `batch` as that of the split."""

    def __init__(self, split: PictureSplit, device: torch.device) -> None:
        self._lengths, self._device = (split.tokens != PAD).sum(1), device
        parts = split.pictures, split.labels, split.tokens
        self._pictures, self._labels, self._tokens = (part.to(device) for part in parts)

    def __len__(self) -> int:
        return len(self._pictures)

    def batch(self, chosen: Tensor) -> PictureBatch:
        """The rows at these places (B,) of the host, on the device."""
        rows, longest = sent(chosen, self._device), int(self._lengths[chosen].max())
        return PictureBatch(
            to_unit(self._pictures.index_select(0, rows)),
            self._labels.index_select(0, rows),
            self._tokens[:, :longest].index_select(0, rows),
        )


def resident(split: Rows[Any], device: torch.device) -> Rows[Any]:
    """The rows of a split where a GPU holds them, if they fit in a SHARE of its free memory;
    elsewhere the split itself."""
    if device.type != "cuda":
        return split
    most = SHARE * of_gpu(device).free
    if isinstance(split, Split) and WORD.itemsize * len(split) * split.tokens.longest <= most:
        if isinstance(split, LabelledSplit):
            return ResidentLabelled(split, device)
        return ResidentText(split.tokens, device)
    if isinstance(split, PictureSplit) and _bytes(split) <= most:
        return ResidentPictures(split, device)
    return split


def _bytes(split: PictureSplit) -> int:
    return split.pictures.nbytes + split.labels.nbytes + split.tokens.nbytes
