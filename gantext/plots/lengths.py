"""A score by sentence length: does quality fall as sentences grow?"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gantext.errors import UserError
from gantext.plots.theme import (
    SMALL,
    Theme,
    find_theme,
    legend_below,
    new_axes,
    run_look,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


FEW = 30  # sentences; a mean of fewer is drawn hollow
BESIDE = 0.08  # of the distance of two buckets: the series stand beside each other
LINE = 11  # points between two rows of counts


class Bucket(NamedTuple):
    """A mean over sentences of some lengths.

    Attributes:
        value: the mean; None where there is none.
        sentences: how many.
        error: the mean's standard error, where it is known.
    """

    value: float | None
    sentences: int
    error: float | None = None

    @property
    def height(self) -> float:
        """The mean; NaN where there is none, as of no sentences."""
        known = self.value is not None and self.sentences > 0 and math.isfinite(self.value)
        return self.value if known and self.value is not None else math.nan

    @property
    def is_few(self) -> bool:
        """Whether its mean is of few sentences."""
        return math.isfinite(self.height) and self.sentences < FEW


def lengths_figure(
    series: Mapping[str, Mapping[str, Bucket]],
    ylabel: str,
    theme: str = "light",
    real: str | None = "real",
    place: int = 0,
) -> "Figure":
    """Draw a score over buckets of sentence length, one line a model.

    Bars show a standard error to either side. Under each bucket stand the numbers of sentences, by
    series from the top. A bucket without sentences or without a finite value is a gap; one of
    fewer than 30 sentences has a hollow marker.

    Args:
        series: by model, by bucket in the order of the axis. RUN@PHASE beside its RUN has the
            run's colour, and is dashed.
        ylabel: the score's name and unit.
        theme: "light" or "dark".
        real: the name of the real text's series, which is drawn apart; it may be missing.
        place: of the first run among those that are shown together, which decides its colour.

    Raises:
        UserError: no series has a value, or there is no such theme.
    """
    colours = find_theme(theme)
    buckets = list(dict.fromkeys(bucket for values in series.values() for bucket in values))
    rows = {
        name: [values.get(bucket, Bucket(None, 0)) for bucket in buckets]
        for name, values in series.items()
    }
    if not any(math.isfinite(bucket.height) for row in rows.values() for bucket in row):
        raise UserError("nothing to plot: no bucket of sentence lengths has a value")
    with styled(colours):
        figure, axes = new_axes(colours)
        styles = _styles(list(rows), real, place, colours)
        axes.set_xlabel("tokens in a sentence", labelpad=8 + LINE * len(rows))
        axes.set_ylabel(ylabel)
        axes.set_xticks(range(len(buckets)), buckets)
        axes.set_xlim(-0.5, len(buckets) - 0.5)
        entries = []
        for turn, (name, row) in enumerate(rows.items()):
            aside = (turn - (len(rows) - 1) / 2) * BESIDE
            entries.append((_draw(axes, row, aside, styles[name]), name))
            _write_counts(axes, row, turn, styles[name]["color"])
        axes.annotate("n", (0, 0), (-14, -14 - LINE), **_below("right", colours.muted))
        if any(bucket.is_few for row in rows.values() for bucket in row):
            entries.append(_hollow_entry(axes, colours))
        legend_below(figure, entries)
    return figure


def _styles(
    names: Sequence[str], real: str | None, place: int, theme: Theme
) -> dict[str, dict[str, Any]]:
    """How each series is drawn: real text apart, a phase of a run as the run, but dashed."""
    runs = list(dict.fromkeys(_run_of(name, names) for name in names if name != real))
    styles: dict[str, dict[str, Any]] = {}
    for name in names:
        run = _run_of(name, names)
        phase = {"linestyle": "--"} if run != name else {}
        look = {} if name == real else run_look(theme, place + runs.index(run))
        styles[name] = {**look, **phase} or _real_style(theme)
    return styles


def _run_of(name: str, names: Sequence[str]) -> str:
    """The run that RUN@PHASE is a phase of, if that is drawn too."""
    run = name.rpartition("@")[0]
    return run if run in names else name


def _real_style(theme: Theme) -> dict[str, Any]:
    return {"color": theme.text, "marker": "*", "markersize": 9, "linestyle": ":"}


def _draw(axes: "Axes", row: Sequence[Bucket], aside: float, style: dict[str, Any]) -> "Artist":
    places = [place + aside for place in range(len(row))]
    few = [place for place, bucket in enumerate(row) if bucket.is_few]
    many = [place for place in range(len(row)) if place not in few]
    errors = [math.nan if bucket.error is None else bucket.error for bucket in row]
    heights = [bucket.height for bucket in row]
    if any(map(math.isfinite, errors)):
        bars = {"ecolor": style["color"], "elinewidth": 1, "capsize": 2.5, "alpha": 0.7}
        axes.errorbar(places, heights, errors, fmt="none", **bars)
    (line,) = axes.plot(places, heights, markevery=many, **style)
    if few:
        hollow = {**style, "linestyle": "none", "markerfacecolor": "none"}
        axes.plot([places[i] for i in few], [heights[i] for i in few], **hollow)
    return line


def _write_counts(axes: "Axes", row: Sequence[Bucket], turn: int, colour: str) -> None:
    """The numbers of sentences of a series, in its colour under the buckets' names."""
    for place, bucket in enumerate(row):
        down = -14 - LINE * (turn + 1)
        axes.annotate(f"{bucket.sentences:,}", (place, 0), (0, down), **_below("center", colour))


def _below(side: str, colour: str) -> dict[str, Any]:
    """How a text stands that many points under the axes."""
    place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    if side == "right":
        place["xycoords"] = "axes fraction"
    return {**place, "ha": side, "color": colour, "fontsize": SMALL}


def _hollow_entry(axes: "Axes", theme: Theme) -> tuple["Artist", str]:
    style: dict[str, Any] = {**run_look(theme, 0), "color": theme.muted}
    style["markerfacecolor"] = "none"
    return axes.plot([], [], linestyle="none", **style)[0], f"fewer than {FEW} sentences"
