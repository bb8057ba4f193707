"""The one place that prints. Text may come from a stranger: sentences, names, values of a config.

On a terminal, what would steer it or turn its text around is shown as an escape; files and pipes
get every byte as it is.
"""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from gantext.files import visible

WORD = re.compile(r"\s*\S+")
PART = re.compile(r"\s*\S+(?:\s\S+)*")  # words with one space between


class Terminal(Console):
    """A rich console whose text cannot steer the terminal; its own styles and bars still do."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as rich's text, with escapes in it before it is laid out."""
        plain = text.isprintable() or not self.is_terminal
        return super().render_str(text if plain else visible(text), **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """All that is shown, also by bars, which make their text themselves."""
        segments = super().render(renderable, options)
        # Rich comes here for every cell of a table: it has looked once where the text goes.
        terminal = self.is_terminal if options is None else options.is_terminal
        return map(_harmless, segments) if terminal else segments


def _harmless(segment: Segment) -> Segment:
    if segment.control or segment.text.isprintable():
        return segment
    return Segment(visible(segment.text), segment.style)


def say(text: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Print text as it is, without styles, on stdout or another stream."""
    place = stream or sys.stdout
    place.write((visible(text) if place.isatty() else text) + end)


def tell(console: Console, text: str, style: str = "") -> None:
    """Print a line, which a terminal gets broken; files and pipes have it whole.

    It breaks where two spaces keep parts apart, such as a name with its number from the next, and
    within a part, between words, where the part alone is too long. A word that is longer than a
    line is left to the terminal: it can be copied as one.
    """
    lines = _broken(visible(text), console.width) if console.is_terminal else [text]
    for line in lines:
        console.print(Text(line, style), highlight=False, soft_wrap=True)


def _broken(text: str, room: int) -> list[str]:
    """The lines of a text, as many of its parts, or words, in each as there is room for."""
    lines = [""]
    for part in PART.findall(text):
        for piece in [part] if cell_len(part.lstrip()) <= room else WORD.findall(part):
            if lines[-1] and cell_len(lines[-1] + piece) > room:
                lines.append(piece.lstrip())
            else:
                lines[-1] += piece
    return lines


def tell_stderr(text: str) -> None:
    """Print a line on stderr, as `tell` does where that is a terminal. Raises OSError."""
    if sys.stderr.isatty():
        tell(Terminal(stderr=True), text)
    else:
        say(text, sys.stderr)


class Notes(logging.Handler):
    """Plain lines of stderr for what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        tell_stderr(self.format(record))
