"""LeakGAN's goals and leaked features over the words of a few sentences.

Small multiples: one plane for all sentences, one panel for each, in which the others are faint;
then the goals by themselves.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gantext.errors import UserError
from gantext.plots.labels import Label, Line, place_labels
from gantext.plots.theme import (
    MARKERS,
    SMALL,
    Theme,
    find_theme,
    grid_of_axes,
    legend_below,
    plain,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure


# Paths of leaked features and goals in the plane, and the arrows and labels that they need.
#
# Shapes: T tokens of a sentence, <eos> counted.
Array = NDArray[np.float64]
ARROW = 0.09  # of the longer side of what the paths take
CROWD = 0.025  # of the same: words that are nearer to each other need not all be named
MARGIN = 0.05  # of the longer side of what is drawn, around it


@dataclass(frozen=True)
class GoalPath:
    """A sentence with its leaked features and goals in two dimensions.

    Attributes:
        text: the sentence.
        words: T words, <eos> the last (unless the sentence was cut at the longest length).
        features: (T + 1, 2), f_0..f_T in the plane of all sentences' features.
        goals: (T, 2), g_0..g_{T-1} in the same plane; length 1 if the goal lies in it, else less.
        own: (T, 2), the goals in the plane of their own principal directions.
        cosines: (T,), cos(f_{s+c} - f_s, g_s) in the space of all features.
    """

    text: str
    words: tuple[str, ...]
    features: Array
    goals: Array
    own: Array
    cosines: Array

    @property
    def mean_cosine(self) -> float:
        """How far the features went where the goals point, -1..1."""
        return float(self.cosines.mean())

    @property
    def inside(self) -> Array:
        """(T,), the length of each goal in the plane of the features, 0..1."""
        return np.asarray(np.linalg.norm(self.goals, axis=1).clip(0, 1))

    def heads(self, length: float) -> Array:
        """(T, 2), where arrows of a length end, from the points at which their goals are set.

        NaN for a goal at a right angle to the plane.
        """
        inside = np.linalg.norm(self.goals, axis=1, keepdims=True)
        nowhere = np.full_like(self.goals, math.nan)
        unit = np.divide(self.goals, inside, out=nowhere, where=inside > 0)
        return np.asarray(self.features[:-1] + length * unit)

    def clear(self, room: float) -> list[bool]:
        """(T,), whether the point of a word keeps a distance from the clear ones before it."""
        kept, found = self.features[:1], []
        for point in self.features[1:]:
            found.append(bool((np.linalg.norm(kept - point, axis=1) > room).all()))
            kept = np.concatenate([kept, point[None]]) if found[-1] else kept
        return found


@dataclass(frozen=True)
class GoalPlot:
    """Sentences that share their planes, and the shares of the whole that these show.

    Attributes:
        paths: the sentences.
        feature_shares: of the features' variance, by axis.
        goal_shares: of the goals' squared length, by axis.
    """

    paths: tuple[GoalPath, ...]
    feature_shares: tuple[float, float]
    goal_shares: tuple[float, float]

    @property
    def size(self) -> float:
        """The longer side of what the paths take."""
        everything = np.concatenate([path.features for path in self.paths])
        return float(np.ptp(everything, axis=0).max())

    @property
    def arrow(self) -> float:
        """The length of all arrows."""
        return ARROW * self.size

    @property
    def crowd(self) -> float:
        """A distance at which labels are in each other's way."""
        return CROWD * self.size

    def corners(self) -> Array:
        """(2, 2), the corners of what all paths and arrows take, with a margin."""
        heads = [path.heads(self.arrow) for path in self.paths]
        everything = np.concatenate([*(path.features for path in self.paths), *heads])
        low, high = np.nanmin(everything, axis=0), np.nanmax(everything, axis=0)
        room = MARGIN * float((high - low).max())
        return np.array([low - room, high + room])


