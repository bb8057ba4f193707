"""Learning curves: the rows of metrics.jsonl as they are, and their phases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gantext.errors import UserError
from gantext.models.gan import CURVES
from gantext.plots.curves import COURSE, JUDGED, LOSSES
from gantext.plots.layouts import Layout, running_mean
from gantext.plots.learning import Panel, Span, learning_figures, phase_spans
from gantext.plots.theme import THEMES

ROWS = [
    {"phase": "mle", "step": 0, "total": 0, "unique": 1.0},
    *({"phase": "mle", "step": s, "total": s, "nll": 8 / s, "odd": s} for s in range(1, 101)),
    {"phase": "mle", "step": 100, "total": 100, "nll": 0.08, "nll_valid": 0.1, "unique": 1.0},
    *(
        {
            "phase": "adversarial",
            "step": s,
            "total": 100 + s,
            "g_loss": -0.1,
            "manager_loss": 0.2,
            "d_loss": 0.6,
            "d_accuracy_real": 0.5,
            "d_accuracy_fake": 0.9,
            "reward": s / 10,
            "reward_std": 0.1,
            "entropy": 2.0,
            "length": 9.5,
            "batch_unique": 0.9,
            "g_grad_norm": 1.0,
        }
        for s in range(1, 11)
    ),
]


def panels(rows=ROWS, layouts=CURVES) -> dict[str, Panel]:
    return {panel.title: panel for panel in learning_figures(rows, layouts)}


@pytest.fixture(scope="module")
def shown() -> dict[str, Panel]:
    """The figures of ROWS, which no test changes."""
    return panels()


def line(panel: Panel, label: str):
    (found,) = [line for line in panel.figure.axes[0].lines if line.get_label() == label]
    return found


def legend(panel: Panel) -> list[str]:
    return [text.get_text() for box in panel.figure.legends for text in box.get_texts()]


def phases(panel: Panel) -> list[str]:
    return [text.get_text() for text in panel.figure.axes[0].texts]


def test_a_panel_for_each_quantity_that_is_there(shown) -> None:
    assert list(shown) == [
        "Negative log-likelihood",
        "Generator losses",
        "Discriminator loss",
        "Discriminator accuracy",
        "Entropy",
        "Reward",
        "Diversity",
        "Length",
        "Gradient norms",
    ]
    assert list(panels(ROWS[1:101])) == ["Negative log-likelihood"]
    assert all(panel.caption for panel in shown.values())


def test_the_raw_curve_and_its_running_mean(shown) -> None:
    """101 rows of nll: the window is 3, so the second smooth value is (8 + 8/2 + 8/3) / 3."""
    panel = shown["Negative log-likelihood"]
    raw, smooth = line(panel, "nll"), line(panel, "nll smoothed")
    assert list(raw.get_xdata()) == [*range(1, 101), 100]
    assert list(raw.get_ydata()) == [*(8 / s for s in range(1, 101)), 0.08]
    assert smooth.get_ydata()[1] == pytest.approx((8 + 4 + 8 / 3) / 3)
    assert raw.get_alpha() < 1 and raw.get_color() == smooth.get_color()
    assert list(line(panel, "nll_valid").get_ydata()) == [0.1]
    assert legend(panel) == ["training", "validation"]


def test_losses_of_any_name() -> None:
    panel = panels(layouts=(LOSSES,))["Losses"]
    assert legend(panel) == ["generator", "discriminator", "manager"]


def test_a_held_out_loss_stands_beside_that_of_batches_and_ln_2(shown) -> None:
    assert legend(shown["Generator losses"]) == ["generator", "manager"]
    rows = [*ROWS, {**ROWS[-1], "held_out_loss": 0.68, "held_out_auc": 0.6}]
    drawn = panels(rows, JUDGED)
    assert list(drawn) == ["Discriminator loss", "Held-out AUC"]
    assert legend(drawn["Discriminator loss"]) == ["batches", "held-out sentences", "ln 2"]
    levels = [list(one.get_ydata()) for one in drawn["Discriminator loss"].figure.axes[0].lines]
    assert [math.log(2)] * 2 in levels
    assert legend(drawn["Held-out AUC"]) == ["held-out sentences", "1/2"]


def test_accuracy_has_its_mean_and_chance(shown) -> None:
    panel = shown["Discriminator accuracy"]
    assert list(line(panel, "mean").get_ydata()) == pytest.approx([0.7] * 10)
    assert any(list(drawn.get_ydata()) == [0.5, 0.5] for drawn in panel.figure.axes[0].lines)
    assert legend(panel) == ["real", "generated", "their mean", "chance"]
    low, high = panel.figure.axes[0].get_ylim()
    assert low <= 0 and high >= 1


def test_the_reward_has_a_band_of_one_deviation(shown) -> None:
    panel = shown["Reward"]
    (band,) = panel.figure.axes[0].collections
    corners = band.get_paths()[0].vertices
    at_five = sorted({round(float(y), 9) for x, y in corners if x == 105})
    assert at_five == pytest.approx([0.4, 0.6])


def test_phases_are_named_bands(shown) -> None:
    assert phases(shown["Diversity"]) == ["mle", "adversarial"]
    bands = shown["Entropy"].figure.axes[0].patches
    assert [(band.get_x(), band.get_width()) for band in bands] == [(0, 100), (100, 10)]


def test_all_have_the_steps_of_the_whole_run(shown) -> None:
    limits = {panel.figure.axes[0].get_xlim() for panel in shown.values()}
    assert len(limits) == 1 and limits.pop() == pytest.approx((-2.2, 112.2))
    assert phases(shown["Entropy"]) == phases(shown["Diversity"])


def test_a_run_has_its_colour_and_other_curves_have_no_run_s() -> None:
    run = THEMES["light"].series[3]
    for panel in learning_figures(ROWS, CURVES[:3], place=3):
        curves = [line.get_color() for line in panel.figure.axes[0].lines]
        assert curves[0] == run
        assert not set(curves) & (set(THEMES["light"].series) - {run})


def test_rates_and_time_are_drawn_as_they_are() -> None:
    rows = [
        {"phase": "mle", "total": t, "learning_rate": t / 1000, "rate_left": 0.5, "seconds": 2 * t}
        for t in range(1, 201)
    ]
    found = panels(rows, COURSE)
    assert list(found) == ["Learning rate", "Learning rates", "Training time"]
    assert list(line(found["Training time"], "seconds").get_ydata()) == list(range(2, 402, 2))
    assert not [panel for panel in found.values() if "running mean" in panel.caption]


def test_spans_by_hand() -> None:
    rows = [{"phase": p, "total": t} for p, t in [("a", 5), ("a", 10), ("b", 12), ("a", 20)]]
    assert phase_spans(rows) == [Span("a", 0, 10), Span("b", 10, 12), Span("a", 12, 20)]
    assert phase_spans([]) == []


def test_a_phase_that_comes_back_is_named_once_and_names_do_not_overlap() -> None:
    names = ["one long name", "another long name"] * 20
    rows = [{"phase": n, "total": 10 * i + 10, "nll": 1.0} for i, n in enumerate(names)]
    figure = panels(rows)["Negative log-likelihood"].figure
    figure.draw_without_rendering()
    first, second = figure.axes[0].texts
    assert len(figure.axes[0].patches) == 40
    assert not first.get_window_extent().overlaps(second.get_window_extent())


@pytest.mark.parametrize(
    "bad", [math.nan, math.inf, -math.inf, "inf", "x", None, True, [1], 10**400]
)
def test_values_that_are_no_finite_numbers_are_gaps(bad) -> None:
    rows = [{"phase": "mle", "total": t, "nll": bad if t == 2 else 1.0} for t in (1, 2, 3)]
    panel = panels(rows)["Negative log-likelihood"]
    assert [math.isnan(y) for y in line(panel, "nll").get_ydata()] == [False, True, False]
    assert "1 value was not finite" in panel.caption
    assert panels([{"phase": "mle", "total": 1, "nll": bad}]) == {}


@pytest.mark.parametrize("total", [math.nan, None, "3"])
def test_rows_without_a_step_are_left_out(total) -> None:
    rows = [{"total": total, "nll": 5.0}, {"nll": 6.0}, {"total": 4, "nll": 1.0}]
    panel = panels(rows)["Negative log-likelihood"]
    assert list(line(panel, "nll").get_ydata()) == [1.0]


def test_only_what_is_declared_is_drawn_in_its_order(shown) -> None:
    assert "odd" not in shown
    own = Layout("Oddity", "", "odd", {"odd": "odd"})
    more = panels(layouts=(own, *CURVES))
    assert list(more) == ["Oddity", *shown]
    assert list(line(more["Oddity"], "odd").get_ydata()) == list(range(1, 101))


def test_nothing_to_draw() -> None:
    assert learning_figures([], CURVES) == []
    with pytest.raises(UserError, match="no theme"):
        learning_figures([], CURVES, "blue")


@given(
    st.lists(st.one_of(st.just(math.nan), st.floats(-100, 100)), max_size=20),
    st.integers(0, 4),
)
def test_running_mean_is_the_plain_loop(values, half) -> None:
    found = running_mean(np.array(values, dtype=float), 2 * half + 1)
    for place, mean in enumerate(found):
        near = [v for v in values[max(place - half, 0) : place + half + 1] if not math.isnan(v)]
        expected = sum(near) / len(near) if near else math.nan
        assert mean == pytest.approx(expected, abs=1e-9, nan_ok=True)
