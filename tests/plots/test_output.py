"""Figures as PNG and SVG: well-formed, self-contained, the same each time, safe with any name."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.figure import Figure
from PIL import Image

from gantext.metrics.text.frontier import Point
from gantext.metrics.text.planes import bleu
from gantext.models.gan import CURVES
from gantext.plots.frontier import Curve, Mark, frontier_figure
from gantext.plots.layouts import Layout
from gantext.plots.learning import learning_figures
from gantext.plots.lengths import Bucket, lengths_figure
from gantext.plots.output import to_png, to_svg, to_svgs
from gantext.plots.sweep import sweep_figure
from gantext.plots.theme import LONGEST, THEMES, plain

NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
NASTY = [
    '</text><script>alert("1")</script>',
    "--> <!-- ]]>",
    "$\\frac{1}{0}$ _a_^b",
    "_hidden",
    "a\x00b\x1bc\nd",
    "\ud800 \ufffe",
    'x id="y" url(#z)',
    "\u4e2d\u6587",
]


def figure(label: str = "run", theme: str = "light"):
    plane = bleu(4)
    points = [
        Point(label, "g", t, {plane.y.score: 0.4 - t / 5, plane.x.score: 0.9 - t / 2})
        for t in (0.5, 1.0)
    ]
    return frontier_figure((plane.x, plane.y), [Curve(points)], [], theme=theme)


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text")]


def test_svg_is_one_scalable_element_without_outside_references() -> None:
    svg = to_svg(figure())
    root = ElementTree.fromstring(svg)
    assert svg.startswith("<svg") and root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "width" not in root.attrib and "height" not in root.attrib and root.get("viewBox")
    assert set(re.findall(r'https?:[^"\s]*', svg)) <= NAMESPACES
    assert not re.search(r"<style|<script|<metadata|<image|<!|@import", svg)
    assert "DejaVu" not in svg and "sans-serif" in svg


def test_svg_is_the_same_for_the_same_figure() -> None:
    drawn = figure()
    assert to_svg(drawn) == to_svg(drawn) == to_svg(figure())


ROWS = [
    {
        "phase": phase,
        "total": t,
        "g_loss": math.sin(t),
        "d_loss": 0.5,
        "reward": t,
        "reward_std": 1.0,
    }
    for phase, steps in (("mle", range(1, 9)), ("adversarial", range(9, 99)))
    for t in steps
]
COUNTS = {"up to 8": Bucket(0.5, 4, 0.1), "over 8": Bucket(0.4, 300, 0.1)}
SWEPT = {"": {"10": [1.0, 3.0], "20": [4.0]}, "x": {"10": [2.0], "20": [5.0]}}
(BANDED,) = [layout for layout in CURVES if layout.band]
DRAWN: dict[str, Callable[[str], Figure]] = {
    "frontier": lambda theme: frontier_figure(
        (PLANE.x, PLANE.y),
        [Curve(POINTS), Curve(POINTS, True)],
        [Mark("p", [{PLANE.y.score: 0.3, PLANE.x.score: 0.5}], "real"), Mark("q", LEVEL)],
        theme=theme,
    ),
    "lengths": lambda theme: lengths_figure({"real": COUNTS, "gan": COUNTS}, "BLEU-4", theme),
    "sweep": lambda theme: sweep_figure(SWEPT, "hidden", "nll", theme),
    "learning": lambda theme: learning_figures(ROWS, [BANDED], theme)[0].figure,
}
PLANE = bleu(4)
LEVEL = [{PLANE.y.score: 0.2}]
POINTS = [
    Point("run", "g", t, {PLANE.y.score: 0.4 - t / 5, PLANE.x.score: 0.9 - t / 2}, s)
    for t in (0.5, 1)
    for s in (1, 2)
]


@pytest.mark.parametrize("name", DRAWN)
def test_the_dark_one_is_that_which_would_be_drawn(name: str) -> None:
    def without_ids(svg: str) -> str:
        return re.sub(r"f[0-9a-f]{8}-\d+", "", svg)

    light, dark = to_svgs(DRAWN[name]("light"))
    assert light == to_svg(DRAWN[name]("light"))
    assert without_ids(dark) == without_ids(to_svg(DRAWN[name]("dark")))
    assert "#" in dark and dark != light


def test_no_two_colours_of_a_theme_are_the_same() -> None:
    for theme in THEMES.values():
        assert len({*theme.colours}) == len(theme.colours)


def test_ids_are_referred_to_and_differ_between_figures() -> None:
    ids = []
    for theme in THEMES:
        svg = to_svg(figure(theme=theme))
        own = set(re.findall(r' id="([^"]*)"', svg))
        referred = set(re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg))
        assert own == {first or second for first, second in referred} and own
        ids.append(own)
    assert not ids[0] & ids[1]


@pytest.mark.parametrize("theme", THEMES)
def test_svg_is_transparent_and_png_has_the_theme_s_background(theme: str, tmp_path: Path) -> None:
    drawn = figure(theme=theme)
    assert THEMES[theme].background not in to_svg(drawn)
    assert THEMES[theme].text in to_svg(drawn)
    path = tmp_path / "folder" / "figure.png"
    path.parent.mkdir()
    to_png(drawn, path)
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert [file.name for file in path.parent.iterdir()] == ["figure.png"]
    with Image.open(path) as image:
        assert image.width == 930  # 6.2 inches at 150 dots
        corner = image.convert("RGB").getpixel((0, 0))
        assert "#" + bytes(corner).hex() == THEMES[theme].background
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10


@pytest.mark.parametrize("name", NASTY)
def test_a_name_stays_text(name: str, tmp_path: Path) -> None:
    drawn = figure(name)
    svg = to_svg(drawn)
    assert plain(name) in texts(svg)
    assert "<script" not in svg
    to_png(drawn, tmp_path / "figure.png")


def test_names_from_metrics_stay_text() -> None:
    rows = [{"phase": NASTY[0], "total": t, NASTY[1]: 1.0} for t in (1, 2)]
    layout = Layout(NASTY[1], "", NASTY[1], {NASTY[1]: NASTY[1]})
    (panel,) = learning_figures(rows, [layout])
    found = texts(to_svg(panel.figure))
    assert plain(NASTY[0]) in found and NASTY[1] in found


def test_long_names_keep_their_start_and_end() -> None:
    name = "a" * 50 + "b" * 50
    assert len(plain(name)) == LONGEST and re.fullmatch("a+\u2026b+", plain(name))
    assert plain("short") == "short"
    assert plain("x" * LONGEST) == "x" * LONGEST


def test_matplotlib_s_own_settings_do_not_matter_and_stay() -> None:
    plainly = to_svg(figure())
    with matplotlib.rc_context({"text.usetex": True, "font.size": 30, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        assert to_svg(figure()) == plainly
        assert dict(matplotlib.rcParams) == before
