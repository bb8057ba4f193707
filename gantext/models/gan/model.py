"""model=gan: the sequence GAN (SeqGAN, Yu et al. 2017, arXiv 1609.05473).

Shapes: B batch, T steps, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantext.models.contract import Phase, Task
from gantext.models.gan.config import Config, Reward, check, settled
from gantext.models.gan.policy import PolicyGradient
from gantext.nn.ema import Ema
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.state import NamedParts
from gantext.nn.text.adversary import fresh, untrained
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import MLETrainer
from gantext.nn.text.held_out import HeldOut
from gantext.nn.text.judges.config import Kind
from gantext.nn.text.judges.training import PHASE, JudgeTrainer
from gantext.nn.text.language_model import LanguageModel
from gantext.nn.text.ranker import discriminator_of, trainer_of
from gantext.nn.text.rollouts import trimmed
from gantext.nn.text.sampling import Policy, SamplingOptions


class GAN(NamedParts):
    """Generator, discriminator or another judge, their optimisers, and the phases."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        config = settled(config, task)
        check(config)
        self.config, self.task = config, task
        # The constant reward, a control, asks no discriminator: there is none to train.
        self.judged = config.adversarial.reward is not Reward.constant
        words = task.vocab_size, config.generator, rng, task.fixed_length
        self.generator = LanguageModel(*words).to(task.device)
        self.sampler = Sampler(self.generator, task.max_length, task.graphs)
        sizes = task.vocab_size, config.discriminator, task.max_length
        made = discriminator_of(config.judge, config.d_training.batch_size, *sizes, rng)
        self.discriminator = made.to(task.device)
        self.judge = self._judge(rng)
        judges = self.discriminator, self.judge or self.discriminator
        self.policy = PolicyGradient(config.adversarial, task, self.generator, *judges)
        self.trainer = MLETrainer(
            self.generator, config.mle, task.singletons, config.mle.steps(task.train_size)
        )
        self.g_optimiser = Optimiser(
            torch.optim.Adam, self.generator.parameters(), config.adversarial.learning_rate
        )
        self.d_trainer = trainer_of(
            self.discriminator, config.d_training, config.adversarial.reward is Reward.prefix
        )
        looked = self.discriminator, task.held_out if self.judged else None, self.plain_samples
        self.d_held_out = HeldOut(*looked, config.d_training.rules())
        self.held_out = self.judge.held_out if self.judge else self.d_held_out
        self.adversarial_steps = 0
        decay = config.adversarial.ema
        self.average = Ema(self.generator, decay) if decay else None
        averaged = self.average.module if self.average else self.generator
        self.average_sampler = Sampler(averaged, task.max_length, task.graphs)

    def _judge(self, rng: torch.Generator) -> JudgeTrainer | None:
        """What rewards in the place of the discriminator; None where that does."""
        config = self.config.judge
        if config.by_discriminator:
            return None
        given = self.plain_samples, self.generator_log_prob, self.discriminator
        return JudgeTrainer(config, self.task, *given, rng)

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, judge, adversarial."""
        mle, d, g = self.config.mle, self.config.d_training, self.config.adversarial
        d.check_with(self.task.draw)
        self.config.judge.check(self.task.held_out)
        step, total, rise = self.trainer.step, self.trainer.total, mle.warmup_steps
        alone = d.pretrain_steps if self.d_learns else 0
        others = self.d_rows + self.judge_rows
        rows = max(1, others + (g.batch_size if g.mle_weight else 0))
        first = Phase("mle", total, mle.batch_size, step, warmup=rise).by("mle.epochs", mle.tied)
        second = Phase("discriminator", alone, d.batch_size, self.d_step_alone, scored=False)
        third = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        third = third.by("adversarial.steps").some_at_once(max(2 * d.batch_size, g.batch_size))
        second = second.by("d_training.pretrain_steps", d.tied).until(
            self.d_held_out.waited_in_vain
        )
        return [first, second, *self._judge_phase(), third]

    def _judge_phase(self) -> Sequence[Phase]:
        """The judge's own, where that is not the discriminator."""
        if self.judge is None:
            return []
        steps = self.judge.config.steps, self.judge.rows, self.judge.step
        found = Phase(PHASE, *steps, scored=False).until(self.held_out.waited_in_vain)
        return [found.by("judge.steps", self.judge.tied)]

    def notes(self) -> Sequence[str]:
        """Another judge; that nothing is held out; how far apart rollouts are, where that was
        worked out."""
        judge = self.judge.notes() if self.judge else []
        unseen = self.held_out.notes() if self.judged else []
        return [*judge, *unseen, *self.policy.notes()]

    def memory_later(self) -> int:
        """Of another judge."""
        return self.judge.memory if self.judge else 0

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        plain = self.evaluated is self.generator
        return (self.sampler if plain else self.average_sampler)(n, rng, options)

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator, or its average."""
        return self.evaluated

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats; <eos> counted."""
        return self.evaluated.token_log_prob(tokens).sum(1)

    def generator_log_prob(self, tokens: Tensor) -> Tensor:
        """The same of the generator that is trained."""
        return self.generator.token_log_prob(tokens).sum(1)

    @property
    def evaluated(self) -> LanguageModel:
        """What is sampled and scored: the average of the generator's weights, once it has begun.

        What it is trained on is drawn by the generator itself.
        """
        average = self.average
        return average.module if average and average.updates else self.generator

    # The discriminator, and another judge

    @property
    def d_learns(self) -> bool:
        """Whether somebody asks the discriminator."""
        return self.judged and (self.judge is None or Kind.cnn in self.judge.config.members)

    @property
    def d_rows(self) -> int:
        """Real sentences that the discriminator's steps of an adversarial step are given."""
        d = self.config.d_training
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
        trained = self.d_trainer.optimiser.stepped or (self.judged and self.adversarial_steps)
        return {"real": self.discriminator.score(tokens)} if trained else {}

    def plain_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as they are rewarded, (n, T)."""
        return self.sampler(n, rng, SamplingOptions())

    def d_step_alone(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """`d_step` in the discriminator's own phase, with looks at held-out sentences."""
        found = {**self.d_held_out.enter("discriminator"), **self.d_step(real, rng)}
        last = self.d_held_out.steps + 1 == self.config.d_training.pretrain_steps
        return {**found, **self.d_held_out.learned(last=last)}

    def d_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One discriminator update on real (B, T) against as many fresh samples."""
        config = self.config.d_training
        real = fresh(self.task.draw, real, rng) if config.fresh_real else real
        fake = self.sampler(len(real), rng, SamplingOptions(config.temperature))
        return self.d_trainer.step(real, fake, rng)

    # The generator

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One generator update, then `d_training.steps` discriminator updates."""
        config = self.config.adversarial
        self._begin_adversarial()
        real, d_size = batch, self.config.d_training.batch_size
        mle_batch = real[len(real) - config.batch_size :] if config.mle_weight else None
        found = dict(self.held_out.enter("adversarial", beside=True))
        rewarded = self.rewarded
        found.update(self.g_step(mle_batch, rng))
        for first in range(0, self.d_rows, d_size):
            found.update(self.d_step(real[first : first + d_size], rng))
        if self.judge is not None:
            newer = real[self.d_rows : self.d_rows + self.judge_rows]
            found.update(self.judge.refresh(newer, rng))
        found.update(self.held_out.beside(self.d_rows // d_size, rewarded))
        self.adversarial_steps += 1
        return found

    @property
    def rewarded(self) -> bool:
        """Whether the policy gradient has a weight: by the config, and by what D is worth."""
        return bool(self.config.adversarial.policy_weight) and self.held_out.trusted

    def g_step(self, mle_batch: Tensor | None, rng: torch.Generator) -> Metrics:
        """One policy-gradient update on fresh samples (and an MLE batch, if weighted).

        Without a weight of the policy no sample is drawn: MLE steps alone, or no update.
        """
        config = self.config.adversarial
        found: dict[str, Tensor | float] = {}
        loss = torch.zeros((), device=self.task.device)
        if not self.rewarded and mle_batch is None:
            return found
        if self.rewarded:
            tokens = trimmed(self.sampler(config.batch_size, rng, SamplingOptions()))
            policy_loss, found = self.policy.loss(tokens, rng)
            loss = config.policy_weight * policy_loss
        if mle_batch is not None:
            loss = loss + config.mle_weight * self.trainer.loss(mle_batch, rng)[0]
        norm = clipped_step(self.g_optimiser, self.generator, loss, config.clip)
        self.policy.lag()
        if self.average:
            self.average.update()
        return {**found, "g_grad_norm": norm}

    def _begin_adversarial(self) -> None:
        """At the first step: the generator is held to what it is now, and averaged from here on."""
        if self.adversarial_steps:
            return
        if self.policy.anchor:
            self.policy.anchor.drop(self.generator)
        if self.average:
            self.average.restart()

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "critic": self.policy.critic,
            "rollout_policy": self.policy.rollout_policy,
            "trainer": self.trainer,
            "g_optimiser": self.g_optimiser,
            "d_optimiser": self.d_trainer.optimiser,
            "critic_optimiser": self.policy.critic_optimiser,
            **({"judge": self.judge, "d_held_out": self.d_held_out} if self.judge else {}),
            "held_out": self.held_out,  # behind the judge, whose weights it may keep
            **({"anchor": self.policy.anchor.frozen} if self.policy.anchor else {}),
            **({"average": self.average} if self.average else {}),
        }

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        accuracy, steps = self.d_trainer.accuracy, self.adversarial_steps
        counters = {"d_accuracy": accuracy, "adversarial_steps": steps}
        return {**super().state_dict(), "ema": self.policy.ema, "counters": counters}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.policy.ema = state["ema"].to(self.task.device)
        self.d_trainer.accuracy = state["counters"]["d_accuracy"]
        self.adversarial_steps = state["counters"]["adversarial_steps"]

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the generator's weights, and the discriminator's where there are some."""
        self.generator.load_state_dict(state["generator"])
        self.policy.rollout_policy.load_state_dict(state["generator"])
        if "discriminator" in state:
            self.discriminator.load_state_dict(state["discriminator"])
        if self.judge is not None:
            return self.judge.take(state.get("judge"))
        return untrained(state.get("d_optimiser"))


def build(config: Config, task: Task, rng: torch.Generator) -> GAN:
    """Build the algorithm; `rng` initialises the weights."""
    return GAN(config, task, rng)
