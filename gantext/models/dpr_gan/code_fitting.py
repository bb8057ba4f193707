"""How decoder and composer of a generator are fitted to real pictures, before a judge sees them.

The losses are those of `codes.py`.

Shapes: B batch, T words of a caption.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.gallery import PictureBatch
from gantext.data.ranges import BatchSize, LearningRate, Steps, Weight
from gantext.models.dpr_gan.codes import CodeReader, Gaussian, PictureReader
from gantext.models.dpr_gan.generator import WordGenerator
from gantext.nn.captions.fitting import Descent
from gantext.nn.captions.reader import CaptionReader
from gantext.nn.ema import Ema
from gantext.nn.optim import Metrics, Optimiser, clipped_step, cosine_rate, set_rate
from gantext.nn.state import NamedParts

SCALE_SHARE = 0.01  # of a batch in the running deviation of codes
DESCENT = Descent(betas=(0.9, 0.99), final_rate=0.02, clip=1.0)
NATS = 500.0  # that count as a loss of 1, for the bound on the gradient's norm


@dataclass(frozen=True)
class CodeFittingConfig:
    """One of the two fits (explained in conf/model/dpr_gan.yaml)."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    warmup_steps: Steps
    kl_weight: Weight
    kl_warmup_steps: Steps


class PartFitter(NamedParts):
    """AdamW with warm-up and a cosine, on a part of the generator and its posterior."""

    counters = ("done",)

    def __init__(self, part: nn.Module, posterior: nn.Module, config: CodeFittingConfig) -> None:
        self.fitted, self.config, self.done = nn.ModuleList([part, posterior]), config, 0
        self.optimiser = Optimiser(
            torch.optim.AdamW,
            self.fitted.parameters(),
            config.learning_rate,
            DESCENT.betas,
            weight_decay=0.0,
        )

    def kl_weight(self) -> float:
        """The weight of the KL at this step: it rises evenly from 0."""
        return self.config.kl_weight * min(1.0, self.done / max(1, self.config.kl_warmup_steps))

    def descend(self, loss: Tensor) -> Metrics:
        """One update by a loss in nats, at the schedule's learning rate."""
        config = self.config
        left = cosine_rate(self.done, config.steps, config.warmup_steps, DESCENT.final_rate)
        rate = left * config.learning_rate
        set_rate(self.optimiser, rate)
        norm = clipped_step(self.optimiser, self.fitted, loss / NATS, DESCENT.clip)
        self.done += 1
        return {"grad_norm": norm, "learning_rate": rate}

    def parts(self) -> Mapping[str, Any]:
        """The optimiser."""
        return {"optimiser": self.optimiser}


class CodeFitting(NamedParts):
    """Fits the decoder with q(s | x), then the composer with q(z | s, c)."""

    def __init__(
        self,
        generator: WordGenerator,
        text: CaptionReader,
        ema: Ema[nn.Module],
        channels: int,
        decoding: CodeFittingConfig,
        composing: CodeFittingConfig,
        rng: torch.Generator,
    ) -> None:
        self.generator, self.text, self.ema = generator, text, ema
        device, code, side = generator.device, generator.code, generator.composer.side
        self.picture_reader = PictureReader(channels, code, rng).to(device)
        self.code_reader = CodeReader(code, side, text.size, generator.noise, rng).to(device)
        self.decoding = PartFitter(generator.decoder, self.picture_reader, decoding)
        self.composing = PartFitter(generator.composer, self.code_reader, composing)

    def decoder_step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update of the decoder and of q(s | x); it begins to read as the dual encoder does."""
        fitter = self.decoding
        if fitter.done == 0:
            copy_reader(self.text, self.generator.decoder.text)
        codes = self.picture_reader(batch.pictures)
        error, kl = self.picture_error(codes, batch, rng), codes.kl()
        found = fitter.descend(error + fitter.kl_weight() * kl)
        self.ema.update()
        return {"picture_error": error.detach(), "code_kl": kl.detach(), **found}

    def composer_step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update of the composer and of q(z | s, c); it begins to read as the decoder does."""
        fitter = self.composing
        if fitter.done == 0:
            copy_reader(self.generator.decoder.text, self.generator.composer.text)
        with torch.no_grad():
            codes = self.picture_reader(batch.pictures)
            deviation = codes.mean.std((0, 2, 3)).view(-1, 1, 1)
            share = max(SCALE_SHARE, 1 / (fitter.done + 1))
            self.generator.composer.scale.lerp_(deviation, share)
        code, noise = self.composer_terms(codes, batch.tokens, rng)
        found = fitter.descend(code + fitter.kl_weight() * noise)
        self.ema.update()
        return {"code_error": code.detach(), "noise_kl": noise.detach(), **found}

    def bound(self, codes: Gaussian, tokens: Tensor, rng: torch.Generator) -> dict[str, Tensor]:
        """The composer's terms of the bound on -log p(x | c), with a gradient to it, nats.

        The noise's is weighted as it was when the composer was fitted.

        Args:
            codes: q(s | x) of real pictures, without a gradient.
            tokens: (B, T) captions.
        """
        code, noise = self.composer_terms(codes, tokens, rng)
        return {"code_error": code, "noise_kl": self.composing.config.kl_weight * noise}

    def picture_error(self, codes: Gaussian, batch: PictureBatch, rng: torch.Generator) -> Tensor:
        """Half the squared error of pictures drawn of their own codes, the mean of rows, nats."""
        pictures: Tensor = self.generator.decoder(batch.tokens, codes.drawn(rng))
        errors = (pictures.float() - batch.pictures).square().flatten(1).sum(1)
        return 0.5 * errors.mean()

    def composer_terms(
        self, codes: Gaussian, tokens: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Half the squared error of codes composed of their own noise, and its KL to N(0, 1), nats.

        Args:
            codes: q(s | x) of real pictures, without a gradient.
            tokens: (B, T) captions.
        """
        composer = self.generator.composer
        read = composer.text.read(tokens)
        noise = self.code_reader(codes.mean, read[1])
        composed = composer(tokens, noise.drawn(rng), read)
        errors = ((composed - codes.mean) / composer.scale).square().flatten(1).sum(1)
        return 0.5 * errors.mean(), noise.kl()

    def parts(self) -> Mapping[str, Any]:
        """Both fits: optimisers and places in the schedules."""
        return {"decoding": self.decoding, "composing": self.composing}


@torch.no_grad()
def copy_reader(source: CaptionReader, target: CaptionReader) -> None:
    """Give `target` the weights of `source`, of the same sizes."""
    for name in ("embedding", "forwards", "backwards"):
        getattr(target, name).load_state_dict(getattr(source, name).state_dict())
