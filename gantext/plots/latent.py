"""Latent vectors of sentences in a plane, coloured by a property of the sentences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gantext.plots.theme import (
    AXES_HEIGHT,
    MARKERS,
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


HEIGHT = AXES_HEIGHT + 1.0  # inches: nearly square axes
VISIBLE = 0.85  # of the colour map, the part that can be seen on the background
LARGEST, SMALLEST = 30.0, 10.0  # square points, of few and of many dots
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
        values: of each point, numbers (a colour bar) or names (a legend).
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
        figure.set_figheight(HEIGHT)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel(plot.axes[0])
        axes.set_ylabel(plot.axes[1])
        axes.locator_params(nbins=7)
        if all(isinstance(value, str) for value in plot.values):
            legend_below(figure, _draw_names(axes, plot, colours), HEIGHT)
        else:
            _draw_numbers(axes, plot, colours)
    return figure


def _size(count: int) -> float:
    return float(np.clip(30 - 8 * np.log10(max(count, 1) / 100), SMALLEST, LARGEST))


def _draw_names(axes: "Axes", plot: LatentPlot, theme: Theme) -> list[tuple["Artist", str]]:
    """The points of each name, the most frequent name first; the legend's entries."""
    values = np.array(plot.values)
    names, counts = np.unique(values, return_counts=True)
    order = [str(names[i]) for i in np.argsort(-counts, kind="stable")]
    size = _size(len(values))
    entries: list[tuple[Artist, str]] = []
    for place, name in enumerate(order):
        style: dict[str, Any] = {"marker": MARKERS[place % len(MARKERS)], "linewidths": 0.4}
        style["color"] = PAINTS.get(name, theme.series[place % len(theme.series)])
        style["edgecolors"] = theme.muted if name in PAINTS else theme.background
        own = plot.points[values == name]
        dots = axes.scatter(own[:, 0], own[:, 1], s=size, alpha=0.85, **style)
        entries.append((dots, f"{name} ({len(own)})"))
    return entries


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
