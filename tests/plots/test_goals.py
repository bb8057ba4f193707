"""Goals and leaked features over the words: what is drawn where."""

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch
from matplotlib.text import Annotation

from gantext.errors import UserError
from gantext.plots.goals import FAINTEST, TITLE, GoalPath, GoalPlot, goals_figure
from gantext.plots.output import to_svg
from gantext.plots.theme import THEMES, plain


def path(seed: int, steps: int = 9, text: str = "") -> GoalPath:
    """A walk to the right with goals that leave the plane more and more."""
    rng = np.random.default_rng(seed)
    moves = rng.normal((1.5, 0), size=(steps, 2))
    turn = rng.uniform(-1, 1, steps)
    goals = np.stack([np.cos(turn), np.sin(turn)], 1) * np.linspace(0.9, 0.05, steps)[:, None]
    words = (*(f"word{i}" for i in range(steps - 1)), "<eos>")
    features = np.concatenate([[[0.0, 0.0]], moves.cumsum(0)])
    return GoalPath(text or f"sentence {seed}", words, features, goals, goals, turn)


def plot(count: int, **changes) -> GoalPlot:
    return GoalPlot(tuple(path(i, **changes) for i in range(count)), (0.437, 0.121), (0.6, 0.2))


def texts(axes) -> dict[str, Annotation]:
    """The labels of words, by word."""
    found = [child for child in axes.texts if isinstance(child, Annotation)]
    return {text.get_text(): text for text in found if text.get_text()}


def test_arrows_clear_points_and_corners_by_hand() -> None:
    """Goal (0.3, 0.4) is (0.6, 0.8) in the plane, half of it inside: an arrow of 2 ends at (1.2,
    1.6). One without any length in the plane has none. Of the points 1, 1.2 and 2 along x the
    second is 0.2 from the first, nearer than 0.5. The paths take 2 along x, so arrows are 0.18
    long; what is drawn takes 2 by 0.144, with a margin of 0.1."""
    features = np.array([[0.0, 0], [1, 0], [1.2, 0], [2, 0]])
    goals = np.array([[0.3, 0.4], [0, 0], [1, 0]])
    one = GoalPath("t", ("a", "b", "c"), features, goals, goals, np.array([0.2, 0.4, 0.9]))
    assert one.inside == pytest.approx([0.5, 0, 1]) and one.mean_cosine == pytest.approx(0.5)
    np.testing.assert_allclose(one.heads(2.0), [[1.2, 1.6], [math.nan] * 2, [3.2, 0]])
    assert one.clear(0.5) == [True, False, True]
    both = GoalPlot((one,), (1, 0), (1, 0))
    assert (both.size, both.arrow, both.crowd) == pytest.approx((2, 0.18, 0.05))
    np.testing.assert_allclose(both.corners(), [[-0.1, -0.1], [2.1, 0.18 * 0.8 + 0.1]])


def test_each_sentence_has_a_panel_with_its_path_and_the_others_faint() -> None:
    drawn = plot(3)
    panels = goals_figure(drawn).axes[:4]
    for place, axes in enumerate(panels[:3]):
        lines = [line for line in axes.lines if len(line.get_xdata()) > 1]
        own = drawn.paths[place].features
        others = [p.features for p in drawn.paths if p is not drawn.paths[place]]
        assert len(lines) == 3
        for line, expected in zip(lines, [*others, own], strict=True):
            np.testing.assert_array_equal(line.get_xydata(), expected)
        assert lines[-1].get_color() == THEMES["light"].series[place]
        assert lines[0].get_alpha() == lines[1].get_alpha() == 0.4
        assert axes.get_xlabel() == "leaked features: PC 1 (44%)"
        assert axes.get_ylabel() == "leaked features: PC 2 (12%)"
        assert axes.get_xlim() == pytest.approx(panels[0].get_xlim())
        assert axes.get_ylim() == pytest.approx(panels[0].get_ylim())
        mean = drawn.paths[place].mean_cosine
        (title,) = axes.get_legend().get_texts()
        assert title.get_text() == f"sentence {place}  (cosine {mean:.2f})"
    assert len({line.get_marker() for axes in panels[:3] for line in axes.lines}) >= 3


def test_nothing_leaves_the_panels_and_directions_are_true() -> None:
    drawn = plot(2)
    for axes in goals_figure(drawn).axes[:2]:
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
        (a, b), (c, d) = drawn.corners()
        assert left <= a and c <= right and low <= b and d <= high
        scale = axes.transData.transform([[0, 0], [1, 1]])
        width, height = scale[1] - scale[0]
        assert width == pytest.approx(height)


