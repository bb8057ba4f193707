"""Grids and pairs of pictures, read back from the files with Pillow."""

import base64
import io
import re
import struct
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gantext.errors import UserError
from gantext.plots.captions import captioned_png, captioned_svg
from gantext.plots.pictures import (
    GREY,
    cells_of,
    cut,
    grid_array,
    grid_png,
    pairs_array,
    pairs_svg,
    pixels,
    to_png_bytes,
)
from gantext.report.page import Figure


def flat(*values: int, size: int = 2, channels: int = 1) -> torch.Tensor:
    """Pictures of one byte each."""
    return (
        torch.tensor(values, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, channels, size, size)
    )


def test_a_grid_by_hand() -> None:
    """Three pictures of 2 x 2, two in a row, lines of 1: 1 + 2 + 1 + 2 + 1 = 7 pixels each way;
    the second row begins at 1 + 2 + 1 = 4, and its second place is empty.
    """
    g = GREY
    expected = [
        [g, g, g, g, g, g, g],
        [g, 1, 1, g, 2, 2, g],
        [g, 1, 1, g, 2, 2, g],
        [g, g, g, g, g, g, g],
        [g, 3, 3, g, g, g, g],
        [g, 3, 3, g, g, g, g],
        [g, g, g, g, g, g, g],
    ]
    found = grid_array(flat(1, 2, 3), 2)
    assert found.shape == (7, 7, 3) and found.dtype == np.uint8
    for channel in range(3):
        np.testing.assert_array_equal(found[:, :, channel], expected)


def test_pairs_by_hand() -> None:
    """2 x 2 pictures: 3 of ground, left 2, a line of 1, right 2, 3 of ground; then the next."""
    g = GREY
    row = pairs_array(flat(1, 3), flat(2, 4), 2)[4, :, 0]
    np.testing.assert_array_equal(row, [g, g, g, 1, 1, g, 2, 2, g, g, g, 3, 3, g, 4, 4, g, g, g])


def test_unit_range_becomes_bytes() -> None:
    """-1, 0 and 1 are black, (0 + 1) * 127.5 = 127.5, rounded to even 128, and white; what lies
    outside is cut, and what is no number is black.
    """
    values = torch.tensor([-1, 0, 1, -3, 7, float("nan")]).view(6, 1, 1, 1)
    np.testing.assert_array_equal(grid_array(values, 6)[1, 1::2, 0], [0, 128, 255, 0, 255, 0])


def test_channels_and_orientation_are_kept() -> None:
    picture = torch.randint(0, 256, (1, 3, 5, 4), generator=torch.Generator().manual_seed(0))
    found = grid_array(picture.to(torch.uint8), 1)[1:-1, 1:-1]
    np.testing.assert_array_equal(found, picture[0].permute(1, 2, 0).numpy())


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 9), columns=st.integers(1, 9), scale=st.integers(1, 3))
def test_every_picture_stands_once_in_order(n: int, columns: int, scale: int) -> None:
    found = grid_array(flat(*range(1, n + 1)), columns, scale)[
        scale :: 3 * scale, scale :: 3 * scale
    ]
    places = found[:, :, 0].flatten()
    assert [int(v) for v in places if v != GREY] == list(range(1, n + 1))


def test_a_scaled_pixel_is_a_square() -> None:
    small, large = grid_array(flat(1, 2), 2), grid_array(flat(1, 2), 2, 3)
    assert large.shape == (3 * small.shape[0], 3 * small.shape[1], 3)
    for y in range(3):
        for x in range(3):
            np.testing.assert_array_equal(large[y::3, x::3], small)


def test_png_files_hold_the_array(tmp_path: Path) -> None:
    one = flat(1, 2, 3, channels=3)
    (tmp_path / "grid.png").write_bytes(grid_png(one, 2, scale=2))
    with Image.open(tmp_path / "grid.png") as image:
        assert image.format == "PNG" and image.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(image), grid_array(one, 2, 2))


def test_png_is_the_same_for_the_same_pictures() -> None:
    assert to_png_bytes(grid_array(flat(1, 2), 2)) == to_png_bytes(grid_array(flat(1, 2), 2))


