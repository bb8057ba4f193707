"""How an NVIDIA GPU computes the steps of a run: in TF32 or not, the same each time or not.

Torch has switches for the process. They are set around a step alone, so that samples and scores are
computed in one way, whether at the end of a phase or by a command, and whatever runs it is of.
"""

import contextlib
import os
from collections.abc import Iterator

import torch

from gantext.config.settings import Settings, Tf32

# What cuBLAS needs to add up in one order, and reads when it is set up.
WORKSPACE, FIXED = "CUBLAS_WORKSPACE_CONFIG", ":4096:8"


@contextlib.contextmanager
def arithmetic(settings: Settings, device: torch.device) -> Iterator[None]:
    """Compute as the settings say within this block; nothing is done on other devices."""
    if device.type != "cuda":
        yield
        return
    products, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    before = products.allow_tf32, cudnn.allow_tf32, torch.are_deterministic_algorithms_enabled()
    products.allow_tf32 = settings.tf32 is Tf32.all and not settings.deterministic
    cudnn.allow_tf32 = settings.tf32 is not Tf32.none and not settings.deterministic
    if settings.deterministic:
        os.environ.setdefault(WORKSPACE, FIXED)
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        products.allow_tf32, cudnn.allow_tf32 = before[:2]
        if settings.deterministic:
            torch.use_deterministic_algorithms(before[2])


def said(settings: Settings, device: torch.device) -> str:
    """What the log says of it behind the name of the device: ' (TF32)'."""
    if device.type != "cuda":
        return ""
    if settings.deterministic:
        return " (deterministic)"
    return {Tf32.all: " (TF32)", Tf32.cudnn: " (TF32 of cuDNN)", Tf32.none: ""}[settings.tf32]
