"""Pictures with their captions, folded: under them in SVG for a page, above them in a PNG file.

Legend: N pictures, H and W pixels.
"""

import base64
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np

from gantext.errors import UserError
from gantext.plots.output import SVG_NAMESPACE
from gantext.plots.pictures import SCALE, Pixels, grid_array, to_png_bytes
from gantext.plots.theme import find_theme, plain

if TYPE_CHECKING:
    from torch import Tensor

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


def captioned_png(
    pictures: "Tensor", columns: int, captions: Sequence[str], scale: int = SCALE
) -> bytes:
    """Lay pictures out in a grid, or under each caption its own, as a PNG file's content.

    Args:
        pictures: (N, C, H, W), those of a caption after each other.
        columns: pictures in a row.
        captions: each of N / len(captions) pictures; none are of none.
        scale: screen pixels of one pixel.

    Raises:
        UserError: not as many pictures of each caption; as `grid_array`.
    """
    if not captions:
        return to_png_bytes(grid_array(pictures, columns, scale))
    if len(pictures) % len(captions):
        raise UserError(f"{len(pictures)} pictures are not as many of {len(captions)} captions")
    parts: list[Pixels] = []
    for caption, own in zip(captions, pictures.chunk(len(captions)), strict=True):
        grid = grid_array(own, columns, scale)
        parts += [_heading(caption, grid.shape[1]), grid]
    return to_png_bytes(np.concatenate(parts))


def _heading(caption: str, width: int) -> Pixels:
    """A caption on the ground of a page, folded, (height, width, 3)."""
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    theme = find_theme("light")
    font = ImageFont.truetype(Path(get_data_path()) / "fonts/ttf/DejaVuSans.ttf", FONT)
    letters = max(4, int(width / (FONT * LETTER)))
    lines = textwrap.wrap(plain(caption, LONGEST), letters) or [""]
    size = width, int(LINE * len(lines)) + 2 * LITTLE
    image = Image.new("RGB", size, theme.background)
    pen = ImageDraw.Draw(image)
    for place, line in enumerate(lines):
        pen.text((LITTLE, LITTLE + LINE * place), line, fill=theme.text, font=font)
    return np.asarray(image)


def _image(pixels: Pixels, x: float, y: float, width: float) -> str:
    """A picture at its place, its pixels as squares."""
    height = width * pixels.shape[0] / pixels.shape[1]
    data = base64.b64encode(to_png_bytes(pixels)).decode()
    return (
        f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        f' style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )
