"""model=sentigan: a generator for each class against one discriminator (SentiGAN, Wang & Wan 2018,
IJCAI, "SentiGAN: Generating Sentimental Texts via Mixture Adversarial Networks").

K generators G_c each write sentences of one class; a discriminator D tells K + 1 classes apart,
those of real sentences and, as the last one, what is generated. With D_c its probability of c:

- (1) J_D = -1/2 (E_{x ~ P_c, c} log D_c(x) + E_{x ~ G_c, c} log D_{K+1}(x))
- (2) V_c(x_<t, x_t) = mean over rollouts x' of 1 - D_c(x'); of the last word 1 - D_c(x)
- (3) J_c = E_{x ~ G_c} sum_t G_c(x_t | x_<t) V_c(x_<t, x_t)

A penalty V, not a reward, and G itself, not its logarithm: a word that is penalised loses the more,
the likelier it is, so that sentences which the generator repeats are pushed down first. As in the
paper's code, the gradient of (3) is that of G at the words that were drawn, not of drawing them.
Shapes: B sentences, T steps, N words of them, K classes.

Where this differs from the paper and its code, and why:
- `baseline: previous` takes V of the prefix from V: a word is penalised for what it changes. By
  (3) alone all words are pushed down, likely ones most: if V is the same for all, it is least
  where all words are equally likely (the gradient of sum_x G(x)^2), so that text becomes noise.
  `none` is the paper's. `standardise` makes penalties less baseline of deviation 1.
- Each step draws some classes (`classes`) by their shares of the training sentences; the paper's
  has all. It has a likelihood term.
- D is looked at on held-out sentences, which decide when it teaches (nn/text/held_out.py).
- Generators may be of any architecture; the paper's begin from a random vector, these from <bos>.
- The loss is divided by the constant B * longest length, as in model=gan.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.labelled import LabelledBatch
from gantext.data.ranges import (
    BatchSize,
    Clip,
    Count,
    CountOrNone,
    CountOrWord,
    LearningRate,
    Steps,
    Weight,
)
from gantext.data.resident import sent
from gantext.data.vocabulary import PAD
from gantext.models.base.labelled import DTrainingConfig, Labelled, check_classes
from gantext.models.contract import Ability, Phase, Reads, Task
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.text.class_cnn import ClassCNN
from gantext.nn.text.fitting import MLEConfig
from gantext.nn.text.generator import TextGeneratorConfig, text_generator
from gantext.nn.text.lstm import TextGenerator
from gantext.nn.text.of_class import drawn_classes, rows_of_classes
from gantext.nn.text.output_layer import policy_nll, word_log_prob
from gantext.nn.text.places import words_at
from gantext.nn.text.rewards import (
    leave_one_out_mean,
    policy_weights,
    previous_values,
    sampled,
    standardised,
)
from gantext.nn.text.rollouts import (
    rollout_rewards,
    spaced,
    spacing,
    trimmed_on_cpu,
    valid_lengths,
)
from gantext.nn.text.sampling import SamplingOptions
from gantext.nn.text.text_cnn import DiscriminatorConfig
from gantext.plots.curves import (
    D_OUTPUTS,
    DIVERSITY,
    G_LOSSES,
    GRADIENT_NORMS,
    JUDGED,
    LENGTH,
    NLL,
    REWARD,
)
from gantext.plots.layouts import Layout

READS = Reads.labelled
CAN = frozenset({Ability.judge, Ability.write, Ability.of_class, Ability.classify})
SHOWN = ("nll", "reward", "g_loss", "d_loss", "d_real", "d_fake", "d_class")
D_CLASS = Layout(
    "Classes",
    "Share of a batch's real sentences whose class the discriminator knows, before its update.",
    "share",
    {"d_class": "real sentences"},
    covers=(0.0, 1.0),
)
CURVES = (
    *(NLL, G_LOSSES, *JUDGED, D_OUTPUTS, D_CLASS),
    *(REWARD, DIVERSITY, LENGTH, GRADIENT_NORMS),
)


class Baseline(enum.Enum):
    """What is taken from penalties."""

    none = "none"
    mean = "mean"
    previous = "previous"


@dataclass(frozen=True)
class AdversarialConfig:
    """How the generators are trained against the discriminator."""

    steps: Steps
    batch_size: BatchSize
    classes: CountOrNone
    learning_rate: LearningRate
    clip: Clip
    rollouts: Count
    rollout_every: CountOrWord
    baseline: Baseline
    standardise: bool
    penalty_weight: Weight
    mle_weight: Weight


@dataclass(frozen=True)
class Config:
    """Explained in conf/model/sentigan.yaml."""

    name: str
    generator: TextGeneratorConfig
    discriminator: DiscriminatorConfig
    mle: MLEConfig
    d_training: DTrainingConfig
    adversarial: AdversarialConfig


def discriminator_loss(real: Tensor, labels: Tensor, fake: Tensor) -> Tensor:
    """(1) by logits (B, K + 1) of real sentences of classes (B,) and of generated ones."""
    last = torch.full((len(fake),), fake.shape[1] - 1, device=fake.device)
    return (F.cross_entropy(real, labels) + F.cross_entropy(fake, last)) / 2


def real_logit(logits: Tensor) -> Tensor:
    """Log-odds of being of any real class by logits (..., K + 1)."""
    return logits[..., :-1].logsumexp(-1) - logits[..., -1]


def penalty_loss(
    model: TextGenerator, tokens: Tensor, penalties: Tensor, rows: int, longest: int
) -> Tensor:
    """(3) by sentences that the generator wrote, divided by `rows` and the longest length.

    Its value is that of sum_t p_t V_t log p_t with p_t held, whose gradient is (3)'s:
    V grad p = V p grad log p.

    Args:
        model: G_c.
        tokens: (B, T).
        penalties: V, maybe less a baseline, (B, T).
        rows: all sentences of the step.
        longest: of a sentence of the task.
    """
    layer, features = model.output_layer(written=True), model.valid_features(tokens)
    words = words_at(tokens)
    p = word_log_prob(layer, features.detach(), words).exp()
    weights = p * policy_weights(penalties, tokens != PAD, longest) * (len(tokens) / rows)
    return policy_nll(layer, features, words, -weights).loss


class SentiGAN(Labelled):
    """Generators, discriminator, their optimisers, and the phases."""

    discriminator: ClassCNN
    generator: nn.ModuleList

    def __init__(self, config: Config, task: Task, rng: torch.Generator) -> None:
        check_classes(task)
        words = task.vocab_size, task.max_length, config.generator, rng, task.fixed_length
        generators = nn.ModuleList(text_generator(*words) for _ in task.class_counts)
        sizes = task.vocab_size, config.discriminator, task.max_length, rng
        discriminator = ClassCNN(*sizes, task.classes + 1, real_logit)
        networks = generators.to(task.device), discriminator.to(task.device)
        super().__init__(config, task, *networks, list(generators), pays="the penalty")
        self.config, g = config, config.adversarial
        self.g_optimiser = Optimiser(torch.optim.Adam, generators.parameters(), g.learning_rate)
        self.every = spacing(g.rollout_every, task.max_length)

    def phases(self) -> Sequence[Phase]:
        """mle, discriminator, adversarial."""
        g = self.config.adversarial
        return self.labelled_phases(g.batch_size if g.mle_weight else 0, g.steps, g.batch_size)

    def notes(self) -> Sequence[str]:
        """That nothing is held out; how far apart rollouts are, where that was worked out."""
        asked = self.config.adversarial.rollout_every
        return [*super().notes(), *spaced(asked, self.every, self.task.max_length)]

    def model_of(self, label: int) -> TextGenerator:
        """The generator of one class."""
        found = self.generator[label]
        assert isinstance(found, TextGenerator)
        return found

    def class_log_prob(self, rows: Tensor) -> Tensor:
        """log p(class | sentence is real), (N, K), of (N, T) tokens, by the discriminator."""
        return self.discriminator.all_logits(rows)[:, :-1].log_softmax(1)

    def d_loss(self, real: LabelledBatch, rng: torch.Generator) -> tuple[Tensor, Metrics]:
        """(1) on real sentences and as many samples."""
        fake = trimmed_on_cpu(self.fakes(len(real), rng)[0])
        of_real, of_fake = self.discriminator.class_logits_of([real.tokens, fake], rng)
        labels = sent(real.labels, of_real.device)
        known = of_real[:, :-1].argmax(1) == labels
        return discriminator_loss(of_real, labels, of_fake), {
            "d_real": real_logit(of_real.detach()).sigmoid().mean(),
            "d_fake": real_logit(of_fake.detach()).sigmoid().mean(),
            "d_class": known.float().mean(),
        }

    def fakes(self, n: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """n sentences of some of the classes, (n, T), and their classes, (n,), on the host."""
        labels = drawn_classes(self.log_w, n, rng, self.config.adversarial.classes).cpu()
        return self.sample_of(labels, rng, SamplingOptions()), labels

    def g_step(self, real: LabelledBatch, rng: torch.Generator) -> Metrics:
        """One update by (3) on fresh samples, and by the likelihood of real sentences.

        Without a weight of either there is no update.
        """
        g, found = self.config.adversarial, dict[str, Tensor | float]()
        loss = torch.zeros((), device=self.task.device)
        penalised = self.held_out.trusted and bool(g.penalty_weight)
        if not penalised and not g.mle_weight:
            return found
        if penalised:
            tokens, labels = self.fakes(g.batch_size, rng)
            loss, found = self.g_loss(tokens, labels, rng)
            loss = g.penalty_weight * loss
        if g.mle_weight:
            loss = loss + g.mle_weight * self.nll(real, rng)[0]
        norm = clipped_step(self.g_optimiser, self.clipped, loss, g.clip)
        return {**found, "g_grad_norm": norm}

    def g_loss(
        self, tokens: Tensor, labels: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor | float]]:
        """(3) of the generators' own sentences (B, T) of classes (B,), and what to log."""
        lengths = valid_lengths(tokens).cpu()  # a GPU is waited for
        tokens = tokens[:, : int(lengths.max())]
        longest, loss = self.task.max_length, torch.zeros((), device=tokens.device)
        penalties = self.penalties(tokens, labels, lengths, rng)
        less = self.less_baseline(penalties, tokens != PAD)
        for label, rows, own in _of_classes(tokens, labels, lengths):
            given = own, less[rows, : own.shape[1]], len(tokens), longest
            loss = loss + penalty_loss(self.model_of(label), *given)
        rewards = (1 - penalties) * (tokens != PAD)
        return loss, {**sampled(tokens, rewards), "g_loss": loss.detach()}

    @torch.no_grad()
    def penalties(
        self, tokens: Tensor, labels: Tensor, lengths: Tensor, rng: torch.Generator
    ) -> Tensor:
        """(2) of each word of sentences (B, T) of classes (B,) and lengths (B,), both on the host;
        (B, T), 0 at <pad>."""
        found, count = torch.zeros(tokens.shape, device=tokens.device), self.config.adversarial
        for label, rows, own in _of_classes(tokens, labels, lengths):
            model, penalty, given = self.model_of(label), self._penalty_of(label), (self.every, rng)
            their = lengths[labels == label]
            of_class = rollout_rewards(model, penalty, own, count.rollouts, *given, lengths=their)
            found[rows, : own.shape[1]] = of_class.mean(2)
        return found

    def _penalty_of(self, label: int) -> Any:
        """What makes 1 - D_c of sentences (N, T), (N,)."""

        def penalty(logits: Tensor) -> Tensor:
            return 1 - logits.softmax(1)[:, label]

        return lambda tokens: self.discriminator.scored(tokens, penalty)

    def less_baseline(self, penalties: Tensor, valid: Tensor) -> Tensor:
        """Penalties (B, T) less their baseline, maybe of deviation 1; 0 at <pad>."""
        g = self.config.adversarial
        found = penalties
        if g.baseline is not Baseline.none:
            mean = leave_one_out_mean(penalties, valid)
            steps = torch.arange(valid.shape[1], device=valid.device)
            first = steps < self.every if g.baseline is Baseline.previous else steps >= 0
            before = previous_values(penalties, self.every)
            found = (penalties - torch.where(first, mean, before)) * valid
        return standardised(found, valid) if g.standardise else found

    def parts(self) -> Mapping[str, Any]:
        """Everything that has a state."""
        return {**super().parts(), "g_optimiser": self.g_optimiser}


def _of_classes(
    tokens: Tensor, labels: Tensor, lengths: Tensor
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Each class, its rows, and its sentences up to its longest."""
    for label, rows in rows_of_classes(labels):
        there = sent(rows, tokens.device)
        yield label, there, tokens[there, : int(lengths[rows].max())]


def build(config: Config, task: Task, rng: torch.Generator) -> SentiGAN:
    """Build the algorithm; `rng` initialises the weights."""
    return SentiGAN(config, task, rng)
