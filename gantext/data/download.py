"""Data files: found on this machine, or downloaded once, checked and kept.

What is downloaded and where it is kept may be said by a stranger's config, so names are plain
names below a data folder, addresses are https, and no file comes without a checksum.
"""

import hashlib
import http.client
import ipaddress
import os
import re
import signal
import tempfile
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any, BinaryIO
from urllib.error import URLError
from urllib.parse import urlsplit

from gantext.errors import UserError
from gantext.files import attempt

# progress(name of the file, bytes so far, bytes in all or None when the server does not say)
Progress = Callable[[str, int, int | None], None]

_CHUNK = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte
_MOST = 1 << 30  # bytes of a file of which no size is known
_SPARE = 1.01  # of a size that is known
# A part of a name: no drive, backslash, control or other odd character, no part of dots alone.
_PLAIN = re.compile(r"(?!\.+$)[^\\:~\x00-\x1f\x7f]+")


@dataclass(frozen=True)
class Remote:
    """A data file: its place under a data folder, where it comes from, what it must hold.

    url: "" when it cannot be downloaded. sha256: hex digest, "" when it is put there by hand.
    others: other places of it; one with another name (unpacked) is not checked by the sha256.
    hint: what to say besides when it cannot be had.
    size: in bytes, 0 where it is not known.

    Raises:
        UserError: a place is no plain name below a folder, as "a/b.txt" is.
    """

    path: str
    url: str
    sha256: str
    others: tuple[str, ...] = ()
    hint: str = ""
    size: int = 0

    def __post_init__(self) -> None:
        for path in (self.path, *self.others):
            if not all(map(_PLAIN.fullmatch, path.split("/"))):
                raise UserError(f"{path!r} is no plain name of a file below the data folder")

    @property
    def most(self) -> int:
        """Bytes after which a download is given up."""
        return int(self.size * _SPARE) if self.size else _MOST


def cache_folder() -> Path:
    """Return the folder for downloads: $XDG_CACHE_HOME/gantext, else ~/.cache/gantext."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gantext"


class Missing(UserError):
    """A file that is nowhere; `words` are said before how to put it there by hand."""

    def __init__(self, file: Remote, words: str = "") -> None:
        lost = f"no {file.path} under $GANTEXT_DATA or {cache_folder()}"
        super().__init__(f"{lost}: {words}{_by_hand(file)}")
        self.file = file


def find(file: Remote) -> Path | None:
    """Return where `file` lies on this machine, unchecked: $GANTEXT_DATA first, then the cache."""
    own = os.environ.get("GANTEXT_DATA")
    folders = [Path(own).expanduser(), cache_folder()] if own else [cache_folder()]
    places = [folder / path for folder in folders for path in (file.path, *file.others)]
    return next((place for place in places if place.is_file()), None)


def locate(file: Remote) -> Path:
    """Return the path of `file` on this machine, checked against its sha256; fetches nothing.

    Raises UserError, in one line, when the content is wrong, and Missing when it is nowhere.
    """
    place = find(file)
    if place is None:
        raise Missing(file)
    if place.name != Path(file.path).name:
        return place
    actual = _sha256(place)
    if file.sha256 and actual != file.sha256:
        raise UserError(
            f"{place} is not the expected file: its sha256 is {actual}, not {file.sha256};"
            " replace or remove it"
        )
    return place


def fetch(file: Remote, progress: Progress | None = None) -> Path:
    """As `locate`, but download `file` if it is nowhere and has an address.

    Raises UserError, in one line, when the content is wrong or the download fails; nothing
    half-written stays behind, whatever ends it but SIGKILL.
    """
    there = find(file) is not None
    return locate(file) if there or not file.url else _download(file, progress)


def _by_hand(file: Remote) -> str:
    said = f"put the file by hand at {cache_folder() / file.path}"
    said += f" (sha256 {file.sha256})" if file.sha256 else ""
    return said + (f"; {file.hint}" if file.hint else "")


def _sha256(path: Path) -> str:
    with attempt(f"read {path}"), path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _download(file: Remote, progress: Progress | None) -> Path:
    target = cache_folder() / file.path
    try:
        if not file.sha256:
            raise OSError("nothing is downloaded without a sha256")
        _check_url(file.url)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _ended_by_signals(), _partial(target) as (handle, name):
            _fetch(file, handle, progress)
            handle.flush()
            os.fsync(handle.fileno())
            os.replace(name, target)
    # ValueError: urllib's own for something that is not a URL.
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = _reason(error)
        raise UserError(f"download of {file.url} failed ({why}): {_by_hand(file)}") from error
    return target


def _check_url(url: str) -> None:
    """Refuse all but https, and http to this machine itself. Raises OSError."""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise OSError("only https addresses are fetched")


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where `_check_url` lets one go, and never from https to http."""

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        _check_url(newurl)
        if urlsplit(req.full_url).scheme == "https" != urlsplit(newurl).scheme:
            raise OSError("it is redirected away from https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Of http and https alone: urllib's usual one opens files, ftp and data too."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block by SystemExit, unless somebody else sees to them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL
    ]
    for number in numbers:
        signal.signal(number, _exit)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def _exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


@contextmanager
def _partial(target: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Open a temporary file beside `target`; it is removed whatever goes wrong, Ctrl-C too."""
    number, text = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    name = Path(text)
    try:
        with os.fdopen(number, "wb") as handle:
            yield handle, name
    finally:
        name.unlink(missing_ok=True)  # already renamed when all went well


def _fetch(file: Remote, handle: BinaryIO, progress: Progress | None) -> None:
    """Copy the URL into `handle`; OSError when it is cut short or its sha256 differs."""
    digest = hashlib.sha256()
    done = 0
    with _opener().open(file.url, timeout=_TIMEOUT) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        _check_size(file, total or 0)
        while chunk := response.read(_CHUNK):
            done += len(chunk)
            _check_size(file, done)
            handle.write(chunk)
            digest.update(chunk)
            if progress is not None:
                progress(file.path, done, total)
    if total is not None and done != total:
        raise OSError(f"{done} of {total} bytes came")
    if file.sha256 and digest.hexdigest() != file.sha256:
        raise OSError(f"its sha256 is {digest.hexdigest()}, not the expected one")


def _check_size(file: Remote, size: int) -> None:
    if size > file.most:
        what = f"the {file.size:,} that it should have" if file.size else f"{_MOST:,}"
        raise OSError(f"it has more bytes than {what}")


def _reason(error: BaseException) -> str:
    if isinstance(error, URLError) and isinstance(error.reason, OSError):
        error = error.reason
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
