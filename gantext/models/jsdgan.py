"""model=jsdgan: JSDGAN, the Jensen-Shannon divergence without a discriminator network (Li et al.
2019, AISTATS, PMLR 89).

The generator gives each sentence a probability p(x), and the training set, as a distribution, gives
each of its N sentences 1 / N. The best discriminator is known from the two, and so is the
divergence that it tells, at the training sentences alone: nothing is sampled. In nats, of natural
logarithms, with r(x) = N p(x):

- (1) D(x) = 1 / (1 + r(x)) of a training sentence, 0 of every other one
- (2) 2 JSD = 2 log 2 - E_{x real} [log(1 + r) + r log(1 + 1 / r)]
- (3) its gradient = -E_{x real} w(r) grad log p(x), with w(r) = r log(1 + 1 / r), from 0 to 1

(2) is E_real log D + E_p log(1 - D) + 2 log 2, in which sentences that are not in the training set
count 0. By (3) it is likelihood with weights, and these vanish: of a text of 16 nats p is 1e-7,
r of 10,000 sentences 1e-3, w 8e-3; of a caption of 35 nats w is 2e-10. What the generator finds
likely has all of the weight, it becomes likelier, and the rest is never learned. Hence

- (4) w(r^e), the discriminator's odds r to a power e of 0 to 1: the gradient of
  L = -E_{x real} [log(1 + r^e) + r^e log(1 + r^-e)] / e

At e = 1 that is the paper's divergence, towards e = 0 log 2 times the likelihood. Shapes: B
sentences, T steps.

Where this differs from the paper, and why:
- (4), `exponent`; the paper's is 1. Another reimplementation (TextGAN-PyTorch) has for the same
  reason p rescaled to 0 to 1 within the batch, beside 1 / B: its likeliest sentence counts, whose
  gradient that is of no divergence.
- The generator begins from likelihood; at random all weights are 0.
- Weights are those of the generator as it writes; its gradient is taken as in likelihood, with
  dropout and with words seen once shown as <unk> part of the time, so that fewer sentences are
  learned by heart. Nor does it go on where (4) of held-out sentences rises: 0 divergence from
  10,000 sentences is knowing these by heart.
- Each sentence counts 1 / N, also one that stands in the training set more often (on scenes 8 %
  of them, on COCO 1 %).
- The learning rate falls (`final_rate`).
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.ranges import BatchSize, Clip, LearningRate, Probability, Ramp, Steps
from gantext.data.vocabulary import PAD
from gantext.models.base.text_model import TextModel, generator_of
from gantext.models.contract import Ability, Phase, Reads, Task
from gantext.nn import ranks
from gantext.nn.optim import (
    Metrics,
    Optimiser,
    clipped_step,
    cosine_rate,
    set_rate,
    tied_by_rate,
)
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.generator import TextGeneratorConfig
from gantext.nn.text.held_out_stop import HeldOutStop, StopRules
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.output_layer import policy_nll
from gantext.nn.text.places import mean_of_words, words_at
from gantext.nn.text.rewards import effective_share, policy_weights
from gantext.plots.curves import DIVERSITY, GRADIENT_NORMS, NLL
from gantext.plots.layouts import Layout

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.write})
VALIDATION = "jsd_loss_valid"
SHOWN = ("nll", "jsd", "jsd_loss", VALIDATION, "effective_share")
LOSS = Layout(
    "Divergence loss",
    "What the generator minimises: at exponent 1 twice the Jensen-Shannon divergence from the "
    "training sentences, less a constant. Where that of held-out sentences rises, it learns the "
    "training sentences by heart.",
    "loss (nats per sentence)",
    {"jsd_loss": "batches", VALIDATION: "held-out sentences"},
)
DIVERGENCE = Layout(
    "Jensen-Shannon divergence",
    "From the training set as a distribution, whatever the exponent. ln 2 is a generator that "
    "writes none of its sentences, 0 one that knows it by heart.",
    "JSD (nats)",
    {"jsd": "batches"},
    level=(math.log(2), "ln 2"),
)
WEIGHTS = Layout(
    "Weights of sentences",
    "Of how many sentences' worth a batch's weights are, as a share of it: near 0 a few likely "
    "sentences have all of the gradient.",
    "share of the batch",
    {"effective_share": "effective", "sentence_weight": "mean weight"},
    covers=(0.0, 1.0),
)
NORMS = dataclasses.replace(
    GRADIENT_NORMS, names={**GRADIENT_NORMS.names, "jsd_grad_norm": "divergence"}
)
CURVES = (NLL, LOSS, DIVERGENCE, WEIGHTS, DIVERSITY, NORMS)


@dataclass(frozen=True)
class DivergenceConfig:
    """How the divergence is minimised."""

    steps: Steps
    batch_size: BatchSize
    exponent: Ramp
    learning_rate: LearningRate
    final_rate: Probability
    clip: Clip
    look_every: Steps
    patience: Steps


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/jsdgan.yaml."""

    name: str
    generator: TextGeneratorConfig
    mle: MLEConfig
    divergence: DivergenceConfig


