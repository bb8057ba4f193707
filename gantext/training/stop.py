"""SIGINT (Ctrl-C), SIGTERM and SIGHUP: what they end at once, and what they wait for.

The first signal decides: the process ends with 128 and its number, whatever comes after it. What
it ends at once depends on what is going on, which the code says by a `Mode`. Later ones change
nothing, but for the third Ctrl-C: it ends a step that takes too long, and never a save.

A signal that is ignored when the process begins, as `nohup` does with SIGHUP, stays ignored.
Nothing heavy is imported here: the command sets its handlers before it loads anything else.
"""

import contextlib
import enum
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
IMPATIENT = 3  # Ctrl-C so many times does not wait for a step


class Interrupted(KeyboardInterrupt):
    """A signal ended what was going on; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(f"{signal.Signals(number).name}")
        self.number = number


class Stopped(BaseException):
    """A run was stopped on request; `number` is the signal that asked for it.

    Not an Exception, so that a sweep stops too; not a KeyboardInterrupt, which Typer swallows.

    Attributes:
        number: of the signal.
        command: that goes on with the run.
        saved: whether all that was done is saved; else it goes on from the checkpoint before.
    """

    def __init__(self, number: int, command: str, saved: bool = True) -> None:
        super().__init__(command)
        self.number, self.command, self.saved = number, command, saved


class Mode(enum.Enum):
    """What a signal does: `leave` ends the process, since nothing has begun that would have to be
    cleaned up; `interrupt` raises Interrupted; `wait` lets the step be done, which then asks for
    `number`; `finish` lets nothing in, the third Ctrl-C neither.
    """

    leave = "leave"
    interrupt = "interrupt"
    wait = "wait"
    finish = "finish"


class StopRequest:
    """The handler of the signals.

    Attributes:
        number: the first that came; None before.
        mode: what they do now.
        settled: the end is decided, and saved: nothing interrupts what is still to be said.
    """

    def __init__(self, mode: Mode = Mode.interrupt) -> None:
        self.number: int | None = None
        self.mode, self.settled = mode, False
        self._times = 0  # of Ctrl-C

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Remember the first signal, and do what the mode says."""
        first = self.number is None
        self.number = number if self.number is None else self.number
        self._times += number == signal.SIGINT
        if number == signal.SIGHUP:
            _let_go_of_dead_streams()
        if self.mode is Mode.leave:
            os._exit(128 + self.number)
        impatient = number == signal.SIGINT and self._times >= IMPATIENT
        if self.settled or self.mode is Mode.finish:
            return
        if impatient or (first and self.mode is Mode.interrupt):
            raise Interrupted(self.number)

    def hear(self, number: int | None) -> None:
        """A signal, if any, that another process of the run was sent."""
        if number is not None and self.number is None:
            self.number = number

    @contextlib.contextmanager
    def doing(self, mode: Mode, then: Mode | None = None) -> Iterator[None]:
        """A block with a mode of its own; after it comes `then`, or the mode from before.

        Raises:
            Interrupted: the mode is `interrupt`, and a signal has come before.
        """
        before, self.mode = self.mode, mode
        try:
            if mode is Mode.interrupt and self.number is not None:
                raise Interrupted(self.number)
            yield
        finally:
            self.mode = then or before


def _let_go_of_dead_streams() -> None:
    """Where the terminal is gone, writing would fail before the run is saved: it goes nowhere."""
    looks = select.poll()
    for stream in (1, 2):
        looks.register(stream, 0)
    for stream, seen in looks.poll(0):
        if seen & (select.POLLHUP | select.POLLERR):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)


def listen(mode: Mode) -> StopRequest:
    """Handle the signals from now on (in the main thread only)."""
    request = StopRequest(mode)
    for number in NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, request)
    return request


def ignore_signals() -> None:
    """Let no signal change the exit code any more: all is done, the process is about to end."""
    for number in NUMBERS:
        signal.signal(number, signal.SIG_IGN)


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Handle the signals while the block runs; the command's own handler, where it has one.

    Outside of the main thread, which alone can have handlers, nothing ever comes.
    """
    import threading  # imported late: it takes 10 ms

    if threading.current_thread() is not threading.main_thread():
        yield StopRequest()
        return
    handlers = {number: signal.getsignal(number) for number in NUMBERS}
    there = [handler for handler in handlers.values() if isinstance(handler, StopRequest)]
    if there:
        yield there[0]
        return
    request = listen(Mode.interrupt)
    try:
        yield request
    finally:
        for number, handler in handlers.items():
            if handler is not None:  # else it was not set from Python
                signal.signal(number, handler)
