"""Regularisers of GANs of pictures: pure functions of the discriminator's slopes.

Shapes: B pictures of a batch. Everything is in fp32, also under autocast: a penalty is a gradient's
gradient, which bf16 would round away.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Discriminator = Callable[[Tensor], Tensor]


def slopes(discriminator: Discriminator, pictures: Tensor) -> Tensor:
    """|dD/dx|^2 of each picture, (B,), of pictures (B, C, H, W); its own gradient is kept.

    D must judge each picture by itself (no batch normalisation).
    """
    pictures = pictures.detach().float().requires_grad_()
    with torch.autocast(pictures.device.type, enabled=False), torch.enable_grad():
        total = discriminator(pictures).float().sum()
        (gradient,) = torch.autograd.grad(total, pictures, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def zero_centred_penalty(discriminator: Discriminator, pictures: Tensor) -> Tensor:
    """E |dD/dx|^2, a scalar: R1 on real pictures, R2 on generated ones.

    Mescheder et al. 2018, eq. 9 and 10, whose factor gamma / 2 is the caller's.
    """
    return slopes(discriminator, pictures).mean()


def gradient_penalty(
    discriminator: Discriminator, real: Tensor, fake: Tensor, rng: torch.Generator
) -> Tensor:
    """E (|dD/dx| - 1)^2 at random points between pairs of pictures, a scalar.

    Gulrajani et al. 2017, eq. 3, whose factor lambda is the caller's.
    """
    share = torch.rand(len(real), generator=rng, device=real.device)
    share = share.view(-1, *[1] * (real.dim() - 1))
    squares = slopes(discriminator, share * real + (1 - share) * fake)
    # The root's slope at 0 is infinite; a D that is flat there would get a gradient of nan.
    return ((squares + 1e-12).sqrt() - 1).square().mean()
