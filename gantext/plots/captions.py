"""Pictures with their captions, folded, under them: SVG for a page.

Legend: N pictures, H and W pixels.
"""

import base64
import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape

from gantext.errors import UserError
from gantext.plots.output import SVG_NAMESPACE
from gantext.plots.pictures import Pixels, to_png_bytes
from gantext.plots.theme import find_theme, plain

WIDTH = 960  # units, which are about pixels of the page
GAP, LITTLE = 10, 3  # between pictures that have different captions, and that share one
FONT, LINE = 13.0, 17.0  # of a caption: its size, and from a line to the next
LETTER = 0.56  # of the size, what a letter takes on the average
LONGEST = 400  # characters of a caption


def captioned_svg(
    cells: Pixels, columns: int, captions: Sequence[str], theme: str = "light", each: int = 1
) -> str:
    """Lay pictures out row by row, the captions folded under them, as an `<svg>`.

    Args:
        cells: (N, H, W, 3) RGB.
        columns: pictures in a row, a multiple of `each`.
        captions: each under so many pictures; as many as there are.
        theme: "light" or "dark", which decides the captions' colour.
        each: pictures that share a caption and stand in one row.

    Raises:
        UserError: not as many captions as the pictures need; no such theme.
    """
    colour = find_theme(theme).text
    if len(cells) != each * len(captions) or columns % each:
        raise UserError(
            f"{len(captions)} captions of {each} pictures are not {len(cells)} pictures"
        )
    blocks = columns // each
    side = (WIDTH - GAP * (blocks - 1)) / blocks  # of the pictures that share a caption
    width = (side - LITTLE * (each - 1)) / each
    height = width * cells.shape[1] / cells.shape[2]
    letters = max(4, int(side / (FONT * LETTER)))
    parts, y = [], 0.0
    for first in range(0, len(captions), blocks):
        row = captions[first : first + blocks]
        folded = [textwrap.wrap(plain(text, LONGEST), letters) or [""] for text in row]
        for place, lines in enumerate(folded):
            x, own = place * (side + GAP), (first + place) * each
            parts += [
                _image(cell, x + n * (width + LITTLE), y, width)
                for n, cell in enumerate(cells[own : own + each])
            ]
            parts += [
                f'<text x="{x:.1f}" y="{y + height + LINE * (n + 1) - 2:.1f}">{escape(line)}</text>'
                for n, line in enumerate(lines)
            ]
        y += height + LINE * max(map(len, folded)) + 1.5 * GAP
    style = f'font-family="sans-serif" font-size="{FONT}" fill="{colour}"'
    return (
        f'<svg xmlns="{SVG_NAMESPACE}" viewBox="0 0 {WIDTH} {y:.0f}" role="img">'
        f"<g {style}>{''.join(parts)}</g></svg>"
    )


def _image(pixels: Pixels, x: float, y: float, width: float) -> str:
    """A picture at its place, its pixels as squares."""
    height = width * pixels.shape[0] / pixels.shape[1]
    data = base64.b64encode(to_png_bytes(pixels)).decode()
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )
