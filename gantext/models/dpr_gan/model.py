"""model=dpr_gan: pictures of captions, by a GAN whose discriminator retrieves passages."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.gallery import PictureBatch
from gantext.data.ranges import (
    BatchSize,
    Draws,
    Interval,
    LearningRate,
    Momentum,
    Steps,
    Temperature,
    Weight,
)
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.contract import Phase, PictureTask, StepFunction
from gantext.models.dpr_gan.code_fitting import DESCENT, CodeFitting, CodeFittingConfig
from gantext.models.dpr_gan.codes import Gaussian
from gantext.models.dpr_gan.discriminator import ProjectionConfig, ProjectionDiscriminator
from gantext.models.dpr_gan.faithful import RetrievalGame, RetrievalGameConfig, encoder_loss
from gantext.models.dpr_gan.generator import WordGenerator, WordGeneratorConfig
from gantext.models.dpr_gan.matching import Matching, MatchingConfig
from gantext.models.dpr_gan.near_captions import NearCaptions
from gantext.models.dpr_gan.painter import CaptionPainter
from gantext.nn.captions.dual_encoder import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    in_batch_accuracy,
    same_captions,
)
from gantext.nn.captions.fitting import (
    EncoderFitter,
    FittingConfig,
    disturbed,
)
from gantext.nn.copies import copied
from gantext.nn.ema import Ema
from gantext.nn.gan_losses import GanLoss, generator_loss
from gantext.nn.optim import (
    Metrics,
    Optimiser,
    cosine_rate,
    descend,
    set_rate,
    tied_by_rate,
)

NEAREST = 20  # captions that the near ones are drawn from


class Variant(enum.Enum):
    """The idea as it stands, or one that trains."""

    faithful = "faithful"
    recipe = "recipe"


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator is trained (explained in conf/model/dpr_gan.yaml)."""

    steps: Steps
    batch_size: BatchSize
    g_learning_rate: LearningRate
    d_learning_rate: LearningRate
    betas: tuple[Momentum, ...]
    ema: Momentum
    adversarial_weight: Weight
    contrastive_weight: Weight
    contrastive_every: Interval
    temperature: Temperature
    near_captions: Draws
    bound_weight: Weight
    warmup_steps: Steps


