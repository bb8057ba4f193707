"""Several processes that torchrun starts to train one run: who they are, and their group.

The first does all that is seen of the run, as a run's one process does; the others follow it. They
meet over TCP at the address that torchrun gives them. Nothing heavy is imported at the top: every
command asks whether it is the one that speaks.
"""

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gantext.config import words
from gantext.data import ranges
from gantext.errors import UserError

if TYPE_CHECKING:
    from gantext.config.settings import Settings
    from gantext.runs.folder import RunDir

STARTED = "TORCHELASTIC_RUN_ID"  # torchrun's children have it
# The others wait for the first one's scores, however long they take; if it dies torchrun ends them.
PATIENCE = timedelta(days=7)


@dataclass(frozen=True)
class Process:
    """One of several processes.

    Attributes:
        number: from 0.
        count: how many there are.
        local: its number on this machine.
        local_count: how many there are on this machine.
    """

    number: int = 0
    count: int = 1
    local: int = 0
    local_count: int = 1


def this_process() -> Process:
    """Which one this is. Raises UserError for an environment that torchrun did not make."""
    if STARTED not in os.environ:
        return Process()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    found = {name: os.environ.get(name, "") for name in names}
    if all(map(str.isdecimal, found.values())):
        process = Process(*map(int, found.values()))
        if process.number < process.count and process.local < process.local_count <= process.count:
            return process
    given = ", ".join(f"{name}={value!r}" for name, value in found.items())
    raise UserError(f"{STARTED} is set, but not by torchrun: {given}")


def speaks() -> bool:
    """Whether this process says what all of them have to say: one does on each machine."""
    return STARTED not in os.environ or os.environ.get("LOCAL_RANK", "0") == "0"


def refuse_several(options: Sequence[str]) -> None:
    """Refuse options that are for one process. Raises UserError."""
    if options and this_process().count > 1:
        raise UserError(f"torchrun trains one run by several processes: not with {options[0]}")


def resume_command(run: Path) -> str:
    """What goes on with a run by as many processes."""
    return _command(run, this_process().count, this_process().local_count)


def _command(run: Path, count: int, on_each: int) -> str:
    plain = words.command("train", "--resume", run)
    if count == 1:
        return plain
    machines = f"--nnodes {count // on_each} " if count > on_each else ""
    return f"torchrun {machines}--nproc-per-node {on_each} -m {plain}"


def check_as_many(run: "RunDir") -> None:
    """Refuse to go on with a run that another number of processes began. Raises UserError."""
    began, here = run.info.get("processes", 1), this_process().count
    if began != here:
        now, then = (f"{n} processes" if n > 1 else "one process" for n in (here, began))
        raise UserError(
            f"{run.path.name} was begun by {then}, not {now}: go on with "
            + _command(run.path, began, began)
        )


def check(settings: "Settings") -> None:
    """Refuse settings that several processes cannot train by. Raises UserError."""
    from gantext import models

    count, name = this_process().count, settings.model.name
    if not models.is_parallel(name):
        others = ", ".join(filter(models.is_parallel, models.available()))
        raise UserError(f"model={name} is trained by one process; torchrun trains {others}")
    for key, rows in _shared_rows(settings.model, "model"):
        if rows % count:
            raise UserError(f"{key}={rows}: {count} processes need a multiple of {count}")


def _shared_rows(config: Any, prefix: str) -> Iterator[tuple[str, int]]:
    """The numbers of rows that processes share, of a dataclass and the groups in it, by key."""
    bounds = ranges.ranges(config.__class__)
    for field in dataclasses.fields(config):
        key, value = f"{prefix}.{field.name}", getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from _shared_rows(value, key)
        elif field.name in bounds and bounds[field.name].shared:
            yield key, value


@contextlib.contextmanager
def group(settings: "Settings") -> Iterator[Process]:
    """The processes meet, and are `joined` in the block; nothing happens where there is one.

    Raises:
        UserError: they cannot train by these settings, or do not reach each other.
    """
    process = this_process()
    if process.count == 1:
        yield process
        return
    check(settings)
    from torch import distributed

    from gantext.nn import ranks

    try:
        distributed.init_process_group(_backend(settings, process), timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise UserError(f"the processes do not reach each other: {_first_line(error)}") from error
    try:
        with ranks.joined(ranks.Ranks(process.number, process.count)):
            yield process
    finally:
        distributed.destroy_process_group()


def _backend(settings: "Settings", process: Process) -> str:
    """How the processes exchange tensors; each has a GPU of its own where they train on GPUs."""
    import torch

    from gantext.runs.device import best_device

    kind = best_device(settings.device).type
    if kind == "mps":
        raise UserError("device=mps: several processes train on CPUs or on NVIDIA's or AMD's GPUs")
    if kind == "cpu":
        return "gloo"
    if process.local_count > torch.cuda.device_count():
        raise UserError(
            f"{process.local_count} processes, and {torch.cuda.device_count()} GPUs: one process "
            "for each GPU, or device=cpu"
        )
    torch.cuda.set_device(process.local)
    return "cpu:gloo,cuda:nccl"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
