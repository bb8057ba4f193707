"""The folder that runs lie in: opening one by its name, the latest one, lists of all."""

import contextlib
import logging
import os
from pathlib import Path

from gantext.config.words import LATEST, command
from gantext.errors import UserError, nearest
from gantext.runs.folder import CONFIG, RunDir

logger = logging.getLogger(__name__)


def find_at(spec: str | None, runs_dir: Path) -> tuple[RunDir, str | None]:
    """Open RUN or RUN@PHASE (None: the latest): the run, and the phase if one is named.

    A run may have an @ in its name: what is a run's folder as a whole names no phase, and a
    phase is what stands behind the last @.
    """
    if spec and any((place / spec / CONFIG).is_file() for place in (Path(), runs_dir)):
        return find(spec, runs_dir), None
    name, at, phase = (spec or "").rpartition("@")
    if not at or "/" in phase:
        return find(spec or None, runs_dir), None
    return find(name or None, runs_dir), phase or None


def find_trained_at(spec: str | None, runs_dir: Path) -> tuple[RunDir, str | None]:
    """As `find_at`, for who needs weights: the latest run is then the newest that has some."""
    run, phase = find_at(spec, runs_dir)
    name = (spec or LATEST).removesuffix(f"@{phase}")
    if name != LATEST or _has_weights(run):
        return run, phase
    trained = next(filter(_has_weights, reversed(list_runs(runs_dir))), None)
    if trained is None:
        return run, phase
    logger.warning(
        "note: %s has no checkpoint yet; %s, the newest run that has one, is taken",
        run.name_in(runs_dir),
        trained.name_in(runs_dir),
    )
    return trained.readable(), phase


def _has_weights(run: RunDir) -> bool:
    with contextlib.suppress(UserError):  # of links in a stranger's run
        return run.last_checkpoint() is not None
    return False


def find(spec: str | None, runs_dir: Path) -> RunDir:
    """Open a run by path, by its name in `runs_dir` or what only its begins with, or the latest.

    Raises:
        UserError: there is none, several are meant, or it is of a newer format.
    """
    name = spec or LATEST
    for path in (Path(name), runs_dir / name):
        if (path / CONFIG).is_file():
            return RunDir(path.resolve()).readable()
    runs = list_runs(runs_dir)
    if name == LATEST:  # what the link led to was removed or moved, or nothing made one
        if not runs:
            raise UserError(f"there is no run in {runs_dir} yet: start one with gantext train")
        return runs[-1].readable()
    known = {run.name_in(runs_dir): run for run in runs}
    begun = [known_name for known_name in known if known_name.startswith(name)]
    if len(begun) > 1:
        raise UserError(f"'{name}' begins the names of {len(begun)} runs: {', '.join(begun[:4])}")
    if not begun:
        there = f"; those there are: {command('runs', 'list')}" if runs else ""
        raise UserError(f"no run at '{name}'{nearest(name, known) or there}")
    return known[begun[0]].readable()


def mark_latest(run: RunDir, runs_dir: Path) -> None:
    """Let `latest` in `runs_dir` point to a run."""
    link = runs_dir / f".{LATEST}.{os.getpid()}"
    with contextlib.suppress(OSError):
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(run.path, runs_dir))
        os.replace(link, runs_dir / LATEST)


def is_latest(run: RunDir, runs_dir: Path) -> bool:
    """Whether `latest` in `runs_dir` points to a run."""
    return (runs_dir / LATEST).resolve() == run.path.resolve()


def list_runs(runs_dir: Path) -> list[RunDir]:
    """All runs below a folder, sweeps' jobs too, oldest first."""
    return [RunDir(Path(folder)) for folder in run_folders(runs_dir)]


def run_folders(runs_dir: Path) -> list[str]:
    """The real paths of the folders of `list_runs`."""
    written: dict[str, int] = {}  # when the config of each was
    for folder in _folders_in(os.path.realpath(runs_dir)):
        if not _take(folder, written):  # no run, so runs may lie in it
            for path in _folders_in(folder):
                _take(path, written)
    return sorted(written, key=lambda path: (written[path], path))


def _take(path: str, written: dict[str, int]) -> bool:
    """Note when the config of a folder was written; whether it has one."""
    with contextlib.suppress(OSError):
        written[path] = os.stat(f"{path}/{CONFIG}").st_mtime_ns
    return path in written


def _folders_in(folder: str) -> list[str]:
    """The real paths of the folders in one; none where it is none or cannot be looked into."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        inner = [entry for entry in entries if entry.is_dir()]
        return [os.path.realpath(e.path) if e.is_symlink() else e.path for e in inner]
    return []
