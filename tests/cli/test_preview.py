"""Half blocks: their colours as rich records them, and where they are not shown."""

import io
from itertools import pairwise

import numpy as np
import pytest
from rich.color import Color
from rich.console import Console
from rich.segment import Segment

from gantext.cli.preview import UPPER_HALF, WIDEST, half_blocks, show

COLOURS = np.arange(18, dtype=np.uint8).reshape(3, 2, 3)


def a_terminal(**options) -> Console:
    settings = {"force_terminal": True, "color_system": "truecolor", "width": 40, **options}
    return Console(file=io.StringIO(), record=True, _environ={}, **settings)


def cells(array: np.ndarray, width: int) -> list[list[tuple[str, object, object]]]:
    """Each line's characters with their two colours as (red, green, blue)."""
    found: list[list[tuple[str, object, object]]] = []
    for line in Segment.split_lines(half_blocks(array, width).segments):
        found.append([])
        for segment in line:
            ink, ground = (
                tuple(colour.triplet) if isinstance(colour, Color) and colour.triplet else None
                for colour in (segment.style.color, segment.style.bgcolor)
            )
            found[-1] += [(character, ink, ground) for character in segment.text]
    return found


def test_two_pixels_to_a_character() -> None:
    """A 3 x 2 picture of the bytes 0 ... 17: row 0 is ink over row 1, row 2 has nothing below."""
    assert cells(COLOURS, 10) == [
        [(UPPER_HALF, (0, 1, 2), (6, 7, 8)), (UPPER_HALF, (3, 4, 5), (9, 10, 11))],
        [(UPPER_HALF, (12, 13, 14), None), (UPPER_HALF, (15, 16, 17), None)],
    ]


def test_runs_of_equal_cells_change_nothing() -> None:
    picture = np.random.default_rng(0).integers(0, 2, (6, 9, 3), np.uint8) * 200
    found = cells(picture, 9)
    for y, line in enumerate(found):
        upper, lower = picture[2 * y].tolist(), picture[2 * y + 1].tolist()
        assert line == [(UPPER_HALF, tuple(a), tuple(b)) for a, b in zip(upper, lower, strict=True)]
    plain = half_blocks(np.zeros((2, 50, 3), np.uint8), 50).segments
    assert [segment.text for segment in plain] == [UPPER_HALF * 50, "\n"]


def test_a_wide_picture_is_averaged_down() -> None:
    """8 x 4 pixels in 2 characters: 2 wide and 2 * 4 / 8 = 1 high, blocks of 4 x 4; means of
    (10 + 30) / 2 = 20 on the left and of 100 on the right.
    """
    picture = np.full((4, 8, 3), 100, np.uint8)
    picture[::2, :4], picture[1::2, :4] = 10, 30
    assert cells(picture, 2) == [[(UPPER_HALF, (20,) * 3, None), (UPPER_HALF, (100,) * 3, None)]]


def test_show_prints_as_wide_as_the_terminal_and_no_more() -> None:
    console = a_terminal(width=40)
    assert show(console, np.zeros((150, 150, 3), np.uint8))
    lines = console.export_text().splitlines()
    assert lines == [UPPER_HALF * 40] * 20
    console = a_terminal(width=500)
    assert show(console, np.zeros((600, 600, 3), np.uint8))
    assert {len(line) for line in console.export_text().splitlines()} == {WIDEST}


def test_the_terminal_is_sent_both_colours() -> None:
    console = a_terminal()
    show(console, np.array([[[1, 2, 3]], [[4, 5, 6]]], np.uint8))
    sent = console.file.getvalue()
    assert "\x1b[38;2;1;2;3;48;2;4;5;6m" + UPPER_HALF in sent
    assert sent.count(UPPER_HALF) == 1 and sent.endswith("\n") and sent.count("\n") == 1


def test_256_colours_do() -> None:
    console = a_terminal(color_system="256")
    assert show(console, np.full((2, 2, 3), 255, np.uint8))
    assert "38;5;" in console.file.getvalue()


@pytest.mark.parametrize(
    "options",
    [
        {"force_terminal": False},  # a file or a pipe
        {"color_system": None},
        {"color_system": "standard"},
        {"no_color": True},
    ],
)
def test_nothing_is_printed_where_it_could_not_be_seen(options: dict[str, object]) -> None:
    console = a_terminal(**options)
    assert not show(console, np.zeros((4, 4, 3), np.uint8))
    assert console.file.getvalue() == ""


def test_nothing_is_printed_in_an_encoding_without_the_character() -> None:
    raw = io.BytesIO()
    console = Console(
        file=io.TextIOWrapper(raw, encoding="ascii"), force_terminal=True, color_system="truecolor"
    )
    assert not show(console, np.zeros((4, 4, 3), np.uint8))


def test_lines_are_in_order() -> None:
    ramp = np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[:, None, None], 3, 2)
    inks = [line[0][1][0] for line in cells(ramp, 5)]
    assert inks == list(range(0, 200, 20)) and all(a < b for a, b in pairwise(inks))
