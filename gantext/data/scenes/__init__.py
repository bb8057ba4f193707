"""The embedded corpus: short English captions of simple drawn scenes.

Made from a seed and the probabilistic grammar in `gantext.data.scenes.grammar`, which is the
corpus's `truth`. With a picture of each caption's scene, drawn by `gantext.data.scenes.drawing`, it
is the gallery of the captioned models.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gantext.data import ranges
from gantext.data.memory import available
from gantext.data.ranges import Rows, RowsOrNone, Seed
from gantext.data.scenes.english import grammar

if TYPE_CHECKING:
    from gantext.data.corpus import Corpus, Sentences
    from gantext.data.gallery import Gallery


TRUTH = True
LABELS = "label"
WHERE = "made from a seed; nothing to download"
_SPLITS = ("train", "validation", "test")
# Bytes of memory, as measured: a caption while its corpus is made, and its picture.
SENTENCE, PICTURE = 700, 32 * 32 * 3


class Label(enum.Enum):
    """What of its scene is a caption's class: see `gantext.data.scenes.scene.label`."""

    count = "count"
    shape = "shape"
    relation = "relation"


@dataclass(frozen=True)
class Config:
    """Values and their explanations: conf/data/scenes.yaml."""

    name: str
    train_size: Rows
    validation_size: RowsOrNone
    test_size: Rows
    seed: Seed
    label: Label | None


def sources(cfg: Config) -> tuple[()]:
    """Return nothing: the grammar is all that it is made of."""
    return ()


def load(cfg: Config) -> "Corpus":
    """Draw the three splits from the grammar, which becomes the corpus's `truth`.

    Every sentence is drawn independently from one distribution, so that a short sentence may come
    twice, also in two splits: nothing is removed, as that would change the distribution. Each split
    has its own stream of random numbers: the size of one does not change another.
    Raises UserError for sizes or a seed that make no sense.
    """
    return _encode(cfg, *_sentences(cfg, SENTENCE))


def load_pictures(cfg: Config) -> "Gallery":
    """Return the captions of `load`, numbered as there, each with one picture of its scene.

    Captions of validation and test that also stand in the training split are left out, so that
    scores on these splits are of captions never seen; the notes say how many. Each split's
    pictures have their own stream of random numbers, and a picture is the same whether others are
    left out or not.
    Raises UserError as `load` does, and when no test caption is left.
    """
    from gantext.data.gallery import build_gallery, captioned

    sentences = _sentences(cfg, SENTENCE + PICTURE)
    drawn = map(draw, (part.text for part in sentences), _streams(cfg)[len(_SPLITS) :])
    rows = _unseen(sentences)
    corpus = _encode(cfg, *(part.take(kept) for part, kept in zip(sentences, rows, strict=True)))
    encoded = (corpus.train, corpus.validation, corpus.test)
    train, validation, test = (
        captioned(pictures[np.array(kept, dtype=np.intp)], split, corpus.max_length)
        for pictures, kept, split in zip(drawn, rows, encoded, strict=True)
    )
    notes = [
        f"{name}: {len(part) - len(kept)} of {len(part)} captions left out, as they stand in train"
        for name, part, kept in zip(_SPLITS, sentences, rows, strict=True)
        if len(kept) < len(part)
    ]
    return build_gallery(
        cfg.name,
        train,
        validation,
        test,
        classes=corpus.classes,
        vocabulary=corpus.vocabulary,
        notes=(*notes, *corpus.notes),
        scenes=True,
    )


def draw(captions: Sequence[str], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Draw one picture of each caption: (N, 32, 32, 3), RGB, rows from the top.

    Raises UserError for one that is not of the grammar.
    """
    from gantext.data.scenes.drawing import render
    from gantext.data.scenes.layout import (
        PIXELS,  # here: Pillow, which a model of text does not need
    )
    from gantext.data.scenes.scene import parse

    pictures = np.empty((len(captions), PIXELS, PIXELS, 3), dtype=np.uint8)
    for picture, caption in zip(pictures, captions, strict=True):
        picture[:] = render(parse(caption.split()), rng)
    return pictures


def _streams(cfg: Config) -> list[np.random.Generator]:
    """One stream for the captions of each split, then one for the pictures of each."""
    ranges.check(cfg, "data")
    return list(map(np.random.default_rng, np.random.SeedSequence(cfg.seed).spawn(6)))


def _sentences(cfg: Config, bytes_each: int) -> "list[Sentences]":
    """The captions of training, validation and test split. Raises UserError for too many."""
    from gantext.data.corpus import Sentences

    rows = sum(getattr(cfg, f"{name}_size") for name in _SPLITS)
    available().refuse_above(
        rows * bytes_each, f"{rows:,} sentences", "a smaller data.train_size takes less"
    )
    found = []
    for name, rng in zip(_SPLITS, _streams(cfg)[: len(_SPLITS)], strict=True):
        tokens = [grammar().sample(rng) for _ in range(getattr(cfg, f"{name}_size"))]
        found.append(Sentences.of(tokens, map(" ".join, tokens), _labels(cfg, tokens)))
    return found


def _labels(cfg: Config, captions: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The class of each caption; () without."""
    if cfg.label is None:
        return ()
    from gantext.data.scenes.scene import label, parse

    return tuple(label(parse(tokens), cfg.label.value) for tokens in captions)


def _unseen(sentences: "Sequence[Sentences]") -> list[Sequence[int]]:
    """Positions of all training captions, then of the others' that are not among them."""
    train, *others = sentences
    seen = frozenset(train.text)
    kept = [[i for i, text in enumerate(part.text) if text not in seen] for part in others]
    return [range(len(train)), *kept]


def _encode(
    cfg: Config, train: "Sentences", validation: "Sentences", test: "Sentences"
) -> "Corpus":
    from gantext.data.corpus import build_corpus

    vocabulary = train.vocabulary(tokenizer="whitespace")
    return build_corpus(cfg.name, vocabulary, train, validation, test, truth=grammar())
