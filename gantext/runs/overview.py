"""What a list of runs says of each, kept in an index so that old runs need not be read again.

The index is a hidden file in the folder of the runs. It only saves time: what it says of a run
counts as long as run.json, result.json and the note are the very files that it was read from, by
number, size and both of their times, of which nobody can choose the time of the last change. So an
index that came with a stranger's runs, or one of another version, is made anew.
"""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Literal, TypedDict

from gantext import __version__
from gantext.errors import UserError
from gantext.records.content import MB
from gantext.records.json_file import JsonFile
from gantext.runs.brief import Named, named
from gantext.runs.enclosed import Enclosed
from gantext.runs.folder import INFO, RESULT, RunDir
from gantext.runs.kinds import kind_by
from gantext.runs.listing import run_folders
from gantext.runs.migrations import FORMAT
from gantext.runs.note import NOTE, note_of
from gantext.runs.summary import unreadable
from gantext.runs.sweep_job import FINAL

INDEX = ".runs.json"
# Fewer runs are read about as quickly as the index of them.
INDEXED = 100
# A file that changed within this time may change again without a sign: clocks of files are coarse.
SETTLED = 2 * 10**9  # nanoseconds
LAST = ("stopped", "failed", *FINAL)  # statuses that stay until run.json changes


class _Known(TypedDict):
    status: str
    scores: dict[str, float | Literal["nan", "inf", "-inf"]]


class Overview(_Known, Named, total=False):
    """One run; keys that nothing is known of are missing.

    Attributes:
        status: as `RunDir.status`, or why the run cannot be read.
        scores: the last ones, by name.
        makes: text or pictures.
        phase, total: where it is, and its steps.
        seconds: of training.
        created: when.
        note: what the user noted.
        policy_on: the share of adversarial steps that had a policy gradient.
    """

    makes: str
    phase: str
    total: int
    seconds: float
    created: str
    note: str
    policy_on: float


class _Entry(TypedDict):
    files: str
    overview: Overview


class _Index(TypedDict):
    version: str
    runs: dict[str, _Entry]


_FILE = JsonFile(_Index, 64 * MB)
SHAPE = 3  # of `Overview`: an index of another one is made anew
_VERSION = f"{__version__}, format {FORMAT}, overview {SHAPE}"


def overviews(runs_dir: Path) -> dict[str, Overview]:
    """All runs below a folder by their names in it, oldest first."""
    root = os.path.realpath(runs_dir)
    folders = run_folders(runs_dir)
    stored = _stored(Path(root)) if len(folders) >= INDEXED else {}
    before = time.time_ns() - SETTLED
    kept: dict[str, _Entry] = {}
    found: dict[str, Overview] = {}
    for folder in folders:
        name = folder.removeprefix(f"{root}/")
        name = os.path.relpath(folder, root) if name == folder else name
        files, changed = _files(folder)
        entry = stored.get(name)
        if entry is None or entry["files"] != files:
            entry = {"files": files, "overview": read(RunDir(Path(folder)))}
        found[name] = entry["overview"]
        if changed < before and found[name]["status"] in LAST:
            kept[name] = entry
    if len(folders) >= INDEXED and kept != stored:
        _store(Path(root), kept)
    return found


def read(run: RunDir) -> Overview:
    """What the files of a run say of it."""
    overview: Overview = {"status": "", "scores": {}}
    try:
        info = run.info
        for key in ("phase", "total", "seconds", "created"):
            if key in info:
                overview[key] = info[key]
        if "policy_on" in info:
            overview["policy_on"] = info["policy_on"]
        names = named(run, info)
        for fact in ("model", "data", "seed"):
            if fact in names:
                overview[fact] = names[fact]
        overview["makes"] = kind_by(info).makes
        result = run.result or {}
        overview["scores"] = {score["name"]: score["value"] for score in result.get("scores", [])}
        overview["status"] = run.status_by(info)
        if note := note_of(run):
            overview["note"] = note
    except UserError as error:
        overview["status"] = unreadable(error)
    return overview


def _files(folder: str) -> tuple[str, int]:
    """Which files a run's overview is read from, and when the last of them changed (ns)."""
    marks, last = [], 0
    for name in (INFO, RESULT, NOTE):
        with contextlib.suppress(OSError):
            state = os.lstat(f"{folder}/{name}")
            times = state.st_mtime_ns, state.st_ctime_ns
            marks += [name, state.st_dev, state.st_ino, state.st_size, *times]
            last = max(last, *times)
    return " ".join(map(str, marks)), last


def _stored(root: Path) -> dict[str, _Entry]:
    """The index in a folder of runs; nothing where it is none, or of another version."""
    with contextlib.suppress(UserError):
        index = Enclosed(root).json(root / INDEX, _FILE)
        if index is not None and index["version"] == _VERSION:
            return index["runs"]
    return {}


def _store(root: Path, entries: dict[str, _Entry]) -> None:
    """Write the index whole, or leave the one that is there where that cannot be."""
    data = json.dumps(_Index(version=_VERSION, runs=entries), ensure_ascii=False).encode()
    with contextlib.suppress(OSError, UserError):
        if len(data) <= _FILE.limit:
            Enclosed(root).write(root / INDEX, data)
