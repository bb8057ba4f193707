"""A picture in the terminal: half blocks in two colours, two pixels to a character."""

import itertools
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment, Segments
from rich.style import Style

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console


UPPER_HALF = "\N{UPPER HALF BLOCK}"
WIDEST = 120  # characters: a preview, not the picture
ENOUGH_COLOURS = ("256", "truecolor")


def half_blocks(array: "NDArray[np.uint8]", width: int) -> Segments:
    """Render RGB pixels in characters, the upper pixel as their ink, the lower as their ground.

    Args:
        array: (height, W, 3).
        width: characters; a wider picture is made smaller, each new pixel the mean of old ones.

    Returns:
        ceil(height / 2) lines; under an odd last row stands the terminal's own ground.
    """
    rows = _shrunk(array, width).tolist()
    segments = []
    for upper, lower in itertools.zip_longest(rows[::2], rows[1::2]):
        cells = zip(upper, lower or [None] * len(upper), strict=True)
        # One escape sequence for a run of equal cells: paper and the digits' ground are long runs.
        for (ink, ground), run in itertools.groupby(cells):
            style = Style(color=Color.from_rgb(*ink), bgcolor=ground and Color.from_rgb(*ground))
            segments.append(Segment(UPPER_HALF * len(list(run)), style))
        segments.append(Segment.line())
    return Segments(segments)


def show(console: "Console", array: "NDArray[np.uint8]") -> bool:
    """Print a picture (height, W, 3) where it can be seen; whether it was.

    It is where the console is a terminal with 256 colours or more and has the character: not in a
    file, a pipe or a log, and not where the user wants no colours.
    """
    encodable = console.encoding.lower().startswith("utf")
    colours = console.color_system in ENOUGH_COLOURS and not console.no_color
    if not (console.is_terminal and encodable and colours):
        return False
    console.print(half_blocks(array, min(console.width, WIDEST)), end="", soft_wrap=True)
    return True


def _shrunk(array: "NDArray[np.uint8]", width: int) -> "NDArray[np.uint8]":
    import numpy as np
    from PIL import Image

    height, columns, _ = array.shape
    if columns <= width:
        return array
    size = (width, max(1, round(height * width / columns)))
    return np.asarray(Image.fromarray(array).resize(size, Image.Resampling.BOX))
