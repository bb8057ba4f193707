"""A checkpoint without what only a resume needs: its weights, and the digests that scores know."""

import hashlib
import os
from pathlib import Path

from gantext.errors import UserError
from gantext.files import folder_inside
from gantext.records.json_file import parsed
from gantext.runs import checkpoint
from gantext.runs.state_tree import ONLY_TRAINING, references
from gantext.runs.stored_checkpoint import (
    BEST,
    STATE,
    TENSORS,
    TRAINING,
    CheckpointDamaged,
    Manifest,
    folders,
    manifest_of,
    phase_of,
    stored,
)


def slim(checkpoints: Path, folder: Path) -> None:
    """Drop what only a resume needs of a checkpoint; its weights, digests and state stay.

    Raises:
        CheckpointDamaged: it is not whole.
        UserError: a symbolic link is in the way.
    """
    found = stored(checkpoints.parent, folder)
    if found.slimmed:
        return
    files = {name: data for name, data in found.files.items() if not TRAINING.fullmatch(name)}
    state = parsed(folder / STATE, files[STATE], nan=True)
    needed = set(references({k: v for k, v in state.items() if k not in ONLY_TRAINING}, False))
    tensors, before = checkpoint.unpacked(files[TENSORS]), Manifest()
    if tensors.keys() - needed:  # of an older format, which has all in one file
        files[TENSORS] = checkpoint.packed({key: tensors[key] for key in tensors.keys() & needed})
        before = Manifest(digest=found.digest, whole=found.whole)
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = Manifest(files=sums, slimmed=True, **before)
    checkpoint.put(folder, files, manifest, checkpoints.parent)


def freed(checkpoints: Path, folder: Path) -> int:
    """Bytes that slimming a checkpoint frees, about; of one of an older format two thirds of it, as
    optimisers keep two numbers of each weight.

    Files that it shares with others are not counted, as these keep them.
    """
    try:
        manifest = manifest_of(checkpoints.parent, folder)
    except (UserError, CheckpointDamaged):
        return 0
    if manifest.get("slimmed"):
        return 0
    with folder_inside(checkpoints.parent, folder) as place:
        states = {name: os.lstat(name, dir_fd=place) for name in os.listdir(place)}
    own = {name: one.st_size for name, one in states.items() if one.st_nlink == 1}
    training = [size for name, size in own.items() if TRAINING.fullmatch(name)]
    is_old = not any(map(TRAINING.fullmatch, states))
    return own.get(TENSORS, 0) * 2 // 3 if is_old else sum(training)


def old_ends(checkpoints: Path) -> list[Path]:
    """The checkpoints that no resume needs: those at the ends of phases, but for the newest one."""
    there = folders(checkpoints)
    return [folder for folder in there[:-1] if phase_of(folder) not in (None, BEST)]