TITLE = 48  # characters of a sentence above its panel
MOST = 6  # sentences: colours that can be told apart
FAINTEST = 0.15  # opacity of an arrow whose goal is nearly at a right angle to the plane
VISIBLE = 0.75  # of the colour map, the part that can be seen on the background
CAPTION = (
    "Each panel is one sentence: from the ring, the path of the discriminator's leaked features "
    "over its words, in the plane of the first two principal components of all the sentences' "
    "features; the other sentences are faint. A word stands beside the point that it leads to "
    "(without room there, it is left out). An arrow is the goal that the manager sets at a point, "
    "for where the "
    "features should go; all are drawn equally long, and the more solid, the more of the goal's "
    "length lies in the plane. The number above a panel is the mean cosine of goal and actual "
    "move. Last panel: the goals alone, in their own two principal directions (not centred). A "
    "goal has length 1, so one on the circle lies wholly in that plane, and goals that are all "
    "alike are one spot. In brackets: the share of the features' variance, or of the goals' "
    "squared length, that an axis shows."
)


def goals_figure(plot: GoalPlot, theme: str = "light") -> "Figure":
    """Draw the sentences' paths with their goals, and the goals alone (see `CAPTION`).

    Args:
        plot: of 1 to 6 sentences.
        theme: "light" or "dark".

    Raises:
        UserError: there is no sentence, or more than 6; there is no such theme.
    """
    colours = find_theme(theme)
    if not 1 <= len(plot.paths) <= MOST:
        raise UserError(f"{len(plot.paths)} sentences: 1 to {MOST} can be drawn")
    with styled(colours):
        figure, panels = grid_of_axes(colours, len(plot.paths) + 1)
        for place, axes in enumerate(panels[:-1]):
            _draw_sentence(axes, plot, place, colours)
        _draw_goals(panels[-1], plot, colours)
        entries = _legend(panels[0], len(plot.paths) > 1, colours)
        legend_below(figure, entries, figure.get_figheight())
        for path, axes in zip(plot.paths, panels, strict=False):
            place_labels(figure, axes, _labels(plot, path, colours), _obstacles(plot, path))
    return figure


def _draw_sentence(axes: "Axes", plot: GoalPlot, place: int, theme: Theme) -> None:
    path = plot.paths[place]
    axes.set_aspect("equal", adjustable="datalim")
    axes.update_datalim(plot.corners())  # the same in all panels
    axes.margins(0)
    for other in plot.paths[:place] + plot.paths[place + 1 :]:
        axes.plot(*other.features.T, **_faint(theme), zorder=1)
    style: dict[str, Any] = {"color": theme.series[place], "marker": MARKERS[place]}
    (line,) = axes.plot(*path.features.T, markevery=slice(1, None), zorder=3, **style)
    axes.plot(*path.features[0], **_start(theme))
    _draw_arrows(axes, path, plot.arrow, theme)
    _label_axes(axes, "leaked features: PC", plot.feature_shares)
    _title(axes, line, f"{plain(path.text, TITLE)}  (cosine {path.mean_cosine:.2f})")


def _faint(theme: Theme) -> dict[str, Any]:
    return {"color": theme.muted, "linewidth": 0.8, "alpha": 0.4}


def _start(theme: Theme) -> dict[str, Any]:
    ring = {"marker": "o", "markersize": 8, "markerfacecolor": theme.background, "zorder": 4}
    return {"color": theme.text, "linestyle": "none", **ring}


def _title(axes: "Axes", line: "Artist", text: str) -> None:
    """A legend of one entry above the axes: the sentence with its marker."""
    legend = axes.legend([line], ["0"], loc="lower left", bbox_to_anchor=(0, 1), borderpad=0.1)
    legend.get_texts()[0].set(text=text, fontsize=SMALL)
    legend.set_in_layout(False)  # or the layout would make the axes narrower
    axes.set_title(" ", fontsize=11)  # keeps the room


def _label_axes(axes: "Axes", name: str, shares: tuple[float, float]) -> None:
    axes.set_xlabel(f"{name} 1 ({shares[0]:.0%})", fontsize=9)
    axes.set_ylabel(f"{name} 2 ({shares[1]:.0%})", fontsize=9)
    axes.locator_params(nbins=6)


