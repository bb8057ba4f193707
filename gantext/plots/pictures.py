"""Pictures of a model side by side: grids and pairs, as pixels, PNG files and SVG for a page.

Every function takes pictures as a model draws them, floats in [-1, 1], or as data has them, bytes;
a value that is not a number, as of a model that has diverged, is black.

Legend: N pictures, C channels (1 grey, 3 RGB), H and W pixels.
"""

import base64
import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gantext.errors import UserError
from gantext.plots.output import SVG_NAMESPACE
from gantext.records.content import MB, Damaged, content

if TYPE_CHECKING:
    from torch import Tensor


Pixels = NDArray[np.uint8]
SCALE = 4  # screen pixels of one pixel: digits and scenes are about 30 pixels wide
GREY = 128  # between the pictures: it differs from white paper and from a black ground


def grid_array(pictures: "Tensor", columns: int, scale: int = 1) -> Pixels:
    """Lay pictures out row by row, each pixel as a square of `scale` pixels.

    Args:
        pictures: (N, C, H, W); shown all, in their order.
        columns: pictures in a row; fewer if there are fewer pictures.
        scale: at least 1.

    Returns:
        (height, width, 3) RGB, with grey lines between the pictures.

    Raises:
        UserError: no picture, or a number of channels that is neither 1 nor 3.
    """
    cells = cells_of(pictures)
    return _tiled(cells, columns, _line(cells), scale)


def pairs_array(left: "Tensor", right: "Tensor", columns: int, scale: int = 1) -> Pixels:
    """Lay pairs out row by row: left[i] and right[i] touch but for a thin line.

    Args:
        left, right: (N, C, H, W) each.
        columns: pairs in a row.
        scale: as in `grid_array`.

    Raises:
        UserError: as in `grid_array`, or not as many pictures on both sides.
    """
    one, other = cells_of(left), cells_of(right)
    if one.shape != other.shape:
        raise UserError(f"pairs of pictures: {one.shape} on the left, {other.shape} on the right")
    line = _line(one)
    between = np.full((*one.shape[:2], max(1, line // 2), 3), GREY, np.uint8)
    return _tiled(np.concatenate([one, between, other], 2), columns, 3 * line, scale)


def grid_png(pictures: "Tensor", columns: int, scale: int = SCALE) -> bytes:
    """Return `grid_array` as a PNG file's content."""
    return to_png_bytes(grid_array(pictures, columns, scale))


def pairs_svg(left: "Tensor", right: "Tensor", columns: int = 5) -> str:
    """Return `pairs_array` as an `<svg>` for a page, the same for both themes."""
    return to_svg_text(pairs_array(left, right, columns))


def to_png_bytes(array: Pixels) -> bytes:
    """Return RGB pixels (height, width, 3) as a PNG file's content."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(array).save(
        file, "PNG"
    )  # `optimize` makes it little smaller in 10 times as long
    return file.getvalue()


def to_svg_text(array: Pixels) -> str:
    """Return RGB pixels as an `<svg>` with the picture inside; it takes the width it is given."""
    height, width, _ = array.shape
    data = base64.b64encode(to_png_bytes(array)).decode()
    return (
        f'<svg xmlns="{SVG_NAMESPACE}" viewBox="0 0 {width} {height}" role="img">'
        f'<image width="{width}" height="{height}" style="image-rendering:pixelated"'
        f' href="data:image/png;base64,{data}"/></svg>'
    )


def cells_of(pictures: "Tensor") -> Pixels:
    """(N, C, H, W) of floats or bytes -> (N, H, W, 3).

    Raises:
        UserError: no picture, or a number of channels that is neither 1 nor 3.
    """
    import torch

    from gantext.data.gallery import to_bytes

    if pictures.dim() != 4 or not pictures.numel() or pictures.shape[1] not in (1, 3):
        raise UserError(
            f"cannot show pictures of shape {tuple(pictures.shape)}: not (N, 1|3, H, W)"
        )
    shown = pictures.detach().cpu()
    if shown.dtype != torch.uint8:
        shown = to_bytes(shown.nan_to_num(-1.0))
    return shown.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()


def _line(cells: Pixels) -> int:
    """Width of the lines: 2 pixels beside pictures of 28, 1 beside those of 8."""
    return max(1, int(cells.shape[2]) // 14)


def cut(grid: Pixels, size: tuple[int, int], columns: int) -> Pixels:
    """The pictures of a `grid_array` again, (N, H, W, 3); none where it is no grid of such ones.

    Args:
        grid: (height, width, 3), of any scale.
        size: H and W of a picture.
        columns: pictures in a row; all rows are full.
    """
    (height, width), line = size, max(1, size[1] // 14)
    scale = grid.shape[1] // (columns * (width + line) + line)
    plain = grid[::scale, ::scale] if scale else grid
    rows = (len(plain) - line) // (height + line)
    if plain.shape[:2] != (rows * (height + line) + line, columns * (width + line) + line):
        return np.empty((0, *size, 3), np.uint8)
    inside = plain[line:, line:].reshape(rows, height + line, columns, width + line, 3)
    return inside[:, :height, :, :width].swapaxes(1, 2).reshape(-1, height, width, 3)


def _tiled(cells: Pixels, columns: int, line: int, scale: int) -> Pixels:
    """(N, h, w, 3) on a grey ground, `line` pixels apart and from the edge."""
    n, height, width, _ = cells.shape
    if columns < 1 or scale < 1:
        raise UserError(f"columns={columns} and scale={scale} must be at least 1")
    columns = min(columns, n)
    rows = -(-n // columns)
    size = (rows * (height + line) + line, columns * (width + line) + line, 3)
    ground = np.full(size, GREY, np.uint8)
    for place, cell in enumerate(cells):
        y = line + place // columns * (height + line)
        x = line + place % columns * (width + line)
        ground[y : y + height, x : x + width] = cell
    return ground.repeat(scale, 0).repeat(scale, 1)


PNG_BYTES = 64 * MB
PIXELS = 50_000_000  # of a grid; a damaged header can tell of any number
BROKEN = (EOFError, MemoryError, OSError, OverflowError, SyntaxError, ValueError, struct.error)


def pixels(path: Path) -> "NDArray[np.uint8]":
    """The RGB pixels of a PNG file, (height, width, 3).

    Raises:
        UserError: it is not there, or no picture of at most PIXELS.
    """
    from PIL import Image, UnidentifiedImageError

    data = content(path, PNG_BYTES)
    if data is None:
        raise UserError(f"cannot read {path}: it is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=("PNG",))
            if image.width * image.height > PIXELS:
                size = f"{image.width:,} x {image.height:,} pixels"
                raise Damaged(path, f"{size} are more than {PIXELS:,}")
            return np.asarray(image.convert("RGB"))
    except UnidentifiedImageError as error:
        raise Damaged(path, "no PNG picture") from error
    except (*BROKEN, Image.DecompressionBombError, zlib.error) as error:
        raise Damaged(path, f"no PNG picture ({' '.join(str(error).split())})") from error
