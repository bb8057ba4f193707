"""An exponential moving average of a network's weights."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from gantext.nn.state import NamedParts


class Ema(NamedParts):
    """A copy of a network whose weights follow it: average <- d * average + (1 - d) * weight.

    d is `decay`, and less at the beginning, (1 + n) / (10 + n) after n updates, so that the average
    soon forgets the weights drawn at the start. Buffers (statistics of normalisation) are copied.

    Attributes:
        module: the average; in evaluation mode, and it takes no gradient.
    """

    counters = ("updates",)

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.source, self.decay, self.updates = module, decay, 0
        self.module = copy.deepcopy(module).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self) -> None:
        """Follow the network's present weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        pairs = zip(self.module.parameters(), self.source.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight, 1 - decay)
        for copied, buffer in zip(self.module.buffers(), self.source.buffers(), strict=True):
            copied.copy_(buffer)

    def parts(self) -> Mapping[str, Any]:
        """The average."""
        return {"module": self.module}