def sentence_weights(log_ratio: Tensor, exponent: float) -> Tensor:
    """(3) and (4): w(r^e) = r^e log(1 + r^-e) by log r, of any shape; from 0 to 1."""
    # Beyond it w is 1 to the last bit, and below 0; -inf is a sentence with <unk>, never written.
    odds = (exponent * log_ratio).clamp(-100, 30)
    return odds.exp() * F.softplus(-odds)


def divergence_loss(log_ratio: Tensor, exponent: float) -> Tensor:
    """(4): the loss of each sentence by its log r, of any shape; nats. -`sentence_weights` is its
    slope. At exponent 1 the mean over the training set is 2 JSD - 2 log 2."""
    odds = exponent * log_ratio
    return -(F.softplus(odds) + sentence_weights(log_ratio, exponent)) / exponent


def jensen_shannon(log_ratio: Tensor) -> Tensor:
    """(2): the divergence of p from the training set by log r of its sentences (N,), (), nats; by
    those of a batch an estimate of it."""
    return math.log(2) + divergence_loss(log_ratio, 1.0).mean() / 2


class JSDGAN(TextModel[TextGenerator]):
    """A generator, its optimisers, and the phases."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        self.config = config
        super().__init__(task, generator_of(config.generator, task, rng), config.mle)
        own = config.divergence
        self.optimiser = Optimiser(torch.optim.Adam, self.generator.parameters(), own.learning_rate)
        rules = StopRules(VALIDATION, own.look_every, own.patience)
        self.stop = HeldOutStop(rules, self.held_out_loss, self.generator, task.held_out)

    def phases(self) -> Sequence[Phase]:
        """mle, divergence."""
        own = self.config.divergence
        second = Phase("divergence", own.steps, own.batch_size, self.divergence_step, True)
        second = second.by("divergence.steps", tied_by_rate(own.final_rate))
        return [self.mle_phase(), second.until(self.stop.waited_in_vain)]

    # Its steps

    def log_ratio(self, tokens: Tensor) -> Tensor:
        """log r, (N,), of sentences (N, T) as the generator writes them, without a gradient."""
        written = self.generator.token_log_prob(tokens, written=True).sum(1)
        return written + math.log(self.task.train_size)

    def divergence_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One step down (4) by real sentences (B, T)."""
        own = self.config.divergence
        found = dict(self.stop.begin())
        share = cosine_rate(self.stop.steps, own.steps, 0, own.final_rate)
        set_rate(self.optimiser, share * own.learning_rate)
        log_ratio = ranks.gathered(self.log_ratio(ranks.mine(real)), len(real))
        weights = sentence_weights(log_ratio, own.exponent)  # (B,)
        loss, nll = self.weighted_nll(real, weights, rng)
        norm = clipped_step(self.optimiser, self.generator, loss, own.clip)
        found.update(self.stop.step())
        return {
            "nll": nll,
            "jsd": jensen_shannon(log_ratio),
            "jsd_loss": divergence_loss(log_ratio, own.exponent).mean(),
            "sentence_weight": weights.mean(),
            "effective_share": effective_share(weights[:, None], torch.ones_like(real[:, :1])),
            "jsd_grad_norm": norm,
            **found,
        }

    def weighted_nll(
        self, real: Tensor, weights: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """-sum of weights (B,) times log p of sentences (B, T), over B times the longest length,
        and the plain NLL, nats per token. Dropout is on; a rank gives its share of both."""
        shown = ranks.mine(self.trainer.shown(real, rng))
        valid = shown != PAD
        by_word = policy_weights(
            ranks.mine(weights)[:, None].expand(valid.shape), valid, self.task.max_length
        )
        layer, features = self.generator.output_layer(), self.generator.valid_features(shown, rng)
        found = policy_nll(layer, features, words_at(shown), by_word)
        return found.loss, mean_of_words(-found.log_prob, shown)

    def held_out_loss(self, real: Tensor) -> Tensor:
        """(4) of held-out sentences (N, T), (), nats per sentence."""
        return divergence_loss(self.log_ratio(real), self.config.divergence.exponent).mean()

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {**super().parts(), "optimiser": self.optimiser, "stop": self.stop}


def build(config: Config, task: Task, rng: torch.Generator) -> JSDGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return JSDGAN(config, task, rng)
