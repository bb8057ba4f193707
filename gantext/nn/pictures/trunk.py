"""The convolutions of networks that read pictures: where things lie, and what they are.

Shapes: B batch, C channels, H and W pixels of a side, P places, Q pooled channels.
"""

import itertools

import torch
from torch import Tensor, nn

from gantext.errors import UserError
from gantext.nn.pictures.layers import BN_EPS, SLOPE, Norm, map_norm


class PictureTrunk(nn.Module):
    """Convolutions that halve a picture, read in two ways.

    The last map keeps its places: a layer on it knows what lies above what, but has to learn each
    shape anew in each place. The largest and the mean of every channel of the last two maps say
    what is there, wherever it lies.

    Attributes:
        places: P, values of the last map.
        pooled: Q, twice the channels of the last two maps.

    Args:
        shrinking: whether every convolution halves the map; if not, the last alone does.
        key: the name of the widths where the user sets them, for the error.

    Raises:
        UserError: fewer than two widths, or more than the picture can be halved.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        widths: tuple[int, ...],
        norm: Norm,
        shrinking: bool = True,
        key: str = "channels",
    ) -> None:
        super().__init__()
        halvings = len(widths) if shrinking else 1
        side = size >> halvings
        if len(widths) < 2 or side << halvings != size or not side:
            raise UserError(
                f"{key}: {len(widths)} convolutions of a picture: at least 2, and no more than "
                f"{size} pixels can be halved"
            )
        *_, before, last = widths
        self.places, self.pooled = last * side * side, 2 * (before + last)
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise((channels, *widths[:-1])):
            layers += convolution(a, b, norm, halving=shrinking)
        self.fine = nn.Sequential(*layers, *convolution(before, before, norm, halving=False))
        self.coarse = nn.Sequential(*convolution(before, last, norm, halving=True))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The last map (B, P) and what is pooled (B, Q) of pictures (B, C, H, W)."""
        fine = self.fine(pictures)
        coarse = self.coarse(fine)
        pooled = [pool for x in (fine, coarse) for pool in (x.amax((2, 3)), x.mean((2, 3)))]
        return coarse.flatten(1), torch.cat(pooled, 1)


def convolution(before: int, after: int, norm: Norm, halving: bool) -> list[nn.Module]:
    """A convolution that halves a map or keeps its size, its norm and its activation."""
    kernel, stride = (4, 2) if halving else (3, 1)
    layer = nn.Conv2d(before, after, kernel, stride=stride, padding=1)
    return [layer, *map_norm(norm, after, BN_EPS), nn.LeakyReLU(SLOPE)]
