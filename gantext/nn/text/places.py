"""Which places of sentences are computed: on a CPU those that hold a word, on a GPU all of them.

A GPU would be waited for to learn how many words there are, longer than it takes for <pad>, which
counts nothing there. Shapes: B sentences, T steps, N places that are computed: as many as there are
words, or B * T. A rank, which has rows of its own, gives its share of a mean (see nn/ranks.py).
"""

import torch
from torch import Tensor

from gantext.data.vocabulary import EOS, PAD
from gantext.nn import ranks


def at_places(values: Tensor, tokens: Tensor) -> Tensor:
    """Values (B, T, ...) at the places that are computed of tokens (B, T): (N, ...)."""
    if values.device.type == "cpu":
        return values[tokens != PAD]
    return values.flatten(0, 1)


def on_grid(values: Tensor, tokens: Tensor) -> Tensor:
    """Values (N, ...) at the places of tokens (B, T) as (B, T, ...): 0 where none is computed."""
    whole = *tokens.shape, *values.shape[1:]
    if values.device.type != "cpu":
        return values.view(whole)
    empty = values.new_zeros(whole)
    return empty.index_put((tokens != PAD,), values)


def words_at(tokens: Tensor) -> Tensor:
    """The words at the places of tokens (B, T), (N,): at <pad> one whose log p is finite."""
    if tokens.device.type == "cpu":
        return tokens[tokens != PAD]
    return torch.where(tokens == PAD, EOS, tokens).flatten()


def counted(tokens: Tensor) -> Tensor | None:
    """What the places of tokens (B, T) count, (N,): 1, and 0 at <pad>; None: all count 1."""
    if tokens.device.type == "cpu":
        return None
    return (tokens != PAD).float().flatten()


def mean_of_words(values: Tensor, tokens: Tensor) -> Tensor:
    """The mean over the words of tokens (B, T) of values (N,) at their places."""
    counts = counted(tokens)
    if counts is None:
        return values.sum() / ranks.mean(len(values))
    return (values * counts).sum() / ranks.mean(counts.sum())


def share_of_words(tokens: Tensor, weight: float) -> float | Tensor:
    """What each of the N places counts where the words of tokens (B, T) share a weight."""
    counts = counted(tokens)
    if counts is None:
        return weight / ranks.mean(int((tokens != PAD).sum()))
    return counts * weight / ranks.mean(counts.sum())
