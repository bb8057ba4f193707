"""What can be chosen of model=catgan."""

import enum
from dataclasses import dataclass

from gantext.data.ranges import (
    BatchSize,
    Clip,
    Count,
    InverseTemperature,
    LearningRate,
    Steps,
    Weight,
)
from gantext.errors import UserError
from gantext.models.base.labelled import DTrainingConfig
from gantext.models.catgan.losses import Mutation
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.generator import TextGeneratorConfig
from gantext.nn.text.text_cnn import DiscriminatorConfig


class Relaxation(enum.Enum):
    """What the discriminator reads of a generated word."""

    soft = "soft"
    straight_through = "straight_through"


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator's children are made and chosen (explained in conf/model/catgan.yaml)."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    mutations: tuple[Mutation, ...]
    relaxation: Relaxation
    inverse_temperature: InverseTemperature
    least_inverse_temperature: InverseTemperature
    greatest_inverse_temperature: InverseTemperature
    temperature_factor: InverseTemperature
    diversity_weight: Weight
    mle_weight: Weight
    nll_every: Count
    nll_allowance: Weight | None


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/catgan.yaml."""

    name: str
    generator: TextGeneratorConfig
    discriminator: DiscriminatorConfig
    class_weight: Weight
    mle: MLEConfig
    d_training: DTrainingConfig
    adversarial: AdversarialConfig


def check(config: Config) -> None:
    """Raises UserError for values that do not go together."""
    g = config.adversarial
    if not g.mutations or len(set(g.mutations)) < len(g.mutations):
        raise UserError("model.adversarial.mutations: one loss at least, each once")
    if not (g.least_inverse_temperature <= g.inverse_temperature <= g.greatest_inverse_temperature):
        raise UserError(
            f"model.adversarial.inverse_temperature={g.inverse_temperature} must lie between "
            f"least_inverse_temperature={g.least_inverse_temperature} and "
            f"greatest_inverse_temperature={g.greatest_inverse_temperature}"
        )
