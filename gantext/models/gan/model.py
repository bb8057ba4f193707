"""model=gan: the sequence GAN (SeqGAN, Yu et al. 2017, arXiv 1609.05473).

Shapes: B batch, T steps, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantext.models.contract import Phase, Task
from gantext.models.gan.config import Config, Reward, check
from gantext.models.gan.policy import PolicyGradient
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.state import NamedParts
from gantext.nn.text.adversary import DiscriminatorTrainer, fresh, untrained
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import MLETrainer, mean_nll
from gantext.nn.text.language_model import LanguageModel
from gantext.nn.text.rollouts import trimmed
from gantext.nn.text.sampling import Policy, SamplingOptions
from gantext.nn.text.text_cnn import TextCNN


class GAN(NamedParts):
    """Generator, discriminator, their optimisers, and the three phases."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        self.config, self.task = config, task
        # The constant reward, a control, asks no discriminator: there is none to train.
        self.judged = config.adversarial.reward is not Reward.constant
        words = task.vocab_size, config.generator, rng, task.fixed_length
        self.generator = LanguageModel(*words).to(task.device)
        self.sampler = Sampler(self.generator, task.max_length, task.graphs)
        sizes = task.vocab_size, config.discriminator, task.max_length
        self.discriminator = TextCNN(*sizes, rng).to(task.device)
        given = config.adversarial, task, self.generator, self.discriminator
        self.policy = PolicyGradient(*given)
        self.trainer = MLETrainer(
            self.generator, config.mle, task.singletons, config.mle.steps(task.train_size)
        )
        self.g_optimiser = Optimiser(
            torch.optim.Adam, self.generator.parameters(), config.adversarial.learning_rate
        )
        self.d_trainer = DiscriminatorTrainer(
            self.discriminator, config.d_training, config.adversarial.reward is Reward.prefix
        )
        self.adversarial_steps = 0

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, adversarial."""
        mle, d, g = self.config.mle, self.config.d_training, self.config.adversarial
        d.check_with(self.task.draw)
        step, total, rise = self.trainer.step, self.trainer.total, mle.warmup_steps
        alone, beside = (d.pretrain_steps, d.steps) if self.judged else (0, 0)
        rows = max(1, beside * d.batch_size + (g.batch_size if g.mle_weight else 0))
        first = Phase("mle", total, mle.batch_size, step, warmup=rise).by("mle.epochs", mle.tied)
        second = Phase("discriminator", alone, d.batch_size, self.d_step, scored=False)
        third = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        third = third.by("adversarial.steps").some_at_once(max(2 * d.batch_size, g.batch_size))
        return [first, second.by("d_training.pretrain_steps"), third]

    def notes(self) -> Sequence[str]:
        """How far apart rollouts are, where that was worked out."""
        return self.policy.notes()

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        return self.sampler(n, rng, options)

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator."""
        return self.generator

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats; <eos> counted."""
        return self.generator.token_log_prob(tokens).sum(1)

    # The discriminator

    def score(self, tokens: Tensor) -> dict[str, Tensor]:
        """D's probability that each sentence of (N, T) is real; none before D's first step."""
        trained = self.d_trainer.optimiser.stepped or (self.judged and self.adversarial_steps)
        return {"real": self.discriminator.score(tokens)} if trained else {}

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
        real, d_size = batch, self.config.d_training.batch_size
        mle_batch = real[len(real) - config.batch_size :] if config.mle_weight else None
        found = dict(self.g_step(mle_batch, rng))
        for i in range(self.config.d_training.steps if self.judged else 0):
            found.update(self.d_step(real[i * d_size : (i + 1) * d_size], rng))
        self.adversarial_steps += 1
        return found

    def g_step(self, mle_batch: Tensor | None, rng: torch.Generator) -> Metrics:
        """One policy-gradient update on fresh samples (and an MLE batch, if weighted).

        With `policy_weight` 0 no sample is drawn: the control that has the same MLE steps alone.
        """
        config = self.config.adversarial
        found: dict[str, Tensor | float] = {}
        loss = torch.zeros((), device=self.task.device)
        if config.policy_weight:
            tokens = trimmed(self.sampler(config.batch_size, rng, SamplingOptions()))
            policy_loss, found = self.policy.loss(tokens, rng)
            loss = config.policy_weight * policy_loss
        if mle_batch is not None:
            shown = self.trainer.shown(mle_batch, rng)
            loss = loss + config.mle_weight * mean_nll(self.generator, shown, rng)
        norm = clipped_step(self.g_optimiser, self.generator, loss, config.clip)
        self.policy.lag()
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
        return untrained(state.get("d_optimiser"))


def build(config: Config, task: Task, rng: torch.Generator) -> GAN:
    """Build the algorithm; `rng` initialises the weights."""
    return GAN(config, task, rng)
