"""The folders of a run's checkpoints and whether each is whole: known by its bytes, without torch.

A checkpoint's manifest holds the SHA-256 of each of its files, so that a truncated or altered one
is detected when it is read.

state.json                     the tree, with references to tensors
tensors[-NN].safetensors       weights; a large part of the model has a file NN of its own, which
                               checkpoints share (as hard links) as long as the part stays as it is
training[-NN].safetensors      what only a resume needs: what optimisers keep of the weights, the
                               order of the data, generators; in older formats beside the weights

One that was slimmed has the second kind no more. A score is of the first kind: its digest is that
of the weights, which slimming does not change; of one of an older format, whose digest was of both,
the manifest keeps what it was, so that stored scores are still found.
"""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar

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
EXPORTED = "model.safetensors"  # the weights of an export, which the hub of Hugging Face names so
WEIGHTS = re.compile(r"tensors(-\d{2})?\.safetensors|model\.safetensors")
TRAINING = re.compile(r"training(-\d{2})?\.safetensors")
LIMIT, STATE_LIMIT = 64 * 1024 * MB, 256 * MB  # bytes of a file of tensors and of the state


class Manifest(TypedDict, total=False):
    """SHA-256 (hex) of the files.

    Attributes:
        files: by name; an older format has them beside its other keys.
        slimmed: whether what only a resume needs was dropped.
        digest, whole: those from before it was slimmed, of an older format.
        step, phases: of an export its step, and those at which the phases before it ended.
    """

    files: dict[str, str]
    slimmed: bool
    digest: str
    whole: str
    step: Whole
    phases: dict[str, Whole]


MANIFESTS = JsonFile(Manifest, MB)
T = TypeVar("T")


class CheckpointDamaged(Exception):
    """A checkpoint that is not whole; the message says what is wrong with it."""


@dataclass(frozen=True)
class StoredCheckpoint:
    """A checkpoint whose files are as its manifest says, and were hashed once.

    Attributes:
        folder: that it lies in.
        files: what its files hold, by name.
        digest: SHA-256 (hex) of its weights: two runs that are bit for bit the same have the same.
        whole: the same with its state, also how long it took: scores are stored under it.
        damaged: what is wrong with newer ones, one line each.
        slimmed: whether it lacks what a resume needs.
        exported_at: the step that an export is of.
    """

    folder: Path
    files: dict[str, bytes]
    digest: str
    whole: str
    damaged: tuple[str, ...] = ()
    slimmed: bool = False
    exported_at: int | None = None

    @property
    def step(self) -> int:
        """At which it was written."""
        if self.exported_at is not None:
            return self.exported_at
        return int(self.folder.name.partition("-")[0])


def stored(root: Path, folder: Path, training: bool = False) -> StoredCheckpoint:
    """The files of a checkpoint's folder, each verified.

    Args:
        root: below which no symbolic link is followed; of an export the folder itself.
        folder: of the checkpoint.
        training: whether those that only a resume needs are read too.

    Raises:
        CheckpointDamaged: a file is missing, truncated or altered; or it was slimmed to its
            weights, where the rest is asked for.
        UserError: a symbolic link leads to one.
    """
    try:
        manifest = manifest_of(root, folder)
        sums = manifest.get("files", {})
        if training and manifest.get("slimmed"):
            raise CheckpointDamaged("it was slimmed to its weights: no run goes on from it")
        names = [name for name in sums if training or not TRAINING.fullmatch(name)]
        found = {name: content(folder / name, _limit(name), root) for name in names}
    except NotInside:
        raise
    except UserError as error:
        raise CheckpointDamaged(getattr(error, "short", str(error))) from error
    files = {name: data for name, data in found.items() if data is not None}
    if len(files) < len(found):
        missing = next(name for name in found if name not in files)
        raise CheckpointDamaged(f"{missing} is missing")
    hashes = {name: hashlib.sha256(data) for name, data in files.items()}
    for name, told in sums.items():
        if name in hashes and hashes[name].hexdigest() != told:
            raise CheckpointDamaged(f"{name} does not match its checksum")
    digest, whole = digests(files)
    digest, whole = manifest.get("digest", digest), manifest.get("whole", whole)
    slimmed, step = manifest.get("slimmed", False), manifest.get("step")
    return StoredCheckpoint(folder, files, digest, whole, (), slimmed, step)


def manifest_of(root: Path, folder: Path) -> Manifest:
    """The checked manifest of a checkpoint's folder, in today's words.

    Raises:
        CheckpointDamaged: it is missing, or lacks a file that every checkpoint has.
        UserError: it cannot be read.
    """
    found = MANIFESTS.read(folder / MANIFEST, root)
    if found is None:
        raise CheckpointDamaged(f"{MANIFEST} is missing")
    if "files" not in found:
        found = Manifest(files={name: str(found.get(name)) for name in (TENSORS, STATE)})
    sums = found["files"]
    for name in (EXPORTED if is_export(folder) else TENSORS, STATE):
        if name not in sums:
            raise CheckpointDamaged(f"{MANIFEST} lacks {name}")
    for name in sums:
        if name != STATE and not WEIGHTS.fullmatch(name) and not TRAINING.fullmatch(name):
            raise CheckpointDamaged(f"{MANIFEST} names {name[:40]!r}")
    return found


def digests(files: Mapping[str, bytes]) -> tuple[str, str]:
    """SHA-256 (hex) of the weights, and of these and the state."""
    content_hash = hashlib.sha256()
    for name in sorted(filter(WEIGHTS.fullmatch, files)):
        content_hash.update(files[name])
    digest = content_hash.hexdigest()
    content_hash.update(files[STATE])
    return digest, content_hash.hexdigest()


def _limit(name: str) -> int:
    return STATE_LIMIT if name == STATE else LIMIT


def is_export(folder: Path) -> bool:
    """Whether a run's folder is an export, which has one state and no checkpoints."""
    return (folder / EXPORTED).is_file()


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
        return manifest_of(run, run).get("phases", {})
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
    checkpoints: Path,
    phase: str | None,
    read: Callable[[StoredCheckpoint], T],
    training: bool = False,
) -> tuple[T | None, list[str]]:
    """What `read` makes of the newest checkpoint (of a phase's end) that is whole.

    For `training` see `stored`.

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
            return read(stored(run, folder, training)), damaged
        except CheckpointDamaged as error:
            damaged.append(f"checkpoint {folder.name} is damaged: {error}")
    return None, damaged


def newest(checkpoints: Path, phase: str | None) -> tuple[StoredCheckpoint | None, list[str]]:
    """The newest whole checkpoint (of a phase's end), and what was damaged on the way to it."""
    return newest_by(checkpoints, phase, lambda found: found)
