"""Looks at a loss of held-out sentences while a generator learns, and the end that they make.

Of few sentences a model learns some by heart: its loss of those that it never saw then rises.
Shapes: N held-out sentences, T steps.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from gantext.nn import ranks
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
    """

    metric: str
    every: int
    patience: int


class HeldOutStop(NamedParts):
    """The end of a phase by a loss of held-out sentences; the generator goes on as at its best.

    Args:
        rules: of looks.
        loss: what is looked at.
        generator: whose weights at the best look are kept.
        real: held-out sentences (N, T); None or none: there are no looks.

    Attributes:
        steps: of the phase so far.
        best: the least loss, after `best_step`; `waited` is how many looks came since then.
        ended: whether the phase is over.
    """

    counters = ("steps", "best", "best_step", "waited", "ended")

    def __init__(
        self, rules: StopRules, loss: Loss, generator: nn.Module, real: Tensor | None
    ) -> None:
        self.rules, self.loss, self.generator = rules, loss, generator
        self.real = real if real is not None and len(real) else None
        self.steps, self.best_step, self.waited, self.ended = 0, 0, 0, False
        self.best: float | None = None
        self.kept = copy.deepcopy(generator)

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
        if self.best is None or loss < self.best:
            self.best, self.best_step, self.waited = loss, self.steps, 0
            self.kept.load_state_dict(self.generator.state_dict())
        else:
            self.waited += 1
        self.ended = 0 < self.rules.patience <= self.waited
        if self.ended:
            self.generator.load_state_dict(self.kept.state_dict())
        return {self.rules.metric: loss}

    def waited_in_vain(self) -> Waited | None:
        """By what the phase has ended; None while it goes on."""
        if not self.ended or self.best is None:
            return None
        return Waited(self.rules.metric, self.best, self.best_step)

    def parts(self) -> Mapping[str, Any]:
        """The weights that it keeps."""
        return {"kept": self.kept}
