"""An exponential moving average of a network's weights."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import torch
from torch import nn

from gantext.nn.copies import copied
from gantext.nn.state import NamedParts

Network_co = TypeVar("Network_co", bound=nn.Module, covariant=True)


class Ema(NamedParts, Generic[Network_co]):
    """A copy of a network whose weights follow it: average <- d * average + (1 - d) * weight.

    d is `decay`, and less at the beginning, (1 + n) / (10 + n) after n updates, so that the average
    soon forgets the weights drawn at the start. Buffers (statistics of normalisation) are copied.

    Args:
        module: the network.
        decay: d.
        twin: a copy of it, to become the average; None: it is made here, of all that it has.

    Attributes:
        module: the average; in evaluation mode, and it takes no gradient.
        updates: how many there were.
    """

    counters = ("updates",)

    def __init__(self, module: Network_co, decay: float, twin: Network_co | None = None) -> None:
        self.source, self.decay, self.updates = module, decay, 0
        average = copied(module) if twin is None else twin
        self.module = average.eval().requires_grad_(False)

    def restart(self) -> None:
        """Begin anew, from the network's present weights."""
        self.updates = 0
        self.module.load_state_dict(self.source.state_dict())

    @torch.no_grad()
    def update(self) -> None:
        """Follow the network's present weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        pairs = zip(self.module.parameters(), self.source.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight, 1 - decay)
        for own, buffer in zip(self.module.buffers(), self.source.buffers(), strict=True):
            own.copy_(buffer)

    def parts(self) -> Mapping[str, Any]:
        """The average."""
        return {"module": self.module}


def of_averages(state: Mapping[str, Any]) -> dict[str, Any]:
    """A model's state with the average in the generator's place, where a run has begun to average.

    That is what the run samples and is scored by; a model of text has it as its part `average`.
    """
    average = state.get("average", {"updates": 0})
    return {**state, "generator": average["module"]} if average["updates"] else {**state}
