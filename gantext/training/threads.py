"""The number of CPU threads: chosen once, when a run begins, as sums differ by it in the last bits.

It stands in run.json, and a resume computes with as many, whatever the machine has then.
"""

import contextlib
import os
from collections.abc import Iterator

import torch

UNKNOWN = 0  # what run.json says of a run from before the number was kept


@contextlib.contextmanager
def threads_of(wanted: int) -> Iterator[int]:
    """Compute with so many threads while the block runs (0: torch's choice); their number."""
    before = torch.get_num_threads()
    if wanted:
        torch.set_num_threads(wanted)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def torchs_choice() -> int:
    """The number of threads that torch takes by itself."""
    return torch.get_num_threads()


def counted(threads: int) -> str:
    """'1 thread', '2 threads'."""
    return f"{threads} thread" if threads == 1 else f"{threads} threads"


def notes_on(threads: int, before: int) -> list[str]:
    """What to say of a run that goes on with `threads`, and did with `before` until now."""
    notes: list[str] = []
    if before == UNKNOWN:
        notes.append(
            f"how many threads it began with is not known: it goes on with {threads}, and its end "
            "may differ in the last bits"
        )
    elif threads != before:
        notes.append(
            f"it goes on with {counted(threads)} instead of {before}: its end will differ in the "
            "last bits"
        )
    if threads > cores():
        notes.append(
            f"it goes on with {counted(threads)}, and there are fewer cores, which is slow: with "
            f"threads={cores()} after --resume it would take as many, and its end would differ in "
            "the last bits"
        )
    return notes


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
