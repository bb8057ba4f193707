"""model=gan: the sequence GAN (SeqGAN, Yu et al. 2017, arXiv 1609.05473).

Shapes: B batch, T steps, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from gantext.models.base.rewarded import Rewarded
from gantext.models.base.text_model import generator_of
from gantext.models.contract import Phase, Task
from gantext.models.gan.config import Baseline, Config, Reward, check, settled
from gantext.models.gan.policy import PolicyGradient
from gantext.models.gan.ranker import discriminator_of, trainer_of
from gantext.nn.optim import Metrics
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.rollouts import of_few_shapes, trimmed
from gantext.nn.text.text_cnn import TextCNN
from gantext.nn.update import Update


class GAN(Rewarded[TextGenerator, TextCNN]):
    """Generator, discriminator or another judge, their optimisers, and the phases."""

    counters: ClassVar[tuple[str, ...]] = ()  # they stand in a part of the state of their own
    policy: PolicyGradient

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        config = settled(config, task)
        check(config)
        self.config = config
        generator = generator_of(config.generator, task, rng)
        sizes = task.vocab_size, config.discriminator, task.max_length
        made = discriminator_of(config.judge, config.d_training.batch_size, *sizes, rng)
        discriminator = made.to(task.device)
        # The constant reward, a control, asks no discriminator: there is none to train.
        judged = config.adversarial.reward is not Reward.constant
        super().__init__(config, task, generator, discriminator, rng, judged=judged)
        judges = discriminator, self.judge or discriminator
        self.policy = PolicyGradient(config.adversarial, task, generator, *judges)
        prefixes = config.adversarial.reward is Reward.prefix
        self.d_trainer = trainer_of(discriminator, config.d_training, prefixes, task.graphs)
        self.d_optimiser = self.d_trainer.optimiser
        stepped = self.g_optimiser, generator, config.adversarial.clip
        graphs = task.graphs and config.adversarial.baseline is not Baseline.critic
        self._g_update = Update(self.g_loss, *stepped, graphs, "g_grad_norm")
        self._mle_update = Update(self.mle_loss, *stepped, task.graphs, "g_grad_norm")

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, judge, adversarial."""
        d, g = self.config.d_training, self.config.adversarial
        others = self.d_rows + self.judge_rows
        rows = max(1, others + (g.batch_size if g.mle_weight else 0))
        last = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        last = last.by("adversarial.steps").some_at_once(max(2 * d.batch_size, g.batch_size))
        return [self.mle_phase(), *self.judging_phases(), last]

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
        shown = [] if mle_batch is None else [mle_batch]
        if self.rewarded:
            tokens = trimmed(self.plain_samples(self.config.adversarial.batch_size, rng))
            rewarded = tokens, *self.policy.rewards(tokens, rng)
            found = self._g_update(*of_few_shapes(self.task.max_length, *rewarded), *shown, rng=rng)
        elif shown:
            found = self._mle_update(*shown, rng=rng)
        else:
            return {}
        self.policy.lag()
        if self.average:
            self.average.update()
        return found

    def g_loss(
        self, tokens: Tensor, rewards: Tensor, before: Tensor, *rest: Any
    ) -> tuple[Tensor, Metrics]:
        """What a policy-gradient update on samples (B, T) goes down, and what to log.

        Args:
            tokens, rewards, before: see `PolicyGradient.loss`.
            rest: sentences (B, T) where likelihood has a weight, and a generator.
        """
        policy_loss, found = self.policy.loss(tokens, rewards, before)
        loss = self.config.adversarial.policy_weight * policy_loss
        return (loss + self.mle_loss(*rest)[0] if len(rest) > 1 else loss), found

    def mle_loss(self, shown: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """Weighted -log p of sentences (B, T), beside or without the policy gradient."""
        return self.config.adversarial.mle_weight * self.trainer.loss(shown, rng)[0], {}

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            **super().parts(),
            "critic": self.policy.critic,
            "rollout_policy": self.policy.rollout_policy,
            "critic_optimiser": self.policy.critic_optimiser,
        }

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        accuracy, steps = self.d_trainer.accuracy, self.adversarial_steps
        counters = {"d_accuracy": accuracy, "adversarial_steps": steps}
        return {**super().state_dict(), "ema": self.policy.ema, "counters": counters}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.policy.ema.copy_(state["ema"])
        self.d_trainer.accuracy = state["counters"]["d_accuracy"]
        self.adversarial_steps = state["counters"]["adversarial_steps"]

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the networks' weights; the rollout policy begins as the generator."""
        self.policy.rollout_policy.load_state_dict(state["generator"])
        return super().load_pretrained(state)


def build(config: Config, task: Task, rng: torch.Generator) -> GAN:
    """Build the algorithm; `rng` initialises the weights."""
    return GAN(config, task, rng)