def test_a_word_stands_where_it_leads_to() -> None:
    drawn = plot(1)
    (one,) = drawn.paths
    labels = texts(goals_figure(drawn).axes[0])
    assert len(labels) >= sum(one.clear(drawn.crowd)) == 8  # there is room for all
    for word, point in zip(one.words, one.features[1:], strict=True):
        if word in labels:
            assert labels[word].xy == pytest.approx(tuple(point))


def test_words_stand_at_their_points_and_cover_neither_each_other_nor_the_edge() -> None:
    figure = goals_figure(plot(3, steps=14))
    figure.draw_without_rendering()
    for axes in figure.axes[:3]:
        inside = axes.get_window_extent()
        labels = list(texts(axes).values())
        assert len(labels) > 8
        for label in labels:
            box, (x, y) = label.get_window_extent(), axes.transData.transform(label.xy)
            assert label.arrow_patch is None  # no leader line: none stands elsewhere
            aside = np.hypot(max(box.x0 - x, x - box.x1, 0), max(box.y0 - y, y - box.y1, 0))
            assert aside < 12
            assert inside.x0 <= box.x0 and box.x1 <= inside.x1
            assert inside.y0 <= box.y0 and box.y1 <= inside.y1
            others = [other.get_window_extent() for other in labels if other is not label]
            assert not any(box.overlaps(other) for other in others)


def test_arrows_are_equally_long_and_as_solid_as_their_goals_lie_in_the_plane() -> None:
    drawn = plot(1)
    (one,) = drawn.paths
    arrows = [t for t in goals_figure(drawn).axes[0].texts if not t.get_text()]
    assert len(arrows) == len(one.goals)
    for arrow, tail, goal in zip(arrows, one.features, one.goals, strict=False):
        move = np.array(arrow.xy) - np.array(arrow.xyann)
        assert tuple(arrow.xyann) == pytest.approx(tuple(tail))
        assert np.linalg.norm(move) == pytest.approx(drawn.arrow)
        assert move / drawn.arrow == pytest.approx(goal / np.linalg.norm(goal))
        assert isinstance(arrow.arrow_patch, FancyArrowPatch)
        solid = max(FAINTEST, float(np.linalg.norm(goal)))
        assert arrow.arrow_patch.get_alpha() == pytest.approx(solid)
    assert arrows[-1].arrow_patch.get_alpha() == FAINTEST  # 0.05 in the plane


def test_a_goal_at_a_right_angle_to_the_plane_has_no_arrow() -> None:
    one = path(0)
    one.goals[3] = 0
    arrows = goals_figure(GoalPlot((one,), (1, 0), (1, 0))).axes[0].texts
    assert sum(not arrow.get_text() for arrow in arrows) == len(one.goals) - 1


def test_the_goals_alone_are_coloured_by_position() -> None:
    drawn = GoalPlot((path(0, 4), path(1, 7)), (0.5, 0.2), (0.625, 0.2))
    axes = goals_figure(drawn).axes[2]
    for dots, one in zip(axes.collections, drawn.paths, strict=True):
        np.testing.assert_array_equal(dots.get_offsets(), one.own)
        assert dots.get_array().tolist() == list(range(len(one.own)))
        assert dots.get_clim() == (-0.5, 6.5)
    assert axes.get_xlabel() == "goals: direction 1 (62%)"
    assert axes.get_xlim()[0] < -1 and axes.get_xlim()[1] > 1 and axes.get_aspect() == 1


def test_one_sentence_has_no_others() -> None:
    names = [t.get_text() for t in goals_figure(plot(1), "dark").legends[0].get_texts()]
    assert names == ["no word yet", "goal (solid: in the plane)"]
    names = [t.get_text() for t in goals_figure(plot(2)).legends[0].get_texts()]
    assert names[2:] == ["other sentences"]


@pytest.mark.parametrize("count", [0, 7])
def test_too_few_or_too_many_sentences(count: int) -> None:
    with pytest.raises(UserError, match="1 to 6"):
        goals_figure(plot(count))


def test_sentences_of_one_token_and_features_that_stand_still() -> None:
    one = path(0, 1)
    still = GoalPath("x", one.words, np.zeros((2, 2)), one.goals, one.own, one.cosines)
    for drawn in (one, still):
        to_svg(goals_figure(GoalPlot((drawn,), (1, 0), (1, 0))))


def test_a_sentence_stays_text_and_the_figure_is_the_same_each_time() -> None:
    nasty = '</text><script>alert("1")</script> $\\frac{1}{0}$ _a_^b and more words than fit'
    drawn = plot(2, text=nasty, steps=4)
    svg = to_svg(goals_figure(drawn))
    assert svg == to_svg(goals_figure(drawn))
    root = ElementTree.fromstring(svg)
    found = [e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text")]
    assert sum(text.startswith(plain(nasty, TITLE)) for text in found) == 2
    assert not re.search(r"<script|<image", svg)
