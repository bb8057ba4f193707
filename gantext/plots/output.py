"""Figures as files and as text for a page: PNG and SVG."""

import hashlib
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.dom.minidom import Element, Text, parseString

from gantext.files import write_output
from gantext.plots.theme import THEMES, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DPI = 150
# The attributes whose numbers need no more than a hundredth of a point.
COORDINATES = ("d", "x", "y", "width", "height", "transform")
LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
REFERENCE = re.compile(r"(^#|url\(#)([^)]+)")
COLOUR = re.compile(r"#[0-9a-f]{6}\b")
DARK = dict(zip(THEMES["light"].colours, THEMES["dark"].colours, strict=True))
FONT = re.compile(r"'DejaVu Sans'(, sans-serif)?")


def to_png(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG on its theme's background, to a file or what else has that name.

    Raises:
        UserError: it cannot be written.
    """
    write_output(path, png_bytes(figure))


def png_bytes(figure: "Figure") -> bytes:
    """Return a figure as a PNG file's content, on its theme's background."""
    return _render(figure, "png", dpi=DPI)


def to_svg(figure: "Figure") -> str:
    """Return a figure as an `<svg>` element for an HTML page.

    It is transparent, scales to the width it is given, has its text as text in the page's
    sans-serif font, refers to nothing outside itself, and is the same for the same figure. Its ids
    differ from other figures', so that many can stand in one page.
    """
    return _element(figure).toxml()


def to_svgs(figure: "Figure") -> tuple[str, str]:
    """Return `to_svg` of a figure of the light theme, and what it is in the dark one.

    For figures that have no colours but a theme's own: those of the other theme take their places,
    and drawing, which takes the time, is done once.
    """
    svg = _element(figure)
    light = svg.toxml()
    for element in svg.getElementsByTagName("*"):
        if style := element.getAttribute("style"):
            dark = COLOUR.sub(lambda found: DARK.get(found[0], found[0]), style)
            element.setAttribute("style", dark)
    return light, svg.toxml()


def _element(figure: "Figure") -> Element:
    """A figure as `to_svg` says."""
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    drawn = _render(figure, "svg", transparent=True, metadata=metadata)
    svg = parseString(drawn).documentElement
    assert svg is not None
    for name in ("width", "height", "version"):
        svg.removeAttribute(name)
    svg.setAttribute("role", "img")
    # A <style> element would hold for the whole page.
    svg.setAttribute("style", "stroke-linejoin:round;stroke-linecap:butt")
    for style in svg.getElementsByTagName("style"):
        _remove(style)
    elements = [svg, *svg.getElementsByTagName("*")]
    for element in elements:
        _compact(element)
    _rename_ids(elements, f"f{hashlib.sha256(drawn).hexdigest()[:8]}")
    return svg


def _render(figure: "Figure", kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    with styled(THEMES["light"]):  # colours are the figure's own by now
        figure.savefig(file, format=kind, **options)
    return file.getvalue()


def _remove(element: Element) -> None:
    if element.parentNode is not None:
        element.parentNode.removeChild(element)


def _compact(element: Element) -> None:
    for name in COORDINATES:
        if element.hasAttribute(name):
            short = LONG_NUMBER.sub(_rounded, element.getAttribute(name))
            element.setAttribute(name, " ".join(short.split()))
    for child in list(element.childNodes):
        if isinstance(child, Text) and element.tagName != "text" and not child.data.strip():
            element.removeChild(child)
    style = FONT.sub("sans-serif", element.getAttribute("style"))
    if style:
        element.setAttribute("style", style)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _rename_ids(elements: list[Element], prefix: str) -> None:
    """Keep only ids that something refers to, and make them this figure's own."""
    ids = {element.getAttribute("id") for element in elements}
    used = ids & {name for element in elements for name in _references(element)}
    names = {old: f"{prefix}-{place}" for place, old in enumerate(sorted(used))}
    for element in elements:
        if element.getAttribute("id") in names:
            element.setAttribute("id", names[element.getAttribute("id")])
        elif element.hasAttribute("id"):
            element.removeAttribute("id")
        for name, value in list(element.attributes.items()):
            renamed = REFERENCE.sub(lambda r: r[1] + names.get(r[2], r[2]), value)
            element.setAttribute(name, renamed)


def _references(element: Element) -> set[str]:
    values = [value for _, value in element.attributes.items()]
    return {found[2] for value in values for found in REFERENCE.finditer(value)}


SVG_NAMESPACE = "http://www.w3.org/2000/svg"
