"""A score over a swept setting."""

import math

import pytest

from gantext.errors import UserError
from gantext.plots.sweep import sweep_figure


def test_numbers_lie_where_they_belong_with_a_band_over_seeds() -> None:
    """Of 1 and 3: mean 2, sd sqrt(2), so the band goes from 0.59 to 3.41."""
    series = {"": {"10": [1.0, 3.0], "20": [4.0], "40": [math.nan]}}
    axes = sweep_figure(series, "model.hidden", "nll-test").axes[0]
    dots, line = axes.lines
    assert list(line.get_xdata()) == [10, 20] and list(line.get_ydata()) == [2, 4]
    assert list(dots.get_ydata()) == [1, 3]
    (band,) = axes.collections
    low, high = band.get_datalim(axes.transData).intervaly
    assert (low, high) == (pytest.approx(2 - math.sqrt(2)), 4) and axes.get_xscale() == "linear"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("model.hidden", "nll-test")
    assert not axes.figure.legends


def test_powers_have_an_axis_of_powers_that_names_them() -> None:
    axes = sweep_figure({"": {"1e-4": [1.0], "0.001": [2.0], "0.01": [1.0]}}, "rate", "x").axes[0]
    assert axes.get_xscale() == "log"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0.0001", "0.001", "0.01"]


def test_few_numbers_are_named_and_no_others() -> None:
    axes = sweep_figure({"": {"1": [1.0], "2": [2.0], "4": [1.0]}}, "epochs", "x").axes[0]
    assert axes.get_xscale() == "linear"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "2", "4"]


def test_names_stand_side_by_side() -> None:
    series = {"_a $1$": {"gan": [1.0, 2.0], "mle": [3.0]}, "b": {"mle": [2.0], "vae": [4.0]}}
    figure = sweep_figure(series, "model", "bleu-4", "dark")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["gan", "mle", "vae"]
    means = [line for line in axes.lines if line.get_marker() in "os"]
    places = [list(line.get_xdata()) for line in means]
    assert places == [pytest.approx([-0.06, 0.94]), pytest.approx([1.06, 2.06])]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["_a $1$", "b"]


@pytest.mark.parametrize("series", [{}, {"a": {}}, {"a": {"1": [math.inf]}}])
def test_nothing_to_draw_is_refused(series: dict[str, dict[str, list[float]]]) -> None:
    with pytest.raises(UserError, match="nothing to plot"):
        sweep_figure(series, "x", "y")
