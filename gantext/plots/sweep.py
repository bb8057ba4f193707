"""A score over a swept setting: the mean over seeds, its standard deviation as a band."""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gantext.errors import UserError
from gantext.plots.theme import (
    Theme,
    find_theme,
    legend_below,
    new_axes,
    plain,
    run_look,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Series = Mapping[str, Sequence[float]]  # by the value of the setting, the score of each seed
DECADES = 30.0  # of positive values whose largest is so many times the least, the axis is of powers
MOST = 8  # numbers that are named on it
MANY = 4  # more names of values are turned, or they would overlap


def sweep_figure(
    series: Mapping[str, Series], xlabel: str, ylabel: str, theme: str = "light"
) -> "Figure":
    """Draw a score over the values of a setting, one line a series.

    Values that are numbers lie where they belong, with lines between the means and a band of one
    standard deviation (n - 1) around them; others stand side by side, with bars. Each seed is a
    small dot. Scores that are not finite are left out.

    Args:
        series: by name; "" where there is one alone.
        xlabel: the name of the setting.
        ylabel: the name of the score.
        theme: "light" or "dark".

    Raises:
        UserError: no score is finite, or there is no such theme.
    """
    colours = find_theme(theme)
    finite = {name: _finite(values) for name, values in series.items()}
    drawn = {name: values for name, values in finite.items() if values}
    if not drawn:
        raise UserError("nothing to plot: no job has a finite score")
    names = list(dict.fromkeys(value for values in drawn.values() for value in values))
    numbers = _numbers(names)
    at = numbers or {name: float(place) for place, name in enumerate(names)}
    with styled(colours):
        figure, axes = new_axes(colours)
        axes.set_xlabel(plain(xlabel, 60))
        axes.set_ylabel(ylabel)
        if numbers is not None:
            _scale(axes, list(at.values()))
        else:
            _name_places(axes, names)
        entries = [
            (_draw(axes, values, at, (place, len(drawn)), numbers is not None, colours), name)
            for place, (name, values) in enumerate(drawn.items())
        ]
        legend_below(figure, [entry for entry in entries if len(entries) > 1 and entry[1]])
    return figure


def _finite(values: Series) -> dict[str, list[float]]:
    """The finite scores, by the values that have some."""
    finite = {key: [v for v in scores if math.isfinite(v)] for key, scores in values.items()}
    return {key: scores for key, scores in finite.items() if scores}


def _numbers(values: Sequence[str]) -> dict[str, float] | None:
    """The values as finite numbers; None where one is none."""
    try:
        found = {value: float(value) for value in values}
    except ValueError:
        return None
    return found if all(map(math.isfinite, found.values())) else None


def _scale(axes: "Axes", numbers: Sequence[float]) -> None:
    """Powers where positive numbers span some; few numbers are named, and no others."""
    is_wide = min(numbers) > 0 and max(numbers) >= DECADES * min(numbers)
    if is_wide:
        axes.set_xscale("log")
    if is_wide or len(set(numbers)) <= MOST:
        named = sorted(set(numbers))[:: 1 + len(set(numbers)) // (MOST + 1)]
        axes.set_xticks(named, [f"{number:.3g}" for number in named])
        axes.set_xticks([], minor=True)


def _name_places(axes: "Axes", names: Sequence[str]) -> None:
    axes.set_xticks(range(len(names)), [plain(name, 20) for name in names])
    if len(names) > MANY:
        for text in axes.get_xticklabels():
            text.set(rotation=20, ha="right")
    axes.set_xlim(-0.5, len(names) - 0.5)


def _draw(
    axes: "Axes",
    values: Mapping[str, Sequence[float]],
    at: Mapping[str, float],
    turn: tuple[int, int],
    numeric: bool,
    theme: Theme,
) -> "Artist":
    """One series, the `turn[0]`-th of `turn[1]`; names stand beside each other, numbers do not."""
    place, many = turn
    look = run_look(theme, place)
    colour = look["color"]
    aside = 0.0 if numeric else (place - (many - 1) / 2) * 0.12
    x = [at[value] + aside for value in values]
    means = [statistics.fmean(scores) for scores in values.values()]
    spread = [statistics.stdev(s) if len(s) > 1 else 0.0 for s in values.values()]
    for where, scores in zip(x, values.values(), strict=True):
        if len(scores) > 1:
            axes.plot([where] * len(scores), scores, ".", color=colour, alpha=0.55, markersize=4)
    if numeric:
        low = [mean - sd for mean, sd in zip(means, spread, strict=True)]
        high = [mean + sd for mean, sd in zip(means, spread, strict=True)]
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    else:
        axes.errorbar(x, means, spread, fmt="none", ecolor=colour, elinewidth=1.2, capsize=3)
    style = "-" if numeric else "none"
    (line,) = axes.plot(x, means, color=colour, linestyle=style, marker=look["marker"])
    return line
