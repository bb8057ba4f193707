"""How all figures look: colours for a light and a dark page, type, axes, the legend below."""

import contextlib
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gantext.errors import UserError, nearest

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


WIDTH = 6.2  # inches
AXES_HEIGHT = 3.7  # inches, with the labels of the axes
GRID_WIDTH, GRID_HEIGHT = 9.3, 3.4  # inches, of a figure of several axes and of a row of them
LEGEND_ROW = 0.2  # inches
SMALL = 8.5  # points, of the text inside the axes
LONGEST = 36  # characters of a name in a legend


@dataclass(frozen=True)
class Theme:
    """Colours of one page.

    The series' colours have a contrast of 3 or more with the background, and are at least 20 apart
    from each other and from the text in CIELAB, also as people with protanopia, deuteranopia or
    tritanopia see them (Machado et al. 2009). Markers differ too: colour never stands alone.

    Attributes:
        series: of runs, and of what else is told apart.
        more: further ones where the series' do not suffice: told from all others with full colour
            vision, by everybody with a marker of their own.
    """

    name: str
    background: str
    text: str
    muted: str
    grid: str
    bands: tuple[str, str]
    series: tuple[str, ...]
    more: tuple[str, ...]

    @property
    def colours(self) -> tuple[str, ...]:
        """All of them, in the order of the attributes; no two are the same."""
        single = (self.background, self.text, self.muted, self.grid)
        return (*single, *self.bands, *self.series, *self.more)


_THEMES = (
    Theme(
        name="light",
        background="#ffffff",
        text="#1f2328",
        muted="#6a7078",
        grid="#e3e6ea",
        bands=("#f3f5f7", "#e9edf1"),
        series=("#0091fa", "#d47900", "#00665c", "#b67cad", "#7a4a10", "#5b2fa0"),
        more=("#ff00ff", "#e0143c", "#0000ff", "#00a500", "#78005a"),
    ),
    Theme(
        name="dark",
        background="#15181c",
        text="#e6e8eb",
        muted="#9aa1aa",
        grid="#2c3138",
        bands=("#1b1f24", "#232830"),
        series=("#6db4ff", "#e97e00", "#1f8a57", "#e58bab", "#e0d455", "#7e5aff"),
        more=("#3cffa5", "#e62040", "#d200a5", "#96ff00", "#7d7d00"),
    ),
)
THEMES = {theme.name: theme for theme in _THEMES}
MARKERS = ("o", "s", "^", "v", "P", "X", "p")


def run_look(theme: Theme, place: int) -> dict[str, str]:
    """The colour and the marker of the run of this place among those of a report."""
    colours = [*theme.series, *theme.more]
    return {"color": colours[place % len(colours)], "marker": MARKERS[place % len(MARKERS)]}


def find_theme(name: str) -> Theme:
    """Return the theme of that name.

    Raises:
        UserError: there is none.
    """
    if name not in THEMES:
        choices = ", ".join(THEMES)
        raise UserError(f"no theme {name!r}{nearest(name, THEMES)}; choose from {choices}")
    return THEMES[name]


def _settings(theme: Theme) -> dict[Any, Any]:
    return {
        "font.family": ["sans-serif"],
        # Ships with matplotlib, so that a figure is laid out alike on every machine.
        "font.sans-serif": ["DejaVu Sans"],
        "font.size": 10,
        "text.color": theme.text,
        # Names may hold a $.
        "text.parse_math": False,
        "axes.labelcolor": theme.text,
        "axes.edgecolor": theme.muted,
        "axes.facecolor": "none",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "figure.facecolor": theme.background,
        "lines.linewidth": 1.6,
        "lines.markersize": 5,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "svg.fonttype": "none",
        "svg.hashsalt": "gantext",
        "path.simplify_threshold": 0.3,
    }


@contextlib.contextmanager
def styled(theme: Theme) -> Iterator[None]:
    """Draw in a theme, whatever the user's own matplotlib settings; they come back after it.

    Raises:
        UserError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise UserError("figures need matplotlib: pip install matplotlib") from error
    with matplotlib.rc_context(), warnings.catch_warnings():
        # A name in a script that the font lacks: a browser finds the glyphs for the SVG's text.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_settings(theme))
        yield


def new_axes(theme: Theme) -> tuple["Figure", "Axes"]:
    """Return a new figure and its axes; call it under `styled`."""
    figure = _new_figure(WIDTH, AXES_HEIGHT)
    axes = figure.add_subplot()
    _dress(axes, theme)
    return figure, axes


def grid_of_axes(theme: Theme, panels: int) -> tuple["Figure", list["Axes"]]:
    """Return a new wide figure and its axes, two abreast; call it under `styled`."""
    rows = (panels + 1) // 2
    figure = _new_figure(GRID_WIDTH, GRID_HEIGHT * rows)
    found = [figure.add_subplot(rows, 2, place + 1) for place in range(panels)]
    for axes in found:
        _dress(axes, theme)
    return figure, found


def _new_figure(width: float, height: float) -> "Figure":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _dress(axes: "Axes", theme: Theme) -> None:
    axes.grid(True, color=theme.grid, linewidth=0.8)
    # Ticks may be made later, when the theme's settings are gone.
    axes.tick_params(color=theme.muted, labelcolor=theme.text, labelsize=9, length=3)


def plain(text: str, longest: int = LONGEST) -> str:
    """Return text that can stand in a figure: no control characters, a long middle cut out.

    Names of runs differ at their start or at their end.
    """
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    if len(shown) <= longest:
        return shown
    end = (longest - 1) // 2
    return f"{shown[: longest - 1 - end]}\N{HORIZONTAL ELLIPSIS}{shown[-end:]}"


def legend_below(
    figure: "Figure", entries: Sequence[tuple["Artist", str]], height: float = AXES_HEIGHT
) -> None:
    """Put a legend under axes of a height, in as many columns as fit; the figure grows by its."""
    if not entries:
        return
    for columns in [n for n in (4, 3, 2) if n <= len(entries)] + [1]:
        legend = figure.legend(
            [artist for artist, _ in entries],
            [str(place) for place in range(len(entries))],
            loc="outside lower center",
            ncols=columns,
            columnspacing=1.4,
        )
        # Matplotlib leaves out labels that start with "_", as a run's name may.
        for text, (_, name) in zip(legend.get_texts(), entries, strict=True):
            text.set_text(plain(name))
        rows = math.ceil(len(entries) / columns)
        figure.set_figheight(height + LEGEND_ROW * rows)
        if columns == 1 or legend.get_window_extent().width <= figure.bbox.width:
            return
        legend.remove()
