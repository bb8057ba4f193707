"""A generator of text that is rewarded by a discriminator, or by another judge in its place, and
learns by policy gradient.

Shapes: B or N sentences, T steps.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

import torch
from torch import Tensor, nn

from gantext.errors import UserError
from gantext.models.base.judged import Judged, JudgedConfig, Learning
from gantext.models.base.text_model import Draw, G
from gantext.models.contract import Phase, Task
from gantext.nn.ema import Ema
from gantext.nn.optim import Metrics
from gantext.nn.text.adversary import DiscriminatorTrainer, DTrainingConfig, fresh
from gantext.nn.text.anchor import Anchor
from gantext.nn.text.entropy import HeldEntropy, check_entropy, settled_entropy
from gantext.nn.text.foretold import Foretold
from gantext.nn.text.judges.config import JudgeConfig, Kind
from gantext.nn.text.judges.training import PHASE, JudgeTrainer
from gantext.nn.text.sampling import SamplingOptions
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN

D = TypeVar("D", bound=TextCNN)


class PolicyLearning(Learning, Protocol):
    """How the generator is trained against what rewards it."""

    @property
    def policy_weight(self) -> float: ...
    @property
    def kl_weight(self) -> float: ...
    @property
    def log_odds_bound(self) -> float: ...
    @property
    def reward_after(self) -> int: ...
    @property
    def ema(self) -> float: ...
    @property
    def entropy_weight(self) -> float | str: ...


class RewardedConfig(JudgedConfig, Protocol):
    """What the configs of these models share."""

    @property
    def discriminator(self) -> DiscriminatorConfig: ...
    @property
    def d_training(self) -> DTrainingConfig: ...
    @property
    def judge(self) -> JudgeConfig: ...
    @property
    def adversarial(self) -> PolicyLearning: ...


C = TypeVar("C", bound=RewardedConfig)


class PolicyLoss(Protocol):
    """What a generator learns of its own samples."""

    anchor: Anchor | None
    held_entropy: HeldEntropy | None
    foretold: Foretold | None

    def notes(self) -> Sequence[str]:
        """What it worked out of its config."""
        ...


class Rewarded(Judged[G, D], Generic[G, D]):
    """Generator, discriminator, another judge where one rewards, and how they take turns.

    Args:
        config: of the model.
        task: the facts of the text.
        generator, discriminator: on the task's device.
        rng: draws the first weights of another judge.
        judged: whether anybody is asked for rewards.
        clipped, put_back: see `Judged`.
        twin: a copy of the generator for its average, where that is no plain copy.

    Attributes:
        judge: what rewards in the place of the discriminator; None where that does.
        held_out: looks at what rewards.
        average: of the generator's weights, from the first adversarial step on.
        average_sampler: draws sentences of it.
    """

    setting: RewardedConfig
    policy: PolicyLoss
    d_trainer: DiscriminatorTrainer

    def __init__(
        self,
        config: RewardedConfig,
        task: Task,
        generator: G,
        discriminator: D,
        rng: torch.Generator,
        *,
        judged: bool,
        clipped: Sequence[nn.Module] | None = None,
        put_back: bool = True,
        twin: G | None = None,
    ) -> None:
        networks = generator, discriminator
        super().__init__(config, task, *networks, clipped=clipped, put_back=put_back)
        self.judged = judged
        self.judge = self._judge(config.judge, rng)
        self.held_out = self.judge.held_out if self.judge else self.d_held_out
        decay = config.adversarial.ema
        self.average = Ema(generator, decay, twin) if decay else None
        self.average_sampler: Draw | None = None
        if self.average:
            self.average_sampler = self.sampler_of(self.average.module)

    def _judge(self, config: JudgeConfig, rng: torch.Generator) -> JudgeTrainer | None:
        if config.by_discriminator:
            return None
        given = self.rewarded_samples, self.generator_log_prob, self.discriminator
        return JudgeTrainer(config, self.task, *given, rng)

    # The Algorithm contract

    def judging_phases(self) -> Sequence[Phase]:
        """The discriminator's own phase, and that of another judge where one rewards."""
        d = self.setting.d_training
        d.check_with(self.task.draw)
        self.setting.judge.check(self.task.held_out)
        own = self.d_phase(d.batch_size)
        if self.judge is None:
            return [own]
        steps = self.judge.config.steps, self.judge.rows, self.judge.step
        other = Phase(PHASE, *steps, scored=False).until(self.held_out.waited_in_vain)
        return [own, other.by("judge.steps", self.judge.tied)]

    def notes(self) -> Sequence[str]:
        """Another judge; that nothing is held out; what the policy gradient worked out."""
        judge = self.judge.notes() if self.judge else []
        return [*judge, *super().notes(), *self.policy.notes()]

    def memory_later(self) -> int:
        """Of another judge."""
        return self.judge.memory if self.judge else 0

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        averaged = self.average_sampler if self.average and self.average.updates else None
        return (averaged or self.sampler)(n, rng, options)

    def generator_log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats, of the generator that is trained; <eos> counted."""
        return self.generator.token_log_prob(tokens).sum(1)

    @property
    def evaluated(self) -> G:
        """What is sampled and scored: the average of the generator's weights, once it has begun.

        What it is trained on is drawn by the generator itself.
        """
        average = self.average
        return average.module if average and average.updates else self.generator

    # The discriminator, and another judge

    @property
    def d_learns(self) -> bool:
        """Whether somebody asks the discriminator."""
        return super().d_learns and (self.judge is None or Kind.cnn in self.judge.config.members)

    @property
    def d_rows(self) -> int:
        """Real sentences that the discriminator's steps of an adversarial step are given."""
        d = self.setting.d_training
        return d.steps * d.batch_size if self.d_learns else 0

    @property
    def judge_rows(self) -> int:
        """Those that another judge's are given."""
        return self.judge.beside_rows if self.judge else 0

    def score(self, tokens: Tensor) -> dict[str, Tensor]:
        """The probability that each sentence of (N, T) is real, by whom rewards come from; none
        before that has learned."""
        if self.judge is not None:
            return {"real": self.judge.score(tokens)} if self.judge.calibrated else {}
        return super().score(tokens)

    def fakes(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as the discriminator is trained on them, (n, T)."""
        return self.sampler(n, rng, SamplingOptions(self.setting.d_training.temperature))

    def d_step(
        self, real: Tensor, rng: torch.Generator, trainer: DiscriminatorTrainer | None = None
    ) -> Metrics:
        """One discriminator update on real (B, T) against as many fresh samples."""
        draws_anew = self.setting.d_training.fresh_real
        real = fresh(self.task.draw, real, rng) if draws_anew else real
        return (trainer or self.d_trainer).step(real, self.fakes(len(real), rng), rng)

    # An adversarial step: `begin`, what the generator does, `judges_step`, which ends it

    def begin(self) -> Metrics:
        """Before the first adversarial step: the generator is held to what it is now, and averaged
        from here on; what rewards it is looked at."""
        if not self.adversarial_steps:
            if self.policy.anchor:
                self.policy.anchor.drop(self.generator)
            if self.average:
                self.average.restart()
        return super().begin()

    @property
    def rewarded(self) -> bool:
        """Whether the policy gradient has a weight: by the config, and by what a judge is worth."""
        return bool(self.setting.adversarial.policy_weight) and super().rewarded

    def judges_step(self, real: Tensor, rewarded: bool, rng: torch.Generator) -> Metrics:
        """The discriminator's updates, and those of another judge where they are due.

        Args:
            real: sentences, (d_rows + judge_rows, T) or more.
            rewarded: whether the generator's step had a policy gradient.
            rng: draws samples.
        """
        size, found = self.setting.d_training.batch_size, dict[str, Tensor | float]()
        for first in range(0, self.d_rows, size):
            found.update(self.d_step(real[first : first + size], rng))
        if self.judge is not None:
            newer = real[self.d_rows : self.d_rows + self.judge_rows]
            found.update(self.judge.refresh(newer, rng))
        return {**found, **self.end(self.d_rows // size, rewarded)}

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            **({"judge": self.judge, "d_held_out": self.d_held_out} if self.judge else {}),
            **super().parts(),  # looks behind the judge, whose weights they may keep
            **({"anchor": self.policy.anchor.frozen} if self.policy.anchor else {}),
            **({"held_entropy": held} if (held := self.policy.held_entropy) else {}),
            **({"foretold": foretold} if (foretold := self.policy.foretold) else {}),
            **({"average": self.average} if self.average else {}),
        }

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the networks' weights, and what another judge has learned."""
        untrained = super().load_pretrained(state)
        return untrained if self.judge is None else self.judge.take(state.get("judge"))


def settled_rewarded(config: C, task: Task, by_sentence: bool) -> C:
    """The config with what `auto` stands for on this data. Raises UserError for a judge that is not
    there.

    Args:
        config: of the model.
        task: the facts of the text.
        by_sentence: whether rewards come from scores of whole sentences; the discriminator alone
            scores prefixes, and nobody is asked for constant rewards.
    """
    known = task.known or not by_sentence
    weight = settled_entropy(config.adversarial.entropy_weight, known)
    judge = config.judge.settled(known, task.held_out)
    # Each of these models has a dataclass of its own.
    adversarial = dataclasses.replace(cast(Any, config.adversarial), entropy_weight=weight)
    return cast(C, dataclasses.replace(cast(Any, config), judge=judge, adversarial=adversarial))


def check_rewarded(config: RewardedConfig, reward: str, by_sentence: bool) -> None:
    """Raises UserError for values that do not go together in any of these models.

    Args:
        config: of the model.
        reward: where the config says that a word's reward comes from.
        by_sentence: see `settled_rewarded`.
    """
    if config.judge.kind is not Kind.cnn and not by_sentence:
        raise UserError(
            f"model.judge.kind={config.judge.kind.value}: it scores whole sentences, and "
            f"model.adversarial.reward={reward} asks for none"
        )
    adversarial = config.adversarial
    check_entropy(adversarial.entropy_weight)
    if adversarial.kl_weight and not adversarial.policy_weight:
        raise UserError(
            "model.adversarial.kl_weight needs policy_weight above 0, without which no sentence is "
            "sampled"
        )
    if reward == "constant" and adversarial.log_odds_bound:
        raise UserError("model.adversarial.log_odds_bound: reward=constant asks no judge")
    if reward == "constant" and adversarial.reward_after:
        raise UserError("model.adversarial.reward_after: reward=constant rewards all words")
