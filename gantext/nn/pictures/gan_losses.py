"""Losses and regularisers of GANs: pure functions of the discriminator's logits or of its slopes.

Shapes: B pictures of a batch. A positive logit says 'real'. Everything is in fp32, also under
autocast: a penalty is a gradient's gradient, which bf16 would round away.
"""

import enum
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Discriminator = Callable[[Tensor], Tensor]


class GanLoss(enum.Enum):
    """What generator and discriminator play for."""

    minimax = "minimax"
    nonsaturating = "nonsaturating"
    hinge = "hinge"
    wgan_gp = "wgan_gp"
    rpgan = "rpgan"


# Of these only differences of logits have a meaning: the loss leaves a constant in them free.
RELATIVE = (GanLoss.wgan_gp, GanLoss.rpgan)


def discriminator_loss(kind: GanLoss, real: Tensor, fake: Tensor) -> Tensor:
    """What D minimises, a scalar, of the logits (B,) of real and of generated pictures.

    - minimax, nonsaturating: -log D(real) - log(1 - D(fake)), D = sigmoid(logit)
      (Goodfellow et al. 2014, eq. 1).
    - hinge: max(0, 1 - real) + max(0, 1 + fake) (Lim & Ye 2017, eq. 7).
    - wgan_gp: fake - real (Gulrajani et al. 2017, eq. 3), its penalty apart.
    - rpgan: -log sigmoid(real - fake), pair by pair (Jolicoeur-Martineau 2019, eq. 3; Huang et al.
      2024, eq. 2), so both have the same number of rows.
    """
    real, fake = real.float(), fake.float()
    if kind is GanLoss.rpgan:
        return F.softplus(fake - real).mean()
    if kind is GanLoss.wgan_gp:
        return fake.mean() - real.mean()
    if kind is GanLoss.hinge:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(kind: GanLoss, real: Tensor, fake: Tensor) -> Tensor:
    """What G minimises, a scalar, of the logits (B,); `real` counts in rpgan only.

    - minimax: log(1 - D(fake)) (Goodfellow et al. 2014, eq. 1).
    - nonsaturating: -log D(fake) (the same paper, end of section 3).
    - hinge, wgan_gp: -fake.
    - rpgan: -log sigmoid(fake - real).
    """
    real, fake = real.float(), fake.float()
    if kind is GanLoss.rpgan:
        return F.softplus(real - fake).mean()
    if kind is GanLoss.minimax:
        return -F.softplus(fake).mean()
    if kind is GanLoss.nonsaturating:
        return F.softplus(-fake).mean()
    return -fake.mean()


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
