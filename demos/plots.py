"""What the demos plot with matplotlib: panels in the colours of all pictures, and the regions that a net divides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import StringIO
from typing import Any, Final

import numpy as np

from autodiff.draw.model.palette import LIGHT
from autodiff.system.extras import install

try:
    import matplotlib as mpl
    from matplotlib.figure import Figure
except ImportError as error:
    raise ImportError(f"this demo draws with matplotlib: {install('demos')}") from error

__all__ = ["MARKERS", "as_svg", "panels", "regions"]

#: Marker, colour of the points and of the ground, by class: nothing is shown by colour alone.
MARKERS: Final = (("o", "forward", "forward-fill"), ("^", "error", "error-fill"), ("s", "parameter", "parameter-fill"))

_FIXED: Final = {"svg.fonttype": "none", "svg.hashsalt": "autodiff", "font.family": "sans-serif"}


def panels(
    rows: int, columns: int, *, width: float = 9.6, height: float = 4.2, palette: Mapping[str, str] = LIGHT
) -> tuple[Figure, Any]:
    """A figure of panels, width × height in inches, and the panels as an array of shape (rows, columns)."""
    with mpl.rc_context(_FIXED):
        figure = Figure(figsize=(width, height), facecolor=palette["paper"], layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    for each in axes.flat:
        each.set_facecolor(palette["paper"])
        each.tick_params(colors=palette["muted"])
        each.title.set_color(palette["ink"])
        each.title.set_fontsize(13)
        each.xaxis.label.set_color(palette["ink"])
        each.yaxis.label.set_color(palette["ink"])
        for edge in each.spines.values():
            edge.set_color(palette["line"])
    return figure, axes


def as_svg(figure: Figure) -> str:
    """A figure as SVG, the same text in every run."""
    text = StringIO()
    with mpl.rc_context(_FIXED):
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def regions(
    axes: Any,
    scores: Callable[[Any], Any],
    points: Any,
    labels: Any,
    *,
    box: tuple[float, float, float, float],
    palette: Mapping[str, str] = LIGHT,
) -> None:
    """Draw the region in which each class has the highest score, and the points of each class with its marker.

    Args:
        axes: the panel.
        scores: gives the scores of points of shape (n, 2): shape (n, classes), at most three, or one score of class 1
            against class 0, shape (n, 1).
        points: shape (n, 2).
        labels: their classes from 0, shape (n,).
        box: left, right, bottom and top of the panel.
        palette: the colours.
    """
    x, y = np.meshgrid(np.linspace(*box[:2], 160), np.linspace(*box[2:], 160))
    found = np.asarray(scores(np.stack([x.ravel(), y.ravel()], axis=1)))
    if found.shape[1] == 1:
        found = np.concatenate([-found, found], axis=1)
    for k, (marker, colour, ground) in enumerate(MARKERS[: found.shape[1]]):
        ahead = (found[:, k] - np.delete(found, k, axis=1).max(axis=1)).reshape(x.shape)
        axes.contourf(x, y, ahead, levels=[0, np.inf], colors=[palette[ground]])
        axes.contour(x, y, ahead, levels=[0], colors=palette["ink"], linewidths=1)
        axes.plot(*points[labels == k].T, marker, color=palette[colour], markersize=5, linestyle="none")
    axes.set(xticks=[], yticks=[])
