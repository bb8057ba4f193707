"""A run as a folder to be shared: weights alone, in the layout that the hub of Hugging Face takes.

model.safetensors  weights, each by its name     state.json    where each belongs, and plain values
config.yaml        the settings                  manifest.json checksums, the step, phases before it
run.json           what it came of               vocabulary.txt words in the order of their ids
scores/            of the phases                 README.md     the model card

It is a run's folder, read by the same readers; what training would go on with, and what is of the
machine that it ran on (host, command, folders, trackers), is left out.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import Tensor, uint8

from gantext.config import schema
from gantext.errors import UserError
from gantext.files import attempt, visible
from gantext.runs.checkpoint import Checkpoint, packed
from gantext.runs.folder import CONFIG, RunDir
from gantext.runs.state_tree import Tensors, flatten
from gantext.runs.stored_checkpoint import (
    BEST,
    EXPORTED,
    MANIFEST,
    STATE,
    Manifest,
    is_export,
)

STATUS = "exported"  # of such a run
CARD, WORDS = "README.md", "vocabulary.txt"
# Of run.json: what the run came of, and nothing of where it ran.
FACTS = (
    "gantext",
    "torch",
    "created",
    "data",
    "max_length",
    "train_size",
    "class_counts",
    "channels",
    "size",
    "classes",
    "phase",
    "seconds",
    "best",
    "early_ends",
    "policy_on",
    "origin",
)


def export(run: RunDir, found: Checkpoint, phase: str | None, card: str, folder: Path) -> None:
    """Fill a folder, which is there and empty, with the export of a run's checkpoint.

    Args:
        run: the run.
        found: its checkpoint, read without moments.
        phase: at whose end it was written, if one was named.
        card: what README.md is to say.
        folder: to be filled. Raises OSError.
    """
    info, vocabulary = run.info, run.vocabulary
    overrides = [word for word in info.get("overrides", []) if not _is_of_a_place(word)]
    facts: dict[str, Any] = {"status": STATUS, "total": found.step, "overrides": overrides}
    facts |= {key: value for key, value in info.items() if key in FACTS}
    facts |= {} if phase in (None, BEST) else {"phase": phase}
    created = facts.pop("created", None)
    words = None if vocabulary is None else vocabulary.to_json()
    made = RunDir.create(folder, _config(run), words, facts, run.pictures.captions)
    if created is not None:
        made.update(created=created)
    if vocabulary is not None:
        lines = (f"{visible(word)}\n" for word in vocabulary.words)
        made.files.write(folder / WORDS, "".join(lines).encode())
    phases = {name: step for name, step in run.phase_steps().items() if step <= found.step}
    for name in phases:
        document = run.scores(f"phase-{name}")
        if document is not None:
            made.save_scores(
                f"phase-{name}", {k: v for k, v in document.items() if k != "checksum"}
            )
    made.files.write(folder / CARD, card.encode())
    _save_weights(made, found, phases)


def _is_of_a_place(word: str) -> bool:
    return word.lstrip("+").startswith(("name=", "runs_dir=", "from_run=", "force="))


def _config(run: RunDir) -> str:
    """The settings, without where the run lay and what it began with."""
    moved = dataclasses.replace(run.settings, name=None, runs_dir="runs", from_run=None)
    return schema.to_yaml(moved)


def _save_weights(made: RunDir, found: Checkpoint, phases: dict[str, int]) -> None:
    tensors, state = named_weights(found.tree["algorithm"])
    files = {
        EXPORTED: packed(tensors, {"format": "pt"}),
        STATE: json.dumps({"algorithm": state, "total": found.step}).encode(),
    }
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    manifest = Manifest(files=sums, step=found.step, phases=phases)
    for name, data in files.items():
        made.files.write(made.path / name, data)
    made.files.write_json(made.path / MANIFEST, manifest)


def named_weights(algorithm: dict[str, Any]) -> tuple[dict[str, Tensor], Any]:
    """The tensors of a model's state by their dotted names, and the rest of it with these names.

    What stands in it twice, as tied weights and copies do, is there once, under its first name.
    """
    flat = Tensors()
    state = flatten(algorithm, flat)
    found: dict[str, Tensor] = {}
    by_content: dict[object, str] = {}
    for place, reference in _references(state):
        tensor = flat[reference["__tensor__"]]
        content = hashlib.sha256(tensor.reshape(-1).view(uint8).numpy().tobytes()).digest()
        name = by_content.setdefault((tensor.dtype, tensor.shape, content), place)
        found[name] = tensor
        reference["__tensor__"] = name
    return found, state


def _references(state: Any, place: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """What stands for a tensor in a flattened state, each after its dotted name."""
    if isinstance(state, dict) and "__tensor__" in state:
        yield place, state
    pairs = state.items() if isinstance(state, dict) else ()
    for key, value in enumerate(state) if isinstance(state, list) else pairs:
        if isinstance(value, (dict, list)):
            yield from _references(value, f"{place}.{key}".lstrip("."))


# The folder of an export: there whole or not at all.
@contextlib.contextmanager
def placed(folder: Path, force: bool) -> Iterator[Path]:
    """A new folder beside `folder`, which takes its place when the block has filled it.

    Args:
        folder: that is to be there; a missing or an empty one.
        force: it may hold an export, whose files are replaced, and other files, which stay.

    Raises:
        UserError: it holds something else, or cannot be written.
    """
    folder = Path(os.path.realpath(folder))
    check_place(folder, force)
    with attempt(f"write {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        new, old = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ENDS)
        new.mkdir()
        try:
            yield new
            if not folder.exists() or not any(folder.iterdir()):
                new.rename(folder)
            else:
                folder.rename(old)
                new.rename(folder)
                _bring_others(old, folder)
        finally:
            if new.exists():
                shutil.rmtree(new)


ENDS = ("partial", "old")


def check_place(folder: Path, force: bool) -> None:
    """Refuse a place that an export cannot take. Raises UserError."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder")
    if (folder / CONFIG).exists() and not is_export(folder):
        raise UserError(f"{folder} holds a run: an export needs a folder of its own")
    with attempt(f"read {folder}"):
        full = any(folder.iterdir())
    if full and not force:
        raise UserError(
            f"{folder} is not empty: --force replaces what an export has there, and leaves the rest"
        )


def _bring_others(old: Path, folder: Path) -> None:
    """Move what an export does not have, such as .git, to the new folder; the old one goes."""
    run = RunDir(old)
    some_have = (WORDS, "scores", run.vocabulary_file.name, run.pictures.captions_file.name)
    for path in old.iterdir():
        if path.name in some_have or (folder / path.name).exists():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        else:
            path.rename(folder / path.name)
    old.rmdir()
