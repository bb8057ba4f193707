"""The two curves of a run as a way over the plane of both."""

import math

from gantext.plots.path import Leg, legs, path_panel

ROWS = [
    {"phase": "mle", "total": 10, "nll_test": 9.0, "nll_oracle": 10.0},
    {"phase": "mle", "total": 11, "nll": 3.0},
    {"phase": "mle", "total": 20, "nll_test": 8.0, "nll_oracle": 9.5},
    {"phase": "d", "total": 25, "d_loss": 1.0},
    {"phase": "adversarial", "total": 30, "nll_test": 8.5, "nll_oracle": 9.0},
    {"phase": "adversarial", "total": 40, "nll_test": 9.9, "nll_oracle": math.nan},
]


def test_legs_are_of_the_rows_with_both_values() -> None:
    assert legs(ROWS) == [
        Leg("mle", [(9.0, 10.0), (8.0, 9.5)], 20),
        Leg("adversarial", [(8.5, 9.0)], 30),
    ]


def test_a_way_is_one_line_over_its_phases() -> None:
    """The second phase's begins where the first's ends; each end has a marker of its own."""
    panel = path_panel(ROWS)
    assert panel is not None
    (axes,) = panel.figure.axes
    first, end, second, last = axes.lines
    assert list(first.get_xdata()) == [9.0, 8.0] and list(second.get_xdata()) == [8.0, 8.5]
    assert list(second.get_ydata()) == [9.5, 9.0] and list(last.get_ydata()) == [9.0]
    assert end.get_marker() != last.get_marker()
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "nll_test (nats per word)",
        "nll_oracle (nats per word)",
    )
    names = [text.get_text() for text in panel.figure.legends[0].get_texts()]
    assert names == ["mle, to step 20", "adversarial, to step 30"]


def test_of_one_point_there_is_no_way() -> None:
    assert path_panel(ROWS[:2]) is None and path_panel([]) is None
