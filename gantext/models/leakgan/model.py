"""model=leakgan: text generation with leaked information (LeakGAN, Guo et al. 2018, 1709.08624)."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gantext.errors import UserError
from gantext.models.base.rewarded import Rewarded
from gantext.models.base.text_model import Draw
from gantext.models.contract import Phase, Task
from gantext.models.leakgan.config import Config, LeakSource, Reward, check, settled
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.generator import LeakGenerator
from gantext.models.leakgan.policy import PolicyGradient
from gantext.nn import ranks
from gantext.nn.copies import copied
from gantext.nn.optim import Metrics, Optimiser
from gantext.nn.text.adversary import DiscriminatorTrainer
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import word_metrics
from gantext.nn.text.output_layer import mean_word_nll
from gantext.nn.text.places import at_places, counted, mean_of_words, words_at
from gantext.nn.text.rollouts import of_few_shapes, trimmed
from gantext.nn.text.sampling import SamplingOptions
from gantext.nn.update import Update

MOST_D_STEPS = 10_000  # within one step of pretraining, whose rows are drawn together


class LeakGAN(Rewarded[LeakGenerator, LeakyTextCNN]):
    """Manager, worker, discriminator or another judge, their optimisers, and the phases."""

    alone_key, alone_adversarial = "alone_steps", True
    d_optimisers = ("d_optimiser", "d_pretraining_optimiser")
    policy: PolicyGradient

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        config = settled(config, task)
        check(config)
        self.config = config
        sizes = task.vocab_size, config.discriminator, task.max_length
        discriminator = LeakyTextCNN(*sizes, rng).to(task.device)
        keeps = config.d_training.leak is LeakSource.pretrained
        self.leak = copied(discriminator) if keeps else discriminator
        parts = task.vocab_size, config.generator, self.leak, rng, task.fixed_length
        generator = LeakGenerator(*parts).to(task.device)
        apart = [generator.manager, generator.worker]
        self.clipped = apart if config.generator.clip_apart else [generator]
        self.reading_seldom = Sampler(generator, task.max_length, task.graphs)
        adversarial = config.adversarial
        twin = generator.twin() if adversarial.ema else None
        judged = adversarial.reward is not Reward.constant
        given = config, task, generator, discriminator, rng
        super().__init__(*given, judged=judged, clipped=self.clipped, put_back=keeps, twin=twin)
        judge = self.judge or discriminator
        self.policy = PolicyGradient(adversarial, task, self.reading_seldom, judge)
        # One of its own, as in the code: among the many larger gradients of the likelihood, a
        # shared one would shrink the policy's steps to nothing.
        rate = adversarial.mle_learning_rate
        self.mle_optimiser = Optimiser(torch.optim.Adam, generator.parameters(), rate)
        stepped = self.mle_optimiser, self.clipped, adversarial.clip, task.graphs
        self._mle_update = Update(self.shown_loss, *stepped)
        stepped = self.g_optimiser, self.clipped, adversarial.clip, task.graphs
        self._g_update = Update(self.g_loss, *stepped, "g_grad_norm")
        self._pretraining = self.trainer.updates_by(self.shown_loss, task.graphs)
        d = config.d_training
        first = dataclasses.replace(d, learning_rate=d.pretrain_learning_rate)
        how = d.prefixes, task.graphs
        self.d_pretrainer = DiscriminatorTrainer(discriminator, first, *how)
        self.d_trainer = DiscriminatorTrainer(discriminator, d, *how)
        self.d_optimiser = self.d_trainer.optimiser
        self.d_steps = math.ceil(d.pretrain_steps / max(1, self.trainer.total))
        if self.trainer.total and self.d_steps > MOST_D_STEPS:
            raise UserError(
                f"model.d_training.pretrain_steps={d.pretrain_steps}: {self.d_steps:,} for each of "
                f"the {self.trainer.total:,} steps of pretraining; at most {MOST_D_STEPS:,}"
            )
        every, rows = adversarial.mle_every, config.mle.batch_size
        self.mle_steps = math.ceil(task.train_size / (every * rows)) if every else 0

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """pretraining (D and G interleaved), discriminator (where it is asked for), judge (where
        that is another), adversarial."""
        d, mle, g = self.config.d_training, self.config.mle, self.config.adversarial
        used = max(1, self.mle_steps * mle.batch_size + self.d_rows + self.judge_rows, g.rank_real)
        rows = max(mle.batch_size, self.d_steps * d.pretrain_batch_size)
        step, total, rise = self.pretraining_step, self.trainer.total, mle.warmup_steps
        spread = "the discriminator's steps are spread over its own" if d.pretrain_steps else ""
        first = Phase("pretraining", total, rows, step, warmup=rise)
        last = Phase("adversarial", g.steps, used, self.adversarial_step, adversarial=True)
        first = first.by("mle.epochs", mle.tied or spread)
        first = first.some_at_once(max(mle.batch_size, 2 * d.pretrain_batch_size))
        both = max(mle.batch_size, 2 * d.batch_size, g.batch_size, g.rank_real)
        last = last.by("adversarial.steps").some_at_once(both)
        return [first, *self.judging_phases(), last]

    def sampler_of(self, generator: LeakGenerator) -> Draw:
        """What draws sentences of a generator, and reads the leaked features of each prefix."""
        own = generator is self.reading_seldom.policy
        return partial(self._drawn, self.reading_seldom if own else super().sampler_of(generator))

    def _drawn(self, draw: Draw, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        with self.leak.read_often(n * self.task.max_length):
            return draw(n, rng, options)

    def rewarded_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as they are rewarded, (n, T)."""
        return self.sampler(n, rng, SamplingOptions(self.config.adversarial.temperature))

    def fakes(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as the discriminator is trained on them, (n, T)."""
        options = SamplingOptions(self.config.d_training.temperature)
        return self.reading_seldom(n, rng, options)

    @property
    def d_learns(self) -> bool:
        """Whether the discriminator goes on after pretraining: somebody asks it, or the generator
        reads its features as it is."""
        return super().d_learns or (self.judged and self.leak is self.discriminator)

    @property
    def d_trained(self) -> bool:
        """Whether the discriminator has made a step."""
        return self.d_pretrainer.optimiser.stepped or super().d_trained

    @property
    def goal_steps(self) -> int:
        """c, the words that a goal looks ahead."""
        return self.config.generator.goal_steps

    @torch.no_grad()
    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Goals (B, T, F) and leaked features (B, T + 1, F) of given sentences (B, T).

        Goal s is set after the first s words, whose features are features[:, s].
        """
        features, goals = self.evaluated.leak(tokens)
        return goals, features

    # Pretraining: D on real against generated, worker by cross-entropy, manager by cosine

    def pretraining_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """D steps where they are due, then one of the generator."""
        d, done, total = self.config.d_training, self.trainer.done, self.trainer.total
        due = (done + 1) * d.pretrain_steps // total - done * d.pretrain_steps // total
        found = self.d_steps_within(batch, due, rng) if due else {}
        first = batch[: self.config.mle.batch_size]
        return {**found, **self.trainer.step_by(self._pretraining, first, rng=rng)}

    def d_steps_within(self, batch: Tensor, due: int, rng: torch.Generator) -> Metrics:
        """So many D steps of pretraining, as long as D learns; the generator reads what it learns.

        When D's best weights are put back, what the generator reads stays as it was last: at no
        step do its features jump.
        """
        d, rows = self.config.d_training, self.config.d_training.pretrain_batch_size
        found = dict(self.d_held_out.enter("pretraining"))
        if self.d_held_out.stopped:
            return found
        for i in range(due):
            found.update(self.d_step(batch[i * rows : (i + 1) * rows], rng, self.d_pretrainer))
        if self.leak is not self.discriminator:
            self.leak.load_state_dict(self.discriminator.state_dict())
        last = self.d_held_out.steps + due == d.pretrain_steps
        return {**found, **self.d_held_out.learned(due, last)}

    def shown_loss(self, batch: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """`mle_loss` of a batch (B, T) as the generator is to see it."""
        return self.mle_loss(self.trainer.shown(batch, rng), rng)

    def mle_loss(self, tokens: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """Worker's cross-entropy (nats per token) + manager's -mean cos(f_{s+c} - f_s, g_s)."""
        tokens = ranks.mine(tokens)
        features, goals = self.generator.leak(tokens)
        read = self.generator.worker_features(tokens, goals, rng)
        given = self.generator.output_layer(), read, words_at(tokens), counted(tokens)
        weigh = self.config.mle.weigh
        nll, log_prob = mean_word_nll(*given, weigh)
        cosines = self.generator.goal_cosines(features, goals)
        cosine = mean_of_words(at_places(cosines, tokens), tokens)
        said = word_metrics(nll, log_prob, tokens, weigh)
        return nll - cosine, {**said, "goal_cosine": cosine.detach()}

    # Adversarial training

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One policy-gradient step, its share of a maximum-likelihood epoch, then D's steps."""
        rows = self.config.mle.batch_size
        found = dict(self.begin())
        rewarded = self.rewarded
        if rewarded:
            found.update(self.g_step(batch[: self.joining], rng))
        for i in range(self.mle_steps):
            said = dict(self._mle_update(batch[i * rows : (i + 1) * rows], rng=rng))
            del said["grad_norm"]
            found.update(said)
        if self.average:
            self.average.update()
        found.update(self.judges_step(batch[self.mle_steps * rows :], rewarded, rng))
        return found

    @property
    def joining(self) -> int:
        """How many real sentences join the ranking of rewards by now."""
        config = self.config.adversarial
        if not config.rank_real_every:
            return config.rank_real
        return min(config.rank_real, self.adversarial_steps // config.rank_real_every)

    def g_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One policy-gradient update of manager and worker on fresh samples.

        `real` sentences, (rank_real, T), join the ranking of rewards.
        """
        config = self.config.adversarial
        tokens = trimmed(self.rewarded_samples(config.batch_size, rng))
        rewarded = tokens, self.policy.rewards(tokens, real, rng)
        return self._g_update(*of_few_shapes(self.task.max_length, *rewarded), rng=rng)

    def g_loss(
        self, tokens: Tensor, rewards: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Metrics]:
        """What a policy-gradient update on samples and their rewards, (B, T), goes down; metrics.
        It draws nothing."""
        loss, found = self.policy.loss(tokens, rewards)
        return self.config.adversarial.policy_weight * loss, found

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            **super().parts(),
            "leak": self.leak,
            "mle_optimiser": self.mle_optimiser,
            "d_pretraining_optimiser": self.d_pretrainer.optimiser,
        }

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        accuracies = [self.d_pretrainer.accuracy, self.d_trainer.accuracy]
        return {**super().state_dict(), "d_accuracies": accuracies}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.d_pretrainer.accuracy, self.d_trainer.accuracy = state["d_accuracies"]

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the networks' weights, and those of the discriminator whose features are read."""
        said = super().load_pretrained(state)
        self.leak.load_state_dict(state.get("leak", state["discriminator"]))
        return said


def build(config: Config, task: Task, rng: torch.Generator) -> LeakGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return LeakGAN(config, task, rng)
