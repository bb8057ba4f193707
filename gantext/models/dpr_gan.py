"""model=dpr_gan: pictures of captions, by a GAN whose discriminator retrieves passages.

A dual encoder (dense passage retrieval, Karpukhin et al. 2020, arXiv 2004.04906) says how well a
picture fits a caption; a generator draws pictures that it would find. The architecture is not of a
paper: `variant=faithful` is the idea as it stands, `variant=recipe` is one that trains.

- faithful: the dual encoder is the discriminator. It learns to find a caption's real picture among
  real and generated ones; the generator learns to be found, and to be near the real picture; in
  turn. The encoder soon tells every generated picture from a real one, and what it then asks of
  the generator is no picture.
- recipe: the dual encoder is first fitted to real pairs and frozen, so that the generator cannot
  be left behind by it, nor it be led astray. That a picture looks real is the task of another
  discriminator, which also refuses real pictures of another caption (matching-aware, Reed et al.
  2016, arXiv 1605.05396), with a relativistic loss and both gradient penalties (R3GAN, Huang et al.
  2024, arXiv 2501.05441). The encoder's part in G's loss falls: it brings colours and places fast,
  but a fixed network can be pleased by patterns that are no shapes.

Shapes: B batch, N pictures, C channels, S side in pixels, T words of a caption, F features of a
caption, E size of the encoder's space.

Where this differs from those papers, and why:
- A wrong caption's loss is relative too: the real picture should fit its own caption better.
- The penalties are lazy (Karras et al. 2020, appendix B), on every `reg_every`-th step and that
  many times as heavy.
- One forward pass of G a step: D is updated on the pictures by which G is updated next.
- Captions are read by the dual encoder's text tower; G and D do not change it.
- Captions with the same words in a batch are no negatives of each other.
- Pictures are drawn by an average of the generator's past weights.
"""

import copy
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.gallery import PictureBatch
from gantext.errors import UserError
from gantext.nn.algorithm import Metrics, Phase, PictureTask, Reads
from gantext.nn.caption_generator import CaptionGenerator, CaptionGeneratorConfig
from gantext.nn.descent import descend
from gantext.nn.dual_encoder import (
    DualEncoder,
    DualEncoderConfig,
    contrastive_loss,
    in_batch_accuracy,
    same_captions,
)
from gantext.nn.ema import Ema
from gantext.nn.encoder_fitting import EncoderFitter, FittingConfig, disturbed
from gantext.nn.gan_losses import (
    GanLoss,
    discriminator_loss,
    generator_loss,
    zero_centred_penalty,
)
from gantext.nn.projection_discriminator import ProjectionConfig, ProjectionDiscriminator

READS = Reads.captioned
DRAWN = 250  # pictures drawn together


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
    contrastive_weight: float
    contrastive_final: float
    temperature: float
    mismatch_weight: float
    gamma: float
    reg_every: int
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
    generator: CaptionGeneratorConfig
    discriminator: ProjectionConfig
    adversarial: AdversarialConfig
    hard_negatives: HardNegativesConfig


