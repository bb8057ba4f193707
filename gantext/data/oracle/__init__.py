"""The synthetic task: sequences of numbers drawn from a random LSTM.

As the papers' sequences, every row holds `length` words and has no end. The words are "0" to "V-1"
in the order of their numbers (all of them, seen or not), with the ids 4 to V+3. The truth's log p
is over the `length` words, and -inf for any other length.
"""

import math
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from gantext.data import ranges
from gantext.data.download import Remote, locate
from gantext.data.memory import available
from gantext.data.ranges import Rows, RowsOrNone, Seed, Size, VocabularySize, Words
from gantext.data.vocabulary import SPECIALS, Vocabulary

if TYPE_CHECKING:
    import torch

    from gantext.data.corpus import Corpus, Split
    from gantext.data.oracle.lstm import LstmTruth


TRUTH = True
WHERE = "drawn from a seeded LSTM; nothing to download"
# One stream of random numbers each, so that the size of one split does not change another.
_STREAMS = ("parameters", "train", "validation", "test")
# The parameters of SeqGAN's released code, and the sizes that the papers' tables are of.
PAPERS_PARAMS, PAPERS_WORDS, PAPERS_LENGTH = "seqgan_target_lstm.npz", 5000, 20
WORD = 50  # bytes of memory that a word takes while its corpus is made, as measured


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/oracle.yaml."""

    name: str
    params: str
    vocab_size: VocabularySize
    embedding: Size
    hidden: Size
    length: Words
    train_size: Rows
    validation_size: RowsOrNone
    test_size: Rows
    seed: Seed


def files(cfg: Config) -> tuple[Remote, ...]:
    """Return the file with the parameters, if they are not drawn."""
    return (Remote(cfg.params, "", ""),) if cfg.params else ()


def published(cfg: Config) -> bool:
    """Whether it is the LSTM that papers report nll-oracle of, at their shorter length."""
    sizes = (cfg.vocab_size, cfg.length) == (PAPERS_WORDS, PAPERS_LENGTH)
    return sizes and PurePath(cfg.params).name == PAPERS_PARAMS


def load(cfg: Config) -> "Corpus":
    """Draw the three splits from the LSTM of `cfg`; its `truth` is that LSTM.

    Raises UserError for sizes that make no sense and for a wrong parameter file.
    """
    from gantext.data.corpus import Corpus, content_hash

    ranges.check(cfg, "data")
    _check_memory(cfg)
    truth = load_truth(cfg)
    sizes = {"train": cfg.train_size, "validation": cfg.validation_size, "test": cfg.test_size}
    ids = {name: truth.sample(size, generator(cfg.seed, name)) for name, size in sizes.items()}
    seen = ids["train"].flatten().bincount(minlength=cfg.vocab_size).tolist()
    vocabulary = Vocabulary(
        words=SPECIALS + tuple(map(str, range(cfg.vocab_size))),
        counts=(0, 0, 0, 0, *seen),
        tokenizer="ids",
        lowercase=False,
        fixed_length=cfg.length,
    )
    splits = {name: _split(rows) for name, rows in ids.items()}
    return Corpus(
        name=cfg.name,
        vocabulary=vocabulary,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        hash=content_hash(vocabulary, list(splits.values())),
        max_length=cfg.length,
        truth=truth,
        notes=(),
    )


def _check_memory(cfg: Config) -> None:
    """Raise UserError for an LSTM or sentences that memory has no room for."""
    from gantext.data.oracle.lstm import parameter_shapes

    rows = cfg.train_size + cfg.validation_size + cfg.test_size
    words = rows * cfg.length
    shapes = parameter_shapes(cfg.vocab_size, cfg.embedding, cfg.hidden)
    weights = sum(map(math.prod, shapes.values()))
    available().refuse_above(
        WORD * words + 4 * weights,
        f"{rows:,} sequences of an LSTM of {weights:,} weights",
        "smaller values of data.train_size, data.length, data.vocab_size or data.hidden take less",
    )


def load_truth(cfg: Config) -> "LstmTruth":
    """Return the LSTM alone: drawn from the seed, or read from the parameter file.

    Raises UserError when the file is nowhere, damaged, or of other sizes than `cfg` says.
    """
    from gantext.data.oracle.lstm import (
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


def _split(rows: "torch.Tensor") -> "Split":
    from gantext.data.corpus import Split
    from gantext.data.flat import Text, Tokens

    numbers = rows.numpy()  # (N, L)
    N, L = numbers.shape
    ids = numbers.astype(np.uint32) + np.uint32(len(SPECIALS))
    text = Text.of(" ".join(map(str, row.tolist())) for row in numbers)
    return Split(Tokens.behind(ids.reshape(-1), np.full(N, L)), text)
