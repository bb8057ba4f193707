"""The embedded corpus: short English captions of simple drawn scenes.

Made from a seed and the probabilistic grammar in `gantext.data.scene_grammar`, which is the
corpus's `truth`. `gantext.data.pictures` draws the scene of any caption.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gantext.data.scene_grammar import grammar
from gantext.data.vocabulary import Vocabulary
from gantext.errors import UserError

if TYPE_CHECKING:  # imports torch
    from gantext.data.corpus import Corpus, Sentences


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/scenes.yaml."""

    name: str
    train_size: int
    validation_size: int
    test_size: int
    seed: int


def load(cfg: Config) -> "Corpus":
    """Draw the three splits from the grammar, which becomes the corpus's `truth`.

    Every sentence is drawn independently from one distribution, so that a short sentence may come
    twice, also in two splits: nothing is removed, as that would change the distribution. Each split
    has its own stream of random numbers: the size of one does not change another.
    Raises UserError for sizes or a seed that make no sense.
    """
    from gantext.data.corpus import build_corpus

    _check(cfg)
    sizes = (cfg.train_size, cfg.validation_size, cfg.test_size)
    streams = map(np.random.default_rng, np.random.SeedSequence(cfg.seed).spawn(len(sizes)))
    train, validation, test = map(_draw, sizes, streams)
    vocabulary = Vocabulary.build(train.tokens, tokenizer="whitespace")
    return build_corpus(cfg.name, vocabulary, train, validation, test, truth=grammar())


def _draw(size: int, rng: np.random.Generator) -> "Sentences":
    from gantext.data.corpus import Sentences

    tokens = tuple(grammar().sample(rng) for _ in range(size))
    return Sentences(tokens, tuple(map(" ".join, tokens)))


def _check(cfg: Config) -> None:
    for name, least in (("train_size", 1), ("validation_size", 0), ("test_size", 1), ("seed", 0)):
        if getattr(cfg, name) < least:
            raise UserError(f"data.{name}={getattr(cfg, name)} must be at least {least}")
