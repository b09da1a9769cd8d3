"""Large graphs: the way to a parameter alone, folding by layer and scope, and layouts whose work has a limit.

What they take is printed by ``python -m tests.programs.benchmarks drawing``.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

import autodiff as ad
from autodiff import Value, error_flow
from autodiff.draw import Picture, computation, dot, picture, svg
from autodiff.draw.layout import routes
from autodiff.draw.layout.positions import Layout, lay_out
from autodiff.draw.layout.sizes import Point
from autodiff.draw.model.quick import place_of
from autodiff.flow import Flow
from autodiff.flow.order import notes_name
from nn import Network
from tests.draw.views.test_views import check_layout
from tests.support.flows import chain

MANY = settings().max_examples > 500  # the profile `thorough`


def mesh(count: int, width: int = 100) -> tuple[Value, list[Value]]:
    """About ``count`` nodes in layers of tanh(½a + ⅓b): from the second layer on each unit depends on very many."""
    units = leaves = [Value(0.01 * k, name=f"x{k}") for k in range(width)]
    for _ in range((count - 2 * width) // (4 * width)):
        units = [ad.tanh(units[k] * 0.5 + units[(7 * k + 3) % width] / 3.0) for k in range(width)]
    total = units[0]
    for unit in units[1:]:
        total = total + unit
    return total, leaves


def folds(what: Picture) -> list[list[str]]:
    """The texts of boxes that represent several nodes."""
    return [[row.cells[0].text for row in box.rows] for box in what.boxes if box.kind == "fold"]


# ---- the way alone ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short_way() -> Flow:
    """The flow to a weight near the output of a hundred thousand nodes."""
    total, _ = mesh(100_000)
    w = Value(0.5, name="w")
    return error_flow(ad.tanh(total * w), w)


@pytest.mark.parametrize("view", ["auto", "graph", "shares"])
def test_the_way_alone_from_a_hundred_thousand_nodes(short_way: Flow, view: str) -> None:
    """A weight near the output: the picture shows the paths, and says what is left out."""
    flow = short_way
    what = picture(flow, view)
    assert len(flow.flows.nodes) > 99_000
    assert [box.label for box in what.boxes if box.kind == "parameter"] == ["w"]
    assert len(what.boxes) <= 4
    if view == "graph":
        assert what.captions[0].startswith(f"Only the 3 nodes on a path are shown; {len(flow.flows.nodes) - 3} others")
    assert lay_out(what).width < 2000


def test_a_way_of_thousands_keeps_both_ends() -> None:
    """150 boxes and one for the middle, which joins the ends and shows the number of its nodes."""
    output, bottom = chain(5_000)
    what = picture(error_flow(output, bottom), "graph")
    assert len(what.boxes) == 151
    assert folds(what) == [["…", "4851 nodes"]]
    assert what.captions[0] == "Too many nodes to read: 4851 are folded into one box."
    (crowd,) = (box.id for box in what.boxes if box.kind == "fold")
    assert [wire.lane for wire in what.wires if crowd in (wire.tail, wire.head)] == ["error", "error"]
    assert len(what.wires) == 150


def test_of_a_whole_graph_the_nodes_next_to_the_output_are_drawn() -> None:
    """The others share one box."""
    total, _ = mesh(3_000)
    what = computation(total)
    assert len(what.boxes) == 150
    assert folds(what)[0][0] == "…"
    check_layout(what)


# ---- folding ---------------------------------------------------------------------------------------------------------


def test_layers_are_folded_where_there_are_too_many_boxes() -> None:
    """A 40-20-1 network: nodes on the paths individually, the rest of each layer in a box that the caption counts."""
    network = Network((40, 20, 1), scalar=True)
    flow = error_flow(network([0.1] * 40), network.parameter("W3,7(1)"))
    what = picture(flow, "graph")
    own = {box.rows[-1].cells[0].text or box.label for box in what.boxes if box.kind in ("unit", "parameter")}
    assert own == {node.label for node in flow.nodes}
    assert sorted(folds(what)) == [
        ["layer 1 → 2", "819 nodes"], ["layer 1, the input layer", "40 nodes"], ["layer 2", "38 nodes"],
        ["layer 2 → 3", "21 nodes"],
    ]  # fmt: skip
    assert what.captions[0] == "918 nodes are folded into 4 boxes."
    shares = sorted(wire.share for wire in what.wires if wire.share is not None)
    assert shares == sorted(edge.share for edge in flow.edges)
    check_layout(what)


def test_a_whole_network_is_folded_by_layer() -> None:
    """Inputs one by one, a box for every layer and one for the weights that lead to it, and the wires between them."""
    network = Network((6, 30, 30, 1), scalar=True)
    what = computation(network([0.1] * 6))
    assert sorted(folds(what)) == [
        ["layer 1 → 2", "210 nodes"], ["layer 2", "60 nodes"], ["layer 2 → 3", "930 nodes"], ["layer 3", "60 nodes"],
        ["layer 3 → 4", "31 nodes"], ["layer 4", "2 nodes"],
    ]  # fmt: skip
    column = {box.label: box.column for box in what.boxes}
    for k in (2, 3):
        assert column[f"layer {k + 1}"] < column[f"layer {k} → {k + 1}"] == column[f"layer {k}"]
    assert column["layer 2"] < column["layer 1 → 2"] == column["a₁⁽¹⁾"]
    assert len(what.wires) == 6 + 2 + 3


def test_many_inputs_are_folded_too() -> None:
    """An 80-30-1 network: three boxes, and two for the weights between them."""
    what = computation(Network((80, 30, 1), scalar=True)([0.1] * 80))
    assert sorted(folds(what)) == [
        ["layer 1 → 2", "2430 nodes"], ["layer 1, the input layer", "80 nodes"], ["layer 2", "60 nodes"],
        ["layer 2 → 3", "31 nodes"], ["layer 3", "2 nodes"],
    ]  # fmt: skip
    called = {box.id: box.label for box in what.boxes}
    assert sorted((called[wire.tail], called[wire.head]) for wire in what.wires) == [
        ("layer 1 → 2", "layer 2"), ("layer 1, the input layer", "layer 2"), ("layer 2", "layer 3"),
        ("layer 2 → 3", "layer 3"),
    ]  # fmt: skip


def test_scopes_are_folded() -> None:
    """Names with dots: a box for each scope."""
    top = Value(0.5, name="x")
    for scope in ("encoder", "decoder"):
        for k in range(100):
            top = ad.tanh(top * Value(1.0, name=f"{scope}.w{k}"))
            top.name = f"{scope}.h{k}"
    what = computation(top)
    assert sorted(folds(what)) == [["decoder", "300 nodes"], ["encoder", "300 nodes"]]
    assert [box.label for box in what.boxes] == ["decoder", "encoder", "x"]


def test_scopes_that_alternate_are_folded_in_parts() -> None:
    """Wires between folded boxes never form cycles, whatever the names are."""
    top = Value(0.5, name="x")
    for k in range(200):
        top = ad.tanh(top)
        top.name = f"{'ab'[k // 50 % 2]}.h{k}"
    what = computation(top)
    assert [rows[0] for rows in folds(what)] == ["b", "a", "b", "a"]
    column = {box.id: box.column for box in what.boxes}
    assert all(column[wire.tail] > column[wire.head] for wire in what.wires)


# ---- layout ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_thousands_of_boxes_are_laid_out() -> None:
    """With our layering, in a mesh and in a chain; SVG and DOT are written too."""
    count = 10_000 if MANY else 3_000
    for output in (mesh(count)[0], chain(count)[0]):
        what = computation(output, most=count + 1)
        assert len(what.boxes) > 0.9 * count
        layout = lay_out(what)
        assert len(layout.boxes) == len(what.boxes)
    assert svg(what).count("data-box=") == dot(what).count("STYLE=") == len(what.boxes)


def test_tooltips_of_very_many_boxes_leave_out_the_formulas_of_their_operations() -> None:
    """Values and errors stay; up to 1,000 boxes have the formulas too."""
    few, many = (computation(chain(count)[0], most=10_001) for count in (400, 1_400))
    assert max(len(box.hint.split(" – ")) for box in many.boxes) < max(len(box.hint.split(" – ")) for box in few.boxes)


def test_deep_graphs_do_not_recurse() -> None:
    """A chain far deeper than Python's recursion limit: folding, columns and layout use loops."""
    output, bottom = chain(10_000)
    flow = error_flow(output, bottom)
    for what in (computation(output), picture(flow), picture(flow, "graph")):
        assert len(what.boxes) <= 151
        lay_out(what)


