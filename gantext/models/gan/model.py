"""model=gan: the sequence GAN (SeqGAN, Yu et al. 2017, arXiv 1609.05473).

Shapes: B batch, T steps, V vocabulary, R rollouts.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.models.contract import Phase, Task
from gantext.models.gan.config import Baseline, Config, LossReduction, Reward, RewardScale, check
from gantext.nn import ranks
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.state import NamedParts
from gantext.nn.text.adversary import DiscriminatorTrainer, fresh, untrained
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import MLETrainer, mean_nll
from gantext.nn.text.held_out import HeldOut
from gantext.nn.text.language_model import LanguageModel
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import at_places, mean_of_words, share_of_words, words_at
from gantext.nn.text.rewards import (
    leave_one_out_mean,
    policy_weights,
    previous_values,
    ranked,
    returns_to_go,
    sampled,
    spread,
    standardised,
    valid_mean,
)
from gantext.nn.text.rollouts import rollout_rewards, spaced, spacing, trimmed
from gantext.nn.text.sampling import Policy, SamplingOptions
from gantext.nn.text.text_cnn import TextCNN


class GAN(NamedParts):
    """Generator, discriminator, their optimisers, and the three phases."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        self.config, self.task = config, task
        # The constant reward, a control, asks no discriminator: there is none to train.
        self.judged = config.adversarial.reward is not Reward.constant
        self.rollout_every = spacing(config.adversarial.rollout_every, task.max_length)
        words = task.vocab_size, config.generator, rng, task.fixed_length
        self.generator = LanguageModel(*words).to(task.device)
        self.sampler = Sampler(self.generator, task.max_length, task.graphs)
        sizes = task.vocab_size, config.discriminator, task.max_length
        self.discriminator = TextCNN(*sizes, rng).to(task.device)
        self.critic = nn.Linear(self.generator.output.in_features, 1).to(task.device)
        nn.init.zeros_(self.critic.weight)
        nn.init.zeros_(self.critic.bias)
        # The rollout policy: a copy that lags behind the generator, or the generator itself.
        lag = config.adversarial.rollout_lag
        self.rollout_policy = copy.deepcopy(self.generator) if lag else self.generator
        self.trainer = MLETrainer(
            self.generator, config.mle, task.singletons, config.mle.steps(task.train_size)
        )
        self.g_optimiser = Optimiser(
            torch.optim.Adam, self.generator.parameters(), config.adversarial.learning_rate
        )
        self.d_trainer = DiscriminatorTrainer(
            self.discriminator, config.d_training, config.adversarial.reward is Reward.prefix
        )
        judged_on = task.held_out if self.judged else None
        rules = config.d_training.rules()
        self.held_out = HeldOut(self.discriminator, judged_on, self.plain_samples, rules)
        self.critic_optimiser = Optimiser(torch.optim.Adam, self.critic.parameters(), 1e-2)
        self.ema = torch.full((), 0.5, device=task.device)
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
        second = Phase("discriminator", alone, d.batch_size, self.d_step_alone, scored=False)
        third = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        third = third.by("adversarial.steps").some_at_once(max(2 * d.batch_size, g.batch_size))
        second = second.by("d_training.pretrain_steps", d.tied).until(self.held_out.waited_in_vain)
        return [first, second, third]

    def notes(self) -> Sequence[str]:
        """How far apart rollouts are, where that was worked out; that nothing is held out."""
        config = self.config.adversarial
        said = self.held_out.notes() if self.judged else []
        if not config.policy_weight or config.reward is not Reward.rollout:
            return said
        return [*said, *spaced(config.rollout_every, self.rollout_every, self.task.max_length)]

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

    def plain_samples(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as they are rewarded, (n, T)."""
        return self.sample(n, rng, SamplingOptions())

    def d_step_alone(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """`d_step` in the discriminator's own phase, with looks at held-out sentences."""
        found = {**self.held_out.enter("discriminator"), **self.d_step(real, rng)}
        last = self.held_out.steps + 1 == self.config.d_training.pretrain_steps
        return {**found, **self.held_out.learned(last=last)}

    def d_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One discriminator update on real (B, T) against as many fresh samples."""
        config = self.config.d_training
        real = fresh(self.task.draw, real, rng) if config.fresh_real else real
        fake = self.sample(len(real), rng, SamplingOptions(config.temperature))
        return self.d_trainer.step(real, fake, rng)

    # The generator

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One generator update, then `d_training.steps` discriminator updates."""
        config = self.config.adversarial
        real, d_size = batch, self.config.d_training.batch_size
        mle_batch = real[len(real) - config.batch_size :] if config.mle_weight else None
        steps = self.config.d_training.steps if self.judged else 0
        found = dict(self.held_out.enter("adversarial", beside=True))
        rewarded = self.rewarded
        found.update(self.g_step(mle_batch, rng))
        for i in range(steps):
            found.update(self.d_step(real[i * d_size : (i + 1) * d_size], rng))
        found.update(self.held_out.beside(steps, rewarded))
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
            tokens = trimmed(self.sample(config.batch_size, rng, SamplingOptions()))
            policy_loss, found = self.policy_loss(tokens, rng)
            loss = config.policy_weight * policy_loss
        if mle_batch is not None:
            shown = self.trainer.shown(mle_batch, rng)
            loss = loss + config.mle_weight * mean_nll(self.generator, shown, rng)
        norm = clipped_step(self.g_optimiser, self.generator, loss, config.clip)
        self._lag_rollout_policy()
        return {**found, "g_grad_norm": norm}

    def policy_loss(
        self, tokens: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """The policy-gradient loss of the generator's own samples (B, T), and what to log.

        The policy that is differentiated is the one that sampled: no dropout, no <unk>.
        """
        own, valid = ranks.mine(tokens), tokens != PAD
        rewards, before = self.rewards(tokens, rng)  # (B, T)
        advantage = self.advantages(rewards, before, tokens)
        mine = ranks.mine(advantage), own != PAD, self.task.max_length
        model, weights = self.generator, policy_weights(*mine)
        if self.config.adversarial.loss_reduction is LossReduction.sum:
            weights = weights * (len(tokens) * self.task.max_length)
        layer, features = model.output_layer(written=True), model.valid_features(own)
        share = share_of_words(own, self.config.adversarial.entropy_weight)
        drawn = policy_nll(layer, features, words_at(own), weights, share)
        return drawn.loss, {
            "reward_std": spread(rewards, valid),
            "g_loss": -(weights * drawn.log_prob).sum(),
            "advantage_std": spread(advantage, valid),
            "entropy": mean_of_words(drawn.entropy, own),
            **sampled(tokens, rewards),
        }

    @torch.no_grad()
    def rewards(self, tokens: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Q of each token, D's belief in what it leads to, and D's belief in the prefix before.

        Both (B, T), zero at <pad>. The second depends on x_0..x_{t-1} only and has no value at
        the first word.
        """
        config, valid = self.config.adversarial, tokens != PAD
        if config.reward is Reward.constant:
            return valid.float(), torch.zeros(valid.shape, device=valid.device)
        if config.reward is Reward.rollout:
            policy, judge, count = self.rollout_policy, self.discriminator.score, config.rollouts
            found = rollout_rewards(policy, judge, tokens, count, self.rollout_every, rng).mean(2)
            return found, previous_values(found, self.rollout_every) * valid
        logits = self.discriminator.prefix_logits(ranks.mine(tokens))
        belief = ranks.gathered(logits, len(tokens)).sigmoid() * valid
        before = previous_values(belief, 1) * valid
        return returns_to_go(belief, valid, config.discount), before

    def advantages(self, rewards: Tensor, before: Tensor, tokens: Tensor) -> Tensor:
        """Rewards less their baseline, rescaled; (B, T), zero at <pad>. Constant ones are left as
        they are: less a baseline, or of deviation 1, they would be nothing."""
        config, valid = self.config.adversarial, tokens != PAD
        if config.reward is Reward.constant:
            return rewards
        if config.reward_scale is RewardScale.rank:
            rewards = ranked(rewards, valid, config.rank_delta)
        advantage = (rewards - self._baseline(rewards, before, tokens)) * valid
        if config.reward_scale is RewardScale.standardise:
            advantage = standardised(advantage, valid)
        return advantage

    def _baseline(self, rewards: Tensor, before: Tensor, tokens: Tensor) -> Tensor:
        kind, valid = self.config.adversarial.baseline, tokens != PAD
        if kind is Baseline.mean:
            return leave_one_out_mean(rewards, valid)
        if kind is Baseline.previous:
            first = leave_one_out_mean(rewards, valid)
            steps = torch.arange(tokens.shape[1], device=tokens.device)
            return torch.where(steps < self.rollout_every, first, before)
        if kind is Baseline.ema:
            mean = self.ema.clone()
            self.ema = 0.9 * self.ema + 0.1 * valid_mean(rewards, valid)
            return mean
        if kind is Baseline.critic:
            return self._critic(rewards, tokens)
        return torch.zeros_like(rewards)

    def _critic(self, rewards: Tensor, tokens: Tensor) -> Tensor:
        """A linear prediction of Q from the generator's state before each token."""
        with torch.no_grad():
            features = self.generator.features(tokens).float()
        predicted: Tensor = self.critic(features).squeeze(-1).float()
        loss = mean_of_words(at_places((predicted - rewards).square(), tokens), tokens)
        clipped_step(self.critic_optimiser, self.critic, loss, clip=0)
        return predicted.detach()

    @torch.no_grad()
    def _lag_rollout_policy(self) -> None:
        """theta' <- lag * theta' + (1 - lag) * theta."""
        lag = self.config.adversarial.rollout_lag
        if lag:
            pairs = zip(self.rollout_policy.parameters(), self.generator.parameters(), strict=True)
            for old, new in pairs:
                old.lerp_(new, 1 - lag)

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "critic": self.critic,
            "rollout_policy": self.rollout_policy,
            "trainer": self.trainer,
            "g_optimiser": self.g_optimiser,
            "d_optimiser": self.d_trainer.optimiser,
            "critic_optimiser": self.critic_optimiser,
            "held_out": self.held_out,
        }

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        accuracy, steps = self.d_trainer.accuracy, self.adversarial_steps
        counters = {"d_accuracy": accuracy, "adversarial_steps": steps}
        return {**super().state_dict(), "ema": self.ema, "counters": counters}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        super().load_state_dict(state)
        self.ema = state["ema"].to(self.task.device)
        self.d_trainer.accuracy = state["counters"]["d_accuracy"]
        self.adversarial_steps = state["counters"]["adversarial_steps"]

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the generator's weights, and the discriminator's where there are some."""
        self.generator.load_state_dict(state["generator"])
        self.rollout_policy.load_state_dict(state["generator"])
        if "discriminator" in state:
            self.discriminator.load_state_dict(state["discriminator"])
        return untrained(state.get("d_optimiser"))


def build(config: Config, task: Task, rng: torch.Generator) -> GAN:
    """Build the algorithm; `rng` initialises the weights."""
    return GAN(config, task, rng)
