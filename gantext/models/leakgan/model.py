"""model=leakgan: text generation with leaked information (LeakGAN, Guo et al. 2018, 1709.08624)."""

import copy
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.contract import Phase, Task
from gantext.models.leakgan.config import (
    Baseline,
    Config,
    LeakSource,
    Reward,
    WorkerReward,
    check,
)
from gantext.models.leakgan.features import LeakyTextCNN
from gantext.models.leakgan.generator import LeakGenerator
from gantext.nn import ranks
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.state import NamedParts
from gantext.nn.text.adversary import DiscriminatorTrainer, fresh, untrained
from gantext.nn.text.fitting import MLETrainer
from gantext.nn.text.held_out import HeldOut
from gantext.nn.text.output_layer import mean_word_nll, policy_nll
from gantext.nn.text.places import at_places, counted, mean_of_words, words_at
from gantext.nn.text.rewards import (
    leave_one_out_mean,
    policy_gradient_loss,
    policy_weights,
    ranked_among,
    sampled,
    valid_mean,
)
from gantext.nn.text.rollouts import rollout_rewards, spaced, spacing, trimmed
from gantext.nn.text.sampling import Policy, SamplingOptions, decode

MOST_D_STEPS = 10_000  # within one step of pretraining, whose rows are drawn together


