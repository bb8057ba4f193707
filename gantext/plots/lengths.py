"""A score by sentence length: does quality fall as sentences grow?"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gantext.errors import UserError
from gantext.plots.theme import MARKERS, Theme, find_theme, legend_below, new_axes, styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


Bucket = tuple[float | None, int]
FEW = 30  # sentences; a mean of fewer is drawn hollow


def lengths_figure(
    series: Mapping[str, Mapping[str, Bucket]],
    ylabel: str,
    theme: str = "light",
    real: str | None = "real",
) -> "Figure":
    """Draw a score over buckets of sentence length, one line a model.

    A bucket without sentences or without a finite value is a gap; one of fewer than 30 sentences
    has a hollow marker.

    Args:
        series: by model, by bucket in the order of the axis: the value and how many sentences.
        ylabel: the score's name and unit.
        theme: "light" or "dark".
        real: the name of the real text's series, which is drawn apart; it may be missing.

    Raises:
        UserError: no series has a value, or there is no such theme.
    """
    colours = find_theme(theme)
    buckets = list(dict.fromkeys(bucket for values in series.values() for bucket in values))
    rows = {
        name: [_clean(values.get(bucket)) for bucket in buckets] for name, values in series.items()
    }
    if not any(math.isfinite(value) for row in rows.values() for value, _ in row):
        raise UserError("nothing to plot: no bucket of sentence lengths has a value")
    with styled(colours):
        figure, axes = new_axes(colours)
        axes.set_xlabel("tokens in a sentence")
        axes.set_ylabel(ylabel)
        axes.set_xticks(range(len(buckets)), buckets)
        axes.set_xlim(-0.4, len(buckets) - 0.6)
        models = [name for name in rows if name != real]
        styles = {name: _style(place, colours) for place, name in enumerate(models)}
        entries = [
            (_draw(axes, row, styles.get(name, _real_style(colours))), name)
            for name, row in rows.items()
        ]
        if any(_is_few(bucket) for row in rows.values() for bucket in row):
            entries.append(_hollow_entry(axes, colours))
        legend_below(figure, entries)
    return figure


def _clean(bucket: Bucket | None) -> tuple[float, int]:
    """Without sentences there is no value, whatever it says."""
    value, count = bucket or (None, 0)
    return (math.nan if value is None or count <= 0 else value, count)


def _is_few(bucket: tuple[float, int]) -> bool:
    return math.isfinite(bucket[0]) and bucket[1] < FEW


def _style(place: int, theme: Theme) -> dict[str, Any]:
    colour = theme.series[place % len(theme.series)]
    return {"color": colour, "marker": MARKERS[place % len(MARKERS)]}


def _real_style(theme: Theme) -> dict[str, Any]:
    return {"color": theme.text, "marker": "*", "markersize": 9, "linestyle": ":"}


def _draw(axes: "Axes", row: Sequence[tuple[float, int]], style: dict[str, Any]) -> "Artist":
    heights = [value if math.isfinite(value) else math.nan for value, _ in row]
    few = [place for place, bucket in enumerate(row) if _is_few(bucket)]
    many = [place for place in range(len(row)) if place not in few]
    (line,) = axes.plot(range(len(row)), heights, markevery=many, **style)
    if few:
        hollow = {**style, "linestyle": "none", "markerfacecolor": "none"}
        axes.plot(few, [heights[place] for place in few], **hollow)
    return line


def _hollow_entry(axes: "Axes", theme: Theme) -> tuple["Artist", str]:
    style = {**_style(0, theme), "color": theme.muted, "markerfacecolor": "none"}
    return axes.plot([], [], linestyle="none", **style)[0], f"fewer than {FEW} sentences"
