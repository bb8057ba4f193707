"""model=cot: cooperative training (CoT, Lu et al. 2019, ICML, arXiv 1804.03782).

A mediator M, a language model too, learns the mixture of real text P and of what the generator G
writes; G follows M at every prefix of its own sentences, in expectation over the whole vocabulary,
so that nothing is sampled to estimate a gradient. What each minimises, in nats:

- (1) J_m = -1/2 (E_{s ~ P} log M(s) + E_{s ~ G} log M(s))
- (2) J_g = E_{s ~ G} sum_t sum_v G(v | s_<t) (log G(v | s_<t) - log M(v | s_<t))

With M = (P + G) / 2, the best of (1), (2) is KL(G || M), one of the two terms of 2 JSD(P || G), and
least where G = P. Shapes: B sentences, T steps, N places (see `places`), K and L features of G
and M.

Where this differs from the paper and its code, and why:
- G may begin from a few epochs of likelihood, and M then learns alone before G follows it; in the
  paper both begin at random.
- One batch of samples serves a step: G learns at its words before M learns them. An M that has
  just read them would find them likelier than they are.
- M stops both when it forgets held-out sentences: of few sentences it learns some by heart, and
  leads G there. G then goes on as it was at M's best. The paper trains for a fixed time.
- The learning rates fall over the steps (`final_rate`; the paper's stay): at the end G wavers less.
- M's dropout is .3, and locked; the code's .5 of the outputs. M's sizes, twice G's, are the code's.
- G's gradients are clipped as in the code. Its loss is a sum over words, divided by the batch and
  the longest length, as the code's, in which all sentences have that length.
- Words seen once are shown to M as <unk> part of the time, samples too, so that it cannot tell
  these by what they never have, and G keeps a probability of <unk>.

As in the paper, (2) has no gradient through the prefixes, which G draws too: a policy-gradient
term that the KL of sentences has (see nn/text/anchor.py).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.ranges import BatchSize, Clip, Dropout, LearningRate, Probability, Steps, Times
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
from gantext.nn.text.fitting import MLEConfig, mean_nll
from gantext.nn.text.generator import TextGeneratorConfig
from gantext.nn.text.held_out_stop import HeldOutStop, StopRules
from gantext.nn.text.lstm import TextGenerator, WordModel
from gantext.nn.text.output_layer import word_kl
from gantext.nn.text.places import counted
from gantext.nn.text.relational import RelationalConfig
from gantext.nn.text.rollouts import trimmed_on_cpu
from gantext.nn.text.transformer import TransformerConfig
from gantext.plots.curves import DIVERSITY, GRADIENT_NORMS, NLL
from gantext.plots.layouts import Layout

READS = Reads.text
PARALLEL = True
CAN = frozenset({Ability.write})
VALIDATION = "m_nll_valid"
S = TypeVar("S", TextGeneratorConfig, TransformerConfig, RelationalConfig)
SHOWN = ("nll", "g_loss", "m_loss", VALIDATION)
MEDIATOR = Layout(
    "Mediator",
    "Negative log-likelihood of half real, half generated text under the mediator, and of real "
    "sentences that it never saw. Where the second rises, it learns the training sentences by "
    "heart, and leads the generator there.",
    "NLL (nats per token)",
    {"m_loss": "batches", VALIDATION: "held-out sentences"},
)
DIVERGENCE = Layout(
    "Divergence from the mediator",
    "KL of the generator's next-word distribution from the mediator's, summed over the words of a "
    "sample and divided by the longest length. 0 is following it exactly.",
    "KL (nats)",
    {"g_loss": "generator"},
)
NORMS = dataclasses.replace(
    GRADIENT_NORMS, names={**GRADIENT_NORMS.names, "m_grad_norm": "mediator"}
)
CURVES = (NLL, MEDIATOR, DIVERGENCE, DIVERSITY, NORMS)


@dataclass(frozen=True)
class MediatorConfig:
    """The mediator, its training, and when it has learned enough."""

    times: Times
    dropout: Dropout
    word_dropout: Dropout
    steps: Steps
    learning_rate: LearningRate
    clip: Clip
    look_every: Steps
    patience: Steps

    def network(self, generator: TextGeneratorConfig) -> TextGeneratorConfig:
        """The generator's kind of network, so many times as large, with a dropout of its own."""
        sizes = generator.transformer, generator.relational
        transformer = self._larger(sizes[0], "width", "feed_forward")
        relational = self._larger(sizes[1], "embedding", "head_size")
        own = self._larger(generator, "embedding", "hidden")
        return dataclasses.replace(
            own,
            word_dropout=self.word_dropout,
            transformer=transformer,
            relational=relational,
        )

    def _larger(self, sizes: S, *names: str) -> S:
        """Sizes of which these are so many times as large, with the mediator's dropout."""
        larger = {name: self.times * getattr(sizes, name) for name in names}
        return dataclasses.replace(sizes, dropout=self.dropout, **larger)