class LeakGAN(NamedParts):
    """Manager, worker and discriminator, their optimisers, and the two phases."""

    counters = ("adversarial_steps",)

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        self.config, self.task = config, task
        # The constant reward, a control, asks no discriminator, which stays as it was pretrained.
        self.judged = config.adversarial.reward is Reward.rollout
        goals = spacing(config.adversarial.rollout_every, task.max_length)
        self.rollout_every = goals * config.generator.goal_steps
        self.discriminator = LeakyTextCNN(
            task.vocab_size, config.discriminator, task.max_length, rng
        ).to(task.device)
        keeps = config.d_training.leak is LeakSource.pretrained
        self.leak = copy.deepcopy(self.discriminator) if keeps else self.discriminator
        parts = task.vocab_size, config.generator, self.leak, rng, task.fixed_length
        self.generator = LeakGenerator(*parts).to(task.device)
        apart = [self.generator.manager, self.generator.worker]
        self.clipped = apart if config.generator.clip_apart else [self.generator]
        steps = config.mle.steps(task.train_size)
        self.trainer = MLETrainer(self.generator, config.mle, task.singletons, steps, self.clipped)
        adversarial, parameters = config.adversarial, list(self.generator.parameters())
        self.g_optimiser = Optimiser(torch.optim.Adam, parameters, adversarial.learning_rate)
        # One of its own, as in the code: among the many larger gradients of the likelihood, a
        # shared one would shrink the policy's steps to nothing.
        self.mle_optimiser = Optimiser(torch.optim.Adam, parameters, adversarial.mle_learning_rate)
        d = config.d_training
        first = dataclasses.replace(
            d, batch_size=d.pretrain_batch_size, learning_rate=d.pretrain_learning_rate
        )
        self.d_pretrainer = DiscriminatorTrainer(self.discriminator, first, d.prefixes)
        self.d_trainer = DiscriminatorTrainer(self.discriminator, d, d.prefixes)
        self.held_out = HeldOut(
            self.discriminator, task.held_out, self.rewarded_samples, d.rules(put_back=keeps)
        )
        self.d_steps = math.ceil(d.pretrain_steps / max(1, self.trainer.total))
        if self.trainer.total and self.d_steps > MOST_D_STEPS:
            raise UserError(
                f"model.d_training.pretrain_steps={d.pretrain_steps}: {self.d_steps:,} for each of "
                f"the {self.trainer.total:,} steps of pretraining; at most {MOST_D_STEPS:,}"
            )
        self.adversarial_steps = 0
        every, rows = adversarial.mle_every, config.mle.batch_size
        self.mle_steps = math.ceil(task.train_size / (every * rows)) if every else 0

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """pretraining (D and G interleaved), discriminator (where it is asked for), adversarial."""
        d, mle, g = self.config.d_training, self.config.mle, self.config.adversarial
        d.check_with(self.task.draw)
        alone, beside = (d.alone_steps, d.steps) if self.judged else (0, 0)
        used = max(1, self.mle_steps * mle.batch_size + beside * d.batch_size, g.rank_real)
        rows = max(mle.batch_size, self.d_steps * d.pretrain_batch_size)
        step, total, rise = self.pretraining_step, self.trainer.total, mle.warmup_steps
        spread = "the discriminator's steps are spread over its own" if d.pretrain_steps else ""
        first = Phase("pretraining", total, rows, step, warmup=rise)
        second = Phase("discriminator", alone, d.batch_size, self.d_step_alone, True, False)
        third = Phase("adversarial", g.steps, used, self.adversarial_step, adversarial=True)
        first = first.by("mle.epochs", mle.tied or spread)
        first = first.some_at_once(max(mle.batch_size, 2 * d.pretrain_batch_size))
        both = max(mle.batch_size, 2 * d.batch_size, g.batch_size, g.rank_real)
        third = third.by("adversarial.steps").some_at_once(both)
        second = second.by("d_training.alone_steps", d.tied).until(self.held_out.waited_in_vain)
        return [first, second, third]

    def notes(self) -> Sequence[str]:
        """How far apart rollouts are, where that was worked out; that nothing is held out."""
        config = self.config.adversarial
        asked = config.rollout_every if config.policy_weight and self.judged else 1
        apart = spaced(asked, self.rollout_every, self.task.max_length)
        return [*self.held_out.notes(), *apart]

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator (manager and worker) and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    def sample(self, n: int, rng: torch.Generator, options: SamplingOptions) -> Tensor:
        """Draw n sentences, (n, T)."""
        with self.leak.read_often(n * self.task.max_length):
            return decode(self.writer(n, rng), n, self.task.max_length, rng, options)

    def rewarded_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as they are rewarded, (n, T)."""
        return self.sample(n, rng, SamplingOptions(self.config.adversarial.temperature))

    def writer(self, n: int, rng: torch.Generator) -> Policy:
        """The generator, which reads the leaked features of each prefix."""
        return self.generator

    def log_prob(self, tokens: Tensor) -> Tensor:
        """log p(sentence), (N,), nats; <eos> counted."""
        return self.generator.token_log_prob(tokens).sum(1)

    def score(self, tokens: Tensor) -> dict[str, Tensor]:
        """D's probability that each sentence of (N, T) is real; none before D's first step."""
        trained = self.d_pretrainer.optimiser.stepped or self.d_trainer.optimiser.stepped
        return {"real": self.discriminator.score(tokens)} if trained else {}

    @property
    def goal_steps(self) -> int:
        """c, the words that a goal looks ahead."""
        return self.config.generator.goal_steps

    @torch.no_grad()
    def trace(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Goals (B, T, F) and leaked features (B, T + 1, F) of given sentences (B, T).

        Goal s is set after the first s words, whose features are features[:, s].
        """
        features, goals = self.generator.leak(tokens)
        return goals, features

    # Pretraining: D on real against generated, worker by cross-entropy, manager by cosine

    def pretraining_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """D steps where they are due, then one of the generator."""
        d, done, total = self.config.d_training, self.trainer.done, self.trainer.total
        due = (done + 1) * d.pretrain_steps // total - done * d.pretrain_steps // total
        found = self.d_steps_within(batch, due, rng) if due else {}
        shown = self.trainer.shown(batch[: self.config.mle.batch_size], rng)
        loss, said = self.mle_loss(shown, rng)
        return {**found, **said, **self.trainer.update(loss)}

    def d_steps_within(self, batch: Tensor, due: int, rng: torch.Generator) -> Metrics:
        """So many D steps of pretraining, as long as D learns; the generator reads what it learns.

        When D's best weights are put back, what the generator reads stays as it was last: at no
        step do its features jump.
        """
        d, rows = self.config.d_training, self.config.d_training.pretrain_batch_size
        found = dict(self.held_out.enter("pretraining"))
        if self.held_out.stopped:
            return found
        for i in range(due):
            found.update(self.d_step(batch[i * rows : (i + 1) * rows], rng, self.d_pretrainer))
        if self.leak is not self.discriminator:
            self.leak.load_state_dict(self.discriminator.state_dict())
        last = self.held_out.steps + due == d.pretrain_steps
        return {**found, **self.held_out.learned(due, last)}

    def d_step_alone(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """`d_step` in the discriminator's own phase, with looks at held-out sentences."""
        found = {**self.held_out.enter("discriminator"), **self.d_step(real, rng)}
        last = self.held_out.steps + 1 == self.config.d_training.alone_steps
        return {**found, **self.held_out.learned(last=last)}

    def d_step(
        self, real: Tensor, rng: torch.Generator, trainer: DiscriminatorTrainer | None = None
    ) -> Metrics:
        """One discriminator update on real (B, T) against as many fresh samples."""
        config = self.config.d_training
        real = fresh(self.task.draw, real, rng) if config.fresh_real else real
        options = SamplingOptions(config.temperature)
        fake = decode(self.generator, len(real), self.task.max_length, rng, options)
        return (trainer or self.d_trainer).step(real, fake, rng)

    def mle_loss(self, tokens: Tensor, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """Worker's cross-entropy (nats per token) + manager's -mean cos(f_{s+c} - f_s, g_s)."""
        tokens = ranks.mine(tokens)
        features, goals = self.generator.leak(tokens)
        read = self.generator.worker_features(tokens, goals, rng)
        given = self.generator.output_layer(), read, words_at(tokens), counted(tokens)
        nll = mean_word_nll(*given)[0]
        cosines = self.generator.goal_cosines(features, goals)
        cosine = mean_of_words(at_places(cosines, tokens), tokens)
        return nll - cosine, {"nll": nll.detach(), "goal_cosine": cosine.detach()}

    # Adversarial training

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One policy-gradient step, its share of a maximum-likelihood epoch, then D's steps."""
        config, d = self.config.adversarial, self.config.d_training
        rows = self.config.mle.batch_size
        found: dict[str, Tensor | float] = {}
        if self.judged:
            found.update(self.held_out.enter("adversarial", beside=True))
        rewarded = bool(config.policy_weight) and (self.held_out.trusted or not self.judged)
        if rewarded:
            found.update(self.g_step(batch[: self.joining], rng))
        for i in range(self.mle_steps):
            shown = self.trainer.shown(batch[i * rows : (i + 1) * rows], rng)
            loss, said = self.mle_loss(shown, rng)
            clipped_step(self.mle_optimiser, self.clipped, loss, config.clip)
            found.update(said)
        first = self.mle_steps * rows
        steps = d.steps if self.judged else 0
        for i in range(first, first + steps * d.batch_size, d.batch_size):
            found.update(self.d_step(batch[i : i + d.batch_size], rng))
        if self.judged:
            found.update(self.held_out.beside(steps, rewarded))
        self.adversarial_steps += 1
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
        options = SamplingOptions(config.temperature)
        tokens = trimmed(self.sample(config.batch_size, rng, options))
        loss, found = self.policy_loss(tokens, self.rewards(tokens, real, rng))
        weighted = config.policy_weight * loss
        norm = clipped_step(self.g_optimiser, self.clipped, weighted, config.clip)
        return {**found, "g_grad_norm": norm}

    @torch.no_grad()
    def rewards(self, tokens: Tensor, real: Tensor, rng: torch.Generator) -> Tensor:
        """Q of each token of (B, T) by rollouts every so many goals, (B, T), zero at <pad>; ranked
        (the bootstrapped rescaled activation), except with rank_delta 0."""
        config = self.config.adversarial
        if not self.judged:
            return (tokens != PAD).float()
        found = rollout_rewards(
            self.generator,
            self.discriminator.score,
            tokens,
            config.rollouts,
            self.rollout_every,
            rng,
            SamplingOptions(config.temperature),
        ).mean(2)  # (B, T)
        if config.rank_delta == 0:
            return found
        belief = self.discriminator.score(real) if len(real) else found.new_zeros(0)
        return ranked_among(found, tokens != PAD, belief, config.rank_delta)

    def policy_loss(
        self, tokens: Tensor, rewards: Tensor
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """Manager's and worker's policy-gradient losses on samples (B, T), and what to log.

        Manager: -mean Q_s cos(f_{s+c} - f_s, g_s). Worker: -mean r_s log p(x_s), r_s its intrinsic
        reward (or Q_s); p is the policy that sampled: no dropout, no <unk>, its temperature.
        """
        config = self.config.adversarial
        own, valid = ranks.mine(tokens), tokens != PAD
        features, goals = self.generator.leak(own)
        cosines = self.generator.goal_cosines(features, goals)
        along = self.generator.intrinsic_rewards(features, goals)
        intrinsic = ranks.gathered(along, len(tokens)) * valid
        by_quality = config.worker_reward is WorkerReward.quality or not self.judged
        quality, advantage = rewards, rewards if by_quality else intrinsic
        if config.one_reward:
            quality, advantage = (valid_mean(each, valid) * valid for each in (quality, advantage))
        if config.baseline is Baseline.mean and self.judged:
            quality = quality - leave_one_out_mean(quality, valid)
            advantage = advantage - leave_one_out_mean(advantage, valid)
        mine, longest = own != PAD, self.task.max_length
        manager_loss = policy_gradient_loss(cosines, ranks.mine(quality), mine, longest)
        layer = self.generator.output_layer(written=True)
        read = self.generator.worker_features(own, goals, temperature=config.temperature)
        weights = policy_weights(ranks.mine(advantage), mine, longest)
        worker = policy_nll(layer, read, words_at(own), weights)
        return manager_loss + worker.loss, {
            "manager_loss": manager_loss.detach(),
            "worker_loss": worker.loss.detach(),
            "goal_cosine_sampled": valid_mean(ranks.gathered(cosines.detach(), len(tokens)), valid),
            "intrinsic": valid_mean(intrinsic, valid),
            "entropy": mean_of_words(worker.entropy, own),
            **sampled(tokens, rewards),
        }

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "leak": self.leak,
            "trainer": self.trainer,
            "g_optimiser": self.g_optimiser,
            "mle_optimiser": self.mle_optimiser,
            "d_optimiser": self.d_trainer.optimiser,
            "d_pretraining_optimiser": self.d_pretrainer.optimiser,
            "held_out": self.held_out,
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
        """Take the weights of generator and discriminator."""
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.leak.load_state_dict(state.get("leak", state["discriminator"]))
        return untrained(state.get("d_optimiser"), state.get("d_pretraining_optimiser"))


def build(config: Config, task: Task, rng: torch.Generator) -> LeakGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return LeakGAN(config, task, rng)