def test_leaves_that_everything_uses_have_few_places() -> None:
    """A weight of every step of a long chain: its wires pass each column in one place, or go straight."""
    weights = [Value(1.0, name=f"w{k}") for k in range(20)]
    top = Value(0.5, name="x")
    for k in range(2_000):
        top = ad.tanh(top * weights[k % 20])
    what = computation(top, most=10_000)
    layout = lay_out(what)
    assert len(layout.wires) == len(what.wires) == 6_000


NAMES = (
    "W₁₄⁽¹⁾", "W₁₀,₂⁽¹²⁾", "z₁⁽²⁾ᶜ", "b⁽¹⁾", "W14(1)", "x₃", "J", "h1", "q₁,⁽²⁾", "δ₁⁽²⁾", "W⁽⁰⁾", "w[0]", "a.b",
    "W₁₁⁽²⁾⁽³⁾", "W₁⁽¹⁾", "W₁₀⁽¹⁾", "b₁₀⁽¹⁾", "b₀⁽¹⁾", "W₁₂₃⁽¹⁾", "z⁽²⁾′ᶜ",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_letters_and_layers_are_read_as_names_are(name: str) -> None:
    """The fast reader of printed names agrees with the parser and leaves all other names to it."""
    (node,) = error_flow(x := Value(1.0, name=name), x).nodes
    parsed = notes_name(node)
    assert place_of(node) == (None if parsed is None else (parsed.letter, parsed.layer))


# ---- bundles ---------------------------------------------------------------------------------------------------------


def test_in_a_large_picture_bundled_wires_share_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wire starts where it leaves the way of an earlier one from its box; together they cover the same lines."""
    x, w = Value(0.5, name="x"), Value(0.25, name="w")
    for _ in range(8):
        x = ad.tanh(x * w)
    what = computation(x, unfold=True)
    whole = lay_out(what)
    monkeypatch.setattr(routes, "_MOST_WHOLE", 0)
    parted = lay_out(what)
    assert parted.boxes == whole.boxes
    assert lines(parted) == lines(whole)
    assert sum(map(len, parted.wires.values())) < 0.6 * sum(map(len, whole.wires.values()))
    bands = svg(what, width=600.0)
    monkeypatch.undo()
    assert 0.5 * len(svg(what, width=600.0)) < len(bands) < 0.9 * len(svg(what, width=600.0))


def lines(layout: Layout) -> set[tuple[Point, ...]]:
    """The curves of which wires consist, each with its ends."""
    every = set()
    for points in layout.wires.values():
        step = 1 if len(points) == 2 else 3
        every |= {points[k : k + step + 1] for k in range(0, len(points) - 1, step)}
    return every
