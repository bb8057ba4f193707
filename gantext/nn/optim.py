"""Steps and learning rates of optimisers, also where networks that are opponents share a graph."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    """One step down a loss; returns the gradient's norm.

    Only the optimiser's own weights get a gradient: a generator's step leaves none in the
    networks that judge its pictures.
    """
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    optimiser.zero_grad()
    torch.autograd.backward(loss, inputs=weights)
    optimiser.step()
    norms = [weight.grad.norm() for weight in weights if weight.grad is not None]
    norm: Tensor = torch.stack(norms).norm()
    return norm


Metrics = Mapping[str, Tensor | float]


def cosine_rate(step: int, steps: int, warmup: int, final: float) -> float:
    """Share of the peak learning rate: linear warm-up, then a cosine down to `final`."""
    rise = min(1.0, (step + 1) / max(1, warmup))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, step / max(1, steps))))
    return rise * (final + (1 - final) * fall)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Let an optimiser go on at another learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def clipped_step(
    optimiser: torch.optim.Optimizer, model: nn.Module, loss: Tensor, clip: float
) -> Tensor:
    """One optimiser step, the gradient's norm clipped; returns the norm before clipping.

    Args:
        optimiser: of the model's weights.
        model: whose gradients are clipped together.
        loss: a scalar.
        clip: the largest norm; 0 leaves the gradient as it is.
    """
    optimiser.zero_grad()
    torch.autograd.backward(loss)
    norm = nn.utils.clip_grad_norm_(model.parameters(), clip or math.inf)
    optimiser.step()
    return norm.detach()
