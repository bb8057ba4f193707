"""What users do to the folders of runs: remove and rename them, note something, look at sizes."""

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from gantext.config.words import check_name
from gantext.errors import UserError
from gantext.files import Held, attempt, hold, is_held
from gantext.runs import listing
from gantext.runs.folder import CONFIG, LOCK, RunDir

# The folders in a run's that take most of its room.
PARTS = ("checkpoints", "tensorboard", "samples", "plots", "scores")


def check_free(runs: Iterable[RunDir]) -> None:
    """Refuse runs that a process writes now. Raises UserError."""
    for run in runs:
        if is_held(run.path / LOCK):
            raise UserError(f"{run.path} is in use: only a run that nobody writes can be removed")


def remove(run: RunDir, runs_dir: Path) -> None:
    """Remove a run with all that lies in its folder; links in it go, what they lead to stays.

    The config goes last, so that a run that a kill left half removed can be removed again.

    Raises:
        UserError: a process writes the run, or it cannot be removed.
    """
    was_latest = listing.is_latest(run, runs_dir)
    with _held(run), attempt(f"remove {run.path}"):
        for path in run.path.iterdir():
            if path.name in (CONFIG, LOCK):
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for name in (CONFIG, LOCK):
            (run.path / name).unlink(missing_ok=True)
        run.path.rmdir()
    left = listing.list_runs(runs_dir) if was_latest else []
    if left:
        listing.mark_latest(left[-1], runs_dir)


def rename(run: RunDir, name: str, runs_dir: Path) -> RunDir:
    """Give a run's folder another name in the same place.

    Raises:
        UserError: a process writes the run, the name is none, or something has it already.
    """
    check_name(name)
    renamed = RunDir(run.path.with_name(name))
    was_latest = listing.is_latest(run, runs_dir)
    with _held(run), attempt(f"rename {run.path}"):
        if os.path.lexists(renamed.path):
            raise UserError(f"{renamed.path} is there already")
        run.path.rename(renamed.path)
    if was_latest:
        listing.mark_latest(renamed, runs_dir)
    return renamed


@contextlib.contextmanager
def _held(run: RunDir) -> Iterator[None]:
    """Hold a run, whatever lies in its folder. Raises UserError where a process writes it."""
    try:
        with hold(run.path / LOCK):
            yield
    except Held as error:
        raise UserError(f"{run.path} is in use by process {error.holder}") from error


def sizes(run: RunDir) -> dict[str, int]:
    """Bytes of a run by the folder in it that they lie in, files beside these as 'others'."""
    found: Counter[str] = Counter()
    for place, _, names, descriptor in os.fwalk(run.path):
        parts = Path(place).relative_to(run.path).parts
        for name in names:
            with contextlib.suppress(FileNotFoundError):  # a run that trains drops checkpoints
                state = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                found[parts[0] if parts else "others"] += state.st_size
    return dict(found)
