"""model=dpr_gan: pictures of captions, by a GAN whose discriminator retrieves passages.

A dual encoder (dense passage retrieval, Karpukhin et al. 2020, arXiv 2004.04906) says how well a
picture fits a caption; a generator draws pictures that it would find. The architecture is not of a
paper: `variant=faithful` is the idea as it stands, `variant=recipe` is one that trains.

- faithful: the dual encoder is the discriminator. It learns to find a caption's real picture among
  real and generated ones; the generator learns to be found, and to be near the real picture; in
  turn. The encoder soon tells every generated picture from a real one, and what it then asks of
  the generator is no picture.
- recipe: the dual encoder is first fitted to real pairs and frozen, so that the generator cannot
  be left behind by it, nor it be led astray. The generator draws in two steps, by a code of what
  the caption leaves open (`gantext.nn.word_generator`), and both steps are first fitted to real
  pictures as a variational autoencoder (VAE-GAN, Larsen et al. 2016, arXiv 1512.09300): what words
  look like is learned there. Then it is trained by the dual encoder and by another discriminator,
  which also refuses real pictures of another caption (matching-aware, Reed et al. 2016, arXiv
  1605.05396), with a relativistic loss and both gradient penalties (R3GAN, Huang et al. 2024,
  arXiv 2501.05441), while it goes on fitting real pictures.

Shapes: B batch, N pictures, C channels, S side in pixels, T words of a caption, F features of a
caption, E size of the encoder's space.

Where this differs from those papers, and why:
- A wrong caption's loss is relative too: the real picture should fit its own caption better.
- Half of the wrong captions are near ones, by their words, as DPR's hard negatives are.
- The penalties are lazy (Karras et al. 2020, appendix B), on every `reg_every`-th step and that
  many times as heavy.
- One forward pass of G a step: D is updated on the pictures by which G is updated next.
- D reads captions by the dual encoder's text tower, and does not change it.
- Captions with the same words in a batch are no negatives of each other.
- Pictures are drawn by an average of the generator's past weights.
"""

import copy
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.gallery import PictureBatch
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.nn.algorithm import Metrics, Phase, PictureTask, Reads
from gantext.nn.caption_generator import CaptionGenerator, CaptionGeneratorConfig
from gantext.nn.caption_painter import CaptionPainter
from gantext.nn.caption_reader import NearCaptions
from gantext.nn.code_fitting import CodeFitting, CodeFittingConfig
from gantext.nn.descent import descend
from gantext.nn.dual_encoder import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    in_batch_accuracy,
    same_captions,
)
from gantext.nn.ema import Ema
from gantext.nn.encoder_fitting import (
    FINAL_RATE,
    EncoderFitter,
    FittingConfig,
    disturbed,
    encoder_loss,
)
from gantext.nn.gan_losses import GanLoss, generator_loss
from gantext.nn.matching import Matching, MatchingConfig
from gantext.nn.mle import cosine_rate
from gantext.nn.projection_discriminator import ProjectionConfig, ProjectionDiscriminator
from gantext.nn.word_generator import WordGenerator, WordGeneratorConfig

READS = Reads.captioned
NEAREST = 20  # captions that the near ones are drawn from


class Variant(enum.Enum):
    """The idea as it stands, or one that trains."""

    faithful = "faithful"
    recipe = "recipe"


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator is trained (explained in conf/model/dpr_gan.yaml)."""

    steps: int
    batch_size: int
    g_learning_rate: float
    d_learning_rate: float
    betas: tuple[float, ...]
    ema: float
    adversarial_weight: float
    contrastive_weight: float
    temperature: float
    near_captions: int
    bound_weight: float
    warmup_steps: int
    real_weight: float


@dataclass(frozen=True)
class HardNegativesConfig:
    """How the encoder learns on (explained in conf/model/dpr_gan.yaml)."""

    steps: int
    learning_rate: float
    ema: float


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/dpr_gan.yaml."""

    name: str
    variant: Variant
    encoder: DualEncoderConfig
    fitting: FittingConfig
    generator: WordGeneratorConfig
    decoding: CodeFittingConfig
    composing: CodeFittingConfig
    discriminator: ProjectionConfig
    matching: MatchingConfig
    adversarial: AdversarialConfig
    hard_negatives: HardNegativesConfig
    plain_generator: CaptionGeneratorConfig


