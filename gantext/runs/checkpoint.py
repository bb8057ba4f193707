"""Trees of tensors and plain values <-> safetensors and JSON, whole or not at all.

Nothing is ever unpickled. A checkpoint is a folder that is written under a temporary name,
fsynced file by file and renamed; its manifest holds the SHA-256 of each file, so a truncated or
altered one is detected when it is read.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from gantext.data.batches import BatchesState
from gantext.errors import UserError
from gantext.files import check_at, folder_inside, write_synced
from gantext.records.content import content
from gantext.records.json_file import fitting, parsed
from gantext.records.shape import Whole
from gantext.runs.changes import Part
from gantext.runs.enclosed import Enclosed
from gantext.runs.migrations import migrated
from gantext.runs.shapes import Best, Waiting
from gantext.runs.state_tree import ONLY_TRAINING, Tensors, filed, not_finite, unflatten
from gantext.runs.stored_checkpoint import (
    MANIFEST,
    STATE,
    TRAINING,
    WEIGHTS,
    CheckpointDamaged,
    Manifest,
    StoredCheckpoint,
    digests,
    folders,
    manifest_of,
    newest_by,
    phase_of,
    stored,
)

# What a kill amid `write` leaves.
LEFTOVER = re.compile(r"\.\d{9}(-[^/]+)?\.(old|partial)")


class WatchState(TypedDict):
    """What was warned of."""

    warnings: list[str]
    stuck: Whole


class ModelState(TypedDict):
    """A model with its weights, after `total` steps of all phases."""

    algorithm: dict[str, Any]
    total: Whole


class State(ModelState):
    """All that a run's next step depends on.

    Attributes:
        phase, step: the number of the phase, and steps of it that are done.
        ended: whether the phase ended before its steps were done.
        best: the best state so far, which has a checkpoint of its own.
    """

    batches: BatchesState
    noise: Tensor
    watch: WatchState
    phase: Whole
    step: Whole
    ended: bool
    best: Best | None
    waiting: Waiting
    seconds: float
    metrics_size: Whole


class NotFinite(Exception):
    """A state that no run could go on from; the message names what in it is not finite."""


def write(folder: Path, tree: dict[str, Any], root: Path | None = None) -> str:
    """Write a checkpoint folder, atomically: it is there whole or not at all.

    A file that another checkpoint beside it has already is shared with it, where the disk can.

    Returns the digest of its weights.

    Args:
        root: below which no symbolic link is followed; None for the folder that it is in.

    Raises:
        UserError: it, or a folder on the way to it, is a symbolic link.
    """
    state, tensors = filed(tree)
    files = {name: packed(own) for name, own in tensors.items()}
    files[STATE] = json.dumps(state, allow_nan=True).encode()
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    put(folder, files, Manifest(files=sums), root or folder.parent)
    return digests(files)[0]


def packed(tensors: Tensors, facts: dict[str, str] | None = None) -> bytes:
    """Tensors as a file has them, with facts on them all."""
    return save_tensors(tensors, facts)


def unpacked(data: bytes) -> Tensors:
    """The tensors of a file. Raises SafetensorError, as `load` says."""
    return load_tensors(data)


def put(folder: Path, files: Mapping[str, bytes], manifest: Manifest, root: Path) -> None:
    """Put the files of a checkpoint in its place, atomically."""
    twins = _twins(folder, manifest["files"])
    with folder_inside(root, folder.parent, make=True) as place:
        check_at(place, folder)
        temporary = f".{folder.name}.partial"
        _remove(place, folder.with_name(temporary))
        os.mkdir(temporary, dir_fd=place)
        try:
            with folder_inside(root, folder.with_name(temporary)) as inner:
                for name, data in files.items():
                    if not _shared(root, twins.get(name), data, inner):
                        write_synced(inner, name, data)
                write_synced(inner, MANIFEST, json.dumps(manifest, indent=1).encode())
                os.fsync(inner)
            _replace(place, temporary, folder)
        finally:
            _remove(place, folder.with_name(temporary))
        os.fsync(place)


def _twins(folder: Path, sums: Mapping[str, str]) -> dict[str, Path]:
    """The files of tensors in the checkpoints beside a folder that should be the same, by name."""
    found: dict[str, Path] = {}
    for other in folders(folder.parent) if folder.parent.is_dir() else ():
        with contextlib.suppress(UserError, CheckpointDamaged):
            theirs = manifest_of(folder.parent, other)["files"]
            same = [name for name in sums if name != STATE and theirs.get(name) == sums[name]]
            found |= {name: other / name for name in same}
    return found


def _shared(root: Path, twin: Path | None, data: bytes, inner: int) -> bool:
    """Give a new checkpoint, open as `inner`, the file of another, if it holds just this."""
    if twin is None:
        return False
    # A disk without hard links, or a file that is damaged or gone: it is written anew.
    with contextlib.suppress(OSError, UserError):
        if content(twin, len(data), root) == data:
            with folder_inside(root, twin.parent) as outer:
                os.link(twin.name, twin.name, src_dir_fd=outer, dst_dir_fd=inner)
            return True
    return False


def _replace(place: int, new: str, folder: Path) -> None:
    """Rename a folder to its place; an old one there is moved aside first, then removed."""
    old = folder.with_name(f".{folder.name}.old")
    _remove(place, old)
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder.name, old.name, src_dir_fd=place, dst_dir_fd=place)
    os.rename(new, folder.name, src_dir_fd=place, dst_dir_fd=place)
    _remove(place, old)


def _remove(place: int, folder: Path) -> None:
    """Remove a checkpoint from the folder `place`: the files of one, and the folder if that is all.

    Raises:
        UserError: it is a symbolic link.
    """
    check_at(place, folder)
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        inner = os.open(folder.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
        try:
            for name in os.listdir(inner):
                if name in (STATE, MANIFEST) or WEIGHTS.fullmatch(name) or TRAINING.fullmatch(name):
                    os.unlink(name, dir_fd=inner)
        finally:
            os.close(inner)
        with contextlib.suppress(OSError):  # it holds what we did not make
            os.rmdir(folder.name, dir_fd=place)


def remove_leftovers(checkpoints: Path) -> None:
    """Clean up after a kill amid `write`; an old checkpoint without its successor is put back.

    Raises:
        UserError: one of them is a symbolic link.
    """
    leftovers = Enclosed(checkpoints.parent).in_folder(checkpoints, LEFTOVER)
    whole = {path.name for path in folders(checkpoints)}
    if not leftovers:
        return
    with folder_inside(checkpoints.parent, checkpoints) as place:
        for path in leftovers:
            name = path.name.removeprefix(".").removesuffix(".old")
            if path.name.endswith(".old") and name not in whole:
                os.rename(path.name, name, src_dir_fd=place, dst_dir_fd=place)
            _remove(place, path)


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint as it was read.

    Attributes:
        step: at which it was written.
        digest: SHA-256 (hex) of its weights: two runs that are bit for bit the same have the same.
        whole: the same with its state, also how long it took: scores are stored under it.
        tree: what it holds, in today's words.
        damaged: what is wrong with newer ones, one line each.
        file: that its tree was read from.
    """

    step: int
    digest: str
    whole: str
    tree: dict[str, Any]
    damaged: tuple[str, ...] = ()
    file: Path = Path(STATE)

    @property
    def state(self) -> State:
        """What it holds, as a run's. Raises UserError where it is nothing of that kind."""
        return fitting(self.file, State, self.tree)

    @property
    def model(self) -> ModelState:
        """The part of it that samples and scores need. Raises UserError as `state` does."""
        return fitting(self.file, ModelState, self.tree)


