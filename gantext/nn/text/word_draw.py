"""One word a row, drawn of its logits: by inverse CDF, by Gumbel noise, or the likeliest.

Shapes: N rows, U different prefixes, V vocabulary.
"""

import torch
from torch import Tensor

from gantext.data.vocabulary import PAD

BLOCK = 64


def draw(logits: Tensor, uniform: Tensor, prefix: Tensor) -> Tensor:
    """Draw one token a row by inverse CDF: (U, V) logits, (N,) uniforms in [0, 1).

    `prefix`, (N,), says which of the logits each row draws by. The cumulative sum runs over sums of
    blocks of 64 words and then within one block only: V/64 + 64 sequential additions a row rather
    than V, in the uniforms' type. A word of probability 0 is never drawn; the last word can be.
    """
    words = logits.shape[1]
    weights = logits.softmax(1)
    whole = words // BLOCK * BLOCK
    sums = weights[:, :whole].view(len(weights), -1, BLOCK).sum(2)  # (U, V // 64)
    sums = torch.cat([sums, weights[:, whole:].sum(1, keepdim=True)], 1).to(uniform.dtype)
    sums, totals = sums[prefix], sums.cumsum(1)[prefix]  # (N, V // 64 + 1)
    target = uniform * totals[:, -1]
    block = _first_above(totals, target, sums)
    places = block[:, None] * BLOCK + torch.arange(BLOCK, device=logits.device)
    inside = weights.view(-1)[prefix[:, None] * words + places.clamp_max(words - 1)]
    inside = inside * (places < words)  # (N, 64)
    before = (totals - sums).gather(1, block[:, None])[:, 0]
    inner = inside.to(uniform.dtype).cumsum(1)
    return block * BLOCK + _first_above(inner, target - before, inside)


def draw_by_noise(logits: Tensor, rng: torch.Generator) -> Tensor:
    """Draw one token a row: the largest of (N, V) logits with Gumbel noise.

    For GPUs, which V random numbers a row cost less than the 35 kernels of an inverse CDF. <pad>
    where NaN or infinity is the largest.
    """
    uniform = torch.rand(logits.shape, generator=rng, device=logits.device)
    largest, word = (logits - uniform.log_().neg_().log_()).max(1)
    return word.mul_(largest < torch.inf)  # <pad> is 0, and no comparison with NaN holds


def _first_above(cumulative: Tensor, target: Tensor, weights: Tensor) -> Tensor:
    """First index whose cumulative weight is above the target, at most the last positive one."""
    index = torch.searchsorted(cumulative, target[:, None], right=True)[:, 0]
    places = torch.arange(weights.shape[1], device=weights.device)
    last = torch.where(weights > 0, places, 0).amax(1)
    return torch.minimum(index, last)


def likeliest(logits: Tensor) -> Tensor:
    """The likeliest word of each row, (N, V) -> (N,); <pad> where NaN or infinity is the largest.

    So does `draw`, whose weights are then all NaN.
    """
    word = logits.argmax(1)
    largest = logits.gather(1, word[:, None])[:, 0]
    return torch.where(largest.isfinite(), word, PAD)
