"""SIGTERM and Ctrl-C as a request to stop after the step that is running."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Stopped(BaseException):
    """A run was stopped on request, after it was saved; `number` is the signal that asked for it.

    Not an Exception, so that a sweep stops too; not a KeyboardInterrupt, which Typer swallows.
    """

    def __init__(self, number: int, command: str) -> None:
        super().__init__(command)
        self.number, self.command = number, command


class StopRequest:
    """Remembers the first signal; a second Ctrl-C interrupts at once."""

    number: int | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.number is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.number = number


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Catch SIGTERM and SIGINT while the block runs (in the main thread only)."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {n: signal.signal(n, request) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
