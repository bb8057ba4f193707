"""Damaged files of every kind: read all the same, or refused in one line, and quickly.

A short round of fixed seeds is among the tests; `make fuzz` goes on with seeds of its own, prints
them, and keeps each file that was read wrongly in .fuzz/.
"""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fuzz import data_files, run_files
from tests.fuzz.kind import FOUND, at_length, short
from tests.fuzz.loader import Loader

LOADERS = [*run_files.FILES, *data_files.FILES]
SHORT = 20


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with whole files of all kinds."""
    folder = tmp_path_factory.mktemp("files")
    run_files.place(folder)
    data_files.place(folder)
    return folder


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Without what is said of files that can be read."""
    caplog.set_level("CRITICAL", "gantext")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("loader", LOADERS, ids=lambda one: one.name)
def test_whole_files_are_read(files: Path, loader: Loader) -> None:
    loader.read(files / loader.file)


@pytest.mark.parametrize("loader", LOADERS, ids=lambda one: one.name)
def test_damaged_files_are_read_or_refused(files: Path, loader: Loader) -> None:
    assert not short([loader.kind(files)], SHORT)


def test_files_at_length(seconds: float, files: Path, changes: Callable[[Path], None]) -> None:
    changes(FOUND)
    assert not at_length([loader.kind(files) for loader in LOADERS], 0.6 * seconds)
