"""How numbers are rounded: where bf16 is not wanted, and whether fp32 products are TF32's.

Autocast is for forward passes alone. A backward pass takes the types of its forward pass by itself,
an optimiser steps fp32 weights, and words are drawn one by one, each of which would cast all
weights anew: more launches than a GPU's word has without.
"""

import contextlib

import torch


def without_autocast(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Compute in the tensors' own types within this block."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return contextlib.nullcontext()  # the meta device, which has none


def in_tf32(device: torch.device) -> bool:
    """Whether fp32 products are rounded to TF32 now: in the steps of a run on an NVIDIA GPU."""
    return device.type == "cuda" and torch.backends.cuda.matmul.allow_tf32


def narrow(device: torch.device, kind: torch.dtype) -> torch.dtype:
    """The type of products of numbers of a kind: autocast's where that is on."""
    name = device.type
    if not torch.amp.is_autocast_available(name) or not torch.is_autocast_enabled(name):
        return kind  # the meta device has none
    return torch.get_autocast_dtype(name)
