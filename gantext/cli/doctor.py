"""gantext doctor: what this machine has for gantext, and what it lacks."""

import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from gantext import plugins
from gantext.cli import tables
from gantext.cli.layout import Table
from gantext.cli.options import ConfigDir, Json, RunsDir
from gantext.config import groups
from gantext.errors import UserError

BYTES = "_bytes"  # ends the names of sizes in the JSON document
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # the first of these decides
FOR_DEVELOPERS = ("dev", "docs")  # extras that no user misses


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(doctor)


def doctor(
    runs_dir: RunsDir = Path("runs"), config_dir: ConfigDir = None, json: Json = False
) -> None:
    """What gantext finds on this machine: versions, devices, memory, data, what is missing."""
    # Here: what imports metadata or the network takes 60 ms, which help does without.
    from importlib.metadata import requires

    from gantext.data.download import cache_folder
    from gantext.runs.crash import versions

    found: dict[str, Mapping[str, Any]] = {
        "versions": {**versions(), "platform": platform.platform()},
        "devices": devices(),
        "threads": threads(),
        "memory": memory(),
        "free disk": {
            f"{name}{BYTES}": free_disk(folder)
            for name, folder in (("runs", runs_dir), ("cache", cache_folder()))
        },
        "data folders": {
            "GANTEXT_DATA": os.environ.get("GANTEXT_DATA") or "not set",
            "cache": f"{cache_folder()}",
        },
        "data sets": data_sets(config_dir),
        "optional parts": optional_parts(requires("gantext") if _installed("gantext") else None),
        "configs": {f"{n}": f"{path}" for n, path in enumerate(groups.folders(config_dir), 1)},
        "plugins": plugged(),
    }
    if json:
        tables.print_json(found)
        return
    rows = [
        (part * (not place), *_said(name, value))
        for part, values in found.items()
        for place, (name, value) in enumerate(values.items() or [("none", "")])
    ]
    tables.show(Table("gantext doctor", ["part", "what", "found"], rows, range(3), keys=2))


def _said(name: str, value: Any) -> tuple[str, str]:
    """A name and its value as the table has them."""
    from gantext.data.memory import size

    return (name.removesuffix(BYTES), size(value)) if name.endswith(BYTES) else (name, f"{value}")


def devices() -> dict[str, str]:
    """What torch can compute on."""
    import torch

    cards = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    mps = torch.backends.mps.is_available()
    return {
        "cpu": f"{os.cpu_count()} processors, {platform.processor() or platform.machine()}",
        "cuda": ", ".join(cards) or "none",
        "mps": "there" if mps else "none",
    }


def threads() -> dict[str, Any]:
    """How many threads torch takes where threads=0, and what has decided that."""
    import torch

    decided = next((f"{name} decides" for name in THREADS if os.environ.get(name)), "torch decides")
    return {"number": torch.get_num_threads(), "by": f"{decided}; threads=N of a run sets its own"}


def memory() -> dict[str, Any]:
    """What this process may hold."""
    from gantext.data.memory import available

    found = available()
    return {
        f"total{BYTES}": found.total,
        f"free{BYTES}": found.free,
        "bounded by": found.owner.removesuffix(" still"),
    }


def free_disk(folder: Path) -> int:
    """Bytes that are free where a folder is, or will be made."""
    whole = folder.expanduser().absolute()
    there = next(path for path in (whole, *whole.parents) if path.is_dir())
    return shutil.disk_usage(there).free


def data_sets(config_dir: Path | None) -> dict[str, str]:
    """Which data can be used with no network."""
    from gantext.config.compose import compose_data
    from gantext.data import catalogue

    states: dict[str, list[str]] = {"ready": [], "missing": []}
    for name in groups.names("data", config_dir):
        try:
            cfg = compose_data([f"data={name}"], config_dir)
        except UserError:  # a value is for the user to give
            cfg = None
        states[catalogue.entry(groups.module("data", name, config_dir), cfg).state].append(name)
    return {state: ", ".join(names) or "none" for state, names in states.items()}


def optional_parts(needed: list[str] | None) -> dict[str, str]:
    """Each extra, and what brings it where a package of it is missing.

    needed: what the package's metadata say that it needs; None where they are not there.
    """
    extras: dict[str, list[str]] = {}
    for line in needed or []:
        name, extra = re.match(r"[\w.-]+", line), re.search(r"extra == ['\"]([\w-]+)", line)
        if name and extra and extra[1] not in FOR_DEVELOPERS:
            extras.setdefault(extra[1], []).append(name[0])
    return {extra: _missing(extra, names) for extra, names in extras.items()}


def _missing(extra: str, names: list[str]) -> str:
    lacking = [name for name in names if not _installed(name)]
    return f"no {', '.join(lacking)}: pip install 'gantext[{extra}]'" if lacking else "there"


def _installed(name: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def plugged() -> dict[str, str]:
    """The models, data and measures of other packages, and where they are."""
    kinds = (*plugins.CONFIGURED, "gantext.measures")
    return {
        f"{kind.partition('.')[2]} {name}": point.value
        for kind in kinds
        for name, point in plugins.installed(kind).items()
    }
