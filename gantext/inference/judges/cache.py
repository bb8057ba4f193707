"""Networks that judge samples: trained once on the data, then kept in the user's cache folder."""

import contextlib
import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gantext.data.download import cache_folder
from gantext.files import Held, hold
from gantext.runs import checkpoint
from gantext.runs.stored_checkpoint import CheckpointDamaged

State = dict[str, Any]
PAUSE = 0.2  # seconds between looks at a lock


def judges_folder() -> Path:
    """Where trained judges and classifiers are kept."""
    return cache_folder() / "judges"


def cached_weights(folder: Path, train: Callable[[], State]) -> State:
    """Read what `train` gave before in this folder; train where it is missing or damaged.

    The folder's name must say all that decides the result: data, seed, version of the code. Of
    several processes, as of a sweep, one trains and the others wait for it. Where the folder
    cannot be written, nothing is kept.

    Args:
        folder: of this network alone.
        train: -> a tree of tensors and plain values, as in a checkpoint.
    """
    kept = _read(folder)
    if kept is not None:
        return kept
    with contextlib.suppress(OSError):
        folder.parent.mkdir(parents=True)
    if not os.access(folder.parent, os.W_OK):
        return train()
    with _turn(folder.parent / f".{folder.name}.lock"):
        kept = _read(folder)  # another process may have trained it meanwhile
        if kept is None:
            kept = train()
            checkpoint.write(folder, kept)
    return kept


def cache_name(*parts: str | int) -> str:
    """A folder's name for all that decides a network: 16 digits of a hash."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:16]


def _read(folder: Path) -> State | None:
    try:
        return checkpoint.read(folder)
    except CheckpointDamaged:
        return None


@contextlib.contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Hold a file, after whoever holds it now."""
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(hold(path))
                break
            except Held:
                time.sleep(PAUSE)
        yield
