"""The folders of a run's checkpoints and whether each is whole: known by its bytes, without torch.

A checkpoint's manifest holds the SHA-256 of each of its files, so that a truncated or altered one
is detected when it is read.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, TypeVar

from gantext.errors import UserError
from gantext.files import NotInside
from gantext.records.content import MB, content
from gantext.records.json_file import JsonFile
from gantext.records.shape import Whole
from gantext.runs.enclosed import Enclosed

# What `checkpoint.write` makes, and so may remove: STEP, STEP-PHASE, STEP-best.
NAME = re.compile(r"\d{9}(-[^/]+)?")
BEST = "best"  # in a phase's place in the name of the best state's folder, so the name of no phase
TENSORS, STATE, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"
LIMITS = {TENSORS: 64 * 1024 * MB, STATE: 256 * MB}  # bytes
Sums = TypedDict("Sums", {"tensors.safetensors": str, "state.json": str})
SUMS = JsonFile(Sums, MB)
# Of an export, whose one state lies beside its run.json, as the hub of Hugging Face takes it.
WEIGHTS = "model.safetensors"
ExportSums = TypedDict(
    "ExportSums",
    {"model.safetensors": str, "state.json": str, "step": Whole, "phases": dict[str, Whole]},
)
EXPORT_SUMS = JsonFile(ExportSums, MB)
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
        exported_at: the step that an export is of.
    """

    folder: Path
    files: dict[str, bytes]
    digest: str
    whole: str
    damaged: tuple[str, ...] = ()
    exported_at: int | None = None

    @property
    def step(self) -> int:
        """At which it was written."""
        if self.exported_at is not None:
            return self.exported_at
        return int(self.folder.name.partition("-")[0])


def stored(root: Path, folder: Path) -> StoredCheckpoint:
    """The files of a checkpoint's folder, or of an export's, each verified.

    Args:
        root: below which no symbolic link is followed; of an export the folder itself.
        folder: of the checkpoint.

    Raises:
        CheckpointDamaged: a file is missing, truncated or altered.
        UserError: a symbolic link leads to one.
    """
    exported = is_export(folder)
    tensors = WEIGHTS if exported else TENSORS
    try:
        sums: Any = (EXPORT_SUMS if exported else SUMS).read(folder / MANIFEST, root)
        found = {
            TENSORS: content(folder / tensors, LIMITS[TENSORS], root),
            STATE: content(folder / STATE, LIMITS[STATE], root),
        }
    except NotInside:
        raise
    except UserError as error:
        raise CheckpointDamaged(getattr(error, "short", str(error))) from error
    files = {name: data for name, data in found.items() if data is not None}
    if sums is None or len(files) < len(found):
        missing = next((name for name in found if name not in files), MANIFEST)
        raise CheckpointDamaged(f"{tensors if missing == TENSORS else missing} is missing")
    content_hash = hashlib.sha256(files[TENSORS])
    digest = content_hash.hexdigest()
    own = {tensors: digest, STATE: hashlib.sha256(files[STATE]).hexdigest()}
    for name, told in own.items():
        if sums.get(name, told) != told:
            raise CheckpointDamaged(f"{name} does not match its checksum")
    content_hash.update(files[STATE])
    whole = content_hash.hexdigest()
    return StoredCheckpoint(folder, files, digest, whole, exported_at=sums.get("step"))


def is_export(folder: Path) -> bool:
    """Whether a run's folder is an export, which has one state and no checkpoints."""
    return (folder / WEIGHTS).is_file()


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
    """The step at which each phase ended whose end is kept, in order; of an export, which were
    before it. Raises as `folders`.
    """
    run = checkpoints.parent
    if is_export(run):
        sums = EXPORT_SUMS.read(run / MANIFEST, run)
        return sums["phases"] if sums else {}
    ends = ((phase_of(folder), folder) for folder in folders(checkpoints))
    steps = {phase: int(folder.name.partition("-")[0]) for phase, folder in ends if phase}
    return {phase: step for phase, step in steps.items() if phase != BEST}


def none_said(run: Path, phase: str | None, ends: Sequence[str]) -> str:
    """What is said of a run without a whole checkpoint (of a phase's end); `ends` are there."""
    if phase and is_export(run):
        return f"{run} is an export, which has one state: leave @{phase} out"
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
    run, there = checkpoints.parent, folders(checkpoints)
    kept = [folder for folder in there if phase is None or phase_of(folder) == phase]
    if is_export(run) and phase is None:
        kept = [run]
    for folder in reversed(kept):
        try:
            return read(stored(run, folder)), damaged
        except CheckpointDamaged as error:
            damaged.append(f"checkpoint {folder.name} is damaged: {error}")
    return None, damaged


def newest(checkpoints: Path, phase: str | None) -> tuple[StoredCheckpoint | None, list[str]]:
    """The newest whole checkpoint (of a phase's end), and what was damaged on the way to it."""
    return newest_by(checkpoints, phase, lambda found: found)
