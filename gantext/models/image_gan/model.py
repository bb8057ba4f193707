"""model=image_gan: the generative adversarial network (Goodfellow et al. 2014, arXiv 1406.2661)."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.gallery import PictureBatch
from gantext.data.ranges import (
    BatchSize,
    Epsilon,
    Interval,
    LearningRate,
    Momentum,
    Probability,
    RowsOrNone,
    Size,
    Steps,
    Updates,
    Weight,
)
from gantext.errors import UserError
from gantext.models.contract import Phase, PictureTask
from gantext.models.image_gan.classes import Labelled, feature_matching, supervised_loss
from gantext.models.image_gan.networks import (
    DCGANDiscriminator,
    DCGANGenerator,
    MLPDiscriminator,
    MLPGenerator,
    PictureDiscriminator,
)
from gantext.models.image_gan.spectral_norm import add_spectral_norm
from gantext.nn.ema import Ema
from gantext.nn.gan_losses import GanLoss, beliefs, discriminator_loss, generator_loss
from gantext.nn.optim import Metrics, Optimiser, cosine_rate, descend, set_rate, tied_by_rate
from gantext.nn.pictures.layers import Init, Norm
from gantext.nn.pictures.penalties import gradient_penalty, zero_centred_penalty
from gantext.nn.state import NamedParts

DRAWN = 500  # pictures drawn, or read, together
UNTOLD = "it was trained without classes: model.discriminator.classes=true tells them apart"


class Arch(enum.Enum):
    """Kind of both networks."""

    mlp = "mlp"
    dcgan = "dcgan"


class Reg(enum.Enum):
    """How the discriminator is kept smooth."""

    none = "none"
    spectral = "spectral"
    r1 = "r1"
    r1r2 = "r1r2"


@dataclass(frozen=True)
class GeneratorConfig:
    """The generator and its optimiser (explained in conf/model/image_gan.yaml)."""

    hidden: tuple[Size, ...]
    width: Size
    norm: Norm
    bn_eps: Epsilon
    learning_rate: LearningRate
    feature_matching: bool


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The discriminator and its optimiser (explained in conf/model/image_gan.yaml)."""

    hidden: tuple[Size, ...]
    width: Size
    norm: Norm
    learning_rate: LearningRate
    steps: Updates
    loss_weight: Weight
    classes: bool
    labels: RowsOrNone


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/image_gan.yaml."""

    name: str
    arch: Arch
    loss: GanLoss
    reg: Reg
    gamma: Weight
    reg_every: Interval
    gp_weight: Weight
    ema: Momentum
    steps: Steps
    batch_size: BatchSize
    latent_size: Size
    init: Init
    betas: tuple[Momentum, ...]
    final_rate: Probability
    generator_first: bool
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig


class ImageGAN(NamedParts):
    """Generator, discriminator, their optimisers, and the one phase."""

    counters = ("d_steps",)

    def __init__(self, config: Config, task: PictureTask, rng: torch.Generator) -> None:
        check(config, task)
        self.config, self.task = config, task
        self.generator = make_generator(config, task, rng).to(task.device)
        self.discriminator = make_discriminator(config, task, rng).to(task.device)
        if config.reg is Reg.spectral:
            add_spectral_norm(self.discriminator, rng)
        self.ema = Ema(self.generator, config.ema) if config.ema else None
        betas = config.betas[0], config.betas[1]
        g, d = config.generator.learning_rate, config.discriminator.learning_rate
        self.g_optimiser = Optimiser(torch.optim.Adam, self.generator.parameters(), g, betas)
        self.d_optimiser = Optimiser(torch.optim.Adam, self.discriminator.parameters(), d, betas)
        self.d_steps = 0
        self.penalties: dict[str, Tensor] = {}  # the last ones, for the log
        labels = config.discriminator.labels
        told = config.discriminator.classes
        self.labelled = Labelled(task.examples, labels, task.classes, rng) if told else None

    # The Painter contract

    def phases(self) -> Sequence[Phase]:
        """adversarial."""
        rows = self.config.batch_size * self.config.discriminator.steps
        phase = Phase("adversarial", self.config.steps, rows, self.step, adversarial=True)
        phase = phase.some_at_once(self.config.batch_size)
        return [phase.by("steps", tied_by_rate(self.config.final_rate))]

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    @torch.no_grad()
    def draw(self, n: int, rng: torch.Generator) -> Tensor:
        """Draw n pictures (n, C, S, S) in [-1, 1], by the averaged generator where there is one."""
        painter = self.ema.module if self.ema else self.generator
        painter.eval()
        drawn = torch.cat([painter(z) for z in torch.split(self.noise(n, rng), DRAWN)])
        self.generator.train()
        return drawn

    def noise(self, rows: int, rng: torch.Generator) -> Tensor:
        """Standard normal noise (rows, Z)."""
        return torch.randn(rows, self.config.latent_size, generator=rng, device=self.task.device)

    # The Classifier contract

    @torch.no_grad()
    def class_log_prob(self, rows: Tensor) -> Tensor:
        """log p(class | picture, real), (N, K), of pictures (N, C, S, S) in [-1, 1].

        Raises UserError where it was trained without classes.
        """
        if self.labelled is None:
            raise UserError(UNTOLD)
        self.discriminator.eval()
        parts = [self.discriminator.outputs(part) for part in torch.split(rows, DRAWN)]
        self.discriminator.train()
        return torch.cat(parts).log_softmax(1)

    # Training

    def step(self, batch: PictureBatch, rng: torch.Generator) -> Metrics:
        """One update of G and `discriminator.steps` of D, each on its own B real pictures."""
        found: dict[str, Tensor | float] = {"rate_left": self.set_rates()}
        rows, fake = self.config.batch_size, None
        parts = torch.split(batch.pictures, rows)
        if self.config.generator_first:
            fake = self.generator(self.noise(rows, rng))
            found.update(self.g_step(parts[0], fake))
        for real in parts:
            if fake is None:
                with torch.no_grad():
                    fake = self.generator(self.noise(rows, rng))
            found.update(self.d_step(real, fake.detach(), rng))
            fake = None
        if not self.config.generator_first:
            found.update(self.g_step(parts[-1], self.generator(self.noise(rows, rng))))
        return found

    def set_rates(self) -> float:
        """Let both learning rates fall along their cosine; the share that is left of them."""
        config = self.config
        total = config.steps * config.discriminator.steps
        share = cosine_rate(self.d_steps, total, 0, config.final_rate)
        set_rate(self.g_optimiser, share * config.generator.learning_rate)
        set_rate(self.d_optimiser, share * config.discriminator.learning_rate)
        return share

    def g_step(self, real: Tensor, fake: Tensor) -> Metrics:
        """One generator update by its pictures `fake` (B, C, S, S).

        rpgan compares with `real`, and so does feature matching.
        """
        loss = self.g_loss(real, fake)
        norm = descend(self.g_optimiser, loss)
        if self.ema:
            self.ema.update()
        return {"g_loss": loss.detach(), "g_grad_norm": norm}

    def g_loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """What G minimises, a scalar, of real and its own pictures (B, C, S, S)."""
        if self.config.generator.feature_matching:
            with torch.no_grad():
                wanted = self.discriminator.features(real)
            return feature_matching(wanted, self.discriminator.features(fake))
        logits = self.discriminator(fake)
        paired = self.config.loss is GanLoss.rpgan
        with torch.no_grad():
            real_logits = self.discriminator(real) if paired else logits
        return generator_loss(self.config.loss, real_logits, logits)

    def d_step(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Metrics:
        """One discriminator update on real and fake (B, C, S, S), and its beliefs before it."""
        config = self.config
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        loss = discriminator_loss(config.loss, real_logits, fake_logits)
        weighted = config.discriminator.loss_weight * loss
        told: dict[str, Tensor] = {}
        total = weighted + self.penalty(real, fake, rng)
        if self.labelled is not None:
            class_loss, told = self.class_loss(self.labelled.draw(len(real), rng))
            total = total + class_loss
        norm = descend(self.d_optimiser, total)
        self.d_steps += 1
        said = beliefs(config.loss, real_logits.detach(), fake_logits.detach())
        return {"d_loss": weighted.detach(), **said, **told, **self.penalties, "d_grad_norm": norm}

    def class_loss(self, batch: PictureBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """The supervised loss of labelled pictures, a scalar, and what is logged of it."""
        outputs = self.discriminator.outputs(batch.pictures)  # (B, K)
        loss = supervised_loss(outputs, batch.labels)
        accuracy = (outputs.detach().argmax(1) == batch.labels).float().mean()
        return loss, {"class_loss": loss.detach(), "class_accuracy": accuracy}

    def penalty(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
        """What is added to D's loss at this step, a scalar; its parts are kept for the log."""
        config, total = self.config, torch.zeros((), device=real.device)
        if config.loss is GanLoss.wgan_gp:
            found = gradient_penalty(self.discriminator, real, fake, rng)
            self.penalties["gradient_penalty"] = found.detach()
            total = total + config.gp_weight * found
        seen = {"r1": real, "r2": fake} if config.reg is Reg.r1r2 else {"r1": real}
        if config.reg in (Reg.r1, Reg.r1r2) and self.d_steps % config.reg_every == 0:
            for name, pictures in seen.items():
                found = zero_centred_penalty(self.discriminator, pictures)
                self.penalties[name] = found.detach()
                total = total + config.reg_every * config.gamma / 2 * found
        return total

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        parts: dict[str, Any] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "g_optimiser": self.g_optimiser,
            "d_optimiser": self.d_optimiser,
        }
        if self.labelled is not None and self.config.discriminator.labels:
            parts["labelled"] = self.labelled
        return {**parts, "ema": self.ema} if self.ema else parts

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        return {**super().state_dict(), "penalties": dict(self.penalties)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        device = self.task.device
        self.penalties = {name: value.to(device) for name, value in state["penalties"].items()}

    def load_pretrained(self, state: dict[str, Any]) -> None:
        """Take the weights of both networks, and the average."""
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        if self.ema:
            average = state["ema"]["module"] if "ema" in state else state["generator"]
            self.ema.module.load_state_dict(average)


def make_generator(config: Config, task: PictureTask, rng: torch.Generator) -> nn.Module:
    """The generator: noise (B, Z) to pictures (B, C, S, S)."""
    chosen, init, eps = config.generator, config.init, config.generator.bn_eps
    shape = config.latent_size, task.channels, task.size
    if config.arch is Arch.mlp:
        return MLPGenerator(*shape, chosen.hidden, chosen.norm, init, rng, eps)
    return DCGANGenerator(*shape, chosen.width, chosen.norm, init, rng, eps)


def make_discriminator(
    config: Config, task: PictureTask, rng: torch.Generator
) -> PictureDiscriminator:
    """The discriminator: pictures (B, C, S, S) to logits (B,), and of classes where it has them."""
    chosen, shape = config.discriminator, (task.channels, task.size)
    init, classes = config.init, task.classes if chosen.classes else 0
    if config.arch is Arch.mlp:
        return MLPDiscriminator(*shape, chosen.hidden, chosen.norm, init, rng, classes)
    return DCGANDiscriminator(*shape, chosen.width, chosen.norm, init, rng, classes)


def check(config: Config, task: PictureTask) -> None:
    """Refuse what cannot be trained. Raises UserError."""
    if len(config.betas) != 2:
        raise UserError("model.betas: two numbers are needed")
    if config.arch is Arch.mlp and not (config.generator.hidden and config.discriminator.hidden):
        raise UserError(
            "model.arch=mlp needs hidden layers: model.generator.hidden, model.discriminator.hidden"
        )
    penalised = config.loss is GanLoss.wgan_gp or config.reg in (Reg.r1, Reg.r1r2)
    if penalised and config.discriminator.norm is Norm.batch:
        raise UserError(
            "model.discriminator.norm=batch mixes the pictures of a batch, but a gradient penalty "
            "is of each picture: choose none or group"
        )
    if config.generator.norm is Norm.batch and config.batch_size < 2:
        raise UserError("model.generator.norm=batch needs model.batch_size of at least 2")
    if config.discriminator.labels and not config.discriminator.classes:
        raise UserError("model.discriminator.labels needs model.discriminator.classes=true")
    if config.discriminator.classes and task.classes < 2:
        raise UserError("model.discriminator.classes=true: the pictures have no classes")


def build(config: Config, task: PictureTask, rng: torch.Generator) -> ImageGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return ImageGAN(config, task, rng)
