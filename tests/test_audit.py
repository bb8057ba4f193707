"""The watch over tests sees each way to change a file or to fetch."""

import contextlib
import os
import shutil
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gantext.files import write_atomic, write_inside
from tests.audit import WATCH, Watch


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[list[str]]:
    """What is noted of the folder `tmp_path`, were it none that the test named."""
    WATCH.named = [place for place in WATCH.named if not tmp_path.is_relative_to(place)]
    yield WATCH.trespasses
    WATCH.trespasses.clear()


DEEDS: dict[str, Callable[[Path], object]] = {
    "open": lambda path: path.write_text("x"),
    "append": lambda path: os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)),
    "through a link": lambda path: (path.parent / "link").write_text("x"),
    "rename": lambda path: os.rename(path.parent / "old", path),
    "remove": lambda path: os.remove(path.parent / "old"),
    "mkdir": lambda path: path.mkdir(),
    "rmdir": lambda path: (path.parent / "folder").rmdir(),
    "rmtree": lambda path: shutil.rmtree(path.parent / "folder"),
    "symlink": lambda path: path.symlink_to("old"),
    "link": lambda path: os.link(path.parent / "old", path),
    "truncate": lambda path: os.truncate(path.parent / "old", 0),
    "copy": lambda path: shutil.copy(path.parent / "old", path),
    "write_atomic": lambda path: write_atomic(path, b"x"),
    "write_inside": lambda path: write_inside(path.parent, path, b"x"),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_a_change_is_seen(tmp_path: Path, seen: list[str], deed: str) -> None:
    (tmp_path / "old").write_text("old")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("old")
    seen.clear()
    DEEDS[deed](tmp_path / "new")
    assert seen and all(str(tmp_path) in one for one in seen)


def test_reading_is_no_change(tmp_path: Path, seen: list[str]) -> None:
    (tmp_path / "old").write_text("old")
    seen.clear()
    assert (tmp_path / "old").read_text() == "old" and os.listdir(tmp_path)
    assert seen == []


def test_fetching_is_seen(seen: list[str]) -> None:
    """Nothing is sent: the socket is closed, and no proxy or server is asked."""
    closed = socket.socket()
    closed.close()
    for address in (("192.0.2.1", 80), ("127.0.0.1", 80)):
        with contextlib.suppress(OSError):
            closed.connect(address)
    assert seen == ["socket.connect /network/192.0.2.1"]
    seen.clear()
    with contextlib.suppress(OSError):
        urllib.request.OpenerDirector().open("https://example.org/")
    assert seen == ["urllib.Request /network/example.org"]


def test_a_folder_that_is_named_may_change(
    tmp_path: Path, seen: list[str], changes: Callable[[Path], None]
) -> None:
    changes(tmp_path)
    (tmp_path / "new").write_text("x")
    assert seen == []


def test_nothing_is_noted_between_tests(tmp_path: Path) -> None:
    watch = Watch()
    watch.hook("os.rmdir", (str(tmp_path), -1))
    assert watch.trespasses == []
    watch.begin()
    watch.hook("os.rmdir", (str(tmp_path), -1))
    assert watch.end() == [f"os.rmdir {tmp_path.resolve()}"]
