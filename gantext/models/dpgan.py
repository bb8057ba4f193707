"""model=dpgan: the Diversity-Promoting GAN (Xu et al. 2018, EMNLP, arXiv 1802.01345).

The discriminator D is a language model too, and rewards what it finds unlikely: it learns to find
generated text likely and real text not, so that a word pays that the generator G writes too
seldom. P is real text, c a bound; in nats:

- (1) R(y_t) = min(-log D(y_t | y_<t), c) of a word; R(y), of a sentence, is the mean over its words
- (2) D minimises E_{y ~ G} R(y) - lambda E_{y ~ P} R(y)
- (3) G ascends E_{y ~ G} sum_t (R(y_t) - b_t + sum_{s > t} gamma^(s - t) R(y_s) - b'_t)
  grad log G(y_t | y_<t), where b_t = E_{v ~ G} -log D(v | y_<t) is exact over the vocabulary and b'_t
  the mean of other sentences there
- (4) teacher forcing: -E_{y ~ P} sum_t R(y_t) / mean R log G(y_t | y_<t)

What keeps G from noise is lambda = 1 and c. Without c, D is best at (G - lambda P) / (1 - lambda),
word by word, so that (2) is 1 - lambda times the entropy of that, and G's best is lambda P +
(1 - lambda) U, U all words alike: noise, of which lambda = 0 makes all. At lambda = 1 G = P is the
best, if R has a bound: D would else make a word of P unlikely without end. Shapes: B sentences, T
steps, N places (see `places`).

Where this differs from the paper and its released code, and why:
- G writes sentences from nothing; theirs from a review or an utterance, several sentences each.
- c bounds R of real words in (2) as in (1). In the code (1) alone is bounded (12), and real text
  counts -0.0001 in (2), kept as a whole number, which is 0: D is a language model of samples alone,
  its reward an entropy. It holds G by rewards of real words 1,000 times those of samples.
- D begins as a copy of G, which is the best at lambda = 0; theirs learns samples from random weights.
- The baselines of (3), which leave the gradient as it is in the mean; the code has none.
- Looks at D on held-out sentences decide which of its weights go on, and whether G is rewarded at all
  (nn/text/held_out.py); what is looked at is R(y).
- Adam in the place of Adagrad, and no dropping of words or sentences from samples.
"""

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.ranges import (
    BatchSize,
    Clip,
    LearningRate,
    Nats,
    Probability,
    Steps,
    UpdatesOrNone,
    Weight,
)
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.models.contract import Ability, Phase, Reads, Task
from gantext.nn import ranks
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.state import NamedParts
from gantext.nn.text.captured_decode import Sampler
from gantext.nn.text.fitting import MLEConfig, MLETrainer
from gantext.nn.text.generator import TextGeneratorConfig, text_generator
from gantext.nn.text.held_out import HeldOut, Rules
from gantext.nn.text.lstm import TextGenerator, WordModel, at_words
from gantext.nn.text.output_layer import policy_nll, word_kl, word_log_prob
from gantext.nn.text.places import at_places, mean_of_words, words_at
from gantext.nn.text.rewards import leave_one_out_mean, policy_weights, sampled, spread
from gantext.nn.text.rollouts import trimmed_on_cpu
from gantext.nn.text.sampling import Policy, SamplingOptions
from gantext.plots.curves import (
    DIVERSITY,
    ENTROPY,
    G_LOSSES,
    GRADIENT_NORMS,
    JUDGED,
    LENGTH,
    NLL,
    REWARD,
)
from gantext.plots.layouts import Layout

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.write})
SHOWN = ("nll", "reward", "r_real", "r_fake", "g_loss", "entropy")
REWARDS = Layout(
    "Rewards of sentences",
    "Mean reward of real and of generated sentences, as the discriminator learns them: their gap "
    "is what it makes as large as it can.",
    "reward (nats per word)",
    {"r_real": "real", "r_fake": "generated"},
)
CURVES = (NLL, G_LOSSES, *JUDGED, REWARDS, ENTROPY, REWARD, DIVERSITY, LENGTH, GRADIENT_NORMS)


class Reward(enum.Enum):
    """What a generated word is paid."""

    word = "word"
    sentence = "sentence"


class Balance(enum.Enum):
    """Whether the discriminator always steps, or its looks at held-out sentences decide."""

    fixed = "fixed"
    held_out = "held_out"


class Forcing(enum.Enum):
    """What a real word counts in teacher forcing."""

    plain = "plain"
    rewarded = "rewarded"


@dataclass(frozen=True)
class DConfig:
    """The discriminator's training."""

    pretrain_steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    real_weight: Weight
    steps: UpdatesOrNone
    balance: Balance
    look_every: Steps
    patience: Steps

    @property
    def rules(self) -> Rules:
        """Of looks at held-out sentences."""
        return Rules(self.look_every, self.patience, self.balance is Balance.held_out)

    @property
    def tied(self) -> str:
        """Why steps of the discriminator alone depend on how many there are; "" if they do not."""
        best = "its discriminator's best weights go on after the last of its steps"
        return best if self.balance is Balance.held_out else ""


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generator is rewarded."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    clip: Clip
    reward: Reward
    reward_bound: Nats
    discount: Probability
    policy_weight: Weight
    mle_weight: Weight
    teacher_forcing: Forcing


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/dpgan.yaml."""

    name: str
    generator: TextGeneratorConfig
    mle: MLEConfig
    d_training: DConfig
    adversarial: AdversarialConfig


def check(config: Config) -> None:
    """Raises UserError for values that do not go together."""
    d, own = config.d_training, config.adversarial
    if d.balance is Balance.held_out and not d.look_every:
        raise UserError("model.d_training.look_every=0: balance=held_out decides by looks")
    if not own.policy_weight and not own.mle_weight:
        raise UserError("model.adversarial: policy_weight and mle_weight cannot both be 0")


def sentence_means(values: Tensor, valid: Tensor) -> Tensor:
    """The mean over the words of each sentence, (B,), of values (B, T), 0 at <pad>."""
    return values.sum(1) / valid.sum(1).clamp_min(1)


def later_rewards(rewards: Tensor, discount: float) -> Tensor:
    """sum over s > t of discount^(s-t) R_s, (B, T), of rewards (B, T), 0 at <pad>."""
    steps = torch.arange(rewards.shape[1], device=rewards.device)
    lag = steps[None, :] - steps[:, None]  # (t, s)
    weights = torch.where(lag > 0, float(discount) ** lag.clamp_min(1), 0.0).to(rewards.dtype)
    with torch.autocast(rewards.device.type, enabled=False):  # sums of rewards are fp32
        return rewards @ weights.T


def word_advantages(rewards: Tensor, expected: Tensor, valid: Tensor, discount: float) -> Tensor:
    """(3): of each word, (B, T), 0 at <pad>; `expected` are the b_t."""
    later = later_rewards(rewards, discount) * valid
    return (rewards - expected + later - leave_one_out_mean(later, valid)) * valid


def sentence_advantages(rewards: Tensor, valid: Tensor) -> Tensor:
    """R(y) less the mean of the other sentences, (B, T), the same at each word; 0 at <pad>."""
    means = sentence_means(rewards, valid)[:, None]
    return (means - leave_one_out_mean(means, torch.ones_like(means))) * valid


class Discriminator(nn.Module):
    """The language model whose -log D, up to a bound, is the reward.

    Args:
        model: of the generator's architecture and sizes.
        bound: c, nats.
    """

    def __init__(self, model: TextGenerator, bound: float) -> None:
        super().__init__()
        self.model, self.bound = model, bound

    def rewards(self, tokens: Tensor) -> Tensor:
        """(1) of each word, (B, T), without a gradient; 0 at <pad>."""
        return (-self.model.token_log_prob(tokens)).clamp_max(self.bound)

    def logits(self, tokens: Tensor) -> Tensor:
        """R(y), (B,), which is the higher the more real a sentence looks."""
        return sentence_means(self.rewards(tokens), tokens != PAD)

    def loss(
        self, real: Tensor, fake: Tensor, real_weight: float, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Metrics]:
        """(2), and R of both; with rng, dropout is on. A rank gives its share.

        Args:
            real: (B, T).
            fake: sentences of the generator, (B, T').
            real_weight: lambda.
            rng: of dropout.
        """
        generated, r_fake = self._mean_nll(ranks.mine(fake), 1.0, None, rng)
        asked, r_real = self._mean_nll(ranks.mine(real), -real_weight, self.bound, rng)
        return generated + asked, {"r_real": r_real, "r_fake": r_fake}

    def _mean_nll(
        self, tokens: Tensor, sign: float, bound: float | None, rng: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """`sign` times the sentences' mean -log D, whose gradient ends where a word's passes the
        bound; and without a gradient the mean of R."""
        valid = tokens != PAD
        share = sign / (len(tokens) * valid.sum(1, keepdim=True))  # of each word
        shares = at_places(share * valid, tokens)
        layer, words = self.model.output_layer(), words_at(tokens)
        features = self.model.valid_features(tokens, rng)
        if bound is not None:
            shares = shares.masked_fill(word_log_prob(layer, features, words) <= -bound, 0)
        found = policy_nll(layer, features, words, shares)
        rewards = at_words((-found.log_prob).clamp_max(self.bound), tokens)
        return found.loss, sentence_means(rewards, valid).mean()


class DPGAN(NamedParts):
    """Generator, discriminator, their optimisers, and the phases."""

    counters = ("begun", "adversarial_steps")

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check(config)
        self.config, self.task = config, task
        words = task.vocab_size, task.max_length, config.generator, rng, task.fixed_length
        self.generator = text_generator(*words).to(task.device)
        self.sampler = Sampler(self.generator, task.max_length, task.graphs)
        bound = config.adversarial.reward_bound
        self.discriminator = Discriminator(text_generator(*words), bound).to(task.device)
        self.trainer = MLETrainer(
            self.generator, config.mle, task.singletons, config.mle.steps(task.train_size)
        )
        rates = config.adversarial.learning_rate, config.d_training.learning_rate
        self.g_optimiser = Optimiser(torch.optim.Adam, self.generator.parameters(), rates[0])
        self.d_optimiser = Optimiser(torch.optim.Adam, self.discriminator.parameters(), rates[1])
        looked = self.discriminator, task.held_out, self.drawn
        self.held_out = HeldOut(*looked, config.d_training.rules)
        self.begun, self.adversarial_steps = False, 0

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, adversarial."""
        mle, d, g = self.config.mle, self.config.d_training, self.config.adversarial
        step, total = self.trainer.step, self.trainer.total
        first = Phase("mle", total, mle.batch_size, step, warmup=mle.warmup_steps)
        second = Phase("discriminator", d.pretrain_steps, d.batch_size, self.d_step_alone)
        second = dataclasses.replace(second, scored=False).by("d_training.pretrain_steps", d.tied)
        rows = max(1, d.steps * d.batch_size + (g.batch_size if g.mle_weight else 0))
        last = Phase("adversarial", g.steps, rows, self.adversarial_step, adversarial=True)
        last = last.by("adversarial.steps").some_at_once(max(2 * d.batch_size, g.batch_size))
        second = second.until(self.held_out.waited_in_vain).some_at_once(2 * d.batch_size)
        return [first.by("mle.epochs", mle.tied), second, last]

    def notes(self) -> Sequence[str]:
        """That nothing is held out, where looks should decide."""
        return self.held_out.notes()

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

    def drawn(self, n: int, rng: torch.Generator) -> Tensor:
        """n sentences as they are rewarded, (n, T)."""
        return self.sampler(n, rng, SamplingOptions())

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
        fake = trimmed_on_cpu(self.drawn(len(real), rng))
        loss, found = self.discriminator.loss(real, fake, config.real_weight, rng)
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
        """One update on fresh samples by (3), and on real (B, T) by (4) where there are some.

        Without rewards no sample is drawn; without either there is no update.
        """
        own, found = self.config.adversarial, dict[str, Tensor | float]()
        if not self.rewarded and real is None:
            return found
        loss = torch.zeros((), device=self.task.device)
        if self.rewarded:
            tokens = trimmed_on_cpu(self.drawn(own.batch_size, rng))
            policy_loss, logged = self.policy_loss(tokens)
            loss, found = own.policy_weight * policy_loss, {**found, **logged}
        if real is not None:
            forced, nll = self.forced_loss(real, rng)
            loss, found["nll"] = loss + own.mle_weight * forced, nll
        norm = clipped_step(self.g_optimiser, self.generator, loss, own.clip)
        return {**found, "g_grad_norm": norm}

    def policy_loss(self, tokens: Tensor) -> tuple[Tensor, Metrics]:
        """(3) of the generator's own samples (B, T), over B times the longest length."""
        own, valid = ranks.mine(tokens), tokens != PAD
        rewards = ranks.gathered(self.discriminator.rewards(own), len(tokens))
        advantage = self.advantages(rewards, tokens)
        weights = policy_weights(ranks.mine(advantage), own != PAD, self.task.max_length)
        layer, features = self.generator.output_layer(written=True), self.features(own)
        drawn = policy_nll(layer, features, words_at(own), weights)
        return drawn.loss, {
            "g_loss": drawn.loss.detach(),
            "reward_std": spread(rewards, valid),
            "advantage_std": spread(advantage, valid),
            "entropy": mean_of_words(drawn.entropy, own),
            **sampled(tokens, rewards),
        }

    def features(self, tokens: Tensor) -> Tensor:
        """What the generator's output layer reads at the places of (B, T), without dropout."""
        return self.generator.valid_features(tokens)

    def advantages(self, rewards: Tensor, tokens: Tensor) -> Tensor:
        """What each word's reward is above what was to be expected, (B, T)."""
        own, valid = self.config.adversarial, tokens != PAD
        if own.reward is Reward.sentence:
            return sentence_advantages(rewards, valid)
        return word_advantages(rewards, self.expected(tokens), valid, own.discount)

    @torch.no_grad()
    def expected(self, tokens: Tensor) -> Tensor:
        """b_t: E_{v ~ G} -log D(v | y_<t), (B, T), nats: KL(G || D) and G's entropy."""
        own = ranks.mine(tokens)
        layer, features = self.generator.output_layer(written=True), self.features(own)
        nothing = torch.zeros_like(features[:, 0], dtype=torch.float32)
        entropy = policy_nll(layer, features, words_at(own), nothing).entropy
        model: WordModel = self.discriminator.model
        _, kl = word_kl(layer, features, model.output_layer(), model.valid_features(own), nothing)
        return ranks.gathered(at_words(kl + entropy, own), len(tokens))

    def forced_loss(self, real: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """(4) of real (B, T), and the plain NLL, nats per token; dropout is on."""
        if self.config.adversarial.teacher_forcing is Forcing.plain:
            loss, found = self.trainer.loss(real, rng)
            return loss, torch.as_tensor(found["nll"])
        shown = self.trainer.shown(real, rng)
        own = ranks.mine(shown)
        rewards = at_places(self.discriminator.rewards(ranks.mine(real)), own)
        weights = rewards / ranks.mean(rewards.sum()).clamp_min(1e-6)
        layer, features = self.generator.output_layer(), self.generator.valid_features(own, rng)
        found = policy_nll(layer, features, words_at(own), weights)
        return found.loss, mean_of_words(-found.log_prob, own)

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "trainer": self.trainer,
            "g_optimiser": self.g_optimiser,
            "d_optimiser": self.d_optimiser,
            "held_out": self.held_out,
        }

    def load_pretrained(self, state: dict[str, Any]) -> None:
        """Take the generator's weights, and the discriminator's where it had begun."""
        self.generator.load_state_dict(state["generator"])
        if state.get("begun"):
            self.discriminator.load_state_dict(state["discriminator"])
            self.begun = True


def build(config: Config, task: Task, rng: torch.Generator) -> DPGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return DPGAN(config, task, rng)
