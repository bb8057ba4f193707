"""Generators and discriminators of pictures: multilayer perceptrons, and DCGANs.

Shapes: B batch, C channels, S side of the picture in pixels, Z inputs of a generator.
"""

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gantext.models.image_gan.classes import real_logit
from gantext.nn.pictures.layers import BN_EPS, SLOPE, Init, Norm, flat_norm, initialise, map_norm

SMALLEST = 4  # pixels each way of the map that a DCGAN begins with


def sides(size: int) -> list[int]:
    """Sides of the maps, the smallest first: halved while that leaves whole pixels, at least 4.

    28 -> [7, 14, 28]; 32 -> [4, 8, 16, 32]; 8 -> [4, 8]; 9 -> [9].
    """
    found = [size]
    while found[0] % 2 == 0 and found[0] // 2 >= SMALLEST:
        found.insert(0, found[0] // 2)
    return found


class MLPGenerator(nn.Module):
    """Z -> hidden -> C * S * S, LeakyReLU between, tanh; `norm` on all hidden layers but the first.

    With hidden (128, 256, 512, 1024) it is the generator of many tutorials.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        size: int,
        hidden: Sequence[int],
        norm: Norm,
        init: Init,
        rng: torch.Generator,
        bn_eps: float = BN_EPS,
    ) -> None:
        super().__init__()
        self.shape = channels, size, size
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(itertools.pairwise([inputs, *hidden])):
            layers += [nn.Linear(before, after), *(flat_norm(norm, after, bn_eps) if i else [])]
            layers.append(nn.LeakyReLU(SLOPE))
        self.layers = nn.Sequential(*layers, nn.Linear(hidden[-1], math.prod(self.shape)))
        initialise(self, init, rng)

    def forward(self, z: Tensor) -> Tensor:
        """Pictures (B, C, S, S) in [-1, 1], fp32, of noise (B, Z)."""
        found: Tensor = self.layers(z).float().tanh()
        return found.view(-1, *self.shape)


class DCGANGenerator(nn.Module):
    """A linear head to a small map, then transposed convolutions that double the side; tanh.

    They are 4 x 4 with stride 2, with norm and ReLU before each (Radford et al. 2016, section 3).
    Maps have `width` channels at half the picture's side and twice as many at each smaller one.
    """

    def __init__(
        self,
        inputs: int,
        channels: int,
        size: int,
        width: int,
        norm: Norm,
        init: Init,
        rng: torch.Generator,
        bn_eps: float = BN_EPS,
    ) -> None:
        super().__init__()
        maps = sides(size)
        doublings = len(maps) - 1
        widths = [*(width * 2**i for i in reversed(range(max(1, doublings)))), channels]
        self.shape = widths[0], maps[0], maps[0]
        self.head = nn.Linear(inputs, math.prod(self.shape))
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [*map_norm(norm, before, bn_eps), nn.ReLU()]
            up = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
            layers.append(up if doublings else nn.Conv2d(before, after, 3, padding=1))
        self.layers = nn.Sequential(*layers)
        initialise(self, init, rng)

    def forward(self, z: Tensor) -> Tensor:
        """Pictures (B, C, S, S) in [-1, 1], fp32, of noise (B, Z)."""
        # A CPU's convolutions are faster with the channels last.
        small = self.head(z).view(-1, *self.shape).contiguous(memory_format=torch.channels_last)
        found: Tensor = self.layers(small).float().tanh()
        return found.contiguous()


class PictureDiscriminator(nn.Module):
    """Layers, and a linear output: the logit of 'real', or one of each of K classes."""

    def __init__(
        self,
        layers: Sequence[nn.Module],
        width: int,
        init: Init,
        rng: torch.Generator,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(width, classes or 1))
        initialise(self, init, rng)

    def forward(self, pictures: Tensor) -> Tensor:
        """Logit of 'real', (B,), fp32, of pictures (B, C, S, S)."""
        outputs = self.outputs(pictures)
        return real_logit(outputs) if self.classes else outputs.squeeze(1)

    def outputs(self, pictures: Tensor) -> Tensor:
        """The outputs, (B, K), or (B, 1) without classes, fp32."""
        found: Tensor = self.layers(pictures).float()
        return found

    def features(self, pictures: Tensor) -> Tensor:
        """What the linear output reads, (B, F), fp32."""
        found: Tensor = self.layers[:-1](pictures).float()
        return found


class MLPDiscriminator(PictureDiscriminator):
    """C * S * S -> hidden -> outputs, LeakyReLU between; `norm` on all but the first hidden one."""

    def __init__(
        self,
        channels: int,
        size: int,
        hidden: Sequence[int],
        norm: Norm,
        init: Init,
        rng: torch.Generator,
        classes: int = 0,
    ) -> None:
        layers: list[nn.Module] = [nn.Flatten()]
        for i, (before, after) in enumerate(itertools.pairwise([channels * size**2, *hidden])):
            layers += [nn.Linear(before, after), *(flat_norm(norm, after, BN_EPS) if i else [])]
            layers.append(nn.LeakyReLU(SLOPE))
        super().__init__(layers, hidden[-1], init, rng, classes)


class DCGANDiscriminator(PictureDiscriminator):
    """Convolutions (4 x 4, stride 2) that halve the side, LeakyReLU between, a linear output.

    `width` channels after the first halving and twice as many after each further one; norm on all
    but the first (Radford et al. 2016, section 3).
    """

    def __init__(
        self,
        channels: int,
        size: int,
        width: int,
        norm: Norm,
        init: Init,
        rng: torch.Generator,
        classes: int = 0,
    ) -> None:
        maps = sides(size)
        halvings = len(maps) - 1
        widths = [channels, *(width * 2**i for i in range(max(1, halvings)))]
        layers: list[nn.Module] = []
        for i, (before, after) in enumerate(itertools.pairwise(widths)):
            down = nn.Conv2d(before, after, 4, stride=2, padding=1)
            layers.append(down if halvings else nn.Conv2d(before, after, 3, padding=1))
            layers += [*(map_norm(norm, after, BN_EPS) if i else []), nn.LeakyReLU(SLOPE)]
        super().__init__(layers, widths[-1] * maps[0] ** 2, init, rng, classes)
