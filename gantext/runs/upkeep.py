"""What users do to the folders of runs: remove and rename them, note something, look at sizes."""

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from gantext.config.words import LATEST, check_name
from gantext.errors import UserError
from gantext.files import Held, attempt, hold, is_held
from gantext.runs import listing
from gantext.runs.folder import CONFIG, LOCK, RunDir
from gantext.runs.stored_checkpoint import CheckpointDamaged
from gantext.runs.sweep import PLAN, is_planned

# The folders in a run's that take most of its room.
PARTS = ("checkpoints", "tensorboard", "samples", "plots", "scores")


def check_free(folders: Iterable[Path]) -> None:
    """Refuse runs and sweeps that a process writes now. Raises UserError."""
    for folder in folders:
        for lock in (folder / LOCK, *folder.glob(f"*/{LOCK}")):  # of a sweep's jobs too
            if is_held(lock):
                raise UserError(f"{lock.parent} is in use: only what nobody writes can be removed")


def remove(folder: Path, runs_dir: Path) -> None:
    """Remove a run or a sweep with all that lies in its folder; links in it go, what they lead to
    stays.

    What makes it a run or a sweep goes last, so that one that a kill left half removed can be
    removed again.

    Raises:
        UserError: a process writes it, or it cannot be removed.
    """
    latest = (runs_dir / LATEST).resolve()
    was_latest = latest.is_relative_to(folder.resolve())
    with _held(folder), attempt(f"remove {folder}"):
        last = [folder / name for name in (CONFIG, PLAN, LOCK)]
        for path in folder.iterdir():
            if path in last:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for path in last:
            path.unlink(missing_ok=True)
        folder.rmdir()
    left = listing.list_runs(runs_dir) if was_latest else []
    if left:
        listing.mark_latest(left[-1], runs_dir)


def rename(run: RunDir, name: str, runs_dir: Path) -> RunDir:
    """Give a run's folder another name in the same place.

    Raises:
        UserError: a process writes the run, it is a job of a sweep, the name is none, or something
            has it already.
    """
    check_name(name)
    if is_planned(run.path.parent):
        raise UserError(f"{run.path} is a job of a sweep, whose name is its number")
    renamed = RunDir(run.path.with_name(name))
    was_latest = listing.is_latest(run, runs_dir)
    with _held(run.path), attempt(f"rename {run.path}"):
        if os.path.lexists(renamed.path):
            raise UserError(f"{renamed.path} is there already")
        run.path.rename(renamed.path)
    if was_latest:
        listing.mark_latest(renamed, runs_dir)
    return renamed


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a run or a sweep, whatever lies in it. Raises UserError where a process writes it."""
    try:
        with hold(folder / LOCK):
            yield
    except Held as error:
        raise UserError(f"{folder} is in use by process {error.holder}") from error


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of a run by the folder in it that they lie in, files beside these as 'others'.

    What checkpoints share counts once.
    """
    found: Counter[str] = Counter()
    seen: set[tuple[int, int]] = set()
    for place, _, names, descriptor in os.fwalk(folder):
        parts = Path(place).relative_to(folder).parts
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a run that trains drops checkpoints
                state = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if (state.st_dev, state.st_ino) not in seen:
                    found[parts[0] if parts else "others"] += state.st_size
                seen.add((state.st_dev, state.st_ino))
    return dict(found)


def slimmable(run: RunDir) -> int:
    """Bytes that `slim` would free of a run, about."""
    from gantext.runs import slimming

    ends = slimming.old_ends(run.checkpoints)
    return sum(slimming.freed(run.checkpoints, folder) for folder in ends)


def slim(run: RunDir) -> int:
    """Reduce the old ends of a run's phases to their weights; the bytes that this has freed.

    Raises:
        UserError: a process writes the run, or one of them is damaged.
    """
    from gantext.runs import slimming

    before = sum(sizes(run.path).values())
    with _held(run.path), attempt(f"write {run.path}"):
        for folder in slimming.old_ends(run.checkpoints):
            try:
                slimming.slim(run.checkpoints, folder)
            except CheckpointDamaged as error:
                raise UserError(f"{folder} is damaged: {error}") from error
    return before - sum(sizes(run.path).values())
