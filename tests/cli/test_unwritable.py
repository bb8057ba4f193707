"""Run folders and a stdout that cannot be written to: one line, and nothing left behind."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gantext import files
from gantext.runs.folder import RunDir
from tests.conftest import Command, environment


def full(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the disk be full from a file of this name on."""
    real = files.write_synced

    def write(place: int, file: str, data: bytes) -> None:
        if name in file:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file)
        real(place, file, data)

    monkeypatch.setattr(files, "write_synced", write)


@pytest.mark.parametrize("name", ["vocabulary", "run.json", "config"])
def test_a_disk_that_is_full_before_there_is_a_run(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    full(monkeypatch, name)
    found = cli("train", *small_mle, "name=r")
    folder = Path("runs/r").resolve()
    said = f"error: cannot write to {folder}: No space left on device"
    assert (found.code, found.errors[-1]) == (2, said) and not list(Path("runs").iterdir())


def test_a_disk_that_is_full_before_there_is_a_lock(
    cli: Command, small_mle: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds the lock cannot be written then; it is held all the same."""

    def no_room(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    full(monkeypatch, "vocabulary")
    monkeypatch.setattr(files.os, "write", no_room)
    found = cli("train", *small_mle, "name=r")
    folder = Path("runs/r").resolve()
    said = f"error: cannot write to {folder}: No space left on device"
    assert (found.code, found.errors[-1]) == (2, said) and not list(Path("runs").iterdir())


@pytest.fixture
def failed(trained: Path, tmp_path: Path) -> RunDir:
    """A run that has failed."""
    run = RunDir(tmp_path / "runs" / "r")
    shutil.copytree(trained, run.path)
    run.update(status="failed")
    return run


def test_a_resume_where_nothing_can_be_written(cli: Command, failed: RunDir) -> None:
    """Tests may run as root, whom no permission stops: a folder stands where the lock is."""
    (failed.path / ".lock").unlink()
    (failed.path / ".lock").mkdir()
    found = cli("train", "--resume", "r")
    said = f"error: cannot write {failed.path}/.lock: Is a directory"
    assert (found.code, found.errors) == (2, [said])


def test_a_disk_that_is_full_at_the_resume(
    cli: Command, failed: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    full(monkeypatch, "run.json")
    found = cli("train", "--resume", "r")
    assert found.code == 2 and found.errors[-1] == (
        f"error: cannot write to {failed.path}: No space left on device; make room, then: "
        f"gantext train --resume {failed.path}"
    )


def test_a_failed_run_is_gone_on_with_whatever_else_lies_in_it(
    cli: Command, failed: RunDir
) -> None:
    """A folder that is named as a half-written file, and a file as a half-written checkpoint: we
    wrote neither.
    """
    (failed.path / ".x.partial").mkdir()
    (failed.checkpoints / ".y.partial").write_text("")
    assert "next: gantext train --resume runs/r" in cli("runs", "list").err
    assert f"next: gantext train --resume {failed.path}" in cli("runs", "show", "r").err
    assert cli("train", "--resume", "r").code == 0 and failed.status == "finished"
    assert (failed.path / ".x.partial").is_dir()
    assert (failed.checkpoints / ".y.partial").is_file()


def limited() -> None:
    """Let no file of the process grow over 100 bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))


def test_a_stdout_that_is_full(tmp_path: Path) -> None:
    with open(tmp_path / "out.txt", "w") as out:
        found = subprocess.run(
            [sys.executable, "-m", "gantext", "--help"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
            preexec_fn=limited,
            check=False,
        )
    assert (found.returncode, found.stderr) == (
        2,
        "error: cannot write to stdout: File too large\n",
    )


def test_a_stdout_that_is_closed(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m gantext runs list --json >&-'
    found = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
        cwd=tmp_path,
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
