"""Which of many sentences are equal: compared by a 64-bit polynomial hash of their tokens.

Shapes: B sentences, T steps.
"""

import torch
from torch import Tensor

BASE = 6364136223846793005  # odd; Knuth's MMIX constant


def unique_rows(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """(indices of one copy of each different row of (B, T), which of those each row equals).

    Rows of equal hashes are checked word by word: after a collision every row counts as different.
    """
    _, inverse = torch.unique(_hashes(tokens), return_inverse=True)
    place = torch.arange(len(tokens), device=tokens.device)
    first = place.new_empty(int(inverse.max()) + 1).scatter_(0, inverse, place)
    if torch.equal(tokens[first[inverse]], tokens):
        return first, inverse
    return place, place


def different_share(tokens: Tensor) -> Tensor:
    """The share of rows (B, T) that differ from each other, by their hashes alone; ().

    For books: no host waits for it.
    """
    hashes = _hashes(tokens).sort().values
    return ((hashes.diff() != 0).sum() + 1) / len(tokens)


def _hashes(tokens: Tensor) -> Tensor:
    """Of rows (B, T), (B,); the powers of the base wrap around."""
    return (tokens * torch.full_like(tokens[0], BASE).cumprod(0)).sum(1)