class Faithful(CaptionPainter):
    """The idea as it stands: a plain generator against the dual encoder, in turn."""

    def __init__(self, config: Config, task: PictureTask, rng: torch.Generator) -> None:
        shape, chosen = (task.channels, task.size), config.adversarial
        encoder = DualEncoder(task.vocab_size, *shape, config.encoder, rng).to(task.device)
        plain = CaptionGenerator(encoder.text.size, *shape, config.plain_generator, rng)
        super().__init__(task, encoder, plain.to(task.device), chosen.ema)
        self.config = config
        betas = chosen.betas[0], chosen.betas[1]
        self.g_optimiser = torch.optim.Adam(plain.parameters(), chosen.g_learning_rate, betas)
        self.d_optimiser = torch.optim.Adam(encoder.parameters(), chosen.d_learning_rate, betas)

    def phases(self) -> Sequence[Phase]:
        """adversarial alone."""
        chosen = self.config.adversarial
        return [Phase("adversarial", chosen.steps, chosen.batch_size, self.step, adversarial=True)]

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
        g_loss = contrast + self.config.adversarial.real_weight * to_real
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

    def parts(self) -> dict[str, Any]:
        """Everything that has a state."""
        return super().parts() | {"g_optimiser": self.g_optimiser, "d_optimiser": self.d_optimiser}


