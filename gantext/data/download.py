"""Data files: found on this machine, or downloaded once, checked and kept."""

import hashlib
import http.client
import os
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gantext.errors import UserError
from gantext.files import attempt

# progress(name of the file, bytes so far, bytes in all or None when the server does not say)
Progress = Callable[[str, int, int | None], None]

_CHUNK = 1 << 16
_TIMEOUT = 30.0  # seconds without a byte


@dataclass(frozen=True)
class Remote:
    """A data file: its place under a data folder, where it comes from, what it must hold.

    url: "" when it cannot be downloaded. sha256: hex digest, "" when any content will do.
    others: other places of it; one with another name (unpacked) is not checked by the sha256.
    hint: what to say besides when it cannot be had.
    """

    path: str
    url: str
    sha256: str
    others: tuple[str, ...] = ()
    hint: str = ""


def cache_folder() -> Path:
    """Return the folder for downloads: $XDG_CACHE_HOME/gantext, else ~/.cache/gantext."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "gantext"


def find(file: Remote) -> Path | None:
    """Return where `file` lies on this machine, unchecked: $GANTEXT_DATA first, then the cache."""
    own = os.environ.get("GANTEXT_DATA")
    folders = [Path(own).expanduser(), cache_folder()] if own else [cache_folder()]
    places = [folder / path for folder in folders for path in (file.path, *file.others)]
    return next((place for place in places if place.is_file()), None)


def locate(file: Remote, progress: Progress | None = None) -> Path:
    """Return the path of `file`, checked against its sha256; download it if it is nowhere.

    Raises UserError, in one line, when the content is wrong or the download fails; nothing
    half-written stays behind.
    """
    found = find(file)
    if found is None:
        return _download(file, progress)
    if found.name != Path(file.path).name:
        return found
    actual = _sha256(found)
    if file.sha256 and actual != file.sha256:
        raise UserError(
            f"{found} is not the expected file: its sha256 is {actual}, not {file.sha256};"
            " replace or remove it"
        )
    return found


def _sha256(path: Path) -> str:
    with attempt(f"read {path}"), path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _download(file: Remote, progress: Progress | None) -> Path:
    target = cache_folder() / file.path
    by_hand = f"put the file by hand at {target}"
    if file.sha256:
        by_hand += f" (sha256 {file.sha256})"
    if file.hint:
        by_hand += f"; {file.hint}"
    if not file.url:
        raise UserError(f"no {file.path} under $GANTEXT_DATA or {cache_folder()}: {by_hand}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _partial(target) as (handle, name):
            _fetch(file, handle, progress)
            handle.flush()
            os.fsync(handle.fileno())
            os.replace(name, target)
    # ValueError: urllib's own for something that is not a URL.
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UserError(f"download of {file.url} failed ({_reason(error)}): {by_hand}") from error
    return target


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
    with urllib.request.urlopen(file.url, timeout=_TIMEOUT) as response:
        length = response.headers.get("Content-Length")
        total = int(length) if length else None
        while chunk := response.read(_CHUNK):
            handle.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(file.path, done, total)
    if total is not None and done != total:
        raise OSError(f"{done} of {total} bytes came")
    if file.sha256 and digest.hexdigest() != file.sha256:
        raise OSError(f"its sha256 is {digest.hexdigest()}, not the expected one")


def _reason(error: BaseException) -> str:
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, OSError):
        error = error.reason
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
