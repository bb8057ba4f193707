"""Copies of networks."""

import copy
from typing import Any, TypeVar

from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def copied(module: Network, shared: dict[int, Any] | None = None) -> Network:
    """A network with weights of its own, which begin as another's.

    On a GPU those of an LSTM lie in one block, as cuDNN reads them: else each call would move them
    there.

    Args:
        module: the other.
        shared: what both have in common, by its `id`.
    """
    made = copy.deepcopy(module, shared)
    for part in made.modules():
        if isinstance(part, nn.RNNBase):
            part.flatten_parameters()
    return made
