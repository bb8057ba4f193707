"""A kind of input that is made at random from a seed, and rounds of several kinds."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.watched import FAULTS, End, watched

FOUND = Path(__file__).parent.parent.parent / ".fuzz"


@dataclass(frozen=True)
class Kind:
    """A kind of input.

    Attributes:
        name: of the kind.
        made: the input of a seed.
        work: does what commands do with it, and returns what is wrong with what came of it; a
            UserError is a refusal.
        folders: where it may write.
        share: how often it is tried of the others' times, where trying is slow.
        written: an input as a file keeps it, whose name ends with `suffix`.
    """

    name: str
    made: Callable[[int], Any]
    work: Callable[[Any], str | None]
    folders: tuple[Path, ...] = ()
    share: float = 1.0
    written: Callable[[Any], bytes] = bytes
    suffix: str = ".txt"

    def tried(self, seed: int) -> End:
        """What comes of the input of a seed."""
        value = self.made(seed)
        return watched(lambda: self.work(value), *self.folders)

    def keep(self, seed: int) -> Path:
        """Keep the input of a seed, to be looked at."""
        FOUND.mkdir(exist_ok=True)
        path = FOUND / f"{re.sub('[^a-z.]+', '-', self.name.lower())}-{seed}{self.suffix}"
        path.write_bytes(self.written(self.made(seed)))
        return path


@dataclass
class Round:
    """What came of many inputs."""

    ends: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    slowest: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    faults: list[str] = field(default_factory=list)

    def note(self, kind: Kind, seed: int) -> bool:
        """Try a seed of a kind; whether it went right."""
        end = kind.tried(seed)
        self.ends[kind.name][end.how] += 1
        self.slowest[kind.name] = max(end.seconds, self.slowest[kind.name])
        if end.how in FAULTS:
            self.faults.append(f"{kind.name}, seed {seed}: {end.how}: {end.said}")
        return end.how not in FAULTS

    def table(self) -> str:
        """A line a kind, and one for all."""
        columns = ("done", "refused", *FAULTS)
        width = max(map(len, self.ends), default=3)
        head = (
            f"{'':{width}}{'inputs':>8}" + "".join(f"{name:>9}" for name in columns) + "  slowest"
        )
        total = sum(self.ends.values(), Counter[str]())
        rows = [*self.ends.items(), ("all", total)]
        slowest = {**self.slowest, "all": max(self.slowest.values(), default=0)}
        lines = (
            f"{name:{width}}{ends.total():8,}"
            + "".join(f"{ends[column]:9,}" for column in columns)
            + f"{slowest[name]:7.1f} s"
            for name, ends in rows
        )
        return "\n".join([head, *lines])


def short(kinds: Iterable[Kind], count: int) -> list[str]:
    """What is wrong with the first seeds of each kind, as many as its share."""
    found = Round()
    for kind in kinds:
        for seed in range(max(1, round(count * kind.share))):
            found.note(kind, seed)
    return found.faults


def at_length(kinds: Sequence[Kind], seconds: float) -> list[str]:
    """All kinds in turn until the time is over; prints their table and keeps inputs of faults."""
    found, first = Round(), time.time_ns() // 1_000_000
    end, seed = time.monotonic() + seconds, first
    while time.monotonic() < end:
        for kind in kinds:
            if seed % round(1 / kind.share) == 0 and not found.note(kind, seed):
                kind.keep(seed)
        seed += 1
    print(f"\nseeds {first} to {seed - 1}\n{found.table()}")
    return found.faults
