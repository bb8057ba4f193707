"""Latent vectors of sentences in a plane, coloured by a property of the sentences."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gantext.data.scenes.english import SHAPES
from gantext.data.scenes.shapes import outline
from gantext.plots.theme import (
    AXES_HEIGHT,
    MARKERS,
    WIDTH,
    Theme,
    find_theme,
    legend_below,
    new_axes,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure


LOWEST, HIGHEST = 2.6, AXES_HEIGHT + 1.0  # inches of a figure without its legend
AROUND = 0.9  # inches that the axes' labels take, of its width and of its height
SHAPE_AREA = 1.5  # of other markers' areas: shapes with corners and holes look smaller
VISIBLE = 0.85  # of the colour map, the part that can be seen on the background
LARGEST, SMALLEST = 30.0, 10.0  # square points, of few and of many dots
NONE = "none"  # the value of points that have no name
MORE_MARKERS = ("D", "h", "<", ">", "d")
PAINTS = {  # of the scenes' colours, so that red dots are red sentences
    "red": "#d62f2f",
    "orange": "#f58a1f",
    "yellow": "#e6c619",
    "green": "#3a9a3f",
    "blue": "#2f6fd6",
    "purple": "#8247b5",
    "pink": "#f08cc0",
    "brown": "#8a5a33",
    "black": "#16181b",
    "gray": "#8d949c",
}


@dataclass(frozen=True)
class LatentPlot:
    """What is drawn.

    Attributes:
        points: (N, 2).
        values: of each point, numbers (a colour bar) or names (a legend); "none" is none.
        by: what the values are.
        axes: the names of the two axes.
    """

    points: NDArray[np.float64]
    values: Sequence[int] | Sequence[str]
    by: str
    axes: tuple[str, str]


def latent_figure(plot: LatentPlot, theme: str = "light") -> "Figure":
    """Draw the points in the colours of their values.

    Args:
        plot: of at least one point.
        theme: "light" or "dark".

    Raises:
        UserError: there is no such theme.
    """
    colours = find_theme(theme)
    with styled(colours):
        figure, axes = new_axes(colours)
        height = _height(plot.points)
        figure.set_figheight(height)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel(plot.axes[0])
        axes.set_ylabel(plot.axes[1])
        axes.locator_params(nbins=7)
        if all(isinstance(value, str) for value in plot.values):
            legend_below(figure, _draw_names(axes, plot, colours), height)
        else:
            _draw_numbers(axes, plot, colours)
    return figure


def _height(points: NDArray[np.float64]) -> float:
    """Inches of a figure that points on axes of one scale fill, as far as it is no mere strip."""
    width, height = np.ptp(points, axis=0)
    if width == 0:
        return HIGHEST
    return float(np.clip(AROUND + (WIDTH - AROUND) * height / width, LOWEST, HIGHEST))


def _size(count: int) -> float:
    return float(np.clip(30 - 8 * np.log10(max(count, 1) / 100), SMALLEST, LARGEST))


def _draw_names(axes: "Axes", plot: LatentPlot, theme: Theme) -> list[tuple["Artist", str]]:
    """The points of each name, the most frequent name first; the legend's entries."""
    values = np.array(plot.values)
    names, counts = np.unique(values, return_counts=True)
    order = [str(names[i]) for i in np.argsort(-counts, kind="stable")]
    looks = _looks([name for name in order if name != NONE], theme)
    size = _size(len(values))
    entries: list[tuple[Artist, str]] = []
    for name in order:
        look = dict(looks.get(name) or _no_look(theme))
        area = look.pop("area", 1.0)
        own = plot.points[values == name]
        dots = axes.scatter(own[:, 0], own[:, 1], s=area * size, alpha=0.85, **look)
        entries.append((dots, f"{name} ({len(own)})"))
    return entries


def _looks(names: Sequence[str], theme: Theme) -> dict[str, dict[str, Any]]:
    """A colour and a marker for each name, none of them twice as long as there are some.

    A colour has its own colour, and a shape its own form.
    """
    colours = itertools.cycle([*theme.series, *theme.more])
    markers = itertools.cycle([*MARKERS, *MORE_MARKERS])
    found = {}
    for name in names:
        edge = theme.muted if name in PAINTS else theme.background
        look = {"color": PAINTS.get(name) or next(colours), "edgecolors": edge, "linewidths": 0.4}
        drawn = name in SHAPES
        marker = _shape(name) if drawn else next(markers)
        found[name] = {**look, "marker": marker, "area": SHAPE_AREA if drawn else 1.0}
    return found


def _shape(name: str) -> NDArray[np.float64]:
    """The outline of a shape, closed; that of the scenes has y downwards."""
    corners = outline(name) * (1, -1)
    return np.concatenate([corners, corners[:1]])


def _no_look(theme: Theme) -> dict[str, Any]:
    """Of points that have no name."""
    return {"color": theme.muted, "marker": "x", "linewidths": 0.9}


def _draw_numbers(axes: "Axes", plot: LatentPlot, theme: Theme) -> None:
    values = np.array(plot.values)
    low, high = int(values.min()), int(values.max())
    limits = {"vmin": low - 0.5, "vmax": high + 0.5}
    style: dict[str, Any] = {"cmap": _scale(theme, high - low + 1), "linewidths": 0, **limits}
    x, y = plot.points.T
    dots = axes.scatter(x, y, c=values, s=_size(len(values)), alpha=0.85, **style)
    _bar(axes, dots, plot.by, theme)


def _scale(theme: Theme, count: int) -> "Colormap":
    """A colour for each number: no light ones on white, no dark ones on black."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    first = 0.0 if theme.name == "light" else 1 - VISIBLE
    return ListedColormap(colormaps["viridis"](np.linspace(first, first + VISIBLE, count)))


def _bar(axes: "Axes", dots: "PathCollection", name: str, theme: Theme) -> None:
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(8, integer=True)
    bar = axes.figure.colorbar(dots, ax=axes, shrink=0.9, ticks=ticks)
    bar.set_label(name)
    bar.ax.tick_params(color=theme.muted, labelcolor=theme.text, labelsize=9, length=3)
    bar.outline.set_visible(False)
    if bar.solids is not None:
        bar.solids.set_alpha(1)  # the dots' own opacity is for their overlaps
