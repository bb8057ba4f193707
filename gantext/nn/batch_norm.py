"""Batch normalisation with a fixed scale: a remedy for posterior collapse."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class BatchNormalisedMean(nn.Module):
    """Batch normalisation of mu with its scale fixed at gamma (BN-VAE, Zhu et al. 2020).

    Over the data each dimension's mu then has variance gamma^2, whatever is learned, so that the
    mean KL is at least half the sum over dimensions of gamma^2 + bias^2; the shift is learned.
    """

    running_mean: Tensor
    running_var: Tensor
    scale: Tensor

    def __init__(self, size: int, gamma: float) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(size))
        self.register_buffer("scale", torch.full((size,), gamma), persistent=False)
        self.register_buffer("running_mean", torch.zeros(size))
        self.register_buffer("running_var", torch.ones(size))

    def forward(self, mu: Tensor, training: bool) -> Tensor:
        """By the statistics of the batch (N, Z) in training, else by their running means."""
        mean, var = self.running_mean, self.running_var
        return F.batch_norm(mu, mean, var, self.scale, self.bias, training)
