"""The synthetic task: sequences of numbers drawn from a random LSTM.

The papers' sequences have one fixed length and no end. Here every row holds `length` words and
then EOS, like a row of any other corpus: the words are "0" to "V-1" in the order of their
numbers (all of them, seen or not), with the ids 4 to V+3. The truth gives no probability to the
EOS: its log p is over the `length` words, and -inf for any other length.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gantext.data.download import Remote, locate
from gantext.data.vocabulary import EOS, SPECIALS, Vocabulary
from gantext.errors import UserError

if TYPE_CHECKING:  # import torch
    import torch

    from gantext.data.corpus import Corpus, Split
    from gantext.data.lstm_truth import LstmTruth

# One stream of random numbers each, so that the size of one split does not change another.
_STREAMS = ("parameters", "train", "validation", "test")


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/oracle.yaml."""

    name: str
    params: str
    vocab_size: int
    embedding: int
    hidden: int
    length: int
    train_size: int
    validation_size: int
    test_size: int
    seed: int


def files(cfg: Config) -> tuple[Remote, ...]:
    """Return the file with the parameters, if they are not drawn."""
    return (Remote(cfg.params, "", ""),) if cfg.params else ()


def load(cfg: Config) -> "Corpus":
    """Draw the three splits from the LSTM of `cfg`; its `truth` is that LSTM.

    Raises UserError for sizes that make no sense and for a wrong parameter file.
    """
    from gantext.data.corpus import Corpus, content_hash

    _check(cfg)
    truth = load_truth(cfg)
    sizes = {"train": cfg.train_size, "validation": cfg.validation_size, "test": cfg.test_size}
    ids = {name: truth.sample(size, generator(cfg.seed, name)) for name, size in sizes.items()}
    seen = ids["train"].flatten().bincount(minlength=cfg.vocab_size).tolist()
    vocabulary = Vocabulary(
        words=SPECIALS + tuple(map(str, range(cfg.vocab_size))),
        counts=(0, 0, cfg.train_size, 0, *seen),
        tokenizer="ids",
        lowercase=False,
    )
    splits = {name: _split(rows) for name, rows in ids.items()}
    return Corpus(
        name=cfg.name,
        vocabulary=vocabulary,
        **splits,
        hash=content_hash(vocabulary, list(splits.values())),
        max_length=cfg.length + 1,
        truth=truth,
        notes=(),
    )


def load_truth(cfg: Config) -> "LstmTruth":
    """Return the LSTM alone: drawn from the seed, or read from the parameter file.

    Raises UserError when the file is nowhere, damaged, or of other sizes than `cfg` says.
    """
    from gantext.data.lstm_truth import (
        LstmTruth,
        draw_parameters,
        parameter_shapes,
        read_parameters,
    )

    shapes = parameter_shapes(cfg.vocab_size, cfg.embedding, cfg.hidden)
    if cfg.params:
        (path,) = map(locate, files(cfg))
        return LstmTruth(read_parameters(path, shapes), cfg.length)
    return LstmTruth(draw_parameters(shapes, generator(cfg.seed, "parameters")), cfg.length)


def generator(seed: int, stream: str) -> "torch.Generator":
    """Return the random numbers of one stream: parameters, train, validation or test."""
    import torch

    sequence = np.random.SeedSequence((seed, _STREAMS.index(stream)))
    return torch.Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0]))


def _check(cfg: Config) -> None:
    for name in ("vocab_size", "embedding", "hidden", "length", "train_size", "test_size"):
        if getattr(cfg, name) < 1:
            raise UserError(f"data.{name}={getattr(cfg, name)} must be at least 1")
    for name in ("validation_size", "seed"):
        if getattr(cfg, name) < 0:
            raise UserError(f"data.{name}={getattr(cfg, name)} must not be negative")


def _split(rows: "torch.Tensor") -> "Split":
    import torch

    from gantext.data.corpus import Split

    end = torch.full((len(rows), 1), EOS, dtype=torch.int64)
    text = tuple(" ".join(map(str, row)) for row in rows.tolist())
    return Split(torch.cat([rows + len(SPECIALS), end], dim=1), text)
