"""What is known of data that was loaded before, as long as the files that it is read from are as
they were: its hash and size, which stored scores are found by without loading it again.

It is kept in the user's cache folder, a small file for each data and how it was prepared.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

import gantext
from gantext import data
from gantext.data import Reads
from gantext.data.download import cache_folder
from gantext.errors import UserError
from gantext.evaluation.ground import Ground, Real, ground_of_data
from gantext.files import write_atomic
from gantext.metrics.text.preparation import Preparation
from gantext.records.json_file import JsonFile
from gantext.records.shape import Whole

# A file that changed just now may change again without another time of change.
SETTLED = 2 * 10**9  # nanoseconds


class Source(TypedDict):
    """A file that data is read from: where, and what tells it from another one there."""

    path: str
    size: Whole
    changed: Whole
    number: Whole


class KnownData(TypedDict):
    """A `Ground` without its sentences, and what it was read from."""

    hash: str
    size: Whole
    name: str
    preparation: dict[str, bool]
    notes: list[str]
    sources: list[Source]


KNOWN = JsonFile(KnownData)


def ground(
    values: dict[str, Any], reads: Reads, beside: Preparation, config: Callable[[], Any]
) -> Ground:
    """What data is scored against, whose sentences are loaded when they are first needed.

    Args:
        values: the plain values of its config.
        reads: what the models are trained on.
        beside: how text was prepared that the models are trained on.
        config: gives its typed `Config`.

    Raises:
        UserError: as `ground_of_data`.
    """
    place = _place(values, reads, beside)
    known = _read(place)
    if known is None:
        cfg = config()
        found = ground_of_data(cfg, reads, beside)
        _keep(place, found, cfg)
        return found

    def load() -> Real:
        loaded = ground_of_data(config(), reads, beside)
        if loaded.hash != known["hash"]:
            with contextlib.suppress(OSError):
                place.unlink()
            raise UserError(f"data={known['name']} has changed meanwhile: run the command again")
        return loaded.real

    return Ground(
        known["hash"],
        load,
        known["size"],
        known["name"],
        Preparation(**known["preparation"]),
        tuple(known["notes"]),
    )


def folder() -> Path:
    """Where it is kept."""
    return cache_folder() / "known"


def _place(values: dict[str, Any], reads: Reads, beside: Preparation) -> Path:
    """The file of data: its name says all that decides what is known, but for the sources."""
    where = [os.getcwd(), os.environ.get("GANTEXT_DATA"), str(cache_folder())]
    decided = [gantext.__version__, values, reads.value, dataclasses.asdict(beside), where]
    digest = hashlib.sha256(json.dumps(decided, sort_keys=True).encode()).hexdigest()
    return folder() / f"{digest[:16]}.json"


def _read(place: Path) -> KnownData | None:
    """What is known; None where nothing is, where it is damaged, or a source has changed."""
    with contextlib.suppress(UserError, OSError):
        known = KNOWN.read(place)
        names = {field.name for field in dataclasses.fields(Preparation)}
        if known is not None and known["preparation"].keys() == names:
            paths = [Path(one["path"]) for one in known["sources"]]
            if list(map(_source, paths)) == known["sources"]:
                return known
    return None


def _keep(place: Path, found: Ground, cfg: Any) -> None:
    """Keep what is known of data all of whose sources are; nothing where that cannot be written."""
    paths = data.sources(cfg)
    if paths is None or found.hash is None:
        return
    with contextlib.suppress(UserError, OSError):
        sources = [_source(path) for path in paths]
        if any(time.time_ns() - one["changed"] < SETTLED for one in sources):
            return
        known: KnownData = {
            "hash": found.hash,
            "size": found.size,
            "name": str(found.data),
            "preparation": dataclasses.asdict(found.preparation),
            "notes": list(found.notes),
            "sources": sources,
        }
        write_atomic(place, json.dumps(known).encode())


def _source(path: Path) -> Source:
    state = path.stat()
    changed = max(state.st_mtime_ns, state.st_ctime_ns)
    return {
        "path": str(path.absolute()),
        "size": state.st_size,
        "changed": changed,
        "number": state.st_ino,
    }
