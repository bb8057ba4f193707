"""What generator and discriminator of a GAN minimise: pure functions of the discriminator's logits.

Shapes: B rows of a batch (pictures, sentences, or views of sentences). A positive logit says
'real'. Everything is in fp32, also under autocast.
"""

import enum

import torch.nn.functional as F
from torch import Tensor


class GanLoss(enum.Enum):
    """What generator and discriminator play for."""

    minimax = "minimax"
    nonsaturating = "nonsaturating"
    hinge = "hinge"
    wgan_gp = "wgan_gp"
    rpgan = "rpgan"
    kl = "kl"
    tv = "tv"


# Of these only differences of logits have a meaning: the loss leaves a constant in them free.
RELATIVE = (GanLoss.wgan_gp, GanLoss.rpgan)


def discriminator_loss(kind: GanLoss, real: Tensor, fake: Tensor) -> Tensor:
    """What D minimises, a scalar, of the logits (B,) of real and of generated rows.

    - minimax, nonsaturating, kl: -log D(real) - log(1 - D(fake)), D = sigmoid(logit)
      (Goodfellow et al. 2014, eq. 1).
    - hinge: max(0, 1 - real) + max(0, 1 + fake) (Lim & Ye 2017, eq. 7).
    - wgan_gp: fake - real (Gulrajani et al. 2017, eq. 3), its penalty apart.
    - rpgan: -log sigmoid(real - fake), pair by pair (Jolicoeur-Martineau 2019, eq. 3; Huang et al.
      2024, eq. 2), so both have the same number of rows.
    - tv: tanh(fake) - tanh(real), the total variation distance (Nowozin et al. 2016).
    """
    real, fake = real.float(), fake.float()
    if kind is GanLoss.rpgan:
        return F.softplus(fake - real).mean()
    if kind is GanLoss.wgan_gp:
        return fake.mean() - real.mean()
    if kind is GanLoss.tv:
        return fake.tanh().mean() - real.tanh().mean()
    if kind is GanLoss.hinge:
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(kind: GanLoss, real: Tensor, fake: Tensor) -> Tensor:
    """What G minimises, a scalar, of the logits (B,); `real` counts in rpgan only.

    - minimax: log(1 - D(fake)) (Goodfellow et al. 2014, eq. 1).
    - nonsaturating: -log D(fake) (the same paper, end of section 3).
    - hinge, wgan_gp, kl: -fake; of the best D it is the KL divergence of G from the data, but for a
      constant, where D learns as in nonsaturating (kl; Sonderby et al. 2017).
    - rpgan: -log sigmoid(fake - real).
    - tv: -tanh(fake).
    """
    real, fake = real.float(), fake.float()
    if kind is GanLoss.rpgan:
        return F.softplus(real - fake).mean()
    if kind is GanLoss.minimax:
        return -F.softplus(fake).mean()
    if kind is GanLoss.nonsaturating:
        return F.softplus(-fake).mean()
    if kind is GanLoss.tv:
        return -fake.tanh().mean()
    return -fake.mean()


def beliefs(kind: GanLoss, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
    """Mean D of real and fake, and the share that D gets right, of logits (B,) each.

    D is the sigmoid of a logit, or of its distance to its partner's where only that has a meaning.
    """
    if kind in RELATIVE:
        real, fake = real - fake, fake - real
    accuracy = ((real > 0).float().mean() + (fake <= 0).float().mean()) / 2
    return {
        "d_real": real.sigmoid().mean(),
        "d_fake": fake.sigmoid().mean(),
        "d_accuracy": accuracy,
        "d_gap": accuracy - 0.5,
    }
