"""What was measured at each change, a line of JSON each, and which ratios fell since."""

import json
import platform
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NotRequired, TypedDict

import torch

import gantext
from bench.row import ratios

PACKAGES = ("torch", "numpy", "nltk", "hydra-core")
KEPT = 0.8  # of a ratio, below which it has fallen: 20 % are noise of a busy machine


class Measured(TypedDict):
    """A row: what each way has cost, and the ratios of others to the product.

    tokens: that the work reads or writes; 0 where it is counted otherwise.
    """

    unit: str
    costs: dict[str, float]
    ratios: dict[str, float]
    tokens: NotRequired[int]


class Entry(TypedDict):
    """One measurement: when, where, of what, and its rows by name."""

    date: str
    commit: str
    version: str
    machine: dict[str, str | int]
    versions: dict[str, str]
    rows: dict[str, Measured]


def measured(unit: str, costs: Mapping[str, float], tokens: int = 0) -> Measured:
    """A row with its ratios."""
    rounded = {name: float(f"{cost:.4g}") for name, cost in costs.items()}
    found = {name: float(f"{ratio:.3g}") for name, ratio in ratios(costs).items()}
    return {"unit": unit, "costs": rounded, "ratios": found, "tokens": tokens}


def entry(rows: Mapping[str, Measured], gpu: str = "") -> Entry:
    """Rows with this machine (of a GPU its name), versions, commit and date."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "version": gantext.__version__,
        "machine": {"processor": gpu or processor(), "threads": torch.get_num_threads()},
        "versions": {"python": platform.python_version(), **{p: version(p) for p in PACKAGES}},
        "rows": dict(rows),
    }


def processor() -> str:
    """Its name."""
    listed = Path("/proc/cpuinfo")
    lines = listed.read_text().splitlines() if listed.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def commit() -> str:
    """The checkout's, with a + where files were changed since; "" without one."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--exclude=*"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def read(path: Path) -> list[Entry]:
    """All entries, the oldest first; none where there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def keep(path: Path, added: Entry) -> None:
    """Add one at the end."""
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(added) + "\n")


def last(entries: Iterable[Entry], machine: Mapping[str, object]) -> dict[str, Measured]:
    """Each row as it was last measured on a machine of the same kind."""
    found: dict[str, Measured] = {}
    for old in entries:
        if old["machine"] == machine:
            found.update(old["rows"])
    return found


def fallen(entries: Sequence[Entry], now: Entry) -> list[str]:
    """A line for each ratio that fell by over 20 % since the same machine measured it last."""
    lines, before = [], last(entries, now["machine"])
    for name, row in now["rows"].items():
        old = before[name]["ratios"] if name in before else {}
        for way, ratio in row["ratios"].items():
            if way in old and ratio < KEPT * old[way]:
                lines.append(f"{name}: beside {way} {old[way]:g}, now {ratio:g}")
    return lines
