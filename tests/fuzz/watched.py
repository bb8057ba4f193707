"""Work whose end is looked at: what it raised, how long it took, what it held and what it wrote."""

import contextlib
import os
import resource
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gantext.errors import UserError
from tests.audit import ALWAYS, WATCH

SECONDS = 5.0  # of a processor
WAITED = 60  # seconds of the clock, for what waits and computes nothing
MEMORY = 2**30  # bytes more than before
SPARED = 4 * MEMORY  # what is refused by the system, so that a fault costs no other process its own
FAULTS = ("foreign", "hang", "memory", "writes", "wrong")


@dataclass(frozen=True)
class End:
    """How work ended.

    Attributes:
        how: "done", "refused", or one of FAULTS.
        said: the refusal, or what is wrong.
        seconds: of a processor.
    """

    how: str
    said: str
    seconds: float


class Hung(BaseException):
    """Work that took too long; no `except Exception` keeps it."""


def watched(work: Callable[[], str | None], *folders: Path) -> End:
    """Do some work, which may raise UserError, and write in these folders alone.

    It returns what it sees itself to be wrong, or None.
    """
    before, peak = _held(), _peak()
    began = _processor()
    with _limited(before), _alarmed() as rang, _enclosed(folders) as writes:
        how, said = _ended(work)
    seconds = _processor() - began
    if rang:  # whatever became of the exception
        how, said = "hang", f"over {SECONDS:.0f} s of a processor, or {WAITED} s of the clock"
    elif _peak() > max(peak, before + MEMORY):
        how, said = "memory", f"{(_peak() - before) / 2**30:.1f} GiB"
    elif writes:
        how, said = "writes", ", ".join(writes)
    return End(how, said, seconds)


def _ended(work: Callable[[], str | None]) -> tuple[str, str]:
    try:
        fault = work()
    except UserError as error:
        plain = "\n" not in str(error) and any(map(str.isalpha, str(error)))
        return ("refused", str(error)) if plain else ("wrong", f"no one line: {error!r}")
    except (Exception, Hung, SystemExit) as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        return "foreign", f"{type(error).__name__}: {error} ({where})"
    return ("done", "") if fault is None else ("wrong", fault)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak() -> int:
    """The most bytes of memory that this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _pages() -> tuple[int, int]:
    """Pages of addresses, and of memory, that this process has."""
    size, resident = Path("/proc/self/statm").read_text().split()[:2]
    return int(size), int(resident)


def _held() -> int:
    return _pages()[1] * resource.getpagesize()


@contextlib.contextmanager
def _limited(held: int) -> Iterator[None]:
    """Have the system refuse what is far over the limit."""
    least, most = resource.getrlimit(resource.RLIMIT_AS)
    addresses = _pages()[0] * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (addresses + SPARED, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (least, most))


@contextlib.contextmanager
def _alarmed() -> Iterator[list[int]]:
    """Raise Hung in what takes too long; the list then has the signal."""
    rang: list[int] = []

    def ring(number: int, _frame: Any) -> None:
        rang.append(number)
        raise Hung

    timers = {signal.ITIMER_PROF: SECONDS, signal.ITIMER_REAL: WAITED}
    before = {number: signal.signal(number, ring) for number in (signal.SIGPROF, signal.SIGALRM)}
    for timer, seconds in timers.items():
        signal.setitimer(timer, seconds)
    try:
        yield rang
    finally:
        for timer in timers:
            signal.setitimer(timer, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _enclosed(folders: tuple[Path, ...]) -> Iterator[list[str]]:
    """Note what is written, removed or fetched elsewhere than in these folders."""
    was = WATCH.named, WATCH.trespasses
    compiled = Path(tempfile.gettempdir(), f"torchinductor_{os.environ.get('USER', 'root')}")
    WATCH.named = [*ALWAYS, *(Path(os.path.realpath(one)) for one in (compiled, *folders))]
    WATCH.trespasses = []
    writes = WATCH.trespasses
    try:
        yield writes
    finally:
        WATCH.named, WATCH.trespasses = was
