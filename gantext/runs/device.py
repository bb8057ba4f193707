"""Where networks compute; whether that is the CPU is known without torch, where nothing else is."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gantext.config.settings import Device
from gantext.errors import UserError

if TYPE_CHECKING:
    import torch

# Where Linux shows the GPUs that torch can compute on: NVIDIA's, in a PC, in a board of theirs and
# under Windows, and AMD's. Without any of these files there is none.
DEVICES, GPU_FILES = Path("/dev"), ("nvidia*", "nvhost*", "nvmap", "dxg", "kfd")


def best_device(wanted: Device) -> "torch.device":
    """The device asked for; with `auto` the best one present.

    Raises:
        UserError: it is not there.
    """
    import torch

    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if wanted is Device.auto:
        return torch.device(next(name for name in ("cuda", "mps", "cpu") if present[name]))
    if not present[wanted.value]:
        raise UserError(
            f"device={wanted.value} is asked for, but torch {torch.__version__} sees none"
        )
    return torch.device(wanted.value)


def device_type(wanted: Device) -> str:
    """The kind of device that `best_device` chooses; torch is asked only where there is a choice.

    Raises:
        UserError: it is not there.
    """
    if wanted is Device.cpu or (wanted is Device.auto and _has_cpu_alone()):
        return Device.cpu.value
    return best_device(wanted).type


def _has_cpu_alone() -> bool:
    """Whether no GPU can be there; torch, where it is loaded already, knows better."""
    if "torch" in sys.modules or sys.platform != "linux":
        return False
    return not any(file for pattern in GPU_FILES for file in DEVICES.glob(pattern))
