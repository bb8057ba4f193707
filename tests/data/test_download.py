"""Finding files, and downloading them from a server on this machine."""

import errno
import hashlib
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import pytest

from gantext.data import download
from gantext.data.download import Remote, cache_folder, find, locate
from gantext.errors import UserError

CONTENT = b"a wheel\n" * 30_000  # several chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/whole sends everything, /cut promises more than it sends, /open says no length."""

    def do_GET(self) -> None:
        if self.path not in ("/whole", "/cut", "/open"):
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        if self.path != "/open":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:100_000] if self.path == "/cut" else CONTENT)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    thread.join()
    served.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this test's own; no proxy, no data folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GANTEXT_DATA", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache" / "gantext"


def left(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def refused(file: Remote) -> str:
    with pytest.raises(UserError) as caught:
        locate(file)
    message = str(caught.value)
    assert "\n" not in message
    return message


def refused_download(file: Remote, cache: Path, reason: str) -> None:
    """The message gives the reason and where to put the file; nothing is left behind."""
    assert refused(file) == (
        f"download of {file.url} failed ({reason}): put the file by hand at"
        f" {cache / file.path} (sha256 {file.sha256})"
    )
    assert left(cache) == []


def test_downloaded_once_then_found(server: str, cache: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    file = Remote("set/a.txt", f"{server}/whole", SHA256)
    assert find(file) is None
    path = locate(file, lambda *step: seen.append(step))
    assert path == cache / "set" / "a.txt"
    assert path.read_bytes() == CONTENT
    assert left(cache) == ["set/a.txt"]
    assert seen[-1] == ("set/a.txt", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})
    assert len(seen) > 1
    seen.clear()
    # The second time the server is not asked.
    again = locate(Remote("set/a.txt", "http://127.0.0.1:1/", SHA256), lambda *s: seen.append(s))
    assert (again, seen) == (path, [])


def test_a_server_that_says_no_length(server: str, cache: Path) -> None:
    seen: list[int | None] = []
    path = locate(Remote("a", f"{server}/open", SHA256), lambda _n, _d, total: seen.append(total))
    assert path.read_bytes() == CONTENT
    assert set(seen) == {None}


def test_wrong_hash(server: str, cache: Path) -> None:
    file = Remote("a.txt", f"{server}/whole", "0" * 64)
    refused_download(file, cache, f"its sha256 is {SHA256}, not the expected one")


def test_not_found(server: str, cache: Path) -> None:
    refused_download(Remote("a.txt", f"{server}/gone", SHA256), cache, "HTTP Error 404: Not Found")


@pytest.mark.parametrize("sha256", [SHA256, "1" * 64])
def test_truncated(server: str, cache: Path, sha256: str) -> None:
    file = Remote("a.txt", f"{server}/cut", sha256)
    refused_download(file, cache, f"100000 of {len(CONTENT)} bytes came")


def test_no_server(cache: Path) -> None:
    refused_download(Remote("a.txt", "http://127.0.0.1:1/a", SHA256), cache, "Connection refused")


def test_not_a_url(cache: Path) -> None:
    refused_download(Remote("a.txt", "nowhere", SHA256), cache, "unknown url type: 'nowhere'")


def test_full_disk(server: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second chunk finds no space: what the first one wrote is removed."""

    class Full:
        def __init__(self, handle: BinaryIO) -> None:
            self.handle, self.written = handle, 0

        def write(self, chunk: bytes) -> int:
            if self.written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.written += self.handle.write(chunk)
            self.handle.flush()
            assert len(left(cache)) == 1
            return self.written

    whole = download._fetch
    monkeypatch.setattr(
        download, "_fetch", lambda file, handle, progress: whole(file, Full(handle), progress)
    )
    file = Remote("a.txt", f"{server}/whole", SHA256)
    refused_download(file, cache, "No space left on device")


def test_full_disk_found_only_at_fsync(
    server: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    file = Remote("a.txt", f"{server}/whole", SHA256)
    refused_download(file, cache, "No space left on device")


def test_interrupted(server: str, cache: Path) -> None:
    """Ctrl-C goes through, and takes the partial file with it."""

    def interrupt(*_step: object) -> None:
        assert len(left(cache)) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        locate(Remote("a.txt", f"{server}/whole", SHA256), interrupt)
    assert left(cache) == []


def test_cache_folder_that_cannot_be_made(server: str, cache: Path) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    message = refused(Remote("a.txt", f"{server}/whole", SHA256))
    assert f"put the file by hand at {cache / 'a.txt'}" in message


def test_no_url_says_where_to_put_it(cache: Path) -> None:
    assert refused(Remote("a/b.npz", "", "")) == (
        f"no a/b.npz under $GANTEXT_DATA or {cache}: put the file by hand at {cache}/a/b.npz"
    )


def test_data_folder_comes_before_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    monkeypatch.setenv("GANTEXT_DATA", str(own))
    file = Remote("a.txt", "", hashlib.sha256(b"x").hexdigest())
    for folder in (cache, own):
        folder.mkdir(parents=True)
        (folder / "a.txt").write_bytes(b"x")
        assert find(file) == locate(file) == folder / "a.txt"


def test_found_file_with_another_content_names_both_hashes(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "a.txt").write_bytes(b"x")
    actual = hashlib.sha256(b"x").hexdigest()
    assert refused(Remote("a.txt", "http://127.0.0.1:1/", SHA256)) == (
        f"{cache}/a.txt is not the expected file: its sha256 is {actual}, not {SHA256};"
        " replace or remove it"
    )
    assert left(cache) == ["a.txt"]
    assert locate(Remote("a.txt", "", "")) == cache / "a.txt"  # any content will do


def test_cache_folder_without_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "gantext"
