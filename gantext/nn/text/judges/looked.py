"""A judge as looks at it on held-out sentences need it: its logits, and weights to put back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

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
