"""The output layer as it is written down: a tensor of all tokens x all words."""

import torch.nn.functional as F
from torch import Tensor

from gantext.nn.text.output_layer import OutputLayer


def log_probs(layer: OutputLayer, features: Tensor) -> Tensor:
    """log p of every word given features (N, K), (N, V), nats."""
    return F.linear(features, *layer).to(layer.bias.dtype).log_softmax(-1)


def nll(
    layer: OutputLayer,
    features: Tensor,
    words: Tensor,
    weights: Tensor,
    entropy_weight: float | Tensor = 0.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of `policy_nll`, log p of the words and the entropies, all with their gradients."""
    every = log_probs(layer, features)
    log_prob = every.gather(1, words[:, None])[:, 0]
    entropy = -(every.exp() * every.clamp_min(-1e9)).sum(1)
    loss = -(weights * log_prob).sum() - (entropy_weight * entropy).sum()
    return loss, log_prob, entropy
