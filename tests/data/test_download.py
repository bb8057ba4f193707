"""Finding files, and downloading them from a server on this machine."""

import contextlib
import errno
import hashlib
import io
import os
import signal
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

import pytest

from gantext.data import download
from gantext.data.download import Remote, cache_folder, fetch, find, locate
from gantext.errors import UserError

CONTENT = b"a wheel\n" * 30_000  # several chunks
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """/whole sends everything, /cut promises more than it sends, /open says no length, /to/URL
    leads to the URL, /endless does not end.
    """

    def do_GET(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            self.end_headers()
            return
        if self.path == "/endless":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):  # the reader has enough
                while True:
                    self.wfile.write(CONTENT)
            return
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
        fetch(file)
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
    path = fetch(file, lambda *step: seen.append(step))
    assert path == cache / "set" / "a.txt"
    assert path.read_bytes() == CONTENT
    assert left(cache) == ["set/a.txt"]
    assert seen[-1] == ("set/a.txt", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in seen] == sorted({done for _, done, _ in seen})
    assert len(seen) > 1
    seen.clear()
    # The second time the server is not asked.
    again = fetch(Remote("set/a.txt", "http://127.0.0.1:1/", SHA256), lambda *s: seen.append(s))
    assert (again, seen) == (path, [])


def test_a_server_that_says_no_length(server: str, cache: Path) -> None:
    seen: list[int | None] = []
    path = fetch(Remote("a", f"{server}/open", SHA256), lambda _n, _d, total: seen.append(total))
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


ONLY_HTTPS = "only https addresses are fetched"


@pytest.mark.parametrize(
    "url", ["nowhere", "file:///etc/hostname", "ftp://127.0.0.1/a", "http://192.0.2.1/a", "data:,a"]
)
def test_only_https_is_fetched(cache: Path, url: str) -> None:
    refused_download(Remote("a.txt", url, SHA256), cache, ONLY_HTTPS)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a", "http://192.0.2.1/"])
def test_no_redirect_leads_away(server: str, cache: Path, url: str) -> None:
    refused_download(Remote("a.txt", f"{server}/to/{url}", SHA256), cache, ONLY_HTTPS)
    said = refused(Remote("a.txt", f"{server}/to/file:///etc/hostname", SHA256))
    assert "to url 'file:///etc/hostname' is not allowed" in said and left(cache) == []


def test_a_redirect_on_this_machine_is_followed(server: str, cache: Path) -> None:
    file = Remote("a.txt", f"{server}/to/{server}/whole", SHA256)
    assert fetch(file).read_bytes() == CONTENT


def test_https_is_not_left_for_this_machine() -> None:
    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(OSError, match="redirected away from https"):
        download._Redirects().redirect_request(
            request, io.BytesIO(), 302, "Found", {}, "http://127.0.0.1/a"
        )


@pytest.mark.parametrize(
    "path",
    ["", "/a", "../a", "a/../../b", "a//b", "./a", "c:/a", "..\\a", "a\\b", "~/a", "a\0b", "a\n"],
)
def test_a_name_is_plain_and_below_the_folder(path: str) -> None:
    with pytest.raises(UserError, match="is no plain name of a file below the data folder"):
        Remote(path, "", "")
    with pytest.raises(UserError, match="is no plain name"):
        Remote("a", "", "", others=(path,))


def test_nothing_is_downloaded_without_a_checksum(server: str, cache: Path) -> None:
    said = refused(Remote("a.txt", f"{server}/whole", ""))
    assert "nothing is downloaded without a sha256" in said and left(cache) == []


def test_a_download_ends_where_the_file_should(
    server: str, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundredth more than its size is read where that is known, else a fixed number of bytes."""
    size = len(CONTENT) // 2
    for way in ("whole", "endless"):
        file = Remote("a.txt", f"{server}/{way}", SHA256, size=size)
        refused_download(file, cache, f"it has more bytes than the {size:,} that it should have")
    monkeypatch.setattr(download, "_MOST", 100_000)
    file = Remote("a.txt", f"{server}/endless", SHA256)
    refused_download(file, cache, "it has more bytes than 100,000")
    assert fetch(Remote("a.txt", f"{server}/whole", SHA256, size=len(CONTENT) - 9)).is_file()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_takes_the_partial_file_with_it(
    server: str, cache: Path, number: signal.Signals
) -> None:
    def send(*_step: object) -> None:
        assert len(left(cache)) == 1
        os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as ended:
        fetch(Remote("a.txt", f"{server}/whole", SHA256), send)
    assert ended.value.code == 128 + number and left(cache) == []
    assert signal.getsignal(number) is before


def test_looking_for_a_file_fetches_nothing(server: str, cache: Path) -> None:
    with pytest.raises(UserError, match=r"^no a\.txt under \$GANTEXT_DATA or .*by hand"):
        locate(Remote("a.txt", f"{server}/whole", SHA256))
    assert not cache.exists()


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
        fetch(Remote("a.txt", f"{server}/whole", SHA256), interrupt)
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
        assert find(file) == fetch(file) == folder / "a.txt"


def test_found_file_with_another_content_names_both_hashes(cache: Path) -> None:
    cache.mkdir(parents=True)
    (cache / "a.txt").write_bytes(b"x")
    actual = hashlib.sha256(b"x").hexdigest()
    assert refused(Remote("a.txt", "http://127.0.0.1:1/", SHA256)) == (
        f"{cache}/a.txt is not the expected file: its sha256 is {actual}, not {SHA256};"
        " replace or remove it"
    )
    assert left(cache) == ["a.txt"]
    assert fetch(Remote("a.txt", "", "")) == cache / "a.txt"  # any content will do


def test_cache_folder_without_the_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "gantext"
