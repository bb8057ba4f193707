"""A discriminator that knows the caption (projection, Miyato & Koyama 2018, arXiv 1802.05637).

Shapes: B batch, F features of a caption, C channels, H and W pixels, D size
of what is read of a picture.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import Size
from gantext.nn.pictures.layers import SLOPE, Init, Norm, initialise
from gantext.nn.pictures.trunk import PictureTrunk


@dataclass(frozen=True)
class ProjectionConfig:
    """Sizes of the discriminator (explained in conf/model/dpr_gan.yaml)."""

    channels: tuple[Size, ...]
    hidden: Size


class ProjectionDiscriminator(nn.Module):
    """logit(x, c) = w . h(x) + h(x) . t(c) / sqrt(D): real, and of this caption.

    x is a picture, or its code. Without normalisation: its logit does not depend on the rest of its
    batch, as the penalties on its slope need.
    """

    def __init__(
        self,
        features: int,
        channels: int,
        size: int,
        config: ProjectionConfig,
        rng: torch.Generator,
        shrinking: bool = True,
    ) -> None:
        super().__init__()
        widths = tuple(config.channels)
        self.trunk = PictureTrunk(
            channels, size, widths, Norm.none, shrinking, "model.discriminator.channels"
        )
        self.inner = nn.Linear(self.trunk.places, config.hidden)
        self.size = config.hidden + self.trunk.pooled
        self.output = nn.Linear(self.size, 1)
        self.caption = nn.ModuleList(
            [nn.Linear(features, config.hidden), nn.Linear(config.hidden, self.size)]
        )
        initialise(self, Init.kaiming, rng)

    def look(self, pictures: Tensor) -> Tensor:
        """h(x), (B, D), of pictures (B, C, H, W) in [-1, 1]."""
        places, pooled = self.trunk(pictures)
        return torch.cat([F.leaky_relu(self.inner(places), SLOPE), pooled], 1)

    def judge(self, looked: Tensor, features: Tensor) -> Tensor:
        """Logits (B,) of what `look` gave and of captions (B, F)."""
        first, second = self.caption
        hidden = F.leaky_relu(first(F.layer_norm(features, features.shape[1:])), SLOPE)
        match = (looked * second(hidden)).sum(1) * self.size**-0.5
        logits: Tensor = self.output(looked).squeeze(1) + match
        return logits.float()  # losses are of differences

    def forward(self, pictures: Tensor, features: Tensor) -> Tensor:
        """Logits (B,): above 0 for a real picture of this caption."""
        return self.judge(self.look(pictures), features)