def _draw_arrows(axes: "Axes", path: GoalPath, length: float, theme: Theme) -> None:
    look = {"arrowstyle": "-|>", "linewidth": 1.1, "mutation_scale": 7, "shrinkA": 0, "shrinkB": 0}
    for tail, head, solid in zip(path.features, path.heads(length), path.inside, strict=False):
        if np.isfinite(head).all():
            ink = {"color": theme.text, "alpha": max(FAINTEST, float(solid))}
            axes.annotate("", head, tail, arrowprops=look | ink, zorder=2, in_layout=False)


def _labels(plot: GoalPlot, path: GoalPath, theme: Theme) -> list[Label]:
    """The words, each at its point: those that stand apart first, of a crowd what has room."""
    points, clear = path.features[1:].tolist(), path.clear(plot.crowd)
    placed = list(zip(path.words, points, clear, strict=True))
    return [
        Label(word, x, y, theme.text, over_lines=apart)
        for word, (x, y), apart in sorted(placed, key=lambda word: not word[2])
    ]


def _obstacles(plot: GoalPlot, path: GoalPath) -> list[Line]:
    """What the words may not cover: the path and its arrows."""
    points, heads = path.features.tolist(), path.heads(plot.arrow).tolist()
    arrows = [[a, b] for a, b in zip(points, heads, strict=False) if math.isfinite(b[0])]
    return [points, *arrows]


def _draw_goals(axes: "Axes", plot: GoalPlot, theme: Theme) -> None:
    axes.set_title("the goals alone", loc="left", fontsize=9)
    axes.set_aspect("equal", adjustable="datalim")
    axes.update_datalim([(-1.06, -1.06), (1.06, 1.06)])
    axes.margins(0)
    turn = np.linspace(0, 2 * math.pi, 181)
    axes.plot(np.cos(turn), np.sin(turn), color=theme.muted, linewidth=0.8, linestyle=":")
    axes.plot(0, 0, "+", color=theme.muted)
    longest = max(len(path.own) for path in plot.paths)
    colours = _positions(theme, longest)
    for place, path in enumerate(plot.paths):
        colour = theme.series[place]
        axes.plot(*path.own.T, color=colour, linewidth=0.8, zorder=2)
        style: dict[str, Any] = {"marker": MARKERS[place], "edgecolors": colour, "linewidths": 0.6}
        style |= {"cmap": colours, "vmin": -0.5, "vmax": longest - 0.5}
        x, y = path.own.T
        dots = axes.scatter(x, y, s=26, c=np.arange(len(x)), zorder=3, **style)
    _position_bar(axes, dots, theme)
    _label_axes(axes, "goals: direction", plot.goal_shares)


def _positions(theme: Theme, count: int) -> "Colormap":
    """A colour for each position in the sentence: no light ones on white, no dark ones on black."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    first = 0.0 if theme.name == "light" else 1 - VISIBLE
    return ListedColormap(colormaps["viridis"](np.linspace(first, first + VISIBLE, count)))


def _position_bar(axes: "Axes", dots: "PathCollection", theme: Theme) -> None:
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(6, integer=True)
    bar = axes.figure.colorbar(dots, ax=axes, shrink=0.8, ticks=ticks)
    bar.set_label("words before the goal", fontsize=9)
    bar.ax.tick_params(color=theme.muted, labelcolor=theme.text, labelsize=9, length=3)
    bar.outline.set_visible(False)


def _legend(axes: "Axes", others: bool, theme: Theme) -> list[tuple["Artist", str]]:
    (ring,) = axes.plot([], [], **_start(theme))
    (arrow,) = axes.plot([], [], color=theme.text, marker=">", linewidth=1.1, markersize=4)
    entries: list[tuple[Artist, str]] = [
        (ring, "no word yet"),
        (arrow, "goal (solid: in the plane)"),
    ]
    if others:
        entries.append((axes.plot([], [], **_faint(theme))[0], "other sentences"))
    return entries
