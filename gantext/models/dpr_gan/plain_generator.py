"""A generator of pictures from a caption's features and noise.

Linear head to a small map, then blocks of upsample x2, convolution, norm, convolution, norm,
activation, and tanh: a DCGAN (Radford et al. 2016, arXiv 1511.06434) that knows a caption.

Shapes: B batch, F features of a caption, Z noise, C channels, H and W pixels.
"""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Size
from gantext.errors import UserError
from gantext.nn.pictures.layers import BN_EPS, SLOPE, Init, Norm, initialise, map_norm


@dataclass(frozen=True)
class CaptionGeneratorConfig:
    """Sizes of the generator (explained in conf/model/dpr_gan.yaml)."""

    noise: Size
    channels: tuple[Size, ...]
    norm: Norm
    init: Init


class CaptionGenerator(nn.Module):
    """(B, F) features of captions and (B, Z) noise -> pictures (B, C, H, W) in [-1, 1].

    Raises:
        UserError: the blocks do not fit the pictures' size.
    """

    def __init__(
        self,
        features: int,
        channels: int,
        size: int,
        config: CaptionGeneratorConfig,
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        blocks = len(config.channels) - 1
        self.side = size >> blocks
        if self.side << blocks != size or not self.side:
            raise UserError(
                f"model.faithful.generator.channels: {blocks} blocks do not end at {size} pixels"
            )
        self.noise = config.noise
        self.head = nn.Linear(features + config.noise, config.channels[0] * self.side**2)
        self.blocks = nn.ModuleList(
            Block(a, b, config.norm) for a, b in itertools.pairwise(config.channels)
        )
        self.last = nn.Conv2d(config.channels[-1], channels, 3, padding=1)
        initialise(self, config.init, rng)

    def forward(self, features: Tensor, noise: Tensor) -> Tensor:
        """One picture a row."""
        read = torch.cat([F.layer_norm(features, features.shape[1:]), noise], 1)
        x = F.leaky_relu(self.head(read), SLOPE).view(len(read), -1, self.side, self.side)
        for block in self.blocks:
            x = block(x)
        return torch.tanh(self.last(x))

    def drawn(self, features: Tensor, rng: torch.Generator) -> Tensor:
        """Pictures with noise from `rng`, one vector a row."""
        noise = torch.randn(len(features), self.noise, generator=rng, device=features.device)
        pictures: Tensor = self(features, noise)
        return pictures


class Block(nn.Sequential):
    """Upsample x2, convolution, norm, convolution, norm, activation.

    (B, before, h, w) -> (B, after, 2 h, 2 w).
    """

    def __init__(self, before: int, after: int, norm: Norm) -> None:
        super().__init__(
            DoubledConvolution(before, after),
            *map_norm(norm, after, BN_EPS),
            nn.Conv2d(after, after, 3, padding=1),
            *map_norm(norm, after, BN_EPS),
            nn.LeakyReLU(SLOPE),
        )


class DoubledConvolution(nn.Conv2d):
    """A 3 x 3 convolution of the map that is doubled by repeating its values.

    Computed on the small map: of the 3 x 3 weights, those that meet the same repeated value are
    summed, which is a transposed convolution with 4 x 4 weights and stride 2. It has less than half
    the multiplications.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, before, h, w) -> (B, after, 2 h, 2 w)."""
        padded = F.pad(self.weight, (1, 1, 1, 1))
        summed = F.avg_pool2d(padded, 2, stride=1, divisor_override=1).flip(2, 3)  # (.., 4, 4)
        return F.conv_transpose2d(x, summed.transpose(0, 1), self.bias, stride=2, padding=1)
