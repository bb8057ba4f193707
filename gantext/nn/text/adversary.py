"""Training a discriminator on real against generated sentences, and its balance.

Shapes: B sentences, T steps.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.ranges import (
    BatchSize,
    Clip,
    LearningRate,
    Momentum,
    Probability,
    Steps,
    Temperature,
    UpdatesOrNone,
)
from gantext.data.vocabulary import PAD
from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.optim import Metrics, Optimiser, clipped_step
from gantext.nn.text.held_out import Rules
from gantext.nn.text.rollouts import trimmed_on_cpu
from gantext.nn.text.text_cnn import TextCNN
from gantext.nn.update import Update

# Draws so many real sentences anew: (n, T), on the CPU.
Draw = Callable[[int, torch.Generator], Tensor]


class Balance(enum.Enum):
    """Whether the discriminator always steps, only while it is not too strong, or only while it is
    worth more on held-out sentences, so that it rewards only what it knows."""

    fixed = "fixed"
    adaptive = "adaptive"
    held_out = "held_out"


class ByLooks(enum.Enum):
    """Whether looks at the discriminator on held-out sentences decide anything."""

    fixed = "fixed"
    held_out = "held_out"


class LookConfig:
    """What is common to configs of a discriminator's training, whose fields these are.

    Attributes:
        balance: `fixed`, `held_out`, or what else such a config has.
        look_every, patience: see `Rules`.
    """

    balance: enum.Enum
    look_every: int
    patience: int

    def rules(self, put_back: bool = True) -> Rules:
        """Of looks at held-out sentences; whether weights may be put back, the model knows."""
        return Rules(self.look_every, self.patience, self._by_looks, put_back)

    @property
    def _by_looks(self) -> bool:
        return bool(self.balance.value == "held_out")

    @property
    def tied(self) -> str:
        """Why steps of the discriminator alone depend on how many there are; "" if they do not."""
        best = "its discriminator's best weights go on after the last of its steps"
        return best if self._by_looks else ""

    def check_looks(self) -> None:
        """Raises UserError where looks decide and there are none."""
        if self._by_looks and not self.look_every:
            raise UserError("model.d_training.look_every=0: balance=held_out decides by looks")


@dataclass(frozen=True)
class DTrainingConfig(LookConfig):
    """How the discriminator is trained (explained in conf/model/gan.yaml)."""

    pretrain_steps: Steps
    batch_size: BatchSize
    learning_rate: LearningRate
    beta1: Momentum
    clip: Clip
    temperature: Temperature
    fresh_real: bool
    steps: UpdatesOrNone
    balance: Balance
    ceiling: Probability
    look_every: Steps
    patience: Steps

    def check_with(self, draw: Draw | None) -> None:
        """Raises UserError where fresh sentences are asked for that nothing can draw, or decisions
        by looks where there are none.
        """
        self.check_looks()
        if self.fresh_real and draw is None:
            raise UserError(
                "model.d_training.fresh_real=true: no more sentences of this data can be drawn; "
                "of data=oracle they can"
            )


class Told(NamedTuple):
    """How a discriminator tells real from generated sentences.

    Attributes:
        loss: with a gradient, ().
        logits: of the real and of the generated ones.
        weights: what each of them counts.
    """

    loss: Tensor
    logits: tuple[Tensor, Tensor]
    weights: tuple[Tensor, Tensor]


class DiscriminatorTrainer:
    """Binary cross-entropy on real against fake; with `prefixes`, of every prefix of both; with
    `graphs` a GPU does it by CUDA graphs."""

    def __init__(
        self,
        discriminator: TextCNN,
        config: DTrainingConfig,
        prefixes: bool,
        graphs: bool,
    ) -> None:
        self.discriminator, self.config, self.prefixes = discriminator, config, prefixes
        weights = list(discriminator.parameters())
        # One pass over each weight in place of a dozen; elsewhere as torch likes it best.
        fused = all(weight.device.type == "cpu" for weight in weights) or None
        self.optimiser = Optimiser(
            torch.optim.Adam, weights, config.learning_rate, (config.beta1, 0.999), fused=fused
        )
        self.accuracy = 0.5  # a running mean, used by `balance: adaptive` only
        stepped = self.optimiser, discriminator, config.clip
        self._update = Update(self.loss, *stepped, graphs, "d_grad_norm")

    def step(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Metrics:
        """One update on real and fake (B, T), and how well D told them apart before it."""
        fake = trimmed_on_cpu(fake)
        if self.config.balance is not Balance.adaptive:
            return self._update(real, fake, rng=rng)
        loss, told = self.loss(real, fake, rng)
        if not self._may_step((told["d_accuracy_real"] + told["d_accuracy_fake"]) / 2):
            return told
        given = self.optimiser, self.discriminator, loss, self.config.clip
        return {**told, "d_grad_norm": clipped_step(*given)}

    def loss(
        self, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What an update on real and fake (B, T) goes down, and what is logged of them."""
        told = self.tell(real, fake, rng)
        (real_logit, fake_logit), (real_weight, fake_weight) = told.logits, told.weights
        with torch.no_grad():
            found = {
                "d_loss": told.loss.detach(),
                "d_real": weighted(real_logit.sigmoid(), real_weight),
                "d_fake": weighted(fake_logit.sigmoid(), fake_weight),
                "d_accuracy_real": weighted((real_logit > 0).float(), real_weight),
                "d_accuracy_fake": weighted((fake_logit <= 0).float(), fake_weight),
            }
            accuracy = (found["d_accuracy_real"] + found["d_accuracy_fake"]) / 2
        return told.loss + self.discriminator.penalty(), {**found, "d_gap": accuracy - 0.5}

    def tell(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Told:
        """What the discriminator makes of real and fake (B, T); a rank tells its own rows."""
        real, fake = ranks.mine(real), ranks.mine(fake)
        real_logit, fake_logit = self._logits([real, fake], rng)
        real_weight, fake_weight = self._weights(real), self._weights(fake)
        loss = bce(real_logit, real_weight, 1.0) + bce(fake_logit, fake_weight, 0.0)
        return Told(loss / 2, (real_logit, fake_logit), (real_weight, fake_weight))

    def _logits(self, batches: Sequence[Tensor], rng: torch.Generator) -> Sequence[Tensor]:
        """Logits of the sentences of each batch, (B,), or of their prefixes, (B, T)."""
        if self.prefixes:
            return [self.discriminator.prefix_logits(tokens, rng) for tokens in batches]
        return self.discriminator.logits_of(batches, rng)

    def _weights(self, tokens: Tensor) -> Tensor:
        """What each logit counts: 1, and 0 for a prefix that is not there."""
        if self.prefixes:
            return (tokens != PAD).float()
        return torch.ones(len(tokens), device=tokens.device)

    def _may_step(self, accuracy: Tensor) -> bool:
        """With `balance: adaptive` D steps only while its recent accuracy is under the ceiling."""
        self.accuracy = 0.9 * self.accuracy + 0.1 * float(ranks.mean(accuracy))
        return self.accuracy < self.config.ceiling


def fresh(draw: Draw | None, real: Tensor, rng: torch.Generator) -> Tensor:
    """As many real sentences as `real` (B, T) has, drawn anew by a generator that rng seeds."""
    if draw is None:
        raise ValueError("nothing draws sentences of this data")
    seed = int(torch.randint(2**62, (), generator=rng, device=rng.device))
    return draw(len(real), torch.Generator().manual_seed(seed)).to(real.device)


def untrained(*optimisers: Mapping[str, Any] | None) -> list[str]:
    """What is said of a discriminator whose optimisers, by their states, have made no step."""
    if any(state and state["state"] for state in optimisers):
        return []
    return ["the discriminator starts untrained: it has made no step there"]


def bce(logits: Tensor, weights: Tensor, target: float) -> Tensor:
    """Weighted mean binary cross-entropy against one target."""
    losses = F.binary_cross_entropy_with_logits(
        logits, torch.full_like(logits, target), reduction="none"
    )
    return weighted(losses, weights)


def weighted(values: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean."""
    return (values * weights).sum() / weights.sum()
