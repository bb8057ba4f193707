"""A judge as looks at it on held-out sentences need it: its logits, and weights to put back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gantext.nn.optim import Metrics
from gantext.nn.text.held_out import HeldOut

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Looked:
    """What `held_out.HeldOut` looks at.

    Attributes:
        logits: (N,) of (N, T) tokens.
        weights: all that decides them, by name; not copied.
    """

    logits: Callable[[Tensor], Tensor]
    weights: Callable[[], Weights]

    def state_dict(self) -> Weights:
        """All of its weights."""
        return self.weights()

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take weights that `state_dict` gave."""
        for name, weight in self.weights().items():
            if name in state:
                weight.copy_(state[name])


class LeanHeldOut(HeldOut):
    """Looks at a judge whose weights are large: those that are kept are in its state only where
    they are others than the present ones."""

    def learned(self, steps: int = 1, last: bool = False) -> Metrics:
        """As `HeldOut` has it; the next phase keeps weights of its own."""
        found = super().learned(steps, last)
        if self.stopped or last:
            self._kept = {}
        return found

    def state_dict(self) -> dict[str, Any]:
        """Counters, decisions, and the kept weights if they are others."""
        present, kept = self.judge.state_dict(), self._kept
        if all(name in present and torch.equal(kept[name], present[name]) for name in kept):
            kept = {}
        return super().state_dict() | {"kept": kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave, behind the judge's own."""
        same = self.puts_back and state["best"] is not None and not state["kept"]
        super().load_state_dict(state | {"kept": self._weights() if same else state["kept"]})
