"""One step of an optimiser, where networks that are trained against each other share a graph."""

import torch
from torch import Tensor


def descend(optimiser: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    """One step down a loss; returns the gradient's norm.

    Only the optimiser's own weights get a gradient: a generator's step leaves none in the
    networks that judge its pictures.
    """
    weights = [weight for group in optimiser.param_groups for weight in group["params"]]
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss, inputs=weights)
    optimiser.step()
    norms = [weight.grad.norm() for weight in weights if weight.grad is not None]
    norm: Tensor = torch.stack(norms).norm()
    return norm
