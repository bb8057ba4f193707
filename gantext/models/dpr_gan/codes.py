"""What a generator's code and noise are, for a real picture: two approximate posteriors.

A variational autoencoder of two levels (Sonderby et al. 2016, arXiv 1602.02282): a picture x of a
caption c has a code s, and the code has noise z. With q(s | x) and q(z | s, c) by the networks
here, and Gaussians of variance 1 around the decoder's pictures x'(s, c),

    -log p(x | c) <= |x - x'|^2 / 2 + KL(q(s | x) || p(s | z, c)) + KL(q(z | s, c) || N(0, 1)).

First the decoder learns, with N(0, 1) for p(s | z, c); then the composer, whose codes are the
means of p(s | z, c), with the variances of all codes: of the KL of codes, half the squared error in
units of their deviation is left.

Shapes: B batch, C channels, S side in pixels, K channels of a code with S / 4 places each way, F
features of a caption, Z noise.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.nn.latent import gaussian_kl, reparameterise
from gantext.nn.pictures.layers import Init, Norm, initialise
from gantext.nn.pictures.trunk import convolution

READ = (48, 96)  # channels of the picture's convolutions
NARROW = 96  # of the code's
LAST_STD = 0.02


class Gaussian(NamedTuple):
    """Means and log-variances, of one shape."""

    mean: Tensor
    log_var: Tensor

    def drawn(self, rng: torch.Generator) -> Tensor:
        """One draw, with a gradient to both."""
        return reparameterise(self.mean, self.log_var, rng)

    def kl(self) -> Tensor:
        """KL to N(0, 1), the mean over rows, nats."""
        return gaussian_kl(self.mean, self.log_var).flatten(1).sum(1).mean()


class PictureReader(nn.Module):
    """q(s | x): convolutions, and what each place of the last map says."""

    def __init__(self, channels: int, code: int, rng: torch.Generator) -> None:
        super().__init__()
        first, second = READ
        self.layers = nn.Sequential(
            *convolution(channels, first, Norm.group, halving=True),
            *convolution(first, second, Norm.group, halving=True),
            *convolution(second, second, Norm.group, halving=False),
        )
        self.last = nn.Conv2d(second, 2 * code, 3, padding=1)
        initialise(self.layers, Init.kaiming, rng)
        _start_near_prior(self.last, rng)

    def forward(self, pictures: Tensor) -> Gaussian:
        """Of codes, (B, K, S / 4, S / 4), for pictures (B, C, S, S) in [-1, 1]."""
        mean, log_var = self.last(self.layers(pictures)).float().chunk(2, 1)
        return Gaussian(mean, log_var)


class CodeReader(nn.Module):
    """q(z | s, c): convolutions of the code, and a layer on all of it and on the caption."""

    def __init__(
        self, code: int, side: int, features: int, noise: int, rng: torch.Generator
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *convolution(code, NARROW, Norm.group, halving=False),
            *convolution(NARROW, NARROW, Norm.group, halving=True),
        )
        self.last = nn.Linear(NARROW * (side // 2) ** 2 + features, 2 * noise)
        initialise(self.layers, Init.kaiming, rng)
        _start_near_prior(self.last, rng)

    def forward(self, code: Tensor, features: Tensor) -> Gaussian:
        """Of noise, (B, Z), for codes (B, K, S / 4, S / 4) and captions' features (B, F)."""
        seen = self.layers(code).flatten(1)
        both = torch.cat([seen, F.layer_norm(features, features.shape[1:])], 1)
        mean, log_var = self.last(both).float().chunk(2, 1)
        return Gaussian(mean, log_var)


@torch.no_grad()
def _start_near_prior(layer: nn.Linear | nn.Conv2d, rng: torch.Generator) -> None:
    assert layer.bias is not None
    nn.init.normal_(layer.weight, 0.0, LAST_STD, generator=rng)
    nn.init.zeros_(layer.bias)
