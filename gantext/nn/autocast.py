"""Where bf16 is not wanted: autocast is for forward passes alone.

A backward pass takes the types of its forward pass by itself, an optimiser steps fp32 weights, and
words are drawn one by one, each of which would cast all weights anew: more launches than a GPU's
word has without.
"""

import contextlib

import torch


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Compute in the tensors' own types within this block."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return contextlib.nullcontext()  # the meta device, which has none
