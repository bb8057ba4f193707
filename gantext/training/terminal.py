"""The one place that prints. Text may come from a stranger: sentences, names, values of a config.

On a terminal, what would steer it or turn its text around is shown as an escape; files and pipes
get every byte as it is.
"""

import logging
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from gantext.files import visible


class Terminal(Console):
    """A rich console whose text cannot steer the terminal; its own styles and bars still do."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as rich's text, with escapes in it before it is laid out."""
        return super().render_str(visible(text) if self.is_terminal else text, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """All that is shown, also by bars, which make their text themselves."""
        for segment in super().render(renderable, options):
            if segment.control or not self.is_terminal or segment.text.isprintable():
                yield segment
            else:
                yield Segment(visible(segment.text), segment.style)


def say(text: str, stream: TextIO | None = None, end: str = "\n") -> None:
    """Print text as it is, without styles, on stdout or another stream."""
    place = stream or sys.stdout
    place.write((visible(text) if place.isatty() else text) + end)


class Notes(logging.Handler):
    """Plain lines of stderr for what is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one."""
        say(self.format(record), sys.stderr)