@dataclass(frozen=True)
class CooperativeConfig:
    """How the generator follows the mediator."""

    steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    final_rate: Probability
    clip: Clip


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/cot.yaml."""

    name: str
    generator: TextGeneratorConfig
    mle: MLEConfig
    mediator: MediatorConfig
    cooperative: CooperativeConfig


def following_loss(
    generator: WordModel, mediator: WordModel, tokens: Tensor, longest: int
) -> Tensor:
    """(2) by sentences that the generator wrote, divided by their number and the longest length.

    Exact over the vocabulary at each word; of the generator's weights alone, whose gradient is not
    through the words. A rank gives its share of it.

    Args:
        generator: G, without dropout.
        mediator: M, without dropout.
        tokens: (B, T).
        longest: of a sentence of the task.
    """
    own = ranks.mine(tokens)
    with torch.no_grad():
        read = mediator.valid_features(own)  # (N, L)
    counts = counted(own)
    weights = torch.ones(len(read), device=read.device) if counts is None else counts
    features = generator.valid_features(own)  # (N, K)
    given = generator.output_layer(), features, mediator.output_layer(), read
    return word_kl(*given, weights / (len(own) * longest))[0]


def mixed(real: Tensor, samples: Tensor) -> Tensor:
    """Rows of both, (B, T), filled up with <pad> to the longer of them."""
    longest = max(real.shape[1], samples.shape[1])
    return torch.cat(
        [F.pad(rows, (0, longest - rows.shape[1]), value=PAD) for rows in (real, samples)]
    )


class CoT(TextModel[TextGenerator]):
    """Generator, mediator, their optimisers, and the phases."""

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        self.config = config
        super().__init__(task, generator_of(config.generator, task, rng), config.mle)
        larger = config.mediator.network(config.generator)
        self.mediator = generator_of(larger, task, rng)
        rates = config.cooperative.learning_rate, config.mediator.learning_rate
        self.g_optimiser = Optimiser(torch.optim.Adam, self.generator.parameters(), rates[0])
        self.m_optimiser = Optimiser(torch.optim.Adam, self.mediator.parameters(), rates[1])
        rules = StopRules(VALIDATION, config.mediator.look_every, config.mediator.patience)
        self.stop = HeldOutStop(rules, self.mediator_nll, self.generator, task.held_out)

    # The Algorithm contract

    def phases(self) -> Sequence[Phase]:
        """mle, mediator, cooperative."""
        m, g = self.config.mediator, self.config.cooperative
        second = Phase("mediator", m.steps, self.rows, self.mediator_step, True, scored=False)
        third = Phase("cooperative", g.steps, self.rows, self.cooperative_step, True)
        third = third.by("cooperative.steps", tied_by_rate(g.final_rate))
        third = third.until(self.stop.waited_in_vain)
        both = 2 * self.rows
        return [
            self.mle_phase(),
            second.by("mediator.steps").some_at_once(both),
            third.some_at_once(both),
        ]

    @property
    def rows(self) -> int:
        """Real sentences of a batch of the mediator's, beside as many samples."""
        return (self.config.cooperative.batch_size + 1) // 2

    def networks(self) -> Mapping[str, nn.Module]:
        """Generator and mediator."""
        return {"generator": self.generator, "mediator": self.mediator}

    # Its steps

    def mediator_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One step of the mediator on real (B, T) and as many fresh samples."""
        return self.m_step(real, self.plain_samples(len(real), rng), rng)

    def cooperative_step(self, real: Tensor, rng: torch.Generator) -> Metrics:
        """One step of the generator on fresh samples, then one of the mediator on real (B, T) and
        as many of these."""
        self._set_rates()
        samples = self.plain_samples(self.config.cooperative.batch_size, rng)
        found = {**self.g_step(samples), **self.m_step(real, samples[: len(real)], rng)}
        return {**found, **self.stop.step()}

    def _set_rates(self) -> None:
        """Let both learning rates fall along a cosine over the cooperative steps."""
        config = self.config.cooperative
        share = cosine_rate(self.stop.steps, config.steps, 0, config.final_rate)
        set_rate(self.g_optimiser, share * config.learning_rate)
        set_rate(self.m_optimiser, share * self.config.mediator.learning_rate)

    def g_step(self, samples: Tensor) -> Metrics:
        """One step down (2)."""
        config = self.config.cooperative
        given = trimmed_on_cpu(samples), self.task.max_length
        loss = following_loss(self.generator, self.mediator, *given)
        norm = clipped_step(self.g_optimiser, self.generator, loss, config.clip)
        return {"g_loss": loss.detach(), "g_grad_norm": norm}

    def m_step(self, real: Tensor, samples: Tensor, rng: torch.Generator) -> Metrics:
        """One step down (1): the mean over the words of as many sentences of both."""
        shown = self.trainer.shown(mixed(real, trimmed_on_cpu(samples)), rng)
        loss = mean_nll(self.mediator, shown, rng)
        norm = clipped_step(self.m_optimiser, self.mediator, loss, self.config.mediator.clip)
        return {"m_loss": loss.detach(), "m_grad_norm": norm}

    def mediator_nll(self, real: Tensor) -> Tensor:
        """The mediator's NLL of held-out sentences (N, T), nats per token."""
        return -self.mediator.token_log_prob(real).sum() / (real != PAD).sum()

    # State

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {
            **super().parts(),
            "mediator": self.mediator,
            "g_optimiser": self.g_optimiser,
            "m_optimiser": self.m_optimiser,
            "stop": self.stop,
        }


def build(config: Config, task: Task, rng: torch.Generator) -> CoT:
    """Build the algorithm; `rng` initialises the weights."""
    return CoT(config, task, rng)
