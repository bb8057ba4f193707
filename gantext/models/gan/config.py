"""What can be chosen of model=gan."""

import enum
from dataclasses import dataclass

from gantext.data.ranges import (
    BatchSize,
    Clip,
    CountOrWord,
    Draws,
    LearningRate,
    LogOddsBound,
    Momentum,
    Probability,
    Steps,
    Weight,
    WeightOrWord,
)
from gantext.errors import UserError
from gantext.models.base.rewarded import check_rewarded, settled_rewarded
from gantext.models.contract import Task
from gantext.nn.text.adversary import DTrainingConfig
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.foretold import Less, check_less
from gantext.nn.text.generator import TextGeneratorConfig
from gantext.nn.text.judges.config import JudgeConfig
from gantext.nn.text.text_cnn import DiscriminatorConfig


class Reward(enum.Enum):
    """Where a token's reward comes from."""

    rollout = "rollout"
    sentence = "sentence"
    prefix = "prefix"
    constant = "constant"


class Baseline(enum.Enum):
    """What is subtracted from a token's reward."""

    none = "none"
    mean = "mean"
    ema = "ema"
    critic = "critic"
    previous = "previous"


class RewardScale(enum.Enum):
    """How rewards are rescaled over the batch."""

    none = "none"
    rank = "rank"
    standardise = "standardise"
    maligan = "maligan"


class LossReduction(enum.Enum):
    """What a batch's policy loss is of its words' losses."""

    mean = "mean"
    sum = "sum"


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator is trained against it (explained in conf/model/gan.yaml)."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    loss_reduction: LossReduction
    reward: Reward
    reward_less: Less
    reward_after: Steps
    log_odds_bound: LogOddsBound
    rollouts: Draws
    rollout_every: CountOrWord
    rollout_lag: Momentum
    discount: Probability
    baseline: Baseline
    reward_scale: RewardScale
    rank_delta: Weight
    policy_weight: Weight
    mle_weight: Weight
    entropy_weight: WeightOrWord
    kl_weight: Weight
    ema: Momentum


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/gan.yaml."""

    name: str
    generator: TextGeneratorConfig
    discriminator: DiscriminatorConfig
    mle: MLEConfig
    d_training: DTrainingConfig
    judge: JudgeConfig
    adversarial: AdversarialConfig


def by_sentence(config: Config) -> bool:
    """Whether rewards come from scores of whole sentences: prefixes are scored by the discriminator
    alone, and nobody is asked for constant rewards."""
    return config.adversarial.reward not in (Reward.prefix, Reward.constant)


def settled(config: Config, task: Task) -> Config:
    """The config with what `auto` stands for on this data. Raises UserError for a judge that is not
    there."""
    return settled_rewarded(config, task, by_sentence(config))


def check(config: Config) -> None:
    """Raises UserError for values that do not go together."""
    check_rewarded(config, config.adversarial.reward.value, by_sentence(config))
    adversarial = config.adversarial
    if not adversarial.policy_weight and not adversarial.mle_weight:
        raise UserError("model.adversarial: policy_weight and mle_weight cannot both be 0")
    ratios = adversarial.reward_scale is RewardScale.maligan
    others = "leaves no ratios for reward_scale=maligan" if ratios else ""
    check_less(adversarial.reward_less, adversarial.reward.value, others)
    if adversarial.reward is Reward.prefix and adversarial.reward_scale is RewardScale.maligan:
        raise UserError(
            "model.adversarial.reward_scale=maligan weighs sentences by D / (1 - D): "
            "reward=rollout or sentence"
        )
    if adversarial.reward is Reward.sentence and adversarial.baseline is Baseline.previous:
        raise UserError(
            "model.adversarial.reward=sentence makes no rollouts for baseline=previous: "
            "baseline=mean, ema, critic or none"
        )
