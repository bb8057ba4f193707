"""A score by sentence length."""

import math

import pytest

from gantext.errors import UserError
from gantext.plots.lengths import Bucket, lengths_figure
from gantext.plots.theme import THEMES

SERIES = {
    "real": {"up to 8": Bucket(0.5, 40), "9-12": Bucket(0.4, 300), "over 12": Bucket(0.3, 31)},
    "_gan $1$": {
        "up to 8": Bucket(0.45, 29),
        "9-12": Bucket(0.35, 300),
        "over 12": Bucket(None, 0),
    },
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
    assert list(few.get_xdata()) == [gan.get_xdata()[0]] and list(few.get_ydata()) == [0.45]
    assert few.get_markerfacecolor() == "none" and few.get_color() == gan.get_color()
    assert list(gan.get_markevery()) == [1, 2] and list(real.get_markevery()) == [0, 1, 2]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["real", "_gan $1$", "fewer than 30 sentences"]


def test_bars_are_standard_errors_and_counts_stand_below() -> None:
    """0.5 +- 0.02 reaches from 0.48 to 0.52; a phase of a run has the run's colour, dashed."""
    series = {
        "run@mle": {"1-8": Bucket(0.4, 1200), "9+": Bucket(0.3, 40)},
        "run": {"1-8": Bucket(0.5, 300, 0.02), "9+": Bucket(0.25, 50)},
    }
    axes = lengths_figure(series, "bleu-4", place=1).axes[0]
    (bars,) = axes.collections
    (first, *_) = bars.get_segments()
    assert first[:, 1] == pytest.approx([0.48, 0.52])
    assert [text.get_text() for text in axes.texts] == ["1,200", "40", "300", "50", "n"]
    drawn = [line for line in axes.lines if line.get_linestyle() in ("-", "--")]
    assert [line.get_linestyle() for line in drawn] == ["--", "-"]
    assert {line.get_color() for line in drawn} == {THEMES["light"].series[1]}
    assert (drawn[0].get_xdata() < drawn[1].get_xdata()).all()  # bars do not hide each other


def test_no_note_on_hollow_markers_where_there_are_none() -> None:
    figure = lengths_figure({"a": {"x": Bucket(0.1, 30)}}, "score", "dark")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a"]


def test_a_value_without_sentences_or_a_bucket_that_is_missing_is_a_gap() -> None:
    series = {
        "a": {"x": Bucket(0.1, 0), "y": Bucket(math.inf, 50), "z": Bucket(0.2, 50)},
        "b": {"x": Bucket(0.3, 50)},
    }
    a, b = lengths_figure(series, "score").axes[0].lines[:2]
    assert [math.isnan(value) for value in a.get_ydata()] == [True, True, False]
    assert [math.isnan(value) for value in b.get_ydata()] == [False, True, True]


@pytest.mark.parametrize("series", [{}, {"a": {}}, {"a": {"x": Bucket(None, 0)}}])
def test_nothing_to_draw_is_refused(series) -> None:
    with pytest.raises(UserError, match="nothing to plot"):
        lengths_figure(series, "score")