def test_svg_holds_the_picture_and_refers_to_nothing_else() -> None:
    svg, array = pairs_svg(flat(1), flat(2)), pairs_array(flat(1), flat(2), 1)
    root = ElementTree.fromstring(svg)
    (image,) = root
    np.testing.assert_array_equal(_inside(image), array)
    assert root.get("viewBox") == f"0 0 {array.shape[1]} {array.shape[0]}"
    assert re.findall(r"https?:[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    Figure("Samples", "25 of them", svg, svg)


def _inside(image: ElementTree.Element) -> np.ndarray:
    """The pixels of an <image>, which stand in it."""
    href = image.attrib["href"]
    assert href.startswith("data:image/png;base64,")
    with Image.open(io.BytesIO(base64.b64decode(href.partition(",")[2], validate=True))) as opened:
        return np.asarray(opened)


@pytest.mark.parametrize("scale", [1, 4])
def test_a_grid_comes_apart_again(scale: int) -> None:
    drawn = flat(*range(1, 7), size=30, channels=3)
    array = grid_array(drawn, 3, scale)
    np.testing.assert_array_equal(cut(array, (30, 30), 3), cells_of(drawn))
    assert len(cut(array, (28, 30), 3)) == len(cut(array[:20, :20], (30, 30), 3)) == 0


def test_captions_are_folded_under_their_pictures() -> None:
    """Two pictures of each caption, both captions in a row: what folds takes the width of two."""
    nasty = "</text><script>alert(1)</script> & " + "many words " * 20
    svg = captioned_svg(cells_of(flat(1, 2, 3, 4)), 4, ("a red star", nasty), "dark", 2)
    Figure("Samples", "", svg, svg)
    (group,) = ElementTree.fromstring(svg)
    images = [one for one in group if one.tag.endswith("image")]
    lines = [one for one in group if one.tag.endswith("text")]
    assert [int(_inside(one)[0, 0, 0]) for one in images] == [1, 2, 3, 4]
    assert lines[0].text == "a red star" and lines[0].attrib["x"] == images[0].attrib["x"]
    below = lines[1:]
    assert " ".join(line.text or "" for line in below).split() == nasty.split()
    assert len(below) > 2 and {line.attrib["x"] for line in below} == {images[2].attrib["x"]}
    heights = [float(line.attrib["y"]) for line in below]
    assert heights == sorted(heights) and heights[0] > float(images[2].attrib["height"])
    with pytest.raises(UserError, match="1 captions of 2 pictures are not 4"):
        captioned_svg(cells_of(flat(1, 2, 3, 4)), 4, ("a",), each=2)


def test_captions_stand_above_their_pictures_in_a_file() -> None:
    """Two rows of two pictures of 20 x 20 for each caption, which is folded at its words."""
    drawn = flat(*range(1, 9), size=20, channels=3)
    whole = _decoded(captioned_png(drawn, 2, ("a red star", "a blue square and a green one"), 2))
    grid = 2 * (2 * 20 + 3)
    assert whole.shape[1] == grid
    ground = (whole == 255).all(2)
    starts = [y for y in range(len(whole)) if ground[y].all() and not (y and ground[y - 1, 0])]
    first, second = starts
    headings = [whole[first : second - grid], whole[second : len(whole) - grid]]
    assert len(headings[1]) > len(headings[0]) and all((one < 99).any() for one in headings)
    for place, end in ((0, second), (4, len(whole))):
        expected = grid_array(drawn[place : place + 4], 2, 2)
        np.testing.assert_array_equal(whole[end - grid : end], expected)
    assert captioned_png(drawn, 3, ()) == grid_png(drawn, 3)
    with pytest.raises(UserError, match="8 pictures are not as many of 3 captions"):
        captioned_png(drawn, 2, ("a", "b", "c"))


def _decoded(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened)


@pytest.mark.parametrize("shape", [(0, 1, 4, 4), (2, 2, 4, 4), (1, 4, 4), (2, 3, 0, 4)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="cannot show pictures of shape"):
        grid_array(torch.zeros(shape), 2)


def test_a_pair_needs_two_and_a_grid_a_column() -> None:
    with pytest.raises(UserError, match="on the right"):
        pairs_array(flat(1, 2), flat(1), 2)
    with pytest.raises(UserError, match="columns=0"):
        grid_array(flat(1), 0)


def test_a_picture_that_is_none_or_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    whole = to_png_bytes(np.zeros((4, 5, 3), np.uint8))
    path.write_bytes(whole)
    assert pixels(path).shape == (4, 5, 3)
    huge = bytearray(whole)
    huge[16:24] = struct.pack(">II", 60_000, 60_000)
    huge[29:33] = struct.pack(">I", zlib.crc32(huge[12:29]))
    for data, fault in (
        (b"", "no PNG picture"),
        (b"GIF89a" + whole, "no PNG picture"),
        (whole[:45], "no PNG picture"),
        (bytes(huge), "60,000 x 60,000 pixels are more than 50,000,000|decompression bomb"),
    ):
        path.write_bytes(data)
        with pytest.raises(UserError, match=f"^cannot read {path}: .*({fault})") as caught:
            pixels(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="it is missing"):
        pixels(tmp_path / "none.png")
