"""Spectral normalisation: a layer's matrix divided by its largest singular value.

Torch's own draws the first vectors from the global generator; this one takes a generator.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import parametrize


class SpectralNorm(nn.Module):
    """W / sigma(W), sigma by power iteration (Miyato et al. 2018, algorithm 1).

    W (rows, ...) counts as a matrix of its rows. One iteration a forward pass in training; the
    vectors are buffers, so that a resume is exact.
    """

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, rng: torch.Generator, iterations: int = 15) -> None:
        super().__init__()
        matrix = weight.detach().flatten(1)
        u = F.normalize(torch.randn(len(matrix), generator=rng), dim=0)
        v = torch.zeros(matrix.shape[1])
        for _ in range(iterations):
            u, v = iterate(matrix, u)
        self.register_buffer("u", u)
        self.register_buffer("v", v)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight divided by sigma, fp32 also under autocast."""
        matrix = weight.flatten(1)
        with torch.autocast(weight.device.type, enabled=False):
            if self.training:
                u, v = iterate(matrix.detach(), self.u)
                self.u, self.v = u, v
            sigma = self.u @ (matrix @ self.v)
        return weight / sigma


@torch.no_grad()
def iterate(matrix: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    """One power iteration: the next left and right singular vectors of the largest value."""
    v = F.normalize(matrix.T @ u, dim=0)
    return F.normalize(matrix @ v, dim=0), v


def add_spectral_norm(module: nn.Module, rng: torch.Generator) -> None:
    """Normalise the weight of every linear and convolutional layer in a module."""
    for layer in list(module.modules()):
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            norm = SpectralNorm(layer.weight, rng)
            parametrize.register_parametrization(layer, "weight", norm)
