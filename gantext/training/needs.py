"""How much memory a run needs, worked out before any of it is taken. Rough: right within a factor.

Model: every weight in 4 bytes; one that is trained has its gradient and Adam's two moments as well.
Batch: the rows of the largest update, times what all layers write of a row (at each of its words,
    or pixels), 4 bytes a number and as many for its gradient. All networks count, as if one update
    used them all; sampling, which keeps no gradient, is left out.
Data: the arrays of all splits, which are there by then.
Judge: a pretrained encoder with what its training keeps, where rewards are by one.
Torch: what it loads and sets up at its first steps, whatever the model.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from gantext.config.settings import Settings
from gantext.data.memory import Memory, available, of_gpu, size
from gantext.errors import UserError
from gantext.models.build import build, task_of
from gantext.models.contract import Loading, PictureTask, Task
from gantext.training.phases import chosen_phases

FLOAT = 4  # bytes; precision=bf16 keeps the weights and most of a step in fp32 too
TORCH = 110 << 20  # bytes; measured on a CPU by a few steps of each model: 95 to 150 MiB


@dataclass(frozen=True)
class Needs:
    """Bytes that a run takes, and the rows of its largest update.

    Attributes:
        checkpoint: of one on the disk: weights, and what optimisers keep of those that are trained.
        judge: a pretrained one that is loaded later.
    """

    model: int
    batch: int
    data: int
    rows: int
    torch: int = TORCH
    checkpoint: int = 0
    judge: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.model + self.batch + self.data + self.torch + self.judge

    @property
    def judged(self) -> str:
        """What is said of the judge, where there is one."""
        return f", judge {size(self.judge)}" if self.judge else ""

    def __str__(self) -> str:
        return (
            f"{size(self.total)} (model and optimiser {size(self.model)}, batch {size(self.batch)} "
            f"of {self.rows:,}, data {size(self.data)}, torch {size(self.torch)}{self.judged})"
        )


NOTHING = Needs(0, 0, 0, 0)


def needs_of(settings: Settings, loaded: Any) -> Needs:
    """What a run on this data needs; its model is built without any memory for its weights.

    Raises UserError as building the model itself does.
    """
    algorithm, task = without_memory(settings, loaded)
    networks = list(algorithm.networks().values())
    weights = {id(weight): weight for network in networks for weight in network.parameters()}
    phases = chosen_phases(algorithm, settings)
    rows = max((phase.together or phase.rows for phase in phases), default=0)
    return Needs(
        model=FLOAT * sum((1 + 3 * w.requires_grad) * w.numel() for w in weights.values()),
        checkpoint=FLOAT * sum((1 + 2 * w.requires_grad) * w.numel() for w in weights.values()),
        batch=2 * FLOAT * rows * sum(outputs(network, task) for network in networks),
        data=sum(map(_bytes, (loaded.train, loaded.validation, loaded.test))),
        rows=rows,
        judge=algorithm.memory_later() if isinstance(algorithm, Loading) else 0,
    )


def without_memory(settings: Settings, loaded: Any) -> tuple[Any, Task | PictureTask]:
    """The model of a run on this data whose weights have shapes and no content, and its task.

    Raises UserError as building the model itself does.
    """
    nowhere = torch.device("meta")
    task = task_of(loaded, torch.device("cpu"))
    with nowhere:
        built = build(settings.model, settings.seed, dataclasses.replace(task, device=nowhere))
    return built, task


def outputs(network: nn.Module, task: Task | PictureTask) -> int:
    """Numbers that the layers of a network write of one row."""
    written = (
        weight.T if isinstance(module, nn.Embedding) else weight  # a row for each number
        for module in network.modules()
        for weight in module.parameters(recurse=False)
        if weight.dim() > 1
    )
    return sum(task.positions(weight) * len(weight) for weight in written)


def _bytes(split: Any) -> int:
    """Of the arrays of a split."""
    values: Iterable[Any] = vars(split).values()
    return sum(value.nbytes for value in values if hasattr(value, "nbytes"))


def memory_of(device: torch.device) -> Memory:
    """The memory that the networks are to live in."""
    return of_gpu(device) if device.type == "cuda" else available()


def said(needs: Needs, device: torch.device, force: bool) -> str:
    """The line that a run starts with. Raises UserError where it cannot fit, unless forced."""
    memory = memory_of(device)
    if needs.total > memory.total and not force:
        raise UserError(
            f"the run would take about {needs} of the {memory}: smaller sizes, batches or "
            "data.max_length take less, and --force goes on"
        )
    tight = f"; only {size(memory.free)} are free" if needs.total > memory.free else ""
    return (
        f"memory: about {size(needs.total)} of {size(memory.total)}: model {size(needs.model)}, "
        f"batch {size(needs.batch)}, data {size(needs.data)}{needs.judged}{tight}"
    )
