"""Figures of a run: the quality-diversity frontier, scores by length, learning curves.

Each function returns a `matplotlib.figure.Figure`, which belongs to no window and no global state;
`to_png` and `to_svg` write it. Matplotlib is imported when the first figure is drawn.
"""

__all__ = [
    "Curve",
    "Guide",
    "Mark",
    "Panel",
    "frontier_figure",
    "learning_figures",
    "lengths_figure",
    "to_png",
    "to_svg",
]
