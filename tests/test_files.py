"""Files that are there whole or not at all, and what is said when they cannot be."""

import fcntl
import os
import runpy
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import gantext.files
from gantext.errors import UserError
from gantext.files import Held, attempt, check_output, hold, is_held, write_output
from tests.conftest import environment


def test_a_failed_deed_is_one_line() -> None:
    with pytest.raises(UserError, match=r"^cannot read a\.txt: No such file or directory$"):
        with attempt("read a.txt"), open("/nowhere/a.txt"):
            pass
    with pytest.raises(ValueError, match="mine"), attempt("read a.txt"):
        raise ValueError("mine")


def test_an_output_is_whole_or_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    path = tmp_path / "new" / "a.txt"
    write_output(path, b"one")
    write_output(path, b"two")
    assert path.read_bytes() == b"two" and list(path.parent.iterdir()) == [path]
    below_a_file = path / "b.txt"
    with pytest.raises(UserError, match=r"^cannot write .*b\.txt: not a file in a folder"):
        write_output(below_a_file, b"three")
    assert path.read_bytes() == b"two"


def test_an_output_is_refused_before_the_work_for_it(tmp_path: Path) -> None:
    check_output(tmp_path / "a.txt")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        for path in (tmp_path, tmp_path / "nowhere" / "a.txt", tmp_path / "s"):
            for refuse in (check_output, lambda path: write_output(path, b"x")):
                with pytest.raises(UserError, match="not a file in a folder that is there"):
                    refuse(path)


def test_a_file_is_held_where_there_is_no_fcntl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Windows' lock of one byte, played by flock: both are let go of with their open file."""
    path = tmp_path / "lock"

    def locking(descriptor: int, mode: int, count: int) -> None:
        assert (mode, count) == (2, 1)
        assert os.lseek(descriptor, 0, os.SEEK_CUR) > path.stat().st_size + 20
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.setattr(sys, "platform", "win32")
    runpy.run_path(gantext.files.__file__)
    for _ in range(2):
        with hold(path):
            assert is_held(path) and path.read_text() == str(os.getpid())
            with pytest.raises(Held, match=str(os.getpid())), hold(path):
                pass
        assert not is_held(path)


def test_a_killed_holder_holds_no_more(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom gantext.files import hold\n"
        "with hold(pathlib.Path(sys.argv[1])):\n print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout is not None and child.stdout.readline() == b"held\n"
    assert is_held(tmp_path / "lock")
    with pytest.raises(Held, match=str(child.pid)), hold(tmp_path / "lock"):
        pass
    child.kill()
    child.communicate()
    assert not is_held(tmp_path / "lock")
    with hold(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