class DprGAN:
    """Dual encoder, generator, discriminator, their optimisers, and the phases."""

    def __init__(self, config: Config, task: PictureTask, rng: torch.Generator) -> None:
        check(config)
        self.config, self.task = config, task
        shape = task.channels, task.size
        self.encoder = DualEncoder(task.vocab_size, *shape, config.encoder, rng).to(task.device)
        features = self.encoder.text.size
        self.generator = CaptionGenerator(features, *shape, config.generator, rng).to(task.device)
        self.discriminator = ProjectionDiscriminator(
            features, *shape, config.discriminator, rng
        ).to(task.device)
        chosen = config.adversarial
        betas = chosen.betas[0], chosen.betas[1]
        judge = self.encoder if config.variant is Variant.faithful else self.discriminator
        self.fitter = EncoderFitter(self.encoder, config.fitting)
        g_rate, d_rate = chosen.g_learning_rate, chosen.d_learning_rate
        self.g_optimiser = torch.optim.Adam(self.generator.parameters(), g_rate, betas)
        self.d_optimiser = torch.optim.Adam(judge.parameters(), d_rate, betas)
        self.ema = Ema(self.generator, chosen.ema)
        # The encoder that goes on learning, and its average, by which G is then trained.
        self.learner = copy.deepcopy(self.encoder)
        self.teacher = Ema(self.learner, config.hard_negatives.ema)
        self.learner_optimiser = torch.optim.Adam(
            self.learner.parameters(), config.hard_negatives.learning_rate, betas
        )
        self.steps, self.hard_steps = 0, 0
        self.kept: dict[str, Tensor] = {}  # measured every `reg_every` steps, for the log

    # The Illustrator contract

    def phases(self) -> Sequence[Phase]:
        """dual_encoder, adversarial, hard_negatives; only adversarial in the variant faithful."""
        config, rows = self.config, self.config.adversarial.batch_size
        steps = config.adversarial.steps
        if config.variant is Variant.faithful:
            return [Phase("adversarial", steps, rows, self.faithful_step, adversarial=True)]
        fit, hard = config.fitting, config.hard_negatives.steps
        return [
            Phase("dual_encoder", fit.steps, fit.batch_size, self.fitter.step, scored=False),
            Phase("adversarial", steps, rows, self.step, adversarial=True),
            Phase("hard_negatives", hard, rows, self.hard_step, adversarial=True),
        ]

    def networks(self) -> Mapping[str, nn.Module]:
        """Dual encoder, generator, and in the variant recipe the discriminator."""
        found = {"dual_encoder": self.encoder, "generator": self.generator}
        faithful = self.config.variant is Variant.faithful
        return found if faithful else {**found, "discriminator": self.discriminator}

    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        """Draw n pictures (n, C, S, S) in [-1, 1] of training captions chosen at random."""
        device = self.task.device
        rows = torch.randint(len(self.task.captions), (n,), generator=rng, device=device)
        return self.draw_for(self.task.captions[rows.cpu()].to(device), rng)

    @torch.no_grad()
    def draw_for(self, tokens: Tensor, rng: torch.Generator) -> Tensor:
        """One picture of each caption (N, T), (N, C, S, S) in [-1, 1], by the average of G."""
        parts = torch.split(tokens, DRAWN)
        painter = self.ema.module
        assert isinstance(painter, CaptionGenerator)
        return torch.cat([painter.drawn(self.features(part), rng) for part in parts]).float()

    @torch.no_grad()
    def features(self, tokens: Tensor) -> Tensor:
        """What G and D read of captions (B, T): (B, F)."""
        return self.encoder.text.features(tokens).float()

    # The recipe

    def step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update of D and one of G, by the same generated pictures."""
        return self.adversarial_step(batch, self.encoder, rng)[0]

    def hard_step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """The same by the average of the encoder that learns, which then sees the fakes too."""
        if self.hard_steps == 0:
            self.learner.load_state_dict(self.encoder.state_dict())
            self.teacher.module.load_state_dict(self.encoder.state_dict())
        teacher = self.teacher.module
        assert isinstance(teacher, DualEncoder)
        found, fake = self.adversarial_step(batch, teacher, rng)
        loss = self.encoder_loss(self.learner, batch, fake)
        norm = descend(self.learner_optimiser, loss)
        self.teacher.update()
        self.hard_steps += 1
        return {**found, "encoder_loss": loss.detach(), "encoder_grad_norm": norm}

    def adversarial_step(
        self, batch: PictureBatch, encoder: DualEncoder, rng: torch.Generator
    ) -> tuple[Metrics, Tensor]:
        """One update of D and one of G, G's by `encoder`; metrics and the fakes (B, C, S, S)."""
        features = self.features(batch.tokens)
        fake = self.generator.drawn(features, rng)
        d_found = self.d_step(batch, fake.detach(), features)
        g_found = self.g_step(batch, fake, features, encoder, rng)
        self.steps += 1
        return {**d_found, **g_found, **self.kept}, fake.detach()

    def d_step(self, batch: PictureBatch, fake: Tensor, features: Tensor) -> dict[str, Tensor]:
        """One update of D: real before fake, and its own caption before another's."""
        config, d = self.config.adversarial, self.discriminator
        looked = d.look(batch.pictures)
        real, false = d.judge(looked, features), d(fake, features)
        wrong = d.judge(looked, features.roll(1, 0))
        # The same caption is not wrong: a logit of -inf costs nothing.
        equal = (batch.tokens == batch.tokens.roll(1, 0)).all(1)
        mismatch = discriminator_loss(GanLoss.rpgan, real, wrong.masked_fill(equal, -torch.inf))
        loss = discriminator_loss(GanLoss.rpgan, real, false)
        total = loss + config.mismatch_weight * mismatch
        if self.steps % config.reg_every == 0:
            total = total + self.penalty(batch.pictures, fake, features)
        norm = descend(self.d_optimiser, total)
        return {
            "d_loss": loss.detach(),
            "d_mismatch_loss": mismatch.detach(),
            "d_real": (real - false).detach().sigmoid().mean(),
            "d_fake": (false - real).detach().sigmoid().mean(),
            "d_accuracy": (real > false).float().mean(),
            "d_match_accuracy": (real > wrong)[~equal].float().mean(),
            "d_grad_norm": norm,
        }

    def penalty(self, real: Tensor, fake: Tensor, features: Tensor) -> Tensor:
        """The weighted slopes of D at real and at fake pictures (B, C, S, S), a scalar."""
        config, total = self.config.adversarial, torch.zeros((), device=real.device)
        for name, pictures in (("r1", real), ("r2", fake)):
            found = zero_centred_penalty(lambda x: self.discriminator(x, features), pictures)
            self.kept[name] = found.detach()
            total = total + config.reg_every * config.gamma / 2 * found
        return total

    def g_step(
        self,
        batch: PictureBatch,
        fake: Tensor,
        features: Tensor,
        encoder: DualEncoder,
        rng: torch.Generator,
    ) -> dict[str, Tensor | float]:
        """One update of G: look as real as the real picture does, and be found by the caption."""
        config, same = self.config.adversarial, same_captions(batch.tokens)
        with torch.no_grad():
            real = self.discriminator(batch.pictures, features)
            text = encoder.text(batch.tokens)
            if self.steps % config.reg_every == 0:
                found = in_batch_accuracy(text, encoder.image(batch.pictures), same)
                self.kept["retrieval_real"] = found
        adversarial = generator_loss(GanLoss.rpgan, real, self.discriminator(fake, features))
        seen = encoder.image(disturbed(fake, self.config.fitting, rng))
        contrast = contrastive_loss(text, seen, 1 / config.temperature, same)
        weight = self.contrastive_weight()
        norm = descend(self.g_optimiser, adversarial + weight * contrast)
        self.ema.update()
        return {
            "g_loss": adversarial.detach(),
            "contrastive": contrast.detach(),
            "contrastive_weight": weight,
            "retrieval_fake": in_batch_accuracy(text, seen, same),
            "g_grad_norm": norm,
        }

    def contrastive_weight(self) -> float:
        """The weight of the contrastive loss at this step: from one value to another, evenly."""
        config = self.config.adversarial
        share = min(1.0, self.steps / max(1, config.steps))
        first, last = config.contrastive_weight, config.contrastive_final
        return first + share * (last - first)

    # The idea as it stands

    def faithful_step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update of the dual encoder, then one of G by the encoder as it is now."""
        fake = self.generator.drawn(self.features(batch.tokens), rng)
        encoder, same = self.encoder, same_captions(batch.tokens)
        loss = self.encoder_loss(encoder, batch, fake.detach())
        norm = descend(self.d_optimiser, loss)
        with torch.no_grad():
            text, real = encoder.text(batch.tokens), encoder.image(batch.pictures)
        seen, scale = encoder.image(fake), encoder.scale().detach()
        contrast = contrastive_loss(text, seen, scale, same)
        to_real = 1 - (seen * real).sum(1).mean()
        g_loss = contrast + self.config.adversarial.real_weight * to_real
        g_norm = descend(self.g_optimiser, g_loss)
        self.ema.update()
        # How often the encoder prefers the real picture to the generated one of the same caption.
        preferred = (text * (real - seen)).sum(1) > 0
        return {
            "d_loss": loss.detach(),
            "g_loss": g_loss.detach(),
            "contrastive": contrast.detach(),
            "d_real": (text * real).sum(1).mean(),
            "d_fake": (text * seen).sum(1).mean().detach(),
            "d_accuracy": preferred.float().mean(),
            "retrieval_real": in_batch_accuracy(text, real, same),
            "retrieval_fake": in_batch_accuracy(text, seen, same),
            "distance_to_real": to_real.detach(),
            "temperature": 1 / scale,
            "d_grad_norm": norm,
            "g_grad_norm": g_norm,
        }

    def encoder_loss(self, encoder: DualEncoder, batch: PictureBatch, fake: Tensor) -> Tensor:
        """The contrastive loss with the fakes (B, C, S, S) as hard negatives, nats."""
        same, seen = same_captions(batch.tokens), encoder.image(fake)
        text, real = encoder.text(batch.tokens), encoder.image(batch.pictures)
        return contrastive_loss(text, real, encoder.scale(), same, negatives=seen)

    # State

    def _parts(self) -> dict[str, Any]:
        return {
            "encoder": self.encoder,
            "generator": self.generator,
            "discriminator": self.discriminator,
            "learner": self.learner,
            "ema": self.ema,
            "teacher": self.teacher,
            "fitter": self.fitter,
            "g_optimiser": self.g_optimiser,
            "d_optimiser": self.d_optimiser,
            "learner_optimiser": self.learner_optimiser,
        }

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        state = {name: part.state_dict() for name, part in self._parts().items()}
        counters = {"steps": self.steps, "hard_steps": self.hard_steps}
        return {**state, "counters": counters, "kept": dict(self.kept)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.steps, self.hard_steps = state["counters"]["steps"], state["counters"]["hard_steps"]
        self.kept = {name: value.to(self.task.device) for name, value in state["kept"].items()}

    def load_pretrained(self, state: dict[str, Any]) -> None:
        """Take the weights of the networks, and the average of G."""
        for name in ("encoder", "generator", "discriminator"):
            getattr(self, name).load_state_dict(state[name])
        self.ema.module.load_state_dict(state["ema"]["module"])


def check(config: Config) -> None:
    """Refuse what cannot be trained. Raises UserError."""
    betas = config.adversarial.betas
    if len(betas) != 2 or max(betas) >= 1:
        raise UserError("model.adversarial.betas: two numbers under 1 are needed")
    for group in ("adversarial", "hard_negatives"):
        if getattr(config, group).ema >= 1:
            raise UserError(f"model.{group}.ema must be under 1: the average would never move")
    if min(config.adversarial.temperature, config.encoder.temperature) <= 0:
        raise UserError("a temperature must be over 0")
    if min(config.adversarial.batch_size, config.fitting.batch_size) < 2:
        raise UserError("a batch_size of at least 2 is needed: other captions are the negatives")


def build(config: Config, task: PictureTask, rng: torch.Generator) -> DprGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return DprGAN(config, task, rng)
