"""model=dpgan: generator, discriminator and their training.

Shapes: B sentences, T steps, N places (see `places`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.models.base.text_model import TextModel, generator_of
from gantext.models.contract import Phase, Task
from gantext.models.dpgan.config import Config, Forcing, Reward, check
from gantext.models.dpgan.discriminator import (
    Discriminator,
    expected_rewards,
    sentence_advantages,
    sentence_means,
    word_advantages,
)
from gantext.nn import ranks
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.text.held_out import HeldOut
from gantext.nn.text.lstm import TextGenerator, at_words
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import at_places, mean_of_words, words_at
from gantext.nn.text.rewards import policy_weights, sampled, spread
from gantext.nn.text.rollouts import trimmed_on_cpu


class Looked:
    """The discriminator as looks see it: by what the generator learns of it."""

    def __init__(self, model: "DPGAN") -> None:
        self.model = model
        self.state_dict = model.discriminator.state_dict
        self.load_state_dict = model.discriminator.load_state_dict

    def logits(self, tokens: Tensor) -> Tensor:
        """The mean over the words of R(y_t) - b_t, (B,); 0 in the mean of the generator's own."""
        above = self.model.rewards(tokens) - self.model.expected(tokens)
        return sentence_means(above, tokens != PAD)


class DPGAN(TextModel[TextGenerator]):
    """Generator, discriminator, their optimisers, and the phases."""

    counters = ("begun", "adversarial_steps")

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        self.config, words = config, (config.generator, task, rng)
        super().__init__(task, generator_of(*words), config.mle)
        bound = config.adversarial.reward_bound
        self.discriminator = Discriminator(generator_of(*words), bound)
        rates = config.adversarial.learning_rate, config.d_training.learning_rate
        self.g_optimiser = Optimiser(torch.optim.Adam, self.generator.parameters(), rates[0])
        self.d_optimiser = Optimiser(torch.optim.Adam, self.discriminator.parameters(), rates[1])
        looked = Looked(self), task.held_out, self.plain_samples
        self.held_out = HeldOut(*looked, config.d_training.rules())
        self.begun, self.adversarial_steps = False, 0

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, adversarial."""
        d, g = self.config.d_training, self.config.adversarial
        alone = d.pretrain_steps, d.batch_size, self.d_step_alone
        second = Phase("discriminator", *alone, scored=False)
        second = second.by("d_training.pretrain_steps", d.tied)
        rows = max(1, d.steps * d.batch_size + (g.batch_size if g.mle_weight else 0))
        last = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        last = last.by("adversarial.steps").some_at_once(max(2 * d.batch_size, g.batch_size))
        second = second.until(self.held_out.waited_in_vain).some_at_once(2 * d.batch_size)
        return [self.mle_phase(), second, last]

    def notes(self) -> Sequence[str]:
        """That nothing is held out, where looks should decide."""
        return self.held_out.notes()

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator and discriminator."""
        return {"generator": self.generator, "discriminator": self.discriminator}

    # The discriminator

    def begin(self) -> None:
        """Before its first step, or the first reward: the discriminator is the generator."""
        if not self.begun:
            self.discriminator.model.load_state_dict(self.generator.state_dict())
            self.begun = True

    def d_step_alone(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """`d_step` in the discriminator's own phase, with looks at held-out sentences."""
        self.begin()
        found = {**self.held_out.enter("discriminator"), **self.d_step(real, rng)}
        last = self.held_out.steps + 1 == self.config.d_training.pretrain_steps
        return {**found, **self.held_out.learned(last=last)}

    def d_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One step down (2) on real (B, T) and as many fresh samples."""
        config = self.config.d_training
        fake = trimmed_on_cpu(self.plain_samples(len(real), rng))
        loss, found = self.discriminator.loss(real, fake, config.real_weight)
        norm = clipped_step(self.d_optimiser, self.discriminator, loss, config.clip)
        return {**found, "d_grad_norm": norm}

    # The generator

    @property
    def rewarded(self) -> bool:
        """Whether the policy gradient has a weight: by the config, and by what D is worth."""
        return bool(self.config.adversarial.policy_weight) and self.held_out.trusted

    def adversarial_step(self, batch: Tensor, rng: torch.Generator) -> Metrics:
        """One generator update, then `d_training.steps` discriminator updates."""
        self.begin()
        d, own = self.config.d_training, self.config.adversarial
        found = dict(self.held_out.enter("adversarial", beside=True))
        rewarded = self.rewarded
        real = batch[len(batch) - own.batch_size :] if own.mle_weight else None
        found.update(self.g_step(real, rng))
        for first in range(0, d.steps * d.batch_size, d.batch_size):
            found.update(self.d_step(batch[first : first + d.batch_size], rng))
        self.adversarial_steps += 1
        return {**found, **self.held_out.beside(d.steps, rewarded)}

    def g_step(self, real: Tensor | None, rng: torch.Generator) -> Metrics:
        """One update on fresh samples by (4), and on real (B, T) by (5) where there are some.

        Without rewards no sample is drawn; without either there is no update.
        """
        own, found = self.config.adversarial, dict[str, Tensor | float]()
        if not self.rewarded and real is None:
            return found
        loss = torch.zeros((), device=self.task.device)
        if self.rewarded:
            tokens = trimmed_on_cpu(self.plain_samples(own.batch_size, rng))
            policy_loss, logged = self.policy_loss(tokens)
            loss, found = own.policy_weight * policy_loss, {**found, **logged}
        if real is not None:
            forced, nll = self.forced_loss(real, rng)
            loss, found["nll"] = loss + own.mle_weight * forced, nll
        norm = clipped_step(self.g_optimiser, self.generator, loss, own.clip)
        return {**found, "g_grad_norm": norm}

    def policy_loss(self, tokens: Tensor) -> tuple[Tensor, Metrics]:
        """(4) of the generator's own samples (B, T), over B times the longest length."""
        own, valid = ranks.mine(tokens), tokens != PAD
        rewards = ranks.gathered(self.rewards(own), len(tokens))
        advantage = self.advantages(rewards, tokens)
        weights = policy_weights(ranks.mine(advantage), own != PAD, self.task.max_length)
        model = self.generator
        layer, features = model.output_layer(written=True), model.valid_features(own)
        drawn = policy_nll(layer, features, words_at(own), weights)
        return drawn.loss, {
            "g_loss": drawn.loss.detach(),
            "reward_std": spread(rewards, valid),
            "advantage_std": spread(advantage, valid),
            "entropy": mean_of_words(drawn.entropy, own),
            **sampled(tokens, rewards),
        }

    def rewards(self, tokens: Tensor) -> Tensor:
        """(3): R of each word of (B, T), 0 at <pad>."""
        kappa = self.config.adversarial.own_surprise
        found = self.discriminator.rewards(tokens)
        return found + kappa * self.generator.token_log_prob(tokens, written=True)

    def advantages(self, rewards: Tensor, tokens: Tensor) -> Tensor:
        """What each word's reward is above what was to be expected, (B, T)."""
        own, valid = self.config.adversarial, tokens != PAD
        if own.reward is Reward.sentence:
            return sentence_advantages(rewards, valid)
        return word_advantages(rewards, self.expected(tokens), valid, own.discount)

    def expected(self, tokens: Tensor) -> Tensor:
        """b_t of (4), (B, T), nats; 0 at <pad>."""
        own, config = ranks.mine(tokens), self.config.adversarial
        g, d = self.generator, self.discriminator.model
        with torch.no_grad():
            found = expected_rewards(
                g.output_layer(written=True),
                g.valid_features(own),
                d.output_layer(),
                d.valid_features(own),
                config.reward_bound,
                config.own_surprise,
            )
        return ranks.gathered(at_words(found, own), len(tokens))

    def forced_loss(self, real: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """(5) of real (B, T), and the plain NLL, nats per token; dropout is on."""
        if self.config.adversarial.teacher_forcing is Forcing.plain:
            loss, logged = self.trainer.loss(real, rng)
            return loss, torch.as_tensor(logged["nll"])
        shown = self.trainer.shown(real, rng)
        own = ranks.mine(shown)
        rewards = at_places(self.discriminator.rewards(ranks.mine(real)), own)
        weights = rewards / ranks.mean(rewards.sum()).clamp_min(1e-6)
        layer, features = self.generator.output_layer(), self.generator.valid_features(own, rng)
        forced = policy_nll(layer, features, words_at(own), weights)
        return forced.loss, mean_of_words(-forced.log_prob, own)

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            **super().parts(),
            "discriminator": self.discriminator,
            "g_optimiser": self.g_optimiser,
            "d_optimiser": self.d_optimiser,
            "held_out": self.held_out,
        }

    def load_pretrained(self, state: dict[str, Any]) -> Sequence[str]:
        """Take the networks' weights, and whether the discriminator had begun: it is then no copy
        of the generator again."""
        self.begun = bool(state.get("begun"))
        return super().load_pretrained(state)


def build(config: Config, task: Task, rng: torch.Generator) -> DPGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return DPGAN(config, task, rng)
