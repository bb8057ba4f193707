"""Sentences with their classes, as a model of labelled text is given them.

Shapes: N sentences of a split, B rows of a batch, T' words of its longest.
"""

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from gantext.data.corpus import Corpus, Split


@dataclass(frozen=True)
class LabelledBatch:
    """What a model of labelled text is given at a step.

    tokens: (B, T') int64. labels: (B,) int64, places in the corpus's `classes`; on the host, which
    gives each generator the rows of its class.
    """

    tokens: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.tokens)

    def to(self, device: torch.device | str) -> "LabelledBatch":
        """Return the batch with its sentences on another device."""
        return LabelledBatch(self.tokens.to(device), self.labels)

    def part(self, first: int, end: int) -> "LabelledBatch":
        """Return the rows from `first` to before `end`."""
        return LabelledBatch(self.tokens[first:end], self.labels[first:end])


@dataclass(frozen=True)
class LabelledSplit(Split):
    """A split of sentences with classes, whose batches have these too."""

    def batch(self, chosen: Tensor) -> LabelledBatch:  # type: ignore[override]
        """The sentences at these places (B,), and their classes."""
        assert self.labels is not None
        return LabelledBatch(self.tokens.batch(chosen), torch.from_numpy(self.labels[chosen]))


def with_labels(corpus: Corpus) -> Corpus:
    """The corpus, whose training batches have labels. Its sentences have classes."""
    train = corpus.train
    return dataclasses.replace(corpus, train=LabelledSplit(train.tokens, train.text, train.labels))