def load(found: StoredCheckpoint, moments: bool = True) -> Checkpoint:
    """What a run's checkpoint holds.

    Args:
        found: its files.
        moments: whether what optimisers keep of each weight is read too, twice the weights; only a
            run that goes on training needs it.

    Raises:
        CheckpointDamaged: its files hold nothing of that kind.
    """
    # A run that went on keeps checkpoints of several formats: what is there already stays.
    tree = migrated(_tree(found, moments), 1, Part.state)
    return Checkpoint(
        found.step, found.digest, found.whole, tree, found.damaged, found.folder / STATE
    )


def read(folder: Path) -> dict[str, Any]:
    """What a folder that `write` made holds.

    Raises:
        CheckpointDamaged: a file is missing, truncated or altered.
        UserError: a symbolic link leads to one.
    """
    return _tree(stored(folder.parent, folder, training=True))


def _tree(found: StoredCheckpoint, moments: bool = True) -> dict[str, Any]:
    try:
        state = parsed(found.folder / STATE, found.files[STATE], nan=True)
        if not moments and isinstance(state, dict):
            state = {key: value for key, value in state.items() if key not in ONLY_TRAINING}
        tensors = Tensors()
        for name, data in found.files.items():
            tensors |= unpacked(data) if name != STATE else {}
        tree = unflatten(state, tensors, moments)
    except UserError as error:
        raise CheckpointDamaged(getattr(error, "short", str(error))) from error
    except (AttributeError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise CheckpointDamaged(f"it cannot be read ({error})") from error
    if not isinstance(tree, dict):
        raise CheckpointDamaged("its state is not a mapping")
    return tree


def save(checkpoints: Path, tree: dict[str, Any], step: int, phase: str | None, keep: int) -> str:
    """Write the checkpoint of a step; only the last `keep` stay, and the ends of phases.

    Of a phase, and of the best state ("best" in its place), only the newest end stays.

    Returns the digest of its tensors.

    All that it writes is finite, so the newest of a run, which is never dropped, is finite too.

    Raises:
        NotFinite: weights or optimiser states are not; nothing is written or dropped.
    """
    broken = not_finite(tree)
    if broken is not None:
        raise NotFinite(broken)
    folder = checkpoints / (f"{step:09d}" + (f"-{phase}" if phase else ""))
    digest = write(folder, tree, checkpoints.parent)
    there = [(phase_of(path), path) for path in folders(checkpoints)]
    passing = [path for ended, path in there if ended is None]
    outdone = [path for ended, path in there if phase and ended == phase and path != folder]
    with folder_inside(checkpoints.parent, checkpoints) as place:
        for old in (*passing[:-keep], *outdone):
            _remove(place, old)
    return digest


def newest(
    checkpoints: Path, phase: str | None, moments: bool = True
) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint (of a phase's end), and what was damaged on the way to it."""
    return newest_by(checkpoints, phase, lambda found: load(found, moments), training=moments)
