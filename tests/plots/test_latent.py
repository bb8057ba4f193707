"""The picture of latent vectors: every point where it belongs, in the colour of its value."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from gantext.data.scenes.english import SHAPES
from gantext.data.scenes.shapes import outline
from gantext.errors import UserError
from gantext.plots.latent import PAINTS, LatentPlot, latent_figure
from gantext.plots.output import to_svg
from gantext.plots.theme import THEMES

POINTS = np.array([[0.0, 1], [2, 0], [3, 3], [1, 1], [0, 0]])
AXES = ("posterior means: PC 1", "PC 2")


@pytest.mark.parametrize("theme", list(THEMES))
def test_numbers_have_a_colour_each(theme: str) -> None:
    figure = latent_figure(LatentPlot(POINTS, [3, 7, 7, 5, 3], "words", AXES), theme)
    axes, bar = figure.axes
    (dots,) = axes.collections
    np.testing.assert_array_equal(dots.get_offsets(), POINTS)
    assert dots.get_array().tolist() == [3, 7, 7, 5, 3]
    assert dots.get_clim() == (2.5, 7.5) and dots.get_cmap().N == 5
    assert axes.get_xlabel() == AXES[0] and axes.get_ylabel() == AXES[1]
    assert bar.get_ylabel() == "words" and not figure.legends


@pytest.mark.parametrize("theme", list(THEMES))
def test_names_have_a_legend_with_their_numbers(theme: str) -> None:
    """The most frequent name first; a scene's colour is drawn in that colour."""
    values = ["red", "none", "red", "blue", "red"]
    figure = latent_figure(LatentPlot(POINTS, values, "first colour named", AXES), theme)
    (axes,) = figure.axes
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["red (3)", "blue (1)", "none (1)"]
    for dots, name in zip(axes.collections, ("red", "blue", "none"), strict=True):
        own = POINTS[[value == name for value in values]]
        np.testing.assert_array_equal(dots.get_offsets(), own)
    red = axes.collections[0].get_facecolor()[0]
    assert tuple(red[:3]) == pytest.approx(to_rgba(PAINTS["red"])[:3])


@pytest.mark.parametrize("theme", list(THEMES))
@pytest.mark.parametrize("names", [[f"n{i}" for i in range(11)], [*SHAPES], [*PAINTS]])
def test_neither_a_colour_nor_a_marker_comes_twice(names: list[str], theme: str) -> None:
    values = [*names, "none"]
    points = np.stack([np.arange(float(len(values))), np.zeros(len(values))], 1)
    (axes,) = latent_figure(LatentPlot(points, values, "name", AXES), theme).axes
    colours = {tuple(dots.get_facecolor()[0]) for dots in axes.collections}
    markers = {dots.get_paths()[0].vertices.tobytes() for dots in axes.collections}
    assert len(colours) == len(markers) == len(values)


def test_a_star_is_drawn_as_a_star() -> None:
    """As in the scenes' pictures, where y goes down: half as large as it stands on its outline."""
    plot = LatentPlot(POINTS, ["star"] * 5, "first shape named", AXES)
    (stars,) = latent_figure(plot).axes[0].collections
    corners = stars.get_paths()[0].vertices[:-1]
    expected = outline("star") * (1, -1)
    np.testing.assert_allclose(corners, expected / np.abs(expected).max() / 2)


def test_what_lies_flat_has_a_low_figure_whose_axes_it_fills() -> None:
    rng = np.random.default_rng(0)
    flat = rng.uniform(-1, 1, (50, 2)) * (4, 1.5)
    for points in (flat, flat[:, ::-1]):
        figure = latent_figure(LatentPlot(points, [1, 2] * 25, "words", AXES))
        figure.draw_without_rendering()
        axes = figure.axes[0]
        width, height = np.ptp(axes.transData.transform([[0, 0], [1, 1]]), axis=0)
        assert width == pytest.approx(height)  # distances are true
        filled = [
            np.ptp(points[:, 0]) / np.ptp(axes.get_xlim()),
            np.ptp(points[:, 1]) / np.ptp(axes.get_ylim()),
        ]
        assert max(filled) > 0.85 and (min(filled) > 0.6 or points is not flat)


def test_the_same_plot_gives_the_same_picture_and_one_value_is_enough() -> None:
    plot = LatentPlot(POINTS, [4] * 5, "words", AXES)
    assert to_svg(latent_figure(plot)) == to_svg(latent_figure(plot))
    with pytest.raises(UserError, match="no theme"):
        latent_figure(plot, "pink")
