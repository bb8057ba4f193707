"""model=gan: the sequence GAN (SeqGAN, Yu et al. 2017, arXiv 1609.05473).

Shapes: B batch, T steps, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from gantext.models.contract import Phase, Task
from gantext.models.gan.config import Config, Reward, check, settled
from gantext.models.gan.policy import PolicyGradient
from gantext.models.gan.ranker import discriminator_of, trainer_of
from gantext.models.rewarded import Rewarded
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.text.adversary import untrained
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import MLETrainer
from gantext.nn.text.generator import text_generator
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.rollouts import trimmed
from gantext.nn.text.sampling import Policy, SamplingOptions
from gantext.nn.text.text_cnn import TextCNN


class GAN(Rewarded[TextGenerator, TextCNN]):
    """Generator, discriminator or another judge, their optimisers, and the phases."""

    counters: ClassVar[tuple[str, ...]] = ()  # they stand in a part of the state of their own
    policy: PolicyGradient

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        config = settled(config, task)
        check(config)
        self.config = config
        words = task.vocab_size, task.max_length, config.generator, rng, task.fixed_length
        generator = text_generator(*words).to(task.device)
        self.sampler = Sampler(generator, task.max_length, task.graphs)
        sizes = task.vocab_size, config.discriminator, task.max_length
        made = discriminator_of(config.judge, config.d_training.batch_size, *sizes, rng)
        discriminator = made.to(task.device)
        # The constant reward, a control, asks no discriminator: there is none to train.
        judged = config.adversarial.reward is not Reward.constant
        super().__init__(config, task, generator, discriminator, rng, judged=judged)
        judges = discriminator, self.judge or discriminator
        self.policy = PolicyGradient(config.adversarial, task, generator, *judges)
        self.trainer = MLETrainer(
            generator, config.mle, task.singletons, config.mle.steps(task.train_size)
        )
        self.g_optimiser = Optimiser(
            torch.optim.Adam, generator.parameters(), config.adversarial.learning_rate
        )
        self.d_trainer = trainer_of(
            discriminator, config.d_training, config.adversarial.reward is Reward.prefix
        )
        averaged = self.average.module if self.average else generator
        self.average_sampler = Sampler(averaged, task.max_length, task.graphs)

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, judge, adversarial."""
        mle, d, g = self.config.mle, self.config.d_training, self.config.adversarial
        step, total, rise = self.trainer.step, self.trainer.total, mle.warmup_steps
        others = self.d_rows + self.judge_rows
        rows = max(1, others + (g.batch_size if g.mle_weight else 0))
        first = Phase("mle", total, mle.batch_size, step, warmup=rise).by("mle.epochs", mle.tied)
        last = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        last = last.by("adversarial.steps").some_at_once(max(2 * d.batch_size, g.batch_size))
        return [first, *self.judging_phases(), last]

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        plain = self.evaluated is self.generator
        return (self.sampler if plain else self.average_sampler)(n, rng, options)

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator, or its average."""
        return self.evaluated

    def rewarded_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as they are rewarded, (n, T)."""
        return self.sampler(n, rng, SamplingOptions())

    def fakes(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as the discriminator is trained on them, (n, T)."""
        return self.sampler(n, rng, SamplingOptions(self.config.d_training.temperature))

    @property
    def d_trained(self) -> bool:
        """Whether the discriminator has made a step, or has rewarded as it is."""
        return super().d_trained or bool(self.judged and self.adversarial_steps)

    # The generator

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One generator update, then `d_training.steps` discriminator updates."""
        config = self.config.adversarial
        mle_batch = batch[len(batch) - config.batch_size :] if config.mle_weight else None
        found = dict(self.begin())
        rewarded = self.rewarded
        found.update(self.g_step(mle_batch, rng))
        found.update(self.judges_step(batch, rewarded, rng))
        return found

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
            **self.judging_parts(),
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
