"""Likelihoods of words under an output layer, without a tensor of all tokens x all words.

Scores of words are made, normalised and turned into gradients for a chunk of tokens at a time: at
(64 x 37, 4661) a single tensor of them all takes 44 MB, and a plain step seven. Shapes: N tokens, K
features, V vocabulary.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from gantext.nn import ranks
from gantext.nn.autocast import narrow
from gantext.nn.text.sampling import GPU_CHUNK_ELEMENTS
from gantext.nn.text.weighting import Weigh

# Scores of one chunk: 2 MB stay in a core's second cache (1.1x to 1.3x faster than 4 and 8 MB at
# K = 32, as fast at 128). Fewer rows than K would read the weights more often than the scores.
CHUNK_ELEMENTS = {"cpu": 2**19}
# Words: MKL's product takes 1.3x to 1.7x as long where rows of scores begin anywhere.
ALIGNED = 16


class OutputLayer(NamedTuple):
    """Scores of words: features (N, K) times weight (V, K), plus bias (V,), which is -inf for words
    that never come."""

    weight: Tensor
    bias: Tensor


class PolicyLoss(NamedTuple):
    """A loss of words, and what it is made of; only the loss has a gradient.

    Attributes:
        loss: -sum of the words' weights times their log p, less the weighted entropies; ().
        log_prob: of each word, (N,), nats.
        entropy: of the distribution that each word was drawn from, (N,), nats.
    """

    loss: Tensor
    log_prob: Tensor
    entropy: Tensor


def mean_word_nll(
    layer: OutputLayer,
    features: Tensor,
    words: Tensor,
    counts: Tensor | None = None,
    weigh: Weigh | None = None,
) -> tuple[Tensor, Tensor]:
    """The mean of -log p of words (N,), (), and log p of each, (N,), without a gradient; nats.

    With `counts`, (N,), the mean is weighted by them. `weigh` makes a factor of each -log p of its
    log p, by which the divisor stays as it is. Neither gets a gradient. A rank gives its share.
    """
    loss, log_prob, _ = _weighted_nll(layer, features, words, counts, None, weigh)
    if counts is None:
        return loss / ranks.mean(max(1, len(words))), log_prob
    return loss / ranks.mean(counts.sum().clamp_min(1)), log_prob


def policy_nll(
    layer: OutputLayer,
    features: Tensor,
    words: Tensor,
    weights: Tensor,
    entropy_weight: float | Tensor = 0.0,
) -> PolicyLoss:
    """-sum of weights times log p of words, less the sum of `entropy_weight` times entropies.

    Args:
        layer: whose weight and bias get a gradient where they need one.
        features: what it reads, (N, K).
        words: (N,).
        weights: of the words, (N,), of any sign; they get no gradient.
        entropy_weight: of all words or of each, (N,); nothing for 0.
    """
    return PolicyLoss(*_weighted_nll(layer, features, words, weights.detach(), entropy_weight))


def _weighted_nll(
    layer: OutputLayer,
    features: Tensor,
    words: Tensor,
    weights: Tensor | None,
    entropy_weight: float | Tensor | None,
    weigh: Weigh | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """As `policy_nll`; without weights all are 1. `weigh` is for losses without entropies."""
    apply: Callable[..., tuple[Tensor, Tensor, Tensor]] = _WeightedNLL.apply
    return apply(features, *aligned(layer), words, weights, entropy_weight, weigh)


def word_kl(
    layer: OutputLayer, features: Tensor, other: OutputLayer, read: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor]:
    """The sum of weights times KL(p || q) of two distributions of words, (), and each KL, (N,).

    Args:
        layer: p's, whose weight and bias get a gradient where they need one.
        features: what it reads, (N, K).
        other: q's, of the same words that never come; it gets no gradient.
        read: what that reads, (N, L), L of its own.
        weights: of the places, (N,); they get no gradient.
    """
    apply: Callable[..., tuple[Tensor, Tensor]] = _WeightedKL.apply
    return apply(features, *aligned(layer), read, *aligned(other), weights.detach())


@torch.no_grad()
def word_log_prob(layer: OutputLayer, features: Tensor, words: Tensor) -> Tensor:
    """log p of words (N,) given features (N, K), nats: (N,), without a gradient."""
    log_prob = layer.bias.new_empty(len(words))
    layer = _narrow(aligned(layer))
    size = _chunk_size(len(features), layer)
    for rows, _, scores in _chunks(layer, features, log_prob.dtype, size):
        log_prob[rows] = _normalised(scores, words[rows, None])[1][:, 0]
    return log_prob


def aligned(layer: OutputLayer) -> OutputLayer:
    """The layer, its words filled up to a multiple of ALIGNED by some that never come."""
    missing = -len(layer.bias) % ALIGNED
    if not missing:
        return layer
    weight = F.pad(layer.weight, (0, 0, 0, missing))
    return OutputLayer(weight, F.pad(layer.bias, (0, missing), value=-torch.inf))


def _narrow(layer: OutputLayer) -> OutputLayer:
    """The layer in the type of its products."""
    kind = narrow(layer.bias.device, layer.bias.dtype)
    return OutputLayer(layer.weight.to(kind), layer.bias.to(kind))


def _chunk_size(tokens: int, *layers: OutputLayer) -> int:
    """How many tokens' scores are made together, by layers of the same words."""
    words, device = len(layers[0].weight), layers[0].weight.device.type
    elements = CHUNK_ELEMENTS.get(device, GPU_CHUNK_ELEMENTS)
    most = max(elements // words, *(layer.weight.shape[1] for layer in layers))
    return math.ceil(tokens / max(1, math.ceil(tokens / most)))  # as many in each chunk


def _chunks(
    layer: OutputLayer, features: Tensor, kind: torch.dtype, size: int
) -> Iterator[tuple[slice, Tensor, Tensor]]:
    """Which rows, `size` at a time, their features in the layer's type, and their scores,
    (rows, V), of type `kind`; until the next chunk, which takes the same memory."""
    tokens = len(features)
    memory = torch.empty(size, len(layer.weight), dtype=kind, device=features.device)
    for first in range(0, tokens, max(1, size)):
        part = features[first : first + size].to(layer.bias.dtype)
        scores = memory[: len(part)]
        if kind == part.dtype:
            torch.addmm(layer.bias, part, layer.weight.T, out=scores)
        else:
            scores.copy_(F.linear(part, *layer))
        yield slice(first, first + size), part, scores


class _MadeAhead(torch.autograd.Function):
    """Its forward pass makes the gradients by features, weight and bias, its first arguments, so
    that scores are made once; its backward pass, of which there is one, scales them."""

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
        gradients, ctx.gradients = ctx.gradients, None  # given away: no copy of them is made
        found = [part if part is None else part.mul_(scale) for part in gradients]
        return (*found, *[None] * (len(ctx.needs_input_grad) - len(found)))


def _gradients(ctx: Any, *parts: Tensor) -> list[Tensor | None]:
    """Zeros for each of the first arguments that needs a gradient."""
    needed = zip(parts, ctx.needs_input_grad[: len(parts)], strict=True)
    return [torch.zeros_like(part) if wanted else None for part, wanted in needed]


class _WeightedNLL(_MadeAhead):
    """`_weighted_nll`."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        words: Tensor,
        given_weights: Tensor | None,
        entropy_weight: float | Tensor | None,
        weigh: Weigh | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        weights = bias.new_ones(len(words)) if given_weights is None else given_weights.clone()
        log_prob, entropy = torch.empty_like(weights), torch.zeros_like(weights)
        layer = _narrow(OutputLayer(weight, bias))
        gradients = _gradients(ctx, features, weight, bias)
        size = _chunk_size(len(features), layer)
        for rows, part, scores in _chunks(layer, features, bias.dtype, size):
            given = scores, words[rows, None], weights[rows, None]
            if entropy_weight is None:
                alike = given_weights is None and weigh is None
                gradient, log_prob[rows] = _of_scores(*given, weigh, alike)
            else:
                bonus = entropy_weight
                if isinstance(bonus, Tensor):
                    bonus = bonus[rows, None]
                gradient, log_prob[rows], entropy[rows] = _with_entropy(*given, bonus)
            _add(gradients, rows, gradient, part, layer.weight)
        ctx.mark_non_differentiable(log_prob, entropy)
        ctx.gradients = gradients
        loss = -(weights * log_prob).sum()
        if entropy_weight is not None:
            loss = loss - (entropy_weight * entropy).sum()
        return loss, log_prob, entropy


class _WeightedKL(_MadeAhead):
    """`word_kl`."""

    @staticmethod
    def forward(
        ctx: Any,
        features: Tensor,
        weight: Tensor,
        bias: Tensor,
        read: Tensor,
        other_weight: Tensor,
        other_bias: Tensor,
        weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        kl, layer = torch.empty_like(weights), _narrow(OutputLayer(weight, bias))
        other = _narrow(OutputLayer(other_weight, other_bias))
        gradients = _gradients(ctx, features, weight, bias)
        size = _chunk_size(len(features), layer, other)
        theirs = _chunks(other, read, bias.dtype, size)
        for rows, part, scores in _chunks(layer, features, bias.dtype, size):
            _, _, other_scores = next(theirs)
            gradient, kl[rows] = _kl_of_scores(scores, other_scores, weights[rows, None])
            _add(gradients, rows, gradient, part, layer.weight)
        ctx.mark_non_differentiable(kl)
        ctx.gradients = gradients
        return (weights * kl).sum(), kl


def _normalised(scores: Tensor, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities (N, V), in the memory of the scores, log p of words (N, 1), and the logarithm
    of 1 / the largest probability, (N, 1)."""
    chosen = scores.gather(1, words) - scores.amax(1, keepdim=True)
    # In one pass that stays in a CPU's caches, which exp, sum and division do not.
    odds = torch.softmax(scores, 1, out=scores if scores.device.type == "cpu" else None)
    total = -odds.amax(1, keepdim=True).log()
    return odds, chosen - total, total


def _of_scores(
    scores: Tensor, words: Tensor, weights: Tensor, weigh: Weigh | None, alike: bool
) -> tuple[Tensor, Tensor]:
    """The gradient of -log p by scores (N, V), which are written over, and log p, (N,).

    Weights (N, 1) are multiplied by what `weigh` makes of log p; `alike`: all of them are 1.
    """
    odds, log_prob, _ = _normalised(scores, words)
    if weigh is not None:
        weights.mul_(weigh(log_prob))
    if not alike:
        odds.mul_(weights)
    return odds.scatter_add_(1, words, -weights), log_prob[:, 0]


def _with_entropy(
    scores: Tensor, words: Tensor, weights: Tensor, entropy_weight: float | Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss's gradient by scores (N, V), which are written over; log p and entropy, (N,) each.

    d(-a log p - e H) / ds_j = p_j (a + e (log p_j + H)) - a [j is the word].
    """
    odds, log_prob, total = _normalised(scores.clone(), words)
    # 0 * -inf would be no number.
    scores.sub_(scores.amax(1, keepdim=True)).clamp_min_(-1e9)
    entropy = total - torch.linalg.vecdot(odds, scores)[:, None]
    scale = weights
    if isinstance(entropy_weight, Tensor) or entropy_weight:
        scale = scores.add_(entropy - total).mul_(entropy_weight).add_(weights)
    gradient = odds.mul_(scale).scatter_add_(1, words, -weights)
    return gradient, log_prob[:, 0], entropy[:, 0]


def _kl_of_scores(scores: Tensor, other: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The gradient of w KL(p || q) by p's scores (N, V), and KL, (N,).

    d KL / ds_j = p_j (log p_j - log q_j - KL).
    """
    # 0 * (-inf + inf) would be no number.
    log_p, log_q = (each.log_softmax(1).clamp_min_(-1e9) for each in (scores, other))
    odds, apart = log_p.exp(), log_p.sub_(log_q)
    kl = torch.linalg.vecdot(odds, apart)
    return odds.mul_(apart.sub_(kl[:, None]).mul_(weights)), kl


def _add(
    gradients: list[Tensor | None], rows: slice, of_scores: Tensor, part: Tensor, weight: Tensor
) -> None:
    """Add those of a chunk of tokens to the gradients of features, weight and bias."""
    by_features, by_weight, by_bias = gradients
    like = of_scores.to(part.dtype)
    if by_features is not None:
        by_features[rows] = like @ weight
    if by_weight is not None and by_weight.dtype == part.dtype:
        by_weight.addmm_(like.T, part)
    elif by_weight is not None:
        by_weight += like.T @ part
    if by_bias is not None:
        by_bias += of_scores.sum(0)
