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
from gantext.records.json_file import fitting, parsed
from gantext.records.shape import Whole
from gantext.runs.enclosed import Enclosed
from gantext.runs.migrations import Part, migrated
from gantext.runs.shapes import Best, Waiting
from gantext.runs.stored_checkpoint import (
    MANIFEST,
    STATE,
    TENSORS,
    CheckpointDamaged,
    StoredCheckpoint,
    folders,
    is_export,
    newest_by,
    phase_of,
    stored,
)

# What a kill amid `write` leaves.
LEFTOVER = re.compile(r"\.\d{9}(-[^/]+)?\.(old|partial)")
RESERVED = ("__tensor__", "__integer_keys__")
OPTIMISER = {"state", "param_groups"}  # the keys of its state


class WatchState(TypedDict):
    """What was warned of."""

    warnings: list[str]
    stuck: Whole


class Weights(TypedDict):
    """What a run is sampled and scored by: the model's own state, after `total` steps."""

    algorithm: dict[str, Any]
    total: Whole


class State(Weights):
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


def flatten(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """Replace the tensors of a tree by references; they are collected in `tensors` (on the CPU).

    Each tensor is cloned, because safetensors refuses tied weights. The keys of a dict are all
    strings or all integers (optimiser states have those).

    Raises:
        TypeError: a dict whose keys could not be restored.
    """
    if isinstance(tree, Tensor):
        key = str(len(tensors))
        tensors[key] = tree.detach().cpu().contiguous().clone()
        return {"__tensor__": key}
    if isinstance(tree, dict):
        items = {str(key): flatten(value, tensors) for key, value in tree.items()}
        integers = bool(tree) and all(type(key) is int for key in tree)
        if not integers and any(not isinstance(k, str) or k in RESERVED for k in tree):
            raise TypeError(f"a checkpoint cannot hold a dict with the keys {list(tree)}")
        return {"__integer_keys__": items} if integers else items
    if isinstance(tree, (list, tuple)):
        return [flatten(value, tensors) for value in tree]
    return tree


def unflatten(tree: Any, tensors: dict[str, Tensor], moments: bool = True) -> Any:
    """The inverse of `flatten` (tuples come back as lists).

    Without `moments` optimisers keep nothing of their weights but which they have stepped.
    """
    if isinstance(tree, list):
        return [unflatten(value, tensors, moments) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if not moments and tree.keys() == OPTIMISER:
        tree = {**tree, "state": _emptied(tree["state"])}
    if "__tensor__" in tree:
        return tensors[tree["__tensor__"]]
    if "__integer_keys__" in tree:
        return {int(k): unflatten(v, tensors, moments) for k, v in tree["__integer_keys__"].items()}
    return {key: unflatten(value, tensors, moments) for key, value in tree.items()}


def _emptied(moments: Any) -> Any:
    """What an optimiser keeps of its weights, without what it is."""
    kept = moments.get("__integer_keys__") if isinstance(moments, dict) else None
    return {"__integer_keys__": {key: {} for key in kept}} if isinstance(kept, dict) else {}


def write(folder: Path, tree: dict[str, Any], root: Path | None = None) -> str:
    """Write a checkpoint folder, atomically: it is there whole or not at all.

    Returns the digest of its tensors.

    Args:
        root: below which no symbolic link is followed; None for the folder that it is in.

    Raises:
        UserError: it, or a folder on the way to it, is a symbolic link.
    """
    root = root or folder.parent
    tensors: dict[str, Tensor] = {}
    state = json.dumps(flatten(tree, tensors), allow_nan=True).encode()
    files = {TENSORS: save_tensors(tensors), STATE: state}
    manifest = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    files[MANIFEST] = json.dumps(manifest, indent=1).encode()
    with folder_inside(root, folder.parent, make=True) as place:
        check_at(place, folder)
        temporary = f".{folder.name}.partial"
        _remove(place, folder.with_name(temporary))
        os.mkdir(temporary, dir_fd=place)
        try:
            with folder_inside(root, folder.with_name(temporary)) as inner:
                for name, data in files.items():
                    write_synced(inner, name, data)
                os.fsync(inner)
            _replace(place, temporary, folder)
        finally:
            _remove(place, folder.with_name(temporary))
        os.fsync(place)
    return manifest[TENSORS]


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
            for name in (TENSORS, STATE, MANIFEST):
                with contextlib.suppress(FileNotFoundError):
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
        digest: SHA-256 (hex) of its tensors, the weights and what the optimiser knows of them: two
            runs that are bit for bit the same have the same.
        whole: the same of all that it holds, also how long it took: scores are stored under it.
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
    def weights(self) -> Weights:
        """The same, or as an export's. Raises UserError where it is of neither."""
        return fitting(self.file, Weights if is_export(self.file.parent) else State, self.tree)


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
    return _tree(stored(folder.parent, folder))


def _tree(found: StoredCheckpoint, moments: bool = True) -> dict[str, Any]:
    try:
        state = parsed(found.folder / STATE, found.files[STATE], nan=True)
        tree = unflatten(state, load_tensors(found.files[TENSORS]), moments)
    except UserError as error:
        raise CheckpointDamaged(getattr(error, "short", str(error))) from error
    except (AttributeError, KeyError, TypeError, ValueError, SafetensorError) as error:
        raise CheckpointDamaged(f"it cannot be read ({error})") from error
    if not isinstance(tree, dict):
        raise CheckpointDamaged("its state is not a mapping")
    return tree


def not_finite(tree: Any, name: str = "") -> str | None:
    """The first tensor of a tree with NaN or infinity in it, by its dotted place; None: no one."""
    if isinstance(tree, Tensor):
        return None if bool(tree.isfinite().all()) else f"{name} of the state is not finite"
    items = enumerate(tree) if isinstance(tree, (list, tuple)) else ()
    pairs = tree.items() if isinstance(tree, dict) else items
    found = (not_finite(value, f"{name}.{key}".lstrip(".")) for key, value in pairs)
    return next((place for place in found if place is not None), None)


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
    return newest_by(checkpoints, phase, lambda found: load(found, moments))
