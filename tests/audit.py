"""Notes what a test writes, renames, removes or fetches elsewhere than where it said it would.

Python's audit hooks see such calls of this process, whoever makes them. They see no other process:
what the command line does in one of its own is tried in this process too, by the fixture `cli`.
"""

import ipaddress
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
# Where libraries and pytest write whatever the test is about.
ALWAYS = (
    Path(os.devnull),
    Path("/dev/pts"),  # pseudo-terminals of a test's own
    Path("/dev/shm"),  # torch's shared memory
    ROOT / ".pytest_cache",
    ROOT / ".hypothesis",
    CACHE / "matplotlib",  # its list of the machine's fonts
    Path.home() / ".config" / "matplotlib",
    CACHE / "torch",  # compiled kernels
    CACHE / "huggingface",  # locks of the sentence encoder's library
    CACHE / "selenium",
    Path(tempfile.gettempdir()) / f"torchinductor_{os.environ.get('USER', 'root')}",
)
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Watch:
    """What the test that runs may change, and what it has changed elsewhere."""

    def __init__(self) -> None:
        self.running = False
        self.named: list[Path] = []
        self.trespasses: list[str] = []

    def begin(self, *folders: Path) -> None:
        """Watch a test that may change what lies in these folders."""
        self.named = [*ALWAYS, *map(Path.resolve, folders)]
        self.trespasses, self.running = [], True

    def end(self) -> list[str]:
        """Stop; what was changed elsewhere."""
        self.running = False
        return self.trespasses

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Note an event where it is a trespass."""
        if not self.running or event not in EVENTS:
            return
        self.running = False  # what is looked at here makes events too
        try:
            self.trespasses += [
                f"{event} {place}"
                for place in EVENTS[event](*args)
                if not (self._is_named(place) or _leads_there(event, place))
            ]
        finally:
            self.running = True

    def _is_named(self, place: Path | None) -> bool:
        return (
            place is None
            or "__pycache__" in place.parts
            or any(place.is_relative_to(folder) for folder in self.named)
        )


def _leads_there(event: str, place: Path | None) -> bool:
    """Whether a folder is made in which a library makes its own, as in a new user's home."""
    return event == "os.mkdir" and any(each.is_relative_to(place or each) for each in ALWAYS)


def _place(path: Any, folder: int = -1, follow: bool = False) -> Path | None:
    """The real path of what a call names, below a folder's descriptor if one is given."""
    if isinstance(path, int) or path is None:
        return None  # open already
    try:
        base = os.readlink(f"/proc/self/fd/{folder}") if folder >= 0 else os.getcwd()
    except OSError:  # a system without /proc, or a folder that is gone
        return None
    whole = Path(base, os.fsdecode(path))
    if follow:
        return Path(os.path.realpath(whole))
    return Path(os.path.realpath(whole.parent), whole.name)


def _opened(path: Any, _mode: Any, flags: int) -> list[Path | None]:
    if not flags & WRITING:
        return []
    # The event does not say below which descriptor: where gantext has one it is called `place`.
    caller, folder = sys._getframe(3), None
    if isinstance(path, str) and not os.path.isabs(path) and "gantext" in caller.f_code.co_filename:
        folder = caller.f_locals.get("place")
    return [_place(path, folder if isinstance(folder, int) else -1, follow=True)]


def _fetched(address: Any) -> list[Path | None]:
    host = address[0] if isinstance(address, tuple) else "localhost"  # a socket in a file
    return [] if _is_here(host) else [Path("/network", str(host))]


def _is_here(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


EVENTS: dict[str, Callable[..., list[Path | None]]] = {
    "open": _opened,
    "os.rename": lambda old, new, at, to: [_place(old, at), _place(new, to)],
    "os.remove": lambda path, at: [_place(path, at)],
    "os.rmdir": lambda path, at: [_place(path, at)],
    "os.mkdir": lambda path, _mode, at: [_place(path, at)],
    "os.symlink": lambda _target, path, at: [_place(path, at)],
    "os.link": lambda _old, new, _at, to: [_place(new, to)],
    "os.truncate": lambda path, _length: [_place(path, follow=True)],
    "os.chmod": lambda path, _mode, at: [_place(path, at)],
    "socket.connect": lambda _socket, address: _fetched(address),
    "urllib.Request": lambda url, *_: _fetched((urlsplit(url).hostname,)),
}

WATCH = Watch()
sys.addaudithook(WATCH.hook)
