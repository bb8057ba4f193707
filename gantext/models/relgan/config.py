"""What can be chosen of model=relgan."""

import enum
import math
from dataclasses import dataclass

from gantext.data.ranges import (
    BatchSize,
    Clip,
    Count,
    Dropout,
    InverseTemperature,
    LearningRate,
    Momentum,
    Size,
    Steps,
    Updates,
    Weight,
    Words,
)
from gantext.errors import UserError
from gantext.nn.gan_losses import GanLoss
from gantext.nn.text.adversary import ByLooks, LookConfig
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.generator import TextGeneratorConfig


class Relaxation(enum.Enum):
    """What the discriminator reads of a generated word."""

    soft = "soft"
    straight_through = "straight_through"


class Schedule(enum.Enum):
    """How the inverse temperature rises to its greatest value."""

    none = "none"
    linear = "linear"
    exponential = "exponential"
    logarithmic = "logarithmic"
    sigmoid = "sigmoid"
    quadratic = "quadratic"
    root = "root"


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Sizes of the discriminator of many views (explained in conf/model/relgan.yaml)."""

    embedding: Size
    views: Size
    widths: tuple[Words, ...]
    filters: tuple[Size, ...]
    hidden: Size
    dropout: Dropout


@dataclass(frozen=True)
class DTrainingConfig(LookConfig):
    """How the discriminator is trained (explained in conf/model/relgan.yaml)."""

    pretrain_steps: Steps
    learning_rate: LearningRate
    beta1: Momentum
    clip: Clip
    steps: Updates
    balance: ByLooks
    look_every: Steps
    patience: Steps


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator is trained against it (explained in conf/model/relgan.yaml)."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    loss: GanLoss
    relaxation: Relaxation
    inverse_temperature: InverseTemperature
    schedule: Schedule
    schedule_steps: Count
    mle_weight: Weight
    nll_every: Count
    nll_allowance: Weight | None


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/relgan.yaml."""

    name: str
    generator: TextGeneratorConfig
    discriminator: DiscriminatorConfig
    mle: MLEConfig
    d_training: DTrainingConfig
    adversarial: AdversarialConfig


def inverse_temperature(step: int, greatest: float, steps: int, schedule: Schedule) -> float:
    """beta after so many adversarial steps, as the released code raises it from 1 over `steps` = N
    of them to `greatest` = b; behind N it stays.

    exponential: b^(i / N); linear: 1 + (b - 1) i / (N - 1); quadratic and root: the same of the
    square and the root of i / (N - 1); logarithmic: 1 + (b - 1) ln(i + 1) / ln N; sigmoid:
    1 + (b - 1) / (1 + exp(10 - 20 i / N)); none: b.
    """
    i, last = min(step, steps), max(1, steps - 1)
    if schedule is Schedule.exponential:
        return float(greatest ** (i / steps))
    share = {
        Schedule.none: 1.0,
        Schedule.linear: i / last,
        Schedule.quadratic: (i / last) ** 2,
        Schedule.root: math.sqrt(i / last),
        Schedule.logarithmic: math.log(i + 1) / math.log(max(2, steps)),
        Schedule.sigmoid: 1 / (1 + math.exp(10 - 20 * i / steps)),
    }[schedule]
    return 1 + (greatest - 1) * min(1.0, share)


def check(config: Config) -> None:
    """Raises UserError for values that do not go together."""
    d = config.discriminator
    if d.embedding % d.views:
        raise UserError(
            f"model.discriminator.views={d.views}: each view has an equal share of "
            f"embedding={d.embedding}, which is no multiple of it"
        )
    if config.adversarial.loss is GanLoss.wgan_gp:
        raise UserError(
            "model.adversarial.loss=wgan_gp: its penalty is of discriminators of pictures alone"
        )
    config.d_training.check_looks()
