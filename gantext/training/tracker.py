"""Metrics of a run: metrics.jsonl always, TensorBoard events when asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gantext.runs.folder import RunDir

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch.utils.tensorboard import SummaryWriter


def to_floats(metrics: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Bring a step's metrics to the CPU with one transfer."""
    tensors = {key: value for key, value in metrics.items() if isinstance(value, Tensor)}
    numbers = {key: float(value) for key, value in metrics.items() if not isinstance(value, Tensor)}
    if tensors:
        values = torch.stack([value.detach().float().reshape(()) for value in tensors.values()])
        numbers.update(zip(tensors, values.tolist(), strict=True))
    return {key: numbers[key] for key in metrics}


def _event_writer(run: RunDir, start: int) -> "SummaryWriter":
    from torch.utils.tensorboard import SummaryWriter  # imported late: it takes a second

    return SummaryWriter(str(run.files.made(run.tensorboard)), purge_step=start or None)


class Tracker:
    """Writes rows of metrics; `start` is the total step that a resumed run goes on from."""

    def __init__(self, run: RunDir, tensorboard: bool, start: int) -> None:
        self.run = run
        self._writer: SummaryWriter | None = None
        if tensorboard:
            self._writer = _event_writer(run, start)

    def row(self, phase: str, step: int, total: int, metrics: Mapping[str, float]) -> None:
        """Store one report."""
        self.run.append_metrics({"phase": phase, "step": step, "total": total, **metrics})
        if self._writer is not None:
            for key, value in metrics.items():
                self._writer.add_scalar(f"{phase}/{key}", value, total)

    def text(self, name: str, text: str, total: int) -> None:
        """Store a sample."""
        if self._writer is not None:
            self._writer.add_text(name, text, total)

    def picture(self, name: str, pixels: "NDArray[np.uint8]", total: int) -> None:
        """Store a picture, RGB (height, width, 3)."""
        if self._writer is not None:
            self._writer.add_image(name, pixels, total, dataformats="HWC")

    def close(self) -> None:
        """Flush what is not yet on the disk."""
        if self._writer is not None:
            self._writer.close()
