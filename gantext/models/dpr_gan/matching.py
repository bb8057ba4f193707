"""How a discriminator learns that pictures look real, and that they are of their caption.

Shapes: B batch, C channels, H and W pixels, F features of a caption, M = k B wrong captions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gantext.data.ranges import Interval, Weight
from gantext.models.dpr_gan.discriminator import ProjectionDiscriminator
from gantext.nn.gan_losses import GanLoss, discriminator_loss
from gantext.nn.optim import Metrics, Optimiser, descend
from gantext.nn.pictures.penalties import zero_centred_penalty
from gantext.nn.state import NamedParts


@dataclass(frozen=True)
class MatchingConfig:
    """Explained in conf/model/dpr_gan.yaml."""

    mismatch_weight: Weight
    gamma: Weight
    reg_every: Interval


class Matching(NamedParts):
    """Adam on a discriminator: real before fake, and its own caption before a wrong one.

    Attributes:
        kept: what is measured on some steps only, for the log of the others.
    """

    def __init__(
        self,
        discriminator: ProjectionDiscriminator,
        config: MatchingConfig,
        learning_rate: float,
        betas: tuple[float, float],
    ) -> None:
        self.discriminator, self.config = discriminator, config
        self.optimiser = Optimiser(
            torch.optim.Adam, discriminator.parameters(), learning_rate, betas
        )
        self.kept: dict[str, Tensor] = {}

    def lazy(self, number: int) -> bool:
        """Whether the step of this number computes what is computed on some only."""
        return number % self.config.reg_every == 0

    def step(
        self, number: int, real: Tensor, fake: Tensor, own: Tensor, wrong: Tensor, same: Tensor
    ) -> Metrics:
        """One update.

        Args:
            number: of the step.
            real, fake: (B, C, H, W) pictures, or their codes, of the same captions.
            own: (B, F) those captions' features.
            wrong: (M, F) features of other captions, k for each real picture, in k turns.
            same: (M,) bool, which of those are its own caption after all.
        """
        config, d = self.config, self.discriminator
        looked, turns = d.look(real), len(wrong) // len(own)
        true, false = d.judge(looked, own), d(fake, own)
        refused = d.judge(looked.repeat(turns, 1), wrong)
        loss = discriminator_loss(GanLoss.rpgan, true, false)
        # The same caption is not wrong: a logit of -inf costs nothing.
        masked = refused.masked_fill(same, -torch.inf)
        mismatch = discriminator_loss(GanLoss.rpgan, true.repeat(turns), masked)
        total = loss + config.mismatch_weight * mismatch
        if self.lazy(number):
            total = total + self._penalty(real, fake, own)
        norm = descend(self.optimiser, total)
        return {
            "d_loss": loss.detach(),
            "d_mismatch_loss": mismatch.detach(),
            "d_real": (true - false).detach().sigmoid().mean(),
            "d_fake": (false - true).detach().sigmoid().mean(),
            "d_accuracy": (true > false).float().mean(),
            "d_match_accuracy": ((true.repeat(turns) > refused) & ~same).sum() / (~same).sum(),
            "d_grad_norm": norm,
        }

    def _penalty(self, real: Tensor, fake: Tensor, features: Tensor) -> Tensor:
        """The weighted slopes of D at real and at fake pictures, a scalar."""
        config, total = self.config, torch.zeros((), device=real.device)
        for name, pictures in (("r1", real), ("r2", fake)):
            found = zero_centred_penalty(lambda x: self.discriminator(x, features), pictures)
            self.kept[name] = found.detach()
            total = total + config.reg_every * config.gamma / 2 * found
        return total

    def parts(self) -> Mapping[str, Any]:
        """The optimiser."""
        return {"optimiser": self.optimiser}

    def state_dict(self) -> dict[str, Any]:
        """Optimiser state, and what was measured last."""
        return {**super().state_dict(), "kept": dict(self.kept)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.kept = dict(state["kept"])
