"""The folders of a run's checkpoints and whether each is whole: known by its bytes, without torch.

A checkpoint's manifest holds the SHA-256 of each of its files, so that a truncated or altered one
is detected when it is read.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar

from gantext.errors import UserError
from gantext.files import NotInside
from gantext.records.content import MB, content
from gantext.records.json_file import JsonFile
from gantext.runs.enclosed import Enclosed

# What `checkpoint.write` makes, and so may remove: STEP, STEP-PHASE, STEP-best.
NAME = re.compile(r"\d{9}(-[^/]+)?")
BEST = "best"  # in a phase's place in the name of the best state's folder, so the name of no phase
TENSORS, STATE, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"
LIMITS = {TENSORS: 64 * 1024 * MB, STATE: 256 * MB}  # bytes
Sums = TypedDict("Sums", {"tensors.safetensors": str, "state.json": str})
SUMS = JsonFile(Sums, MB)
T = TypeVar("T")


class CheckpointDamaged(Exception):
    """A checkpoint that is not whole; the message says what is wrong with it."""


@dataclass(frozen=True)
class StoredCheckpoint:
    """A checkpoint whose files are as its manifest says, and were hashed once.

    Attributes:
        folder: that it lies in.
        files: what its files hold, by name.
        digest: SHA-256 (hex) of its tensors, the weights and what the optimiser knows of them: two
            runs that are bit for bit the same have the same.
        whole: the same of all that it holds, also how long it took: scores are stored under it.
        damaged: what is wrong with newer ones, one line each.
    """

    folder: Path
    files: dict[str, bytes]
    digest: str
    whole: str
    damaged: tuple[str, ...] = ()

    @property
    def step(self) -> int:
        """At which it was written."""
        return int(self.folder.name.partition("-")[0])


def stored(root: Path, folder: Path) -> StoredCheckpoint:
    """The files of a checkpoint's folder, each verified.

    Args:
        root: below which no symbolic link is followed.
        folder: of the checkpoint.

    Raises:
        CheckpointDamaged: a file is missing, truncated or altered.
        UserError: a symbolic link leads to one.
    """
    try:
        sums = SUMS.read(folder / MANIFEST, root)
        found = {name: content(folder / name, limit, root) for name, limit in LIMITS.items()}
    except NotInside:
        raise
    except UserError as error:
        raise CheckpointDamaged(getattr(error, "short", str(error))) from error
    files = {name: data for name, data in found.items() if data is not None}
    if sums is None or len(files) < len(found):
        missing = next((name for name in found if name not in files), MANIFEST)
        raise CheckpointDamaged(f"{missing} is missing")
    content_hash = hashlib.sha256(files[TENSORS])
    own = {TENSORS: content_hash.hexdigest(), STATE: hashlib.sha256(files[STATE]).hexdigest()}
    for name, told in sums.items():
        if own.get(name, told) != told:
            raise CheckpointDamaged(f"{name} does not match its checksum")
    content_hash.update(files[STATE])
    return StoredCheckpoint(folder, files, own[TENSORS], content_hash.hexdigest())


def folders(checkpoints: Path) -> list[Path]:
    """All checkpoint folders, oldest first: STEP, STEP-best, or STEP-PHASE at a phase's end.

    Raises:
        UserError: one of them is a symbolic link.
    """
    return Enclosed(checkpoints.parent).in_folder(checkpoints, NAME)


def phase_of(folder: Path) -> str | None:
    """The phase that a checkpoint ends, or BEST; None for one amid a phase."""
    return folder.name.partition("-")[2] or None


def phase_steps(checkpoints: Path) -> dict[str, int]:
    """The step at which each phase ended whose end is kept, in order. Raises as `folders`."""
    ends = ((phase_of(folder), folder) for folder in folders(checkpoints))
    steps = {phase: int(folder.name.partition("-")[0]) for phase, folder in ends if phase}
    return {phase: step for phase, step in steps.items() if phase != BEST}


def none_said(run: Path, phase: str | None, ends: Sequence[str]) -> str:
    """What is said of a run without a whole checkpoint (of a phase's end); `ends` are there."""
    if phase == BEST:
        return f"{run} keeps no best state: only a run with checkpoint.best=nll_valid|SCORE does"
    wanted = f" of phase {phase}" if phase else ""
    ended = f" (phases that ended: {', '.join(ends)})" if phase and ends else ""
    return f"{run} has no whole checkpoint{wanted}{ended}"


def newest_by(
    checkpoints: Path, phase: str | None, read: Callable[[StoredCheckpoint], T]
) -> tuple[T | None, list[str]]:
    """What `read` makes of the newest checkpoint (of a phase's end) that is whole.

    Returns it, and what was damaged on the way to it, which `read` may say too.

    Raises:
        UserError: a symbolic link leads to one.
    """
    damaged: list[str] = []
    for folder in reversed(folders(checkpoints)):
        if phase is not None and phase_of(folder) != phase:
            continue
        try:
            return read(stored(checkpoints.parent, folder)), damaged
        except CheckpointDamaged as error:
            damaged.append(f"checkpoint {folder.name} is damaged: {error}")
    return None, damaged


def newest(checkpoints: Path, phase: str | None) -> tuple[StoredCheckpoint | None, list[str]]:
    """The newest whole checkpoint (of a phase's end), and what was damaged on the way to it."""
    return newest_by(checkpoints, phase, lambda found: found)
