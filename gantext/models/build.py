"""A model built for its data: the facts of a corpus or a gallery, then weights from a seed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, overload

import numpy as np
import torch

from gantext import models
from gantext.data.corpus import Corpus
from gantext.data.gallery import Gallery
from gantext.data.vocabulary import Vocabulary
from gantext.models.contract import PictureTask, Task
from gantext.nn.rng import generator

HELD_OUT = 1000  # sentences: their loss has a standard error of some .005 nats


def singletons(vocabulary: Vocabulary) -> torch.Tensor:
    """(V,) bool: words seen once in training."""
    return torch.tensor([count == 1 for count in vocabulary.counts])


def held_out_of(corpus: Corpus) -> torch.Tensor:
    """(N, T): validation sentences without unknown words, at most `HELD_OUT`, from all over the
    split, since files may be sorted.

    A sentence with an unknown word would be told from samples, which have none, by that alone.
    """
    known = corpus.validation.tokens.known()
    count = min(HELD_OUT, len(known))
    return known.take(np.arange(count) * len(known) // max(count, 1)).padded()


def class_counts(data: Corpus | Gallery) -> tuple[int, ...]:
    """Training sentences, or pictures, of each of the data's classes; () of none."""
    labels = data.train.labels
    if labels is None or not data.classes:
        return ()
    return tuple(np.bincount(np.asarray(labels), minlength=len(data.classes)).tolist())


def lines_of(vocabulary: Vocabulary) -> Callable[[torch.Tensor], list[str]]:
    """What writes (N, T) tokens as N lines of text."""
    return lambda tokens: vocabulary.lines(tokens.tolist())


@overload
def task_of(data: Corpus, device: torch.device, graphs: bool = False) -> Task: ...
@overload
def task_of(data: Gallery, device: torch.device, graphs: bool = False) -> PictureTask: ...
def task_of(
    data: Corpus | Gallery, device: torch.device, graphs: bool = False
) -> Task | PictureTask:
    """The facts that a model is built for; `graphs` are of text."""
    if isinstance(data, Corpus):
        words, rare = data.vocabulary, singletons(data.vocabulary)
        sizes = len(words), data.max_length, len(data.train)
        fixed, held_out = bool(words.fixed_length), held_out_of(data).to(device)
        lines, known = lines_of(words), data.truth is not None
        text = Task(*sizes, rare, device, graphs, fixed, data.draw, held_out, lines, known)
        return replace(text, class_counts=class_counts(data))
    return PictureTask(
        data.channels,
        data.size,
        len(data.classes),
        len(data.vocabulary) if data.vocabulary else 0,
        data.max_length,
        len(data.train),
        data.train.tokens,
        device,
        data.train if data.classes else None,
    )


def settled_config(config: Any, task: Task | PictureTask) -> Any:
    """The config with what it takes on this data, where it leaves something to it.

    Raises:
        UserError: that is not there.
    """
    settle = getattr(models.module(config.name), "settled", None)
    return config if settle is None else settle(config, task)


def build(config: Any, seed: int, task: Task | PictureTask) -> Any:
    """A new algorithm with weights from the run's seed: an Algorithm, or a Painter for pictures."""
    rng = generator(seed, "init", torch.device("cpu"))
    return models.module(config.name).build(config, task, rng)
