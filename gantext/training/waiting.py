"""What one sees who waits for what takes long: what is being done, and a clock that goes on."""

import contextlib
import importlib.util
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gantext.runs.summary import clock
from gantext.training.terminal import tell

REFRESHES = 4  # a second


def shows_bars(console: Console) -> bool:
    """Whether a bar that moves can be seen: on a terminal, or in a notebook with ipywidgets."""
    notebook = console.is_jupyter and importlib.util.find_spec("ipywidgets") is not None
    return not console.quiet and (console.is_terminal or notebook)


def one_line(text: str, style: str = "") -> Text:
    """Text that is cut, not folded, where a terminal has no room for it."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


@contextlib.contextmanager
def waiting(
    console: Console, text: str = "", plain: bool = True
) -> Iterator[Callable[[str], None]]:
    """Say what is being done while the block runs.

    On a terminal it is one line, which goes when the block ends; the clock is that of what was
    said last. Elsewhere each is a line that stays.

    Args:
        console: where it is said.
        text: what is done first, on a terminal; "" until something is said.
        plain: whether what is said is a line elsewhere.

    Yields:
        What is to be called with what is done next.
    """
    if not shows_bars(console):
        yield lambda told: tell(console, told, "dim") if plain else None
        return
    doing, began = text, time.monotonic()

    def say(told: str) -> None:
        nonlocal doing, began
        doing, began = told, time.monotonic()

    def shown() -> Text:
        return one_line(f"{doing}  {clock(time.monotonic() - began)}" if doing else "", "dim")

    with Live(
        console=console, get_renderable=shown, transient=True, refresh_per_second=REFRESHES
    ) as live:
        live.refresh()  # at once
        yield say
