"""What can be chosen of model=dpgan (explained in conf/model/dpgan.yaml)."""

import enum
from dataclasses import dataclass

from gantext.data.ranges import (
    BatchSize,
    Clip,
    LearningRate,
    Nats,
    Probability,
    Steps,
    UpdatesOrNone,
    Weight,
)
from gantext.errors import UserError
from gantext.nn.text.adversary import ByLooks, LookConfig
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.generator import TextGeneratorConfig


class Reward(enum.Enum):
    """What a generated word is paid."""

    word = "word"
    sentence = "sentence"


class Forcing(enum.Enum):
    """What a real word counts in teacher forcing."""

    plain = "plain"
    rewarded = "rewarded"


@dataclass(frozen=True)
class DConfig(LookConfig):
    """The discriminator's training."""

    pretrain_steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    real_weight: Weight
    steps: UpdatesOrNone
    balance: ByLooks
    look_every: Steps
    patience: Steps


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator is rewarded."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    reward: Reward
    reward_bound: Nats
    own_surprise: Probability
    discount: Probability
    policy_weight: Weight
    mle_weight: Weight
    teacher_forcing: Forcing


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/dpgan.yaml."""

    name: str
    generator: TextGeneratorConfig
    mle: MLEConfig
    d_training: DConfig
    adversarial: AdversarialConfig


def check(config: Config) -> None:
    """Raises UserError for values that do not go together."""
    d, own = config.d_training, config.adversarial
    d.check_looks()
    if not own.policy_weight and not own.mle_weight:
        raise UserError("model.adversarial: policy_weight and mle_weight cannot both be 0")
