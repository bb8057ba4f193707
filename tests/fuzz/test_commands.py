"""Command lines of real words and junk: answered, or refused in one line."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gantext.data import download
from gantext.errors import UserError
from tests.conftest import Command, Result
from tests.fuzz import data_files, run_files, words
from tests.fuzz.kind import FOUND, Kind, at_length, short

SHORT = 16


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs and with files of all kinds."""
    folder = tmp_path_factory.mktemp("files")
    run_files.place(folder)
    data_files.place(folder)
    (folder / "latest").symlink_to("gan")
    return folder


@pytest.fixture
def kind(files: Path, cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kind:
    """Command lines, each in a folder as new, without a network."""
    made = words.lines(words.commands(), words.overrides())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(download, "_fetch", _unreachable)

    def line(seed: int) -> list[str]:
        return made(random.Random(f"words/{seed}"))

    def work(line: list[str]) -> str | None:
        for path in tmp_path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(files, tmp_path / "runs", symlinks=True)
        result = cli(*line)
        found = fault(result)
        if found is None and result.code == 2:
            raise UserError(result.errors[-1] if result.errors else "its help")
        return found

    return Kind(
        "command lines", line, work, (tmp_path,), 1, lambda line: json.dumps(line).encode(), ".json"
    )


def _unreachable(*_: object) -> None:
    raise OSError("no network")


def fault(result: Result) -> str | None:
    """What is wrong with how a command ended; None for what is right."""
    errors = [line for line in result.errors if line.startswith("error:")]
    if "Traceback" in result.err + result.out:
        return f"a traceback: {result.err[-300:]}"
    if result.code not in (0, 2):
        return f"exit code {result.code}: {result.err[-300:]}"
    if result.code == 0 and errors:
        return f"exit code 0 with {errors[0]}"
    if result.code == 2 and "Usage:" not in result.out + result.err:
        if len(errors) != 1 or result.errors[-1] != errors[0]:
            return f"no one line of error at the end: {result.err[-300:]!r}"
    return None


def test_command_lines_are_answered_or_refused(kind: Kind) -> None:
    assert not short([kind], SHORT)


def test_commands_at_length(seconds: float, kind: Kind, changes: Callable[[Path], None]) -> None:
    changes(FOUND)
    assert not at_length([kind], 0.2 * seconds)
