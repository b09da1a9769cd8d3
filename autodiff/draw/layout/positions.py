"""The layout of a whole picture: columns from right to left, without overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Final

from autodiff.draw.layout.columns import lefts, tops_of_layers, tops_of_rail
from autodiff.draw.layout.fan import fan, of_one_width, on_its_wire
from autodiff.draw.layout.routes import DUMMY, Passes, by_column, passes_of, route, waypoints_of
from autodiff.draw.layout.sizes import Point, Rect, below_texts, form_of, moved
from autodiff.draw.model.picture import Picture

__all__ = ["Layout", "lay_out"]

_CLUSTER_PADDING: Final = 14.0
_CLUSTER_LABEL: Final = 24.0
_ROWS_OF_RAIL: Final = 4  # name and value, name and number of the error; below them, rows need no common height
_LAYERED: Final = ("shares", "graph", "network")


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The size of the drawing, a place for every box and cluster, and points for every wire.

    Two points form a line; 4, 7, 10 … points form cubic curves. ``more_parts`` are the further parts of clusters that
    span several bands (`autodiff.draw.layout.bands`). ``down`` is whether the drawing runs from top to bottom
    (`autodiff.draw.layout.down`). ``bands`` are the numbers of the boxes' bands, () in one piece.
    """

    width: float
    height: float
    boxes: Mapping[str, Rect]
    wires: Mapping[str, tuple[Point, ...]]
    clusters: Mapping[str, Rect]
    more_parts: Mapping[str, tuple[Rect, ...]] = field(default_factory=dict)
    down: bool = False
    bands: Mapping[str, int] = field(default_factory=dict)


def lay_out(picture: Picture, most: float | None = None) -> Layout:
    """Place the boxes and wires of a picture; x grows to the right and y downwards, in pixels.

    The columns of a network stand closer where it would otherwise be wider than ``most`` px.

    >>> from autodiff import Value
    >>> from autodiff.draw.views.choose_view import picture
    >>> from autodiff.flow import error_flow
    >>> x, w = Value(3.0, name="x"), Value(2.0, name="w")
    >>> places = lay_out(picture(error_flow(w * x, w))).boxes
    >>> places["n1"].right < places["n0"].x and places["n2"].y < places["n1"].y  # x beside w, above the line
    True
    """
    below = _below_on_rail(picture)
    forms = {box.id: form_of(box, below) for box in picture.boxes}
    if picture.kind == "network":
        forms |= of_one_width(picture, forms)
    left = lefts(picture, forms, most)
    layered = picture.kind in _LAYERED
    passes = passes_of(picture) if layered else {}
    heights = {id: form.height for id, form in forms.items()}
    tops = tops_of_layers(picture, forms, passes) if layered else tops_of_rail(picture, heights)
    rects = {}
    for column, boxes in by_column(picture).items():
        wide = max(forms[box.id].width for box in boxes)
        for box in boxes:
            form = forms[box.id]
            rects[box.id] = moved(form, left[column] + (wide - form.width) / 2, tops[box.id])
    rects = on_its_wire(picture, rects)
    clusters = _frames(picture, rects, passes, tops)
    every = [*rects.values(), *clusters.values()]
    passing = [top + DUMMY / 2 for place, top in tops.items() if place not in forms]  # wires, between their columns
    x, y = min(rect.x for rect in every), min([rect.y for rect in every] + passing)
    rects = {key: moved(rect, -x, -y) for key, rect in rects.items()}
    clusters = {key: moved(rect, -x, -y) for key, rect in clusters.items()}
    left = {column: at - x for column, at in left.items()}
    waypoints = waypoints_of(picture, passes, tops, left, rects, y) if layered else {}
    wires = {wire.id: route(picture, wire, rects, waypoints.get(wire.id, ())) for wire in picture.wires}
    if layered:
        wires |= fan(picture, passes, rects)
    every = [*rects.values(), *clusters.values()]
    right = max(rect.right for rect in every)
    bottom = max([rect.y + rect.height for rect in every] + [at - y for at in passing])
    return Layout(right, bottom, rects, wires, clusters)


def _below_on_rail(picture: Picture) -> tuple[float, ...]:
    """The heights of tiles in each row of a rail, whose boxes have their rows at the same heights; () elsewhere."""
    if picture.kind != "rail":
        return ()
    below = list(zip_longest(*map(below_texts, picture.boxes), fillvalue=0.0))
    return tuple(map(max, below[:_ROWS_OF_RAIL]))


def _frames(picture: Picture, rects: Mapping[str, Rect], passes: Passes, tops: Mapping[str, float]) -> dict[str, Rect]:
    """The frames of clusters: around their members with some room, and the label above, clear of passing wires."""
    if not picture.clusters:
        return {}
    column_of = {box.id: box.column for box in picture.boxes}
    passing: dict[int, set[float]] = {}
    for passed in passes.values():
        for column, place in passed:
            passing.setdefault(column, set()).add(tops[place])
    frames = {}
    for cluster in picture.clusters:
        own = [rects[box] for box in cluster.boxes]
        wires = set().union(*(passing.get(column, set()) for column in {column_of[box] for box in cluster.boxes}))
        frames[cluster.id] = _around(own, wires)
    return frames


def _around(rects: Sequence[Rect], wires: Iterable[float]) -> Rect:
    x, y = min(rect.x for rect in rects) - _CLUSTER_PADDING, min(rect.y for rect in rects)
    for wire in sorted(wires, reverse=True):
        if y - _CLUSTER_LABEL - DUMMY < wire < y:
            y = wire
    right = max(rect.right for rect in rects) + _CLUSTER_PADDING
    bottom = max(rect.y + rect.height for rect in rects) + _CLUSTER_PADDING
    return Rect(x, y - _CLUSTER_LABEL, right - x, bottom - y + _CLUSTER_LABEL)
