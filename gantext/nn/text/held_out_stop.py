"""Looks at a loss of held-out sentences while a generator learns, and the end that they make.

Of few sentences a model learns some by heart: its loss of those that it never saw then rises. One
that learns from a discriminator pays for better sentences with sentences that it no longer writes:
what it may pay is an allowance. Shapes: N held-out sentences, T steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gantext.data.vocabulary import PAD
from gantext.nn import ranks
from gantext.nn.copies import copied
from gantext.nn.optim import Metrics
from gantext.nn.state import NamedParts
from gantext.nn.text.held_out import Waited

Loss = Callable[[Tensor], Tensor]  # of sentences (N, T), (), without a gradient


@dataclass(frozen=True)
class StopRules:
    """When there are looks, and how many in vain are the end.

    Attributes:
        metric: what the loss is called among the metrics.
        every: steps between two looks; 0: there are none.
        patience: looks in a row that are no better than the best after which it ends; 0: never.
        allowance: nats by which the loss may be over that before the first step, if that is what
            makes a look good, rather than to be better than the best.
    """

    metric: str
    every: int
    patience: int
    allowance: float | None = None


def nll(log_prob: Callable[[Tensor], Tensor]) -> Loss:
    """-log p per word by log p of sentences, (N, T) -> (N,), nats, <eos> counted."""

    @torch.no_grad()
    def loss(tokens: Tensor) -> Tensor:
        return -log_prob(tokens).sum() / (tokens != PAD).sum()

    return loss


class HeldOutStop(NamedParts):
    """The end of a phase by a loss of held-out sentences; the generator goes on as at its last good
    look.

    Args:
        rules: of looks.
        loss: what is looked at.
        generator: whose weights at the best look are kept.
        real: held-out sentences (N, T); None or none: there are no looks.

    Attributes:
        steps: of the phase so far.
        first: the loss before its first step.
        best: the loss at the last good look, after `best_step`; `waited` is how many looks came
            since then.
        ended: whether the phase is over.
    """

    counters = ("steps", "first", "best", "best_step", "waited", "ended")

    def __init__(
        self, rules: StopRules, loss: Loss, generator: nn.Module, real: Tensor | None
    ) -> None:
        self.rules, self.loss, self.generator = rules, loss, generator
        self.real = real if real is not None and len(real) else None
        self.steps, self.best_step, self.waited, self.ended = 0, 0, 0, False
        self.first: float | None = None
        self.best: float | None = None
        self.kept = copied(generator)

    def begin(self) -> Metrics:
        """Before the first step of the phase: a look, so that its start may be the best."""
        return {} if self.steps or self.real is None or not self.rules.every else self._look()

    def step(self) -> Metrics:
        """After a step of the phase: a look, where that is due."""
        self.steps += 1
        every = self.rules.every
        if self.real is None or not every or self.steps % every:
            return {}
        return self._look()

    def _look(self) -> Metrics:
        assert self.real is not None
        loss = float(ranks.mean(self.loss(self.real)))
        if self.first is None:
            self.first = loss
        if self._is_good(loss):
            self.best, self.best_step, self.waited = loss, self.steps, 0
            self.kept.load_state_dict(self.generator.state_dict())
        else:
            self.waited += 1
        self.ended = 0 < self.rules.patience <= self.waited
        if self.ended:
            self.generator.load_state_dict(self.kept.state_dict())
        return {self.rules.metric: loss}

    @property
    def limit(self) -> float | None:
        """What the loss may not be over, if there is such an end."""
        allowance = self.rules.allowance
        return None if self.first is None or allowance is None else self.first + allowance

    def _is_good(self, loss: float) -> bool:
        if self.limit is not None:
            return loss <= self.limit
        return self.best is None or loss < self.best

    def waited_in_vain(self) -> Waited | None:
        """By what the phase has ended; None while it goes on."""
        if not self.ended or self.best is None:
            return None
        return Waited(self.rules.metric, self.best, self.best_step, self.limit)

    def parts(self) -> Mapping[str, Any]:
        """The weights that it keeps."""
        return {"kept": self.kept}
