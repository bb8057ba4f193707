"""How much memory there is to have: the machine's, or less where a cgroup or ulimit bounds it.

Sizes are in bytes. Nothing is taken before it is known to fit: what asks for a lot works out first
what it needs, and is refused with both numbers.
"""

import os
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gantext.errors import UserError

if TYPE_CHECKING:
    import torch

CGROUPS = Path("/sys/fs/cgroup")
# The files of a cgroup that bound its memory, those that say what it uses, and what of its use the
# system gives back when it is asked to (files that it keeps in memory), in both versions.
BOUNDS = ("memory.max", "memory.high", "memory.limit_in_bytes")
USED = ("memory.current", "memory.usage_in_bytes")
GIVEN_BACK = ("inactive_file", "total_inactive_file")


@dataclass(frozen=True)
class Memory:
    """What this process may hold.

    total: bytes in all.
    free: of these, what nothing has taken yet.
    owner: what has it, in words that fit behind "that ... has".
    """

    total: int
    free: int
    owner: str

    def refuse_above(self, need: int, what: str, way_out: str) -> None:
        """Raise UserError when `what` needs more than there is in all."""
        if need > self.total:
            raise UserError(f"{what} would take {size(need)} of the {self}: {way_out}")

    def __str__(self) -> str:
        return f"{size(self.total)} of memory that {self.owner} has"


def size(count: int) -> str:
    """Bytes as a person reads them: "512 B", "1.5 GiB"."""
    value, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= 1000 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return (
        f"{value:,.0f} {units[0]}" if value >= 100 or units[0] == "B" else f"{value:.1f} {units[0]}"
    )


def available() -> Memory:
    """The tightest of all bounds, with what is free under all of them."""
    bounds = [_machine(), *_cgroups(), *_address_space()]
    tightest = min(bounds, key=lambda bound: bound.total)
    return Memory(tightest.total, max(0, min(bound.free for bound in bounds)), tightest.owner)


def of_gpu(device: "torch.device") -> Memory:
    """What a GPU has; the machine, where the GPU's driver does not say, as a virtual one's."""
    import torch

    try:
        free, total = torch.cuda.mem_get_info(device)
        return Memory(total, free, torch.cuda.get_device_name(device))
    except (RuntimeError, AssertionError):  # torch asserts that it was built for one
        return available()


def _read(path: Path) -> str:
    """What the system says in a file of its own; "" where it has no such file."""
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""


def _fields(text: str) -> dict[str, int]:
    """The first number of each line by the word before it: of /proc/meminfo and memory.stat."""
    lines = (line.replace(":", " ").split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) > 1 and words[1].isdigit()}


def _machine() -> Memory:
    found = _fields(_read(Path("/proc/meminfo")))  # in KiB
    total = found.get("MemTotal", 0) * 1024
    if not total:  # no Linux
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Memory(total, found.get("MemAvailable", total // 1024) * 1024, "this machine")


def _cgroups() -> Iterator[Memory]:
    """The bounds of this process's cgroup and of all that it is in.

    In a container the path may be the host's, of which only the upper folders are seen.
    """
    for line in _read(Path("/proc/self/cgroup")).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers in ("", "memory"):
            own = Path(path.lstrip("/"))
            for folder in (own, *own.parents):
                yield from _bounds(CGROUPS / controllers / folder)


def _bounds(folder: Path) -> Iterator[Memory]:
    used = next((int(text) for name in USED if (text := _read(folder / name).strip())), 0)
    stat = _fields(_read(folder / "memory.stat"))
    kept = next((stat[name] for name in GIVEN_BACK if name in stat), 0)
    for name in BOUNDS:
        bound = _read(folder / name).strip()
        if bound.isdigit():  # not "max"
            yield Memory(int(bound), int(bound) - max(0, used - kept), f"its cgroup ({name})")


def _address_space() -> Iterator[Memory]:
    """What `ulimit -v` leaves: libraries that are loaded have taken some of it already."""
    bound, _ = resource.getrlimit(resource.RLIMIT_AS)
    if bound != resource.RLIM_INFINITY:
        taken = _fields(_read(Path("/proc/self/status"))).get("VmSize", 0) * 1024
        yield Memory(max(0, bound - taken), max(0, bound - taken), "ulimit -v still")
