"""How a dual encoder is fitted to captions and their real pictures.

Shapes: B batch, C channels, S side of a picture in pixels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.gallery import PictureBatch
from gantext.data.ranges import BatchSize, Deviation, LearningRate, Pixels, Steps, WeightDecay
from gantext.nn.captions.dual_encoder import (
    DualEncoder,
    contrastive_loss,
    in_batch_accuracy,
    same_captions,
)
from gantext.nn.optim import Metrics, Optimiser, clipped_step, cosine_rate, set_rate
from gantext.nn.state import NamedParts


@dataclass(frozen=True)
class FittingConfig:
    """Explained in conf/model/dpr_gan.yaml."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    warmup_steps: Steps
    weight_decay: WeightDecay
    shift: Pixels
    noise: Deviation


@dataclass(frozen=True)
class Descent:
    """What AdamW has by whoever fits a network by it: a model and a judge each have their own.

    Attributes:
        betas: of the running means of the gradient and its square.
        final_rate: share of the peak learning rate that is left at the end.
        clip: the largest norm of a gradient; 0: any.
    """

    betas: tuple[float, float]
    final_rate: float
    clip: float


class EncoderFitter(NamedParts):
    """AdamW with warm-up and a cosine, on pictures that are disturbed a little at random."""

    counters = ("done",)

    def __init__(self, encoder: DualEncoder, config: FittingConfig, descent: Descent) -> None:
        self.encoder, self.config, self.descent, self.done = encoder, config, descent, 0
        self.optimiser = Optimiser(
            torch.optim.AdamW,
            encoder.parameters(),
            config.learning_rate,
            descent.betas,
            weight_decay=config.weight_decay,
        )

    def step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update by the symmetric loss on B pairs."""
        config, encoder = self.config, self.encoder
        left = cosine_rate(self.done, config.steps, config.warmup_steps, self.descent.final_rate)
        rate = left * config.learning_rate
        set_rate(self.optimiser, rate)
        text = encoder.text(batch.tokens)
        pictures = encoder.image(disturbed(batch.pictures, config, rng))
        same = same_captions(batch.tokens)
        loss = contrastive_loss(text, pictures, encoder.scale(), same)
        norm = clipped_step(self.optimiser, encoder, loss, self.descent.clip)
        self.done += 1
        return {
            "contrastive": loss.detach(),
            "retrieval_real": in_batch_accuracy(text, pictures, same),
            "temperature": 1 / encoder.scale().detach(),
            "grad_norm": norm,
            "learning_rate": rate,
        }

    def parts(self) -> Mapping[str, Any]:
        """The optimiser."""
        return {"optimiser": self.optimiser}


def disturbed(pictures: Tensor, config: FittingConfig, rng: torch.Generator) -> Tensor:
    """Shift pictures (B, C, S, S), and add noise of a strength of its own to each.

    An encoder that reads through this, and sees generated pictures through it too, is harder to
    please with patterns that only look right to a network.
    """
    moved = shifted(pictures, config.shift, rng)
    if not config.noise:
        return moved
    strength = torch.rand(len(moved), generator=rng, device=moved.device) * config.noise
    noise = torch.empty_like(moved).normal_(generator=rng)
    return moved + strength[:, None, None, None] * noise


def shifted(pictures: Tensor, most: int, rng: torch.Generator) -> Tensor:
    """Move each picture (B, C, S, S) by up to `most` pixels each way; its edges are repeated."""
    if not most:
        return pictures
    rows, channels, side, _ = pictures.shape
    device = pictures.device
    moves = torch.randint(0, 2 * most + 1, (2, rows, 1), generator=rng, device=device)
    down, across = moves + torch.arange(side, device=device)  # (B, S) each
    picture = torch.arange(rows, device=device)[:, None, None, None]
    channel = torch.arange(channels, device=device)[:, None, None]
    padded = F.pad(pictures, (most,) * 4, mode="replicate")
    return padded[picture, channel, down[:, None, :, None], across[:, None, None, :]]
