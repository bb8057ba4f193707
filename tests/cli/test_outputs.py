"""--out writes where it points: through links, into pipes, to stdout."""

import os
import threading
from pathlib import Path

from tests.conftest import Command


def read_pipe(path: Path) -> tuple[threading.Thread, list[bytes]]:
    """A reader of a FIFO, as `cat` is; what it has read when it is joined."""
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    return reader, got


def test_a_link_is_written_through(cli: Command, trained: Path, tmp_path: Path) -> None:
    plain = cli("sample", str(trained), "-n", "3").out
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "old.txt").write_text("old")
    for name in ("old.txt", "new.txt"):  # one that is there, and one that is not yet
        link = tmp_path / f"link-{name}"
        link.symlink_to(Path("deep") / name)
        assert cli("sample", str(trained), "-n", "3", "--out", link.name).code == 0
        assert link.is_symlink() and (tmp_path / "deep" / name).read_text() == plain
    lost = tmp_path / "lost"
    lost.symlink_to("nowhere/x.txt")
    found = cli("sample", str(trained), "--out", "lost")
    assert found.code == 2 and "cannot write lost: not a file in a folder" in found.err


def test_a_pipe_is_written_into(cli: Command, trained: Path, tmp_path: Path) -> None:
    plain = cli("sample", str(trained), "-n", "3").out
    reader, got = read_pipe(tmp_path / "pipe")
    assert cli("sample", str(trained), "-n", "3", "--out", "pipe").code == 0
    reader.join(10)
    assert got == [plain.encode()] and (tmp_path / "pipe").is_fifo()


def test_a_dash_is_stdout(cli: Command, trained: Path, tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text("a red circle .\n")
    run = str(trained)
    for words in (["sample", run, "-n", "3"], ["score", run, "s.txt"]):
        plain, dashed = cli(*words), cli(*words, "--out", "-")
        assert dashed.code == 0 and dashed.out == plain.out
        assert not (tmp_path / "-").exists()
        found = cli(*words, "--out", "-", "--json")
        assert (found.code, found.out) == (2, "") and "leave one out" in found.err


def test_stdout_by_its_link(cli: Command, shell: Command, trained: Path, tmp_path: Path) -> None:
    """A link of one's own to the process's stdout, as /dev/stdout is one."""
    (tmp_path / "mine").symlink_to("/proc/self/fd/1")
    plain = cli("sample", str(trained), "-n", "3").out
    found = shell("sample", str(trained), "-n", "3", "--out", "mine")
    assert (found.code, found.out) == (0, plain) and (tmp_path / "mine").is_symlink()


def test_a_figure_goes_into_a_pipe_too(cli: Command, trained_vae: Path, tmp_path: Path) -> None:
    reader, got = read_pipe(tmp_path / "pipe")
    found = cli("latent", str(trained_vae), "-n", "5", "--out", "pipe")
    assert found.code == 0, found.err
    reader.join(10)
    assert got[0].startswith(b"\x89PNG")


def test_a_name_with_brackets_is_said_whole(cli: Command, trained: Path, tmp_path: Path) -> None:
    found = cli("sample", str(trained), "--out", "[x].txt")
    assert found.err == "10 sentences of run in [x].txt\n" and (tmp_path / "[x].txt").is_file()
