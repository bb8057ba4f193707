"""Trees of tensors and plain values <-> safetensors and JSON, whole or not at all.

Nothing is ever unpickled. A checkpoint is a folder that is written under a temporary name,
fsynced file by file and renamed; its manifest holds the SHA-256 of each file, so a truncated or
altered one is detected when it is read.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from gantext.files import sync_folder, write_synced
from gantext.runs.migrations import Part, migrated

RESERVED = ("__tensor__", "__integer_keys__")
TENSORS, STATE, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"


class CheckpointDamaged(Exception):
    """A checkpoint that is not whole; the message says what is wrong with it."""


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


def unflatten(tree: Any, tensors: dict[str, Tensor]) -> Any:
    """The inverse of `flatten` (tuples come back as lists)."""
    if isinstance(tree, list):
        return [unflatten(value, tensors) for value in tree]
    if not isinstance(tree, dict):
        return tree
    if "__tensor__" in tree:
        return tensors[tree["__tensor__"]]
    if "__integer_keys__" in tree:
        return {int(k): unflatten(v, tensors) for k, v in tree["__integer_keys__"].items()}
    return {key: unflatten(value, tensors) for key, value in tree.items()}


def write(folder: Path, tree: dict[str, Any]) -> None:
    """Write a checkpoint folder, atomically: it is there whole or not at all."""
    tensors: dict[str, Tensor] = {}
    state = json.dumps(flatten(tree, tensors), allow_nan=True).encode()
    files = {TENSORS: save_tensors(tensors), STATE: state}
    manifest = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    temporary = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        for name, data in {**files, MANIFEST: json.dumps(manifest, indent=1).encode()}.items():
            write_synced(temporary / name, data)
        sync_folder(temporary)
        _replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(folder.parent)


def _replace(new: Path, folder: Path) -> None:
    """Rename a folder to its place; an old one there is moved aside first, then removed."""
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(checkpoints: Path) -> None:
    """Clean up after a kill amid `write`; an old checkpoint without its successor is put back."""
    for old in checkpoints.glob(".*.old"):
        place = old.with_name(old.name.removeprefix(".").removesuffix(".old"))
        if not place.exists():
            os.rename(old, place)
    for path in [*checkpoints.glob(".*.old"), *checkpoints.glob(".*.partial")]:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)


@dataclass(frozen=True)
class Checkpoint:
    """A whole checkpoint as it was read.

    Attributes:
        step: at which it was written.
        digest: SHA-256 (hex) of its content.
        tree: what it holds, in today's words.
        damaged: what is wrong with newer ones, one line each.
    """

    step: int
    digest: str
    tree: dict[str, Any]
    damaged: tuple[str, ...] = ()


def load(folder: Path) -> Checkpoint:
    """Read a run's checkpoint folder, verifying each file's checksum; its weights are hashed once.

    Raises:
        CheckpointDamaged: a file is missing, truncated or altered.
    """
    files, digest = _whole_files(folder)
    # A run that went on keeps checkpoints of several formats: what is there already stays.
    tree = migrated(_tree(files), 1, Part.state)
    return Checkpoint(int(folder.name.partition("-")[0]), digest, tree)


def read(folder: Path) -> dict[str, Any]:
    """What a folder that `write` made holds. Raises CheckpointDamaged as `load` does."""
    return _tree(_whole_files(folder)[0])


def _whole_files(folder: Path) -> tuple[dict[str, bytes], str]:
    """The files of a checkpoint folder, each verified against its checksum; the digest of all."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        files = {name: (folder / name).read_bytes() for name in (TENSORS, STATE)}
        digest = hashlib.sha256(files[TENSORS])
        sums = {TENSORS: digest.hexdigest(), STATE: hashlib.sha256(files[STATE]).hexdigest()}
        for name, found in sums.items():
            if found != manifest[name]:
                raise CheckpointDamaged(f"{name} does not match its checksum")
    except FileNotFoundError as error:
        raise CheckpointDamaged(f"{Path(error.filename).name} is missing") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointDamaged(f"it cannot be read ({error})") from error
    digest.update(files[STATE])
    return files, digest.hexdigest()


def _tree(files: dict[str, bytes]) -> dict[str, Any]:
    try:
        tree = unflatten(json.loads(files[STATE]), load_tensors(files[TENSORS]))
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise CheckpointDamaged(f"it cannot be read ({error})") from error
    if not isinstance(tree, dict):
        raise CheckpointDamaged("its state is not a mapping")
    return tree


def folders(checkpoints: Path) -> list[Path]:
    """All checkpoint folders, oldest first: STEP, or STEP-PHASE at the end of a phase."""
    return sorted(checkpoints.glob("[0-9]*"))


def save(checkpoints: Path, tree: dict[str, Any], step: int, phase: str | None, keep: int) -> Path:
    """Write the checkpoint of a step; only the last `keep` that do not end a phase stay."""
    folder = checkpoints / (f"{step:09d}" + (f"-{phase}" if phase else ""))
    write(folder, tree)
    passing = [path for path in folders(checkpoints) if "-" not in path.name]
    for old in passing[:-keep]:
        shutil.rmtree(old)
    return folder


def newest(checkpoints: Path, phase: str | None) -> tuple[Checkpoint | None, list[str]]:
    """The newest whole checkpoint (of a phase's end), and what was damaged on the way to it."""
    damaged: list[str] = []
    for folder in reversed(folders(checkpoints)):
        if phase is not None and not folder.name.endswith(f"-{phase}"):
            continue
        try:
            return load(folder), damaged
        except CheckpointDamaged as error:
            damaged.append(f"checkpoint {folder.name} is damaged: {error}")
    return None, damaged
