"""The game of a generator and a dual encoder that is its discriminator.

The encoder learns to find a caption's real picture among real and generated ones; the generator
learns to be found, and to be near the real picture.

Shapes: B batch, N pictures, T words of a caption, C channels, S side in pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.gallery import PictureBatch
from gantext.data.ranges import BatchSize, LearningRate, Momentum, Steps, Weight
from gantext.models.contract import Phase, PictureTask
from gantext.models.dpr_gan.painter import CaptionPainter
from gantext.models.dpr_gan.plain_generator import CaptionGenerator, CaptionGeneratorConfig
from gantext.nn.captions.dual_encoder import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    in_batch_accuracy,
    same_captions,
)
from gantext.nn.optim import Metrics, Optimiser, descend


@dataclass(frozen=True)
class RetrievalGameConfig:
    """Explained in conf/model/dpr_gan.yaml."""

    steps: Steps
    batch_size: BatchSize
    g_learning_rate: LearningRate
    d_learning_rate: LearningRate
    betas: tuple[Momentum, ...]
    ema: Momentum
    real_weight: Weight
    generator: CaptionGeneratorConfig


class RetrievalGame(CaptionPainter):
    """A plain generator against the dual encoder, in turn."""

    def __init__(
        self,
        towers: DualEncoderConfig,
        config: RetrievalGameConfig,
        task: PictureTask,
        rng: torch.Generator,
    ) -> None:
        shape = task.channels, task.size
        encoder = DualEncoder(task.vocab_size, *shape, towers, rng).to(task.device)
        plain = CaptionGenerator(encoder.text.size, *shape, config.generator, rng)
        super().__init__(task, encoder, plain.to(task.device), config.ema)
        self.config = config
        betas = config.betas[0], config.betas[1]
        self.g_optimiser = Optimiser(
            torch.optim.Adam, plain.parameters(), config.g_learning_rate, betas
        )
        self.d_optimiser = Optimiser(
            torch.optim.Adam, encoder.parameters(), config.d_learning_rate, betas
        )

    def phases(self) -> Sequence[Phase]:
        """adversarial alone."""
        steps, rows = self.config.steps, self.config.batch_size
        phase = Phase("adversarial", steps, rows, self.step, adversarial=True)
        return [phase.by("faithful.steps")]

    def drawn(self, generator: nn.Module, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """One picture of each caption (B, T), (B, C, S, S)."""
        assert isinstance(generator, CaptionGenerator)
        return generator.drawn(self.features(tokens), rng)

    def step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update of the dual encoder, then one of G by the encoder as it is now."""
        fake = self.drawn(self.generator, batch.tokens, rng)
        encoder, same = self.encoder, same_captions(batch.tokens)
        loss = encoder_loss(encoder, batch, fake.detach())
        norm = descend(self.d_optimiser, loss)
        with torch.no_grad():
            text, real = encoder.text(batch.tokens), encoder.image(batch.pictures)
        seen, scale = encoder.image(fake), encoder.scale().detach()
        contrast = contrastive_loss(text, seen, scale, same)
        to_real = 1 - (seen * real).sum(1).mean()
        g_loss = contrast + self.config.real_weight * to_real
        g_norm = descend(self.g_optimiser, g_loss)
        self.ema.update()
        self.steps += 1
        # How often the encoder prefers the real picture to the generated one of the same caption.
        preferred = (text * (real - seen)).sum(1) > 0
        return {
            "d_loss": loss.detach(),
            "g_loss": g_loss.detach(),
            "contrastive": contrast.detach(),
            "similarity_real": (text * real).sum(1).mean(),
            "similarity_fake": (text * seen).sum(1).mean().detach(),
            "d_accuracy": preferred.float().mean(),
            "retrieval_real": in_batch_accuracy(text, real, same),
            "retrieval_fake": in_batch_accuracy(text, seen, same),
            "distance_to_real": to_real.detach(),
            "temperature": 1 / scale,
            "d_grad_norm": norm,
            "g_grad_norm": g_norm,
        }

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        optimisers = {"g_optimiser": self.g_optimiser, "d_optimiser": self.d_optimiser}
        return {**super().parts(), **optimisers}


def encoder_loss(encoder: DualEncoder, batch: PictureBatch, fake: Tensor) -> Tensor:
    """The contrastive loss with the fakes (B, C, S, S) as hard negatives, nats."""
    same, seen = same_captions(batch.tokens), encoder.image(fake)
    text, real = encoder.text(batch.tokens), encoder.image(batch.pictures)
    return contrastive_loss(text, real, encoder.scale(), same, negatives=seen)
