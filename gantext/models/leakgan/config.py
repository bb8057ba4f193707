"""What can be chosen of model=leakgan."""

import enum
from dataclasses import dataclass

from gantext.data.ranges import (
    BatchSize,
    Clip,
    ComparedOrNone,
    CountOrWord,
    Draws,
    LearningRate,
    LogOddsBound,
    Momentum,
    Steps,
    Temperature,
    Weight,
    WeightOrWord,
)
from gantext.errors import UserError
from gantext.models.base.rewarded import check_rewarded, settled_rewarded
from gantext.models.contract import Task
from gantext.models.leakgan.manager_worker import LeakGeneratorConfig
from gantext.nn.text.adversary import DTrainingConfig
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.foretold import Less, check_less
from gantext.nn.text.judges.config import JudgeConfig, Kind
from gantext.nn.text.text_cnn import DiscriminatorConfig


class Baseline(enum.Enum):
    """What is subtracted from the worker's reward."""

    none = "none"
    mean = "mean"


class LeakSource(enum.Enum):
    """Whose features are leaked in the adversarial phase."""

    current = "current"
    pretrained = "pretrained"


class Reward(enum.Enum):
    """Where a word's reward comes from."""

    rollout = "rollout"
    sentence = "sentence"
    constant = "constant"


class WorkerReward(enum.Enum):
    """What the worker is rewarded by."""

    intrinsic = "intrinsic"
    quality = "quality"


@dataclass(frozen=True)
class LeakDTrainingConfig(DTrainingConfig):
    """How the discriminator is trained (explained in conf/model/leakgan.yaml)."""

    prefixes: bool
    pretrain_batch_size: BatchSize
    pretrain_learning_rate: LearningRate
    leak: LeakSource
    alone_steps: Steps


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator is trained against it (explained in conf/model/leakgan.yaml)."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    temperature: Temperature
    reward: Reward
    reward_less: Less
    reward_after: Steps
    log_odds_bound: LogOddsBound
    rollouts: Draws
    rollout_every: CountOrWord
    rank_delta: Weight
    rank_real: ComparedOrNone
    rank_real_every: Steps
    worker_reward: WorkerReward
    one_reward: bool
    baseline: Baseline
    policy_weight: Weight
    kl_weight: Weight
    ema: Momentum
    entropy_weight: WeightOrWord
    mle_every: Steps
    mle_learning_rate: LearningRate


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/leakgan.yaml."""

    name: str
    generator: LeakGeneratorConfig
    discriminator: DiscriminatorConfig
    mle: MLEConfig
    d_training: LeakDTrainingConfig
    judge: JudgeConfig
    adversarial: AdversarialConfig


def by_sentence(config: Config) -> bool:
    """Whether rewards come from scores of whole sentences."""
    return config.adversarial.reward is not Reward.constant


def settled(config: Config, task: Task) -> Config:
    """The config with what `auto` stands for on this data. Raises UserError for a judge that is not
    there."""
    return settled_rewarded(config, task, by_sentence(config))


def check(config: Config) -> None:
    """Raises UserError for values that do not go together."""
    if config.judge.kind is Kind.ranker:
        raise UserError(
            "model.judge.kind=ranker: a LeakGAN leaks the features of a discriminator that "
            "classifies; of model=gan it can be a ranker"
        )
    check_rewarded(config, config.adversarial.reward.value, by_sentence(config))
    adversarial = config.adversarial
    if not adversarial.policy_weight and not adversarial.mle_every:
        raise UserError("model.adversarial: policy_weight and mle_every cannot both be 0")
    others = "needs rank_real=0: real sentences are ranked by rewards of which nothing is taken off"
    check_less(
        adversarial.reward_less,
        adversarial.reward.value,
        others if adversarial.rank_real else "",
    )
    if adversarial.one_reward and adversarial.baseline is not Baseline.none:
        raise UserError("model.adversarial.one_reward=true needs model.adversarial.baseline=none")
    if adversarial.kl_weight and config.d_training.leak is LeakSource.current:
        raise UserError(
            "model.adversarial.kl_weight needs model.d_training.leak=pretrained: what a generator "
            "was cannot be kept while the features that it reads change"
        )
    if config.d_training.alone_steps and config.d_training.leak is LeakSource.current:
        raise UserError("model.d_training.alone_steps needs model.d_training.leak=pretrained")