class Recipe(CaptionPainter):
    """One that trains."""

    generator: WordGenerator

    def __init__(self, config: Config, task: PictureTask, rng: torch.Generator) -> None:
        shape, device, chosen = (task.channels, task.size), task.device, config.adversarial
        encoder = DualEncoder(task.vocab_size, *shape, config.encoder, rng).to(device)
        words = config.encoder.embedding, config.encoder.hidden
        generator = WordGenerator(task.vocab_size, words, *shape, config.generator, rng).to(device)
        super().__init__(task, encoder, generator, chosen.ema)
        self.config = config
        self.codes = CodeFitting(
            generator, encoder.text, self.ema, task.channels, config.decoding, config.composing, rng
        )
        features = encoder.text.size
        self.discriminator = ProjectionDiscriminator(
            features, *shape, config.discriminator, rng
        ).to(device)
        self.fitter = EncoderFitter(encoder, config.fitting)
        betas = chosen.betas[0], chosen.betas[1]
        self.g_optimiser = torch.optim.Adam(
            [*generator.parameters(), *self.codes.code_reader.parameters()],
            chosen.g_learning_rate,
            betas,
        )
        self.matching = Matching(self.discriminator, config.matching, chosen.d_learning_rate, betas)
        # The encoder that goes on learning, and its average, by which G is then trained.
        self.learner = copy.deepcopy(encoder)
        self.teacher = Ema(self.learner, config.hard_negatives.ema)
        self.learner_optimiser = torch.optim.Adam(
            self.learner.parameters(), config.hard_negatives.learning_rate, betas
        )
        self.near = NearCaptions(task.captions.to(device), task.vocab_size, NEAREST)

    def phases(self) -> Sequence[Phase]:
        """dual_encoder, decoder, composer, adversarial, hard_negatives."""
        config, rows = self.config, self.config.adversarial.batch_size
        fit, decode, compose = config.fitting, config.decoding, config.composing
        steps, hard = config.adversarial.steps, config.hard_negatives.steps
        return [
            Phase("dual_encoder", fit.steps, fit.batch_size, self.fitter.step, scored=False),
            Phase(
                "decoder", decode.steps, decode.batch_size, self.codes.decoder_step, scored=False
            ),
            Phase("composer", compose.steps, compose.batch_size, self.codes.composer_step),
            Phase("adversarial", steps, rows, self.step, adversarial=True),
            Phase("hard_negatives", hard, rows, self.hard_step, adversarial=True),
        ]

    def networks(self) -> Mapping[str, nn.Module]:
        """Those that `load_pretrained` takes."""
        return {
            **super().networks(),
            "discriminator": self.discriminator,
            "picture_reader": self.codes.picture_reader,
            "code_reader": self.codes.code_reader,
        }

    def drawn(self, generator: nn.Module, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """One picture of each caption (B, T), (B, C, S, S)."""
        assert isinstance(generator, WordGenerator)
        return generator.drawn(tokens, rng)

    # The game

    def step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update of D and one of G, by the same generated pictures."""
        return self.adversarial_step(batch, self.encoder, rng)[0]

    def hard_step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """The same by the average of the encoder that learns, which then sees the fakes too."""
        if self.teacher.updates == 0:
            self.learner.load_state_dict(self.encoder.state_dict())
            self.teacher.module.load_state_dict(self.encoder.state_dict())
        teacher = self.teacher.module
        assert isinstance(teacher, DualEncoder)
        found, fake = self.adversarial_step(batch, teacher, rng)
        loss = encoder_loss(self.learner, batch, fake)
        norm = descend(self.learner_optimiser, loss)
        self.teacher.update()
        return {**found, "encoder_loss": loss.detach(), "encoder_grad_norm": norm}

    def adversarial_step(
        self, batch: PictureBatch, encoder: DualEncoder, rng: torch.Generator
    ) -> tuple[Metrics, Tensor]:
        """One update of D and one of G, G's by `encoder`; metrics and the fakes (B, C, S, S)."""
        self._set_rates()
        rows = self.near.draw(batch.tokens, self.config.adversarial.near_captions, rng)
        near = self.near.captions[rows]  # (B, n, T)
        fake = self.generator.drawn(batch.tokens, rng)
        d_found = self.d_step(batch, fake.detach(), near[:, 0])
        g_found = self.g_step(batch, fake, near, encoder, rng)
        self.steps += 1
        return {**d_found, **g_found, **self.matching.kept}, fake.detach()

    def _set_rates(self) -> None:
        """Both learning rates rise over the warm-up, then fall along a cosine."""
        config = self.config.adversarial
        steps = config.steps + self.config.hard_negatives.steps
        rate = cosine_rate(self.steps, steps, config.warmup_steps, FINAL_RATE)
        pairs = (
            (self.g_optimiser, config.g_learning_rate),
            (self.matching.optimiser, config.d_learning_rate),
        )
        for optimiser, peak in pairs:
            for group in optimiser.param_groups:
                group["lr"] = rate * peak

    def d_step(self, batch: PictureBatch, fake: Tensor, near: Tensor) -> Metrics:
        """One update of D; wrong captions are that of the row before, and one near its own."""
        width = near.shape[1] - batch.tokens.shape[1]
        own = F.pad(batch.tokens, (0, width), value=PAD)
        others = torch.cat([own.roll(1, 0), near])
        features = self.features(torch.cat([own, near]))
        mine, nearly = features[: len(own)], features[len(own) :]
        wrong = torch.cat([mine.roll(1, 0), nearly])
        same = (own.repeat(2, 1) == others).all(1)
        return self.matching.step(self.steps, batch.pictures, fake, mine, wrong, same)

    def g_step(
        self,
        batch: PictureBatch,
        fake: Tensor,
        near: Tensor,
        encoder: DualEncoder,
        rng: torch.Generator,
    ) -> dict[str, Tensor]:
        """One update of G: look as real as the real picture does, be found by the caption, and
        fit half of the real pictures."""
        config, same = self.config.adversarial, same_captions(batch.tokens)
        with torch.no_grad():
            features = self.features(batch.tokens)
            real = self.discriminator(batch.pictures, features)
            text = encoder.text(batch.tokens)
            hard = encoder.text(near.flatten(0, 1)).unflatten(0, near.shape[:2])  # (B, n, E)
            if self.matching.lazy(self.steps):
                found = in_batch_accuracy(text, encoder.image(batch.pictures), same)
                self.matching.kept["retrieval_real"] = found
        adversarial = generator_loss(GanLoss.rpgan, real, self.discriminator(fake, features))
        seen = encoder.image(disturbed(fake, self.config.fitting, rng))
        contrast = contrastive_loss(text, seen, 1 / config.temperature, same, hard=hard)
        terms = self.codes.bound(batch.first((len(fake) + 1) // 2), rng)
        total = config.adversarial_weight * adversarial + config.contrastive_weight * contrast
        norm = descend(self.g_optimiser, total + config.bound_weight * sum(terms.values()))
        self.ema.update()
        return {
            "g_loss": adversarial.detach(),
            "contrastive": contrast.detach(),
            "retrieval_fake": in_batch_accuracy(text, seen, same),
            **{name: term.detach() for name, term in terms.items()},
            "g_grad_norm": norm,
        }

    # State

    def parts(self) -> dict[str, Any]:
        """Everything that has a state."""
        return super().parts() | {
            "fitter": self.fitter,
            "codes": self.codes,
            "learner": self.learner,
            "teacher": self.teacher,
            "g_optimiser": self.g_optimiser,
            "matching": self.matching,
            "learner_optimiser": self.learner_optimiser,
        }


def check(config: Config) -> None:
    """Refuse what cannot be trained. Raises UserError."""
    chosen = config.adversarial
    if len(chosen.betas) != 2 or max(chosen.betas) >= 1:
        raise UserError("model.adversarial.betas: two numbers under 1 are needed")
    for group in ("adversarial", "hard_negatives"):
        if getattr(config, group).ema >= 1:
            raise UserError(f"model.{group}.ema must be under 1: the average would never move")
    if min(chosen.temperature, config.encoder.temperature) <= 0:
        raise UserError("a temperature must be over 0")
    if min(chosen.batch_size, config.fitting.batch_size) < 2:
        raise UserError("a batch_size of at least 2 is needed: other captions are the negatives")
    if chosen.near_captions < 1:
        raise UserError("model.adversarial.near_captions must be at least 1")


def build(config: Config, task: PictureTask, rng: torch.Generator) -> Faithful | Recipe:
    """Build the algorithm; `rng` initialises the weights."""
    check(config)
    variant = Faithful if config.variant is Variant.faithful else Recipe
    return variant(config, task, rng)
