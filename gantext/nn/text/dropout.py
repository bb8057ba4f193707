"""Dropout with an explicit generator: no global RNG, so that a resume is exact."""

import torch
from torch import Tensor

from gantext.data.vocabulary import BOS, UNK
from gantext.nn import ranks
from gantext.nn.text.places import at_places


def keep_mask(shape: tuple[int, ...], p: float, like: Tensor, rng: torch.Generator) -> Tensor:
    """A mask of 0 and 1/(1-p) with mean 1, of `like`'s type and device."""
    mask = torch.empty(shape, device=like.device).bernoulli_(1 - p, generator=rng)
    return mask.div_(1 - p).to(like.dtype)


def locked_dropout(x: Tensor, p: float, rng: torch.Generator | None) -> Tensor:
    """Drop whole features of (B, T, H), the same ones at each time step (Gal & Ghahramani 2016)."""
    if rng is None or p == 0:
        return x
    rows, _, features = x.shape
    return x * ranks.noise((rows, 1, features), lambda whole: keep_mask(whole, p, x, rng))


def place_dropout(x: Tensor, p: float, tokens: Tensor, rng: torch.Generator | None) -> Tensor:
    """Drop features of (N, K), those of the places of (B, T) tokens, each by itself (Srivastava et
    al. 2014)."""
    if rng is None or p == 0:
        return x
    grid = (*tokens.shape, x.shape[1])
    return x * at_places(ranks.noise(grid, lambda whole: keep_mask(whole, p, x, rng)), tokens)


def word_dropout(table: Tensor, p: float, rng: torch.Generator | None) -> Tensor:
    """Drop whole rows of an embedding table (V, E) (Gal & Ghahramani 2016, section 4.2)."""
    if rng is None or p == 0:
        return table
    return table * keep_mask((table.shape[0], 1), p, table, rng)


def hide_words(read: Tensor, rate: float, rng: torch.Generator | None) -> Tensor:
    """Word dropout: the decoder's inputs become <unk> with probability `rate` (Bowman et al. 2016).

    <bos> stays. Without rng nothing is dropped, but at rate 1 (the inputless decoder) it always is:
    that decoder never learned to read a word.
    """
    if rate == 0 or (rng is None and rate < 1):
        return read
    hidden = read != BOS
    if rate < 1:
        drawn = ranks.noise(
            read.shape, lambda whole: torch.rand(whole, generator=rng, device=read.device)
        )
        hidden &= drawn < rate
    return torch.where(hidden, UNK, read)
