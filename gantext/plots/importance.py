"""How much each key of a search matters, as bars."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gantext.plots.theme import find_theme, new_axes, plain, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def importance_figure(
    shares: Mapping[str, float], objective: str, theme: str = "light"
) -> "Figure":
    """Draw the share of each key in the spread of an objective, the largest at the top.

    Args:
        shares: 0..1 by key.
        objective: its name.
        theme: "light" or "dark".

    Raises:
        UserError: there is no such theme.
    """
    colours = find_theme(theme)
    keys = sorted(shares, key=lambda key: shares[key])
    with styled(colours):
        figure, axes = new_axes(colours)
        axes.barh(range(len(keys)), [shares[key] for key in keys], color=colours.series[0])
        axes.set_yticks(range(len(keys)), [plain(key, 40) for key in keys])
        axes.set_xlabel(f"importance for {plain(objective, 30)}")
    return figure
