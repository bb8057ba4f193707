"""Picture files -> squares of one size, as bytes.

Pictures are turned as their EXIF says, cut to the square in their middle, and scaled by bicubic
interpolation that is smoothed when it makes smaller (as Parmar et al. 2022, arXiv 2104.11222,
advise). What is transparent becomes white.

Legend: N pictures, C channels, S pixels of a side.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from gantext.data.memory import available
from gantext.data.pictures.colour import Colour
from gantext.errors import UserError
from gantext.files import attempt

Bytes = npt.NDArray[np.uint8]
FORMATS = ("PNG", "JPEG")
MOST_PIXELS = 64_000_000  # of one file: it takes 4 bytes each, some of them several times
MEMORY_SHARE = 4  # the pictures may take one of so many parts of what memory there is
COPIES = 2  # of the pictures while they are split


def read_squares(files: Sequence[Path], size: int, colour: Colour, notes: list[str]) -> Bytes:
    """The pictures (N, C, S, S) of these files. `notes` count those that were made larger.

    Raises UserError, naming the file, for one that is damaged, no PNG or JPEG, or too large, and
    when all of them take too much memory.
    """
    channels = 1 if colour is Colour.grey else 3
    check_memory(len(files), channels, size)
    squares = np.empty((len(files), size, size, channels), dtype=np.uint8)
    smaller = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of files that are odd but can be read
        for place, path in enumerate(files):
            picture = read_picture(path, "L" if channels == 1 else "RGB")
            smaller += picture.width < size
            squares[place] = _scaled(picture, size).reshape(size, size, channels)
    if smaller:
        notes.append(f"{smaller} of {len(files)} pictures are under {size} pixels, made larger")
    if colour is Colour.auto and _is_grey(squares):
        squares = squares[..., :1]
    return np.ascontiguousarray(squares.transpose(0, 3, 1, 2))


def check_memory(count: int, channels: int, size: int) -> None:
    """Raise UserError, with the numbers, when so many pictures take too much memory."""
    needed = COPIES * count * channels * size**2
    memory = available()
    if needed > memory.total // MEMORY_SHARE:
        raise UserError(
            f"data.size={size}: {count:,} pictures of {size} x {size} need "
            f"{needed / 2**30:,.1f} GiB, and 1/{MEMORY_SHARE} of the {memory} may go into them"
        )


def read_picture(path: Path, mode: str) -> Image.Image:
    """The square in the middle of a picture, upright. mode: "L" for grey, "RGB".

    Of an animated one this is the first frame. Raises UserError as `read_squares` does.
    """
    with attempt(f"read {path}"), path.open("rb") as file:
        try:
            with Image.open(file, formats=FORMATS) as opened:
                _check_pixels(path, opened)
                return _as_mode(_middle(ImageOps.exif_transpose(opened)), mode)
        except UserError:
            raise
        except UnidentifiedImageError as error:
            file.seek(0)
            begins = file.read(4).hex(" ") or "nothing"
            raise UserError(f"{path}: no PNG or JPEG picture: it begins with {begins}") from error
        except Image.DecompressionBombError as error:
            raise UserError(_too_many(path)) from error
        # Pillow answers damaged files with errors of many kinds: SyntaxError, struct.error, ...
        except Exception as error:
            lines = str(error).splitlines() or [type(error).__name__]
            raise UserError(f"{path}: damaged picture ({lines[0]})") from error


def _check_pixels(path: Path, opened: Image.Image) -> None:
    if opened.width * opened.height > MOST_PIXELS:
        raise UserError(f"{_too_many(path)}: it has {opened.width} x {opened.height}")


def _too_many(path: Path) -> str:
    return f"{path}: a picture of more than {MOST_PIXELS // 10**6} million pixels is not read"


def _middle(picture: Image.Image) -> Image.Image:
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    square.info = dict(picture.info)  # which colour is transparent
    return square


def _as_mode(picture: Image.Image, mode: str) -> Image.Image:
    """A picture in bytes of grey or RGB, whatever it was in."""
    if picture.mode.startswith("I"):  # 16 bits, which `convert` would cut off at 255
        grey = np.asarray(picture).astype(np.float64) / 257
        return Image.fromarray(grey.round().clip(0, 255).astype(np.uint8)).convert(mode)
    if "A" in picture.getbands() or "transparency" in picture.info:
        seen = picture.convert("RGBA")
        white = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(white, seen).convert(mode)
    return picture.convert(mode)


def _scaled(square: Image.Image, size: int) -> Bytes:
    return np.asarray(square.resize((size, size), Image.Resampling.BICUBIC))


def _is_grey(squares: Bytes) -> bool:
    """Whether red, green and blue are the same everywhere, (N, S, S, 3)."""
    return all(bool((one == one[..., :1]).all()) for one in squares)