@dataclass(frozen=True)
class HardNegativesConfig:
    """How the encoder learns on (explained in conf/model/dpr_gan.yaml)."""

    steps: Steps
    learning_rate: LearningRate
    ema: Momentum


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/dpr_gan.yaml."""

    name: str
    variant: Variant
    candidates: Draws
    encoder: DualEncoderConfig
    fitting: FittingConfig
    generator: WordGeneratorConfig
    decoding: CodeFittingConfig
    composing: CodeFittingConfig
    discriminator: ProjectionConfig
    matching: MatchingConfig
    adversarial: AdversarialConfig
    hard_negatives: HardNegativesConfig
    faithful: RetrievalGameConfig


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
        read = config.generator.code, generator.composer.side
        self.discriminator = ProjectionDiscriminator(
            features, *read, config.discriminator, rng, shrinking=False
        ).to(device)
        self.fitter = EncoderFitter(encoder, config.fitting, DESCENT)
        betas = chosen.betas[0], chosen.betas[1]
        self.g_optimiser = Optimiser(
            torch.optim.Adam,
            [*generator.composer.parameters(), *self.codes.code_reader.parameters()],
            chosen.g_learning_rate,
            betas,
        )
        self.matching = Matching(self.discriminator, config.matching, chosen.d_learning_rate, betas)
        # The encoder that goes on learning, and its average, by which G is then trained.
        self.learner = copied(encoder)
        self.teacher = Ema(self.learner, config.hard_negatives.ema)
        self.learner_optimiser = Optimiser(
            torch.optim.Adam, self.learner.parameters(), config.hard_negatives.learning_rate, betas
        )
        self.near = NearCaptions(task.captions.to(device), task.vocab_size, NEAREST)

    def phases(self) -> Sequence[Phase]:
        """dual_encoder, decoder, composer, adversarial, hard_negatives."""
        config, game = self.config, self.config.adversarial
        tied = tied_by_rate(DESCENT.final_rate)

        def phase(
            name: str,
            own: FittingConfig | CodeFittingConfig | AdversarialConfig,
            step: StepFunction,
        ) -> Phase:
            return Phase(name, own.steps, own.batch_size, step, warmup=own.warmup_steps)

        encoder = phase("dual_encoder", config.fitting, self.fitter.step)
        decoder = phase("decoder", config.decoding, self.codes.decoder_step)
        composer = phase("composer", config.composing, self.codes.composer_step)
        adversarial = phase("adversarial", game, self.step)
        hard = Phase("hard_negatives", config.hard_negatives.steps, game.batch_size, self.hard_step)
        return [
            replace(encoder, scored=False).by("fitting.steps", tied),
            replace(decoder, scored=False).by("decoding.steps", tied),
            composer.by("composing.steps", tied),
            replace(adversarial, adversarial=True).by("adversarial.steps", tied),
            # Its steps stand on the same falling rate.
            replace(hard, adversarial=True).by("hard_negatives.steps", tied, since="adversarial"),
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
        """The picture of each caption (B, T), of several, that the dual encoder finds nearest."""
        assert isinstance(generator, WordGenerator)
        rows, count = len(tokens), self.config.candidates
        pictures = generator.drawn(tokens.repeat_interleave(count, 0), rng)
        seen = self.encoder.image(pictures).view(rows, count, -1)
        best = torch.einsum("rce,re->rc", seen, self.encoder.text(tokens)).argmax(1)
        return pictures[best + count * torch.arange(rows, device=tokens.device)]

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
        if not len(fake):
            return found
        loss = encoder_loss(self.learner, batch, fake)
        norm = descend(self.learner_optimiser, loss)
        self.teacher.update()
        return {**found, "encoder_loss": loss.detach(), "encoder_grad_norm": norm}

    def adversarial_step(
        self, batch: PictureBatch, encoder: DualEncoder, rng: torch.Generator
    ) -> tuple[Metrics, Tensor]:
        """One update of D and one of the composer, this by `encoder` too on some steps.

        Returns metrics, and the fakes (B, C, S, S) on those steps, else (0, C, S, S).
        """
        left = self._set_rates()
        rows = self.near.draw(batch.tokens, self.config.adversarial.near_captions, rng)
        near = self.near.captions[rows]  # (B, n, T)
        noise = torch.randn(
            len(batch), self.generator.noise, generator=rng, device=batch.tokens.device
        )
        composed = self.generator.composer(batch.tokens, noise)
        with torch.no_grad():
            real = self.codes.picture_reader(batch.pictures)
        d_found = self.d_step(real.mean, composed.detach(), batch.tokens, near[:, 0])
        g_found, fake = self.g_step(batch, real, composed, near, encoder, rng)
        self.steps += 1
        return {"rate_left": left, **d_found, **g_found, **self.matching.kept}, fake

    def _set_rates(self) -> float:
        """Both learning rates rise over the warm-up, then fall along a cosine; to which share."""
        config = self.config.adversarial
        steps = config.steps + self.config.hard_negatives.steps
        rate = cosine_rate(self.steps, steps, config.warmup_steps, DESCENT.final_rate)
        set_rate(self.g_optimiser, rate * config.g_learning_rate)
        set_rate(self.matching.optimiser, rate * config.d_learning_rate)
        return rate

    def d_step(self, real: Tensor, fake: Tensor, tokens: Tensor, near: Tensor) -> Metrics:
        """One update of D on codes (B, K, S / 4, S / 4) of captions (B, T).

        Wrong captions are that of the row before, and one near its own.
        """
        own = F.pad(tokens, (0, near.shape[1] - tokens.shape[1]), value=PAD)
        others = torch.cat([own.roll(1, 0), near])
        features = self.features(torch.cat([own, near]))
        mine, nearly = features[: len(own)], features[len(own) :]
        wrong = torch.cat([mine.roll(1, 0), nearly])
        same = (own.repeat(2, 1) == others).all(1)
        scale = self.generator.composer.scale
        return self.matching.step(self.steps, real / scale, fake / scale, mine, wrong, same)

    def g_step(
        self,
        batch: PictureBatch,
        real: Gaussian,
        composed: Tensor,
        near: Tensor,
        encoder: DualEncoder,
        rng: torch.Generator,
    ) -> tuple[Metrics, Tensor]:
        """One update of the composer: by D, by the fit to half of the real codes, and on every
        `contrastive_every`-th step by whether the dual encoder finds its pictures."""
        config, scale = self.config.adversarial, self.generator.composer.scale
        half = (len(batch) + 1) // 2
        with torch.no_grad():
            features = self.features(batch.tokens)
            true = self.discriminator(real.mean / scale, features)
        adversarial = generator_loss(
            GanLoss.rpgan, true, self.discriminator(composed / scale, features)
        )
        terms = self.codes.bound(
            Gaussian(real.mean[:half], real.log_var[:half]), batch.tokens[:half], rng
        )
        total = config.adversarial_weight * adversarial
        total = total + config.bound_weight * sum(terms.values())
        fake = batch.pictures[:0]
        if self.steps % config.contrastive_every == 0:
            fake = self.generator.decoder(batch.tokens, composed).float()
            contrast = self.contrast(batch, fake, near, encoder, rng)
            total = total + config.contrastive_every * config.contrastive_weight * contrast
        norm = descend(self.g_optimiser, total)
        self.ema.update()
        found = {"g_loss": adversarial.detach(), "g_grad_norm": norm}
        return {**found, **{name: term.detach() for name, term in terms.items()}}, fake.detach()

    def contrast(
        self,
        batch: PictureBatch,
        fake: Tensor,
        near: Tensor,
        encoder: DualEncoder,
        rng: torch.Generator,
    ) -> Tensor:
        """InfoNCE of generated pictures (B, C, S, S) and their captions, nats."""
        config, same, kept = (
            self.config.adversarial,
            same_captions(batch.tokens),
            self.matching.kept,
        )
        with torch.no_grad():
            text = encoder.text(batch.tokens)
            hard = encoder.text(near.flatten(0, 1)).unflatten(0, near.shape[:2])  # (B, n, E)
            kept["retrieval_real"] = in_batch_accuracy(text, encoder.image(batch.pictures), same)
        seen = encoder.image(disturbed(fake, self.config.fitting, rng))
        loss = contrastive_loss(text, seen, 1 / config.temperature, same, hard=hard)
        kept["retrieval_fake"] = in_batch_accuracy(text, seen, same)
        kept["contrastive"] = loss.detach()
        return loss

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            **super().parts(),
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
    for group in ("adversarial", "faithful"):
        if len(getattr(config, group).betas) != 2:
            raise UserError(f"model.{group}.betas: two numbers are needed")
    for group in ("adversarial", "fitting", "faithful"):
        if getattr(config, group).batch_size < 2:
            raise UserError(
                f"model.{group}.batch_size=1: at least 2 are needed, for other captions are the "
                "negatives"
            )


def build(config: Config, task: PictureTask, rng: torch.Generator) -> RetrievalGame | Recipe:
    """Build the algorithm; `rng` initialises the weights."""
    check(config)
    if config.variant is Variant.faithful:
        return RetrievalGame(config.encoder, config.faithful, task, rng)
    return Recipe(config, task, rng)
