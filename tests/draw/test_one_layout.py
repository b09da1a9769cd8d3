"""A picture is laid out once for all writers, and the shortcuts of large pictures change nothing."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from autodiff import Value, error_flow, tanh
from autodiff.draw import see
from autodiff.draw.layout.bands import bands_of, lay_out_in_bands
from autodiff.draw.layout.columns import _crossings
from autodiff.draw.layout.positions import Layout, lay_out
from autodiff.draw.model.picture import Picture
from autodiff.draw.views.computation import computation


def loop(turns: int) -> Value:
    """A loop whose weight and bias are shared by all turns."""
    y, w, b = Value(0.5, name="x"), Value(0.9, name="w"), Value(0.1, name="b")
    for _ in range(turns):
        y = tanh(y * w + b)
    return y


def test_a_drawing_lays_out_its_picture_once_for_all_writers_and_themes() -> None:
    calls: list[float | None] = []

    def counted(picture: Picture, most: float | None) -> Layout:
        calls.append(most)
        return lay_out(picture, most)

    drawing = see(loop(12), unfold=True)
    watched = replace(drawing, lay=counted)
    assert (watched.svg(), watched.dot()) == (drawing.svg(), drawing.dot())
    assert calls == [None, None]
    dark = replace(drawing, theme="dark")
    assert dark.svg() != drawing.svg()
    assert dark.lay.cache_info().misses == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [300.0, 700.0, 1280.0, 1e6])
def test_bands_need_no_routes(width: float) -> None:
    what = computation(loop(8))
    assert bands_of(what, width) == lay_out_in_bands(what, width).bands
    assert len({*bands_of(what, width).values()}) > 1 or width > 1280.0


def test_one_column_has_no_bands() -> None:
    assert bands_of(computation(Value(1.0, name="x" * 40)), 100.0) == {}


def test_crossings_are_pairs_of_ends_in_the_wrong_order() -> None:
    random_numbers = random.Random(1)
    for _ in range(40):
        order = [f"m{k}" for k in range(random_numbers.randrange(5))]
        others = {f"o{k}": float(random_numbers.randrange(4)) for k in range(6)}
        column_of = dict.fromkeys(order, 1) | {name: random_numbers.choice((0, 2)) for name in others}
        joined = {
            item: {(name, random_numbers.choice((0.0, 1.0))): random_numbers.randrange(1, 4) for name in others}
            for item in order
        }
        ends = [
            (k, column_of[other], others[other] + below)
            for k, item in enumerate(order)
            for (other, below), count in joined[item].items()
            for _ in range(count)
        ]
        pairs = sum(k < j and c == d and y > z for k, c, y in ends for j, d, z in ends)
        assert _crossings(order, joined, column_of, others) == pairs


def test_nodes_and_edges_have_the_ids_of_their_flow() -> None:
    y = loop(5)
    flow = error_flow(y, y.inputs[0].inputs[1])  # the bias
    assert [node.id for node in flow.nodes] == [*range(len(flow.nodes))]
    assert all(flow.nodes[edge.consumer].error is edge.error for edge in flow.edges)
    arriving = [edge.share for edge in flow.edges if edge.input == len(flow.nodes) - 1]
    assert len(arriving) == 5
    assert sum(arriving) == pytest.approx(flow.gradient, rel=1e-12)
    labels = [flow.flows.nodes[k].label for k in flow.flows.numbered.by_label.values()]
    assert labels == [*flow.flows.numbered.by_label]
    assert {edge.input for edge in flow.flows.edges()} == {*range(1, len(flow.flows.nodes))}


def test_bands_lie_below_each_other_with_room_for_the_lanes_between() -> None:
    """Each box of a band ends above all boxes of the next one."""
    made = lay_out_in_bands(computation(loop(8)), 600.0)
    heights: dict[int, list[float]] = {}
    for key, band in made.bands.items():
        heights.setdefault(band, []).extend((made.boxes[key].y, made.boxes[key].y + made.boxes[key].height))
    assert len(heights) > 2
    for band in range(len(heights) - 1):
        assert max(heights[band]) + 48.0 <= min(heights[band + 1])
