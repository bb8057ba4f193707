"""A score by sentence length."""

import math

import pytest

from gantext.errors import UserError
from gantext.plots.lengths import lengths_figure

SERIES = {
    "real": {"up to 8": (0.5, 40), "9-12": (0.4, 300), "over 12": (0.3, 31)},
    "_gan $1$": {"up to 8": (0.45, 29), "9-12": (0.35, 300), "over 12": (None, 0)},
}


def test_values_buckets_and_gaps() -> None:
    axes = lengths_figure(SERIES, "BLEU-4").axes[0]
    real, gan = axes.lines[:2]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["up to 8", "9-12", "over 12"]
    assert list(real.get_ydata()) == [0.5, 0.4, 0.3]
    assert list(gan.get_ydata())[:2] == [0.45, 0.35] and math.isnan(gan.get_ydata()[2])
    assert axes.get_ylabel() == "BLEU-4"
    assert (real.get_linestyle(), gan.get_linestyle()) == (":", "-")


def test_a_bucket_of_few_sentences_is_hollow() -> None:
    figure = lengths_figure(SERIES, "BLEU-4")
    real, gan, few = figure.axes[0].lines[:3]
    assert (list(few.get_xdata()), list(few.get_ydata())) == ([0], [0.45])
    assert few.get_markerfacecolor() == "none" and few.get_color() == gan.get_color()
    assert list(gan.get_markevery()) == [1, 2] and list(real.get_markevery()) == [0, 1, 2]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["real", "_gan $1$", "fewer than 30 sentences"]


def test_no_note_on_hollow_markers_where_there_are_none() -> None:
    figure = lengths_figure({"a": {"x": (0.1, 30)}}, "score", "dark")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a"]


def test_a_value_without_sentences_or_a_bucket_that_is_missing_is_a_gap() -> None:
    series = {"a": {"x": (0.1, 0), "y": (math.inf, 50), "z": (0.2, 50)}, "b": {"x": (0.3, 50)}}
    a, b = lengths_figure(series, "score").axes[0].lines[:2]
    assert [math.isnan(value) for value in a.get_ydata()] == [True, True, False]
    assert [math.isnan(value) for value in b.get_ydata()] == [False, True, True]


@pytest.mark.parametrize("series", [{}, {"a": {}}, {"a": {"x": (None, 0)}}])
def test_nothing_to_draw_is_refused(series) -> None:
    with pytest.raises(UserError, match="nothing to plot"):
        lengths_figure(series, "score")
