"""The network view is the fan of straight wires; in every view of a net, names stand in their order."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from itertools import combinations, pairwise
from math import comb

import pytest
from hypothesis import settings

import autodiff as ad
from autodiff import error_flow
from autodiff.draw import Picture, picture, svg
from autodiff.draw.layout.bands import lay_out_within
from autodiff.draw.layout.order import rank
from autodiff.draw.layout.plates import plates
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.layout.sizes import Rect
from autodiff.flow import Flow
from autodiff.telling.style import Style
from nn import Network
from tests.draw.readable.measures import measured
from tests.draw.views.test_saturation import places
from tests.draw.views.test_views import check_layout, overlap
from tests.support.flows import X, deep_flow, margin_flow, notes_flow

MANY = settings().max_examples > 500  # the profile `thorough`


@cache
def scorer(*sizes: int, parameter: str, windows: int = 1) -> Flow:
    """A net of these sizes, in one window or two, and the way to a parameter."""
    network = Network(sizes, scalar=True)
    x = [0.1 * k - 0.3 for k in range(sizes[0])]
    output = network(x)
    if windows > 1:
        output = ad.hinge(output, network([-number for number in x], suffix="ᶜ"))
        output.name = "J"
    return error_flow(output, network.parameter(parameter))


#: Each made on first use, by one worker: that of 784 inputs takes seconds, so that 14 × 14 pixels stand for 28 × 28.
NETS: dict[str, Callable[[], Flow]] = {
    "4-2-1": partial(scorer, 4, 2, 1, parameter="W14(1)"), "20-8-1": partial(scorer, 20, 8, 1, parameter="W3,12(1)"),
    "2-16-16-1": partial(scorer, 2, 16, 16, 1, parameter="W91(1)"),
    "pixels": partial(scorer, *((784, 128) if MANY else (196, 64)), 10, 1, parameter="W5,150(1)"),
    "two windows": partial(scorer, 4, 2, 1, parameter="W11(2)", windows=2),
    "to a bias": partial(scorer, 6, 5, 1, parameter="b2(1)"), "notes": cache(notes_flow), "deep": cache(deep_flow),
    "margin": cache(partial(margin_flow, suffix="ᶜ")),
}  # fmt: skip


@pytest.fixture(params=NETS)
def flow(request: pytest.FixtureRequest) -> Flow:
    """Each of those nets."""
    return NETS[request.param]()


def columns_of(what: Picture) -> dict[int, list[str]]:
    """The ids of the boxes of each column."""
    found: dict[int, list[str]] = {}
    for box in what.boxes:
        found.setdefault(box.column, []).append(box.id)
    return found


def test_wires_between_layers_are_straight(flow: Flow) -> None:
    """From the edge of one column to the edge of the next, with at most a level line inside each column."""
    what = picture(flow, "network")
    layout = lay_out(what)
    ids = columns_of(what)
    column_of = {box.id: box.column for box in what.boxes}
    spans = {
        column: (min(layout.boxes[id].x for id in own), max(layout.boxes[id].right for id in own))
        for column, own in ids.items()
    }
    for wire in what.wires:
        later, earlier = sorted((column_of[wire.tail], column_of[wire.head]))
        points = sorted(layout.wires[wire.id])
        while len(points) > 2 and points[1][0] <= spans[earlier][1] + 1e-6 and points[1][1] == points[0][1]:
            del points[0]
        while len(points) > 2 and points[-2][0] >= spans[later][0] - 1e-6 and points[-2][1] == points[-1][1]:
            del points[-1]
        (x, y), (to_x, to_y) = points[0], points[-1]
        assert all(abs((to_x - x) * (v - y) - (to_y - y) * (u - x)) < 1e-3 * (to_x - x) for u, v in points)


def test_wires_pass_no_unit() -> None:
    """Beside a tall box, wires of the circles of its column start at the edge of the column, not behind the box."""
    what = picture(NETS["2-16-16-1"](), "network")
    layout = lay_out(what)
    boxes = {box.id: layout.boxes[box.id] for box in what.boxes if box.kind not in ("parameter", "more")}
    for wire in what.wires:
        points = layout.wires[wire.id]
        for (x, y), (to_x, to_y) in pairwise(points):
            line = [(x + part / 40 * (to_x - x), y + part / 40 * (to_y - y)) for part in range(41)]
            for id, place in boxes.items():
                inside = [place.x < u < place.right and place.y < v < place.y + place.height for u, v in line]
                assert id in (wire.tail, wire.head) or not any(inside)


def test_two_digits_of_a_matrix_are_two_indices() -> None:
    """W₁₂ stands before W₁,₁₀, but b₂ before b₁₂."""
    names = ["W₁₂⁽¹⁾", "W₁,₁₀⁽¹⁾", "W₂₁⁽¹⁾", "W₁₁⁽¹⁾ᶜ"]
    assert sorted(set(names), key=lambda name: rank(name) or ()) == names
    assert (rank("b₂⁽¹⁾") or ()) < (rank("b₁₂⁽¹⁾") or ())


@pytest.mark.parametrize("sizes", [(4, 3, 1), (20, 8, 1), (7, 6, 5, 1)])
def test_wires_cross_only_as_the_complete_graph_must(sizes: Sequence[int]) -> None:
    """Between n and m ordered units, C(n, 2) · C(m, 2) crossings, and one of the two wires of the parameter."""
    what = picture(scorer(*sizes, parameter="W11(1)"), "network")
    columns = Counter(box.column for box in what.boxes if box.kind not in ("more", "parameter"))
    shown = [count for _, count in sorted(columns.items())]
    assert len(shown) == len(sizes)
    inherent = sum(comb(n, 2) * comb(m, 2) for n, m in pairwise(shown))
    assert inherent <= measured(svg(what)).crossings <= inherent + 1


@pytest.mark.parametrize("width", [1280.0, 800.0, None])
def test_numbers_on_wires_are_readable(flow: Flow, width: float | None) -> None:
    """No number covers another text or a box, and each is inside the drawing."""
    what = picture(flow, "network")
    layout = lay_out_within(what, width)
    found = list(plates(what, layout).values())
    assert not [pair for pair in combinations(found, 2) if overlap(*pair)]
    assert not [place for place in found if any(overlap(place, box) for box in layout.boxes.values())]
    assert all(place.x >= 0 and place.right <= layout.width for place in found)
    texts = list(places(svg(what, width=width)))
    assert not [pair for pair in combinations(texts, 2) if overlap(*pair)]
    check_layout(what)


def test_the_numbers_are_the_ledgers(flow: Flow) -> None:
    """On each wire of the way the local gradient of its edge, and its share where several arrive; on no other wire."""
    what = picture(flow, "network")
    edges = {repr(edge.share): edge for edge in flow.edges}
    numbered = [wire for wire in what.wires if wire.numbers]
    for wire in numbered:
        assert wire.lane == "error"
        factor, *share = wire.numbers
        same = [edge for edge in flow.edges if edge.share == wire.share]
        assert factor.number in {edge.local for edge in same}
        assert [cell.number for cell in share] in ([], [wire.share])
        assert [cell.text for cell in share] in ([], [f"share {Style().amount(wire.share)}"])
        several = {len(flow.arriving(flow.nodes[edge.input])) > 1 for edge in same}
        assert bool(share) in several
    assert len(edges) >= len({wire.share for wire in numbered})
    assert len(numbered) >= len({edge.input for edge in flow.edges}) // 2
    texts = "".join(ElementTree.fromstring(svg(what)).itertext())
    assert "share" in texts


def test_of_very_many_wires_those_of_the_strongest_path_have_numbers() -> None:
    """Between two layers of six units on the way, 36 wires: one has numbers in the drawing, all have tooltips."""
    flow = scorer(3, 2, 6, 6, 1, parameter="W11(1)")
    what = picture(flow, "network")
    ways = [wire for wire in what.wires if wire.lane == "error"]
    between = [wire for wire in ways if Counter(other.head for other in ways)[wire.head] == 6 and wire.hint]
    assert len(between) >= 36
    path = flow.strongest_path
    assert path is not None
    assert sum(bool(wire.numbers) for wire in ways) < 20
    assert all(wire.hint for wire in ways)


def test_the_parameter_stands_on_its_own_wire() -> None:
    """W₁₄⁽¹⁾ lies on the straight line from a₄⁽¹⁾ to z₁⁽²⁾."""
    what = picture(notes_flow(), "network")
    layout = lay_out(what)
    places_of = {box.label: layout.boxes[box.id] for box in what.boxes}
    start, own, to = (places_of[name] for name in ("a₄⁽¹⁾", "W₁₄⁽¹⁾", "z₁⁽²⁾"))
    part = (own.middle[0] - start.right) / (to.x - start.right)
    assert own.rows[1] == pytest.approx(start.rows[1] + part * (to.rows[1] - start.rows[1]))


def test_units_of_a_layer_share_a_column() -> None:
    """Three classes and a loss that reaches them by ways of different lengths."""
    network = Network((4, 3, 3), scalar=True)
    outputs = network(X)
    loss = -ad.log(ad.exp(outputs[1]) / (ad.exp(outputs[0]) + ad.exp(outputs[1]) + ad.exp(outputs[2])))
    what = picture(error_flow(loss, network.parameter("W14(1)")), "network")
    column = {box.label: box.column for box in what.boxes}
    assert len({column[f"z{k}⁽³⁾"] for k in "₁₂₃"}) == 1
    check_layout(what)
    layout = lay_out(what)
    tops = [layout.boxes[box.id].y for box in what.boxes if box.label in ("z₁⁽³⁾", "z₂⁽³⁾", "z₃⁽³⁾")]
    assert tops == sorted(tops)


# ---- order -----------------------------------------------------------------------------------------------------------


def families(what: Picture) -> Iterator[tuple[str, list[tuple[str, tuple[int, ...]]]]]:
    """In each column of a drawing, the places of the names of each family from top to bottom."""
    layout = lay_out(what)
    beside = what.beside if what.kind == "rail" else {box.id for box in what.boxes}
    found: dict[tuple[int, str], list[tuple[float, str, tuple[int, ...]]]] = {}
    for box in what.boxes:
        names = [cell.text for row in box.rows for cell in reversed(row.cells) if cell.role == "name" and cell.text]
        of = rank(names[0]) if names else None
        if of is not None and box.id in beside:
            found.setdefault((box.column, of.family), []).append((layout.boxes[box.id].y, of.window, of.numbers))
    for (_, family), own in found.items():
        yield family, [(window, numbers) for _, window, numbers in sorted(own)]


@pytest.mark.parametrize(("sizes", "windows"), [((4, 2, 1), 1), ((4, 2, 1), 2), ((3, 12, 1), 1), ((4, 3, 3, 1), 2)])
def test_names_stand_in_their_order_in_every_picture_of_a_net(sizes: Sequence[int], windows: int) -> None:
    """Whichever the parameter and the view: a₂ above a₁₀, W₁₂ above W₁₃, the true window above the corrupt one."""
    flows = scorer(*sizes, parameter="W11(1)", windows=windows).flows
    named = [node for node in flows.graph if node.name]
    for node in named[:: 1 + len(named) // (24 if MANY else 6)]:
        flow = flows.to(node)
        for view in ("rail", "shares", "graph", "network"):
            for family, own in families(picture(flow, view)):
                by_index = [(numbers, window) if view == "network" else (window, numbers) for window, numbers in own]
                if view == "network":  # a unit's box holds both windows
                    by_index = [(numbers, "") for _, numbers in own]
                assert by_index == sorted(by_index), (node.name, view, family)


@pytest.mark.parametrize("parameter", ["W24(1)", "b1(1)", "W12(2)", "b1(2)"])
@pytest.mark.parametrize("windows", [1, 2])
def test_every_net_has_its_units_in_the_same_places(parameter: str, windows: int) -> None:
    """The columns and the order in them are those of the picture for W₁₁⁽¹⁾."""

    def seen(flow: Flow) -> list[list[str]]:
        what = picture(flow, "network")
        layout = lay_out(what)
        units = [box for box in what.boxes if box.kind != "parameter"]
        found: dict[int, list[tuple[float, str]]] = {}
        for box in units:
            name = box.rows[0].cells[-1].text.rstrip("ᶜ")
            found.setdefault(box.column, []).append((layout.boxes[box.id].y, name))
        return [[name for _, name in sorted(own)] for _, own in sorted(found.items())]

    assert seen(scorer(4, 2, 1, parameter=parameter, windows=windows)) == seen(
        scorer(4, 2, 1, parameter="W11(1)", windows=windows)
    )


def test_a_users_own_names_stand_in_order_where_that_is_free() -> None:
    """The terms of a sum, summed in the opposite order: x₁ is above x₂, and x₉ above x₁₀."""
    items = [ad.Value(0.1 * k, name=f"x{k}") for k in range(1, 12)]
    what = picture(error_flow(sum(items[::-1]), items[0]), "graph")
    own = [numbers for family, found in families(what) for _, numbers in found if family == "x0"]
    assert sorted(own) == [(k,) for k in range(1, 12)]


def test_places_are_rectangles() -> None:
    """The plates of the notes' example: one for each wire of the way."""
    what = picture(notes_flow(), "network")
    layout = lay_out(what)
    found = plates(what, layout)
    assert {wire.id for wire in what.wires if wire.lane == "error"} == {*found}
    assert all(isinstance(place, Rect) for place in found.values())
