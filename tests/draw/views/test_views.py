"""Views of a graph: the computation graph, the network, and labels of unnamed nodes."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from functools import reduce
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given

import autodiff as ad
from autodiff import Tensor, Value, error_flow, tanh
from autodiff.draw import Box, Picture, computation, dot, picture, svg, text
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.layout.sizes import SIZES, Rect, cell_width, is_rest
from autodiff.flow import Flow
from autodiff.naming.variable_names import names_in
from autodiff.telling.explain import explain
from autodiff.telling.story import Table
from autodiff.telling.style import USUAL
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.program import Program
from autodiff.words.typeset import width
from nn import Network, Recurrent
from tests.support.examples import examples
from tests.support.flows import (
    X,
    chain,
    deep_flow,
    hostile_flow,
    ladder,
    margin_flow,
    notes_flow,
    notes_network,
    skipping,
)
from tests.support.present import present
from tests.support.processes import printed_here_and_elsewhere
from tests.support.programs import ELEMENTWISE, OPERATIONS

# ---- names -----------------------------------------------------------------------------------------------------------


def test_unnamed_nodes_are_called_like_their_variables() -> None:
    """Variables, lists, dicts and arrays of nodes; the nodes themselves stay unnamed."""
    rate, weights = Value(0.5), [Value(1.0), Value(2.0)]
    table = {"first": Value(3.0)}
    array = np.array([[Value(4.0), Value(5.0)]])
    named = names_in({"rate": rate, "weights": weights, "table": table, "array": array, "other": 3, "_": Value(1.0)})
    assert {name: node.data for node, name in named.items()} == {
        "rate": 0.5, "weights[0]": 1.0, "weights[1]": 2.0, "table['first']": 3.0, "array[0, 0]": 4.0,
        "array[0, 1]": 5.0,
    }  # fmt: skip
    assert rate.name is None


def test_a_nodes_own_name_and_its_first_variable_win() -> None:
    """A variable comes before any place in a list, and a list that holds itself is read once."""
    x, y = Value(1.0, name="x"), Value(2.0)
    round_trip: list[object] = [y]
    round_trip.append(round_trip)
    assert names_in({"z": x, "round_trip": round_trip, "y": y, "again": y}) == {y: "y"}


def test_names_reach_the_flow() -> None:
    """Labels, names, symbols and formulas are those of the variables."""
    x, w = Value(3.0), Value(2.0)
    product = w * x
    flow = error_flow(tanh(product), w, names={"x": x, "w": w, "product": product})
    assert [node.label for node in flow.nodes] == ["tanh(product)", "product", "w"]
    assert [node.name for node in flow.nodes] == [None, "product", "w"]
    assert [edge.local_symbol for edge in flow.edges] == ["tanh′(product)", "x"]


def test_names_are_a_mapping() -> None:
    """Anything else is refused in one sentence."""
    x = Value(3.0)
    message = r"expected names as a mapping from strings to nodes, such as locals\(\), but got list"
    with pytest.raises(TypeError, match=message):
        error_flow(x * x, x, names=["x"])
    with pytest.raises(TypeError, match=r"expected names with strings as keys, such as locals\(\), but got the key 3"):
        names_in({"a": 1.0, 3: Value(1.0)})


# ---- views by name ---------------------------------------------------------------------------------------------------


def test_the_automatic_view_is_a_rail_for_one_path_and_shares_for_several() -> None:
    """Both equal the views requested by name."""
    assert picture(notes_flow()).kind == picture(notes_flow(), "rail").kind == "rail"
    assert picture(deep_flow()).kind == picture(deep_flow(), "shares").kind == "shares"


def test_a_rail_of_several_paths_shows_the_strongest_and_says_so() -> None:
    """Its boxes are those of the strongest path, and its formula is that path's part of the gradient."""
    flow = deep_flow()
    what = picture(flow, "rail")
    path = flow.strongest(1)[0]
    assert what.captions[0].startswith("Only the strongest of 6 paths (")
    assert what.formula[0].endswith(" along the strongest path")
    assert [wire.share for wire in what.wires if wire.lane == "error"] == [edge.share for edge in path.edges]


def test_one_path_can_be_seen_as_shares() -> None:
    """A row for the share that arrives at every box, and no caption about paths."""
    what = picture(notes_flow(), "shares")
    assert what.kind == "shares"
    roles = [cell.role for box in what.boxes if box.kind == "parameter" for row in box.rows for cell in row.cells]
    assert roles == ["name", "value", "share", "error-name", "error"]
    assert not any("paths" in caption for caption in what.captions)


def test_views_that_are_unknown_or_do_not_fit_are_refused() -> None:
    """One sentence each, which says what to do."""
    with pytest.raises(ValueError, match=r"^unknown view 'tree' \(must be one of auto, rail, shares"):
        picture(notes_flow(), "tree")
    with pytest.raises(ValueError, match=r"at most 60 boxes, but 101 nodes lead to x; use the view 'rail'"):
        picture(error_flow(*chain(100)), "shares")
    with pytest.raises(ValueError, match=r"unknown language 'fr'"):
        picture(notes_flow(), language="fr")
    with pytest.raises(ValueError, match=r"at least 1 significant digit"):
        picture(notes_flow(), digits=0)


def test_many_paths_are_drawn_as_one_without_being_asked() -> None:
    """2²⁰⁰ paths: the rail of the strongest."""
    assert picture(error_flow(*ladder(200))).kind == "rail"


def test_digits_and_language_reach_every_text() -> None:
    """More digits in cells, wires and formula; Chinese captions and terms."""
    what = picture(notes_flow(), digits=7)
    unit = 1 / (1 + math.exp(-1.185))
    assert what.formula[-1] == f"{0.72 * unit * (1 - unit):.7f}"
    assert any(wire.label == f"× σ′(z₁⁽²⁾) = {unit * (1 - unit):.7f}" for wire in what.wires)
    said = picture(margin_flow(), language="zh")
    texts = [cell.text for box in said.boxes for row in box.rows for cell in row.cells]
    assert "误差" in texts
    assert any(text.startswith("真实窗口：× (−1)") for text in texts)
    assert said.title.startswith("误差分享")


# ---- the computation graph -------------------------------------------------------------------------------------------


def texts(box: Box) -> tuple[list[str], list[list[str]]]:
    """The texts of a box: its ports and its rows."""
    return [cell.text for cell in box.ports], [[cell.text for cell in row.cells] for row in box.rows]


def box_called(what: Picture, name: str) -> Box:
    """The box with that name, or with that operation's sign."""
    return next(box for box in what.boxes if name in (box.rows[0].cells[0].text, box.rows[-1].cells[0].text))


def test_a_square_has_two_ports() -> None:
    """a·a + a: one box for a, two wires from it to two ports of the product, one to the sum."""
    a = Value(3.0, name="a")
    what = computation(a * a + a)
    assert [texts(box) for box in what.boxes] == [
        (["× 1", "× 1"], [["+", "12"], ["", "–"]]),
        (["× 3", "× 3"], [["×", "9"], ["", "–"]]),
        ([], [["a", "3"], ["", "–"]]),
    ]
    assert sorted((wire.tail, wire.head, wire.port) for wire in what.wires) == [
        ("n1", "n0", 0), ("n2", "n0", 1), ("n2", "n1", 0), ("n2", "n1", 1),
    ]  # fmt: skip
    assert what.formula == ()
    assert "No gradient yet (–)" in " ".join(what.captions)


def test_not_yet_zero_and_no_path_are_three_things() -> None:
    """A dash before the backward pass, 0 after it where nothing arrives, and words where no path leads."""
    x, w = Value(2.0, name="x"), Value(-1.0, name="w")
    output = ad.relu(w * x) + x.detach()
    before = [row.cells[-1] for box in computation(output).boxes for row in box.rows if row.cells[-1].role == "error"]
    assert {cell.text for cell in before} == {"–", "no path"}
    assert sum(cell.text == "no path" for cell in before) == 1
    output.backward()
    what = computation(output)
    zero = box_called(what, "w").rows[1]
    assert (zero.lane, zero.cells[-1].text, zero.cells[-1].number, zero.cells[-1].sign) == ("error", "0", 0.0, 0)
    assert "–" not in {cell.text for box in what.boxes for row in box.rows for cell in row.cells}
    lost = picture(error_flow(output, Value(1.0, name="other")), "graph")
    assert texts(lost.boxes[-1]) == ([], [["other", "1"], ["", "no path"]])
    assert lost.formula == ("∂(ReLU(w·x) + x#2)/∂other", "no path")
    fills = {svg(what).count('class="rest"'), svg(computation(ad.relu(w * x))).count('class="rest"')}
    assert len(fills) == 2


@pytest.mark.parametrize("flow", [notes_flow(), deep_flow(), margin_flow(), skipping()])
def test_the_numbers_of_the_graph_are_the_ledgers(flow: Flow) -> None:
    """Every value, error and local gradient of the graph, and every share on the paths."""
    what = picture(flow, "graph")
    cells = [(cell.role, cell.number, cell.text) for box in what.boxes for row in box.rows for cell in row.cells]
    for node in flow.flows.nodes:
        assert ("value", node.value, USUAL.amount(node.value)) in cells
        assert ("error", node.error, USUAL.amount(node.error)) in cells
    assert len(what.boxes) == len(flow.flows.nodes)
    way = sorted(cell.number for box in what.boxes for cell in box.ports if cell.role == "way")
    assert way == sorted(present(edge.local) for edge in flow.edges)
    every = sorted(cell.number for box in what.boxes for cell in box.ports if cell.text.startswith("×"))
    assert every == sorted(present(edge.local) for edge in flow.flows.edges())
    shares = sorted(wire.share for wire in what.wires if wire.lane == "error")
    assert shares == sorted(edge.share for edge in flow.edges)
    assert what.formula[-1] == USUAL.amount(flow.gradient)


def test_layers_are_clusters() -> None:
    """a⁽¹⁾ in layer 1, z and a of both windows in their layers, weights and biases between two layers; J outside."""
    what = picture(margin_flow(suffix="ᶜ"), "graph")
    names = {box.id: box.rows[-1].cells[0].text or box.rows[0].cells[0].text for box in what.boxes}
    found = {cluster.label: {names[box] for box in cluster.boxes} for cluster in what.clusters}
    assert set(found) == {"layer 1, the input layer", "layer 1 → 2", "layer 2", "layer 2 → 3", "layer 3"}
    units = {f"{letter}{i}⁽²⁾{window}" for letter in "za" for i in "₁₂" for window in ("", "ᶜ")}
    weights = {f"W{i}{j}⁽¹⁾" for i in "₁₂" for j in "₁₂₃₄"}
    assert found["layer 2"] == units
    assert found["layer 1 → 2"] == weights | {"b₁⁽¹⁾", "b₂⁽¹⁾"}
    assert found["layer 1, the input layer"] == {f"a{j}⁽¹⁾{window}" for j in "₁₂₃₄" for window in ("", "ᶜ")}
    assert {names[box.id] for box in what.boxes} - set().union(*found.values()) == {"J"}


def test_the_cluster_of_a_unit_is_the_layer_that_explain_names() -> None:
    """Each z and a is in the layer of its name, each weight between the two layers that `explain` names."""
    network = Network((4, 3, 2), scalar=True)
    output = network(X)[0]
    what = picture(error_flow(output, network.parameter("W14(1)")), "graph")
    names = {box.id: box.rows[-1].cells[0].text or box.rows[0].cells[0].text for box in what.boxes}
    for cluster in what.clusters:
        for name in (names[box] for box in cluster.boxes):
            told = explain(output, name)
            first, _, second = cluster.label.removeprefix("layer ").partition(" → ")
            table = next(block for block in told.story().blocks if isinstance(block, Table))
            rows = {row[0]: row[1] for row in table.rows}
            if second:
                assert f"of layer {second}" in rows["to"]
                assert f"of layer {first}" in rows["from"] or rows["from"] == "the constant 1"
            else:
                kind = "an input of the network" if first == "1, the input layer" else f"of layer {first}"
                assert kind in rows["kind"]


def test_scopes_of_names_are_clusters() -> None:
    """A dot or a slash in a name; unnamed nodes belong to the scope of their consumers."""
    x, w = Value(1.0, name="x"), Value(2.0, name="encoder.w")
    h = tanh(w * x)
    h.name = "encoder.h"
    out = h * Value(3.0, name="decoder/v")
    out.name = "decoder/out"
    what = computation(out)
    labels = {box.id: box.rows[-1].cells[0].text or box.rows[0].cells[0].text for box in what.boxes}
    found = {cluster.label: sorted(labels[box] for box in cluster.boxes) for cluster in what.clusters}
    assert found == {"decoder": ["decoder/out", "decoder/v"], "encoder": ["encoder.h", "encoder.w", "×"]}


def test_arrays_show_shapes_norms_and_how_the_signal_goes_through() -> None:
    """Wᵀ δ to the input of a layer, δ xᵀ to its weights, δ to its bias, ∘ f′(z) through units."""
    network = notes_network(scalar=False)
    what = picture(error_flow(network(X), network.parameter("W(1)")), "graph")
    ports = {box.rows[-1].cells[0].text: [cell.text for cell in box.ports] for box in what.boxes if box.ports}
    assert ports["z⁽³⁾"] == ["δ a⁽²⁾ᵀ", "W⁽²⁾ᵀ δ", "δ"]
    assert ports["a⁽²⁾"] == ["∘ σ′(z⁽²⁾)"]
    assert ports["a⁽³⁾"] == ["× 1"]
    assert box_called(what, "W⁽¹⁾").rows[0].cells[1].text.startswith("2×4, norm ")


def test_constants_are_ports_without_a_wire() -> None:
    """Numbers and arrays that are not nodes."""
    x = Value(2.0, name="x")
    (box, _) = computation(x * 5.0).boxes
    assert [(cell.text, cell.number) for cell in box.ports] == [("× 5", 5.0), ("constant 5", 5.0)]
    t = Tensor(np.ones(3), name="t")
    (box, _) = computation(t * np.full(3, 2.0)).boxes
    assert [cell.text for cell in box.ports][1].startswith("constant 3, norm 3.464")


def test_very_many_inputs_share_the_last_port() -> None:
    """Twelve ports, among them the one on the path."""
    weights = [Value(0.1, name=f"w{k}") for k in range(40)]
    total = ad.weighted_sum(weights, [1.0] * 40, 0.0)
    what = picture(error_flow(total, weights[30]), "graph")
    ports = box_called(what, "Σ").ports
    assert len(ports) == 12
    assert [cell.role for cell in ports].count("way") == 1
    assert ports[-1].text == "70 more"


def test_only_nodes_have_a_graph() -> None:
    """One sentence for anything else."""
    with pytest.raises(TypeError, match=r"^expected the output of a graph as a Value or Tensor, but got "):
        computation(3.0)
    with pytest.raises(ValueError, match=r"^expected room for at least 2 boxes, but got most=1$"):
        computation(Value(1.0), most=1)


# ---- the network -----------------------------------------------------------------------------------------------------


def test_the_network_shows_neurons_weights_and_the_way() -> None:
    """Every neuron once, the parameter as a box between the neurons it joins, every other weight as a grey wire."""
    flow = notes_flow()
    what = picture(flow, "network")
    kinds = {box.label: box.kind for box in what.boxes}
    assert kinds == {
        "z₁⁽³⁾": "unit", "z₁⁽²⁾": "unit", "a₂⁽²⁾": "rest", "W₁₄⁽¹⁾": "parameter", "a₁⁽¹⁾": "rest", "a₂⁽¹⁾": "rest",
        "a₃⁽¹⁾": "rest", "a₄⁽¹⁾": "source",
    }  # fmt: skip
    column = {box.label: box.column for box in what.boxes}
    assert column["z₁⁽²⁾"] < column["W₁₄⁽¹⁾"] < column["a₄⁽¹⁾"]
    assert column["z₁⁽²⁾"] == column["a₂⁽²⁾"]
    hints = {wire.hint for wire in what.wires if wire.lane == "rest"}
    first = {f"W{i}{j}⁽¹⁾" for i in "₁₂" for j in "₁₂₃₄"} - {"W₁₄⁽¹⁾"}
    assert {hint.partition(" = ")[0] for hint in hints} == first | {"W₁₂⁽²⁾"}
    assert "W₂₃⁽¹⁾ = 0.6" in hints
    errors = [wire.share for wire in what.wires if wire.lane == "error"]
    assert errors == [edge.share for edge in flow.edges if edge.local_symbol in ("W₁₁⁽²⁾", "a₄⁽¹⁾")]


def test_two_windows_share_the_neurons_of_the_network() -> None:
    """J: one box for a neuron, a block for each window, and two wires with the signs of both."""
    flow = margin_flow(suffix="ᶜ")
    what = picture(flow, "network")
    unit = next(box for box in what.boxes if box.label == "z₁⁽²⁾")
    names = [[cell.text for cell in row.cells] for row in unit.rows]
    assert names[0] == ["z₁⁽²⁾", "a₁⁽²⁾"]
    assert names[4] == ["z₁⁽²⁾ᶜ", "a₁⁽²⁾ᶜ"]
    errors = {cell.number for k in (3, 7) for cell in unit.rows[k].cells}
    named = {node.label: node.error for node in flow.nodes}
    assert errors == {named[name] for name in (*names[0], *names[4])}
    reached = [wire.sign for wire in what.wires if wire.head == unit.id and wire.lane == "error"]
    assert sorted(reached) == [-1, 1]
    source = next(box for box in what.boxes if box.kind == "source")
    assert [row.cells[0].text for row in source.rows] == ["a₄⁽¹⁾", "0.8", "a₄⁽¹⁾ᶜ", "0.4"]


def recurrent_flow() -> ad.Flow:
    """Three steps of two units, and one output."""
    network = Recurrent(1, 2, scalar=True)
    return error_flow(network([[1.0], [0.5], [-1.0]])[-1], network.parameter("W1,1"))


def test_an_unrolled_network_shows_the_share_of_each_time_step() -> None:
    """The gradient of a shared weight sums the shares of all steps: a wire and a row each; steps are clusters."""
    flow = recurrent_flow()
    assert len(flow.shares) == 3
    what = picture(flow, "graph")
    assert [cluster.label for cluster in what.clusters] == ["time step 3", "time step 2", "time step 1"]
    parameter = next(box.id for box in what.boxes if box.kind == "parameter")
    arriving = [wire.share for wire in what.wires if wire.head == parameter]
    assert sorted(arriving) == sorted(edge.share for edge in flow.shares)
    assert math.fsum(arriving) == pytest.approx(flow.gradient, rel=1e-12)
    rows = [row.cells[0] for box in picture(flow, "shares").boxes if box.kind == "parameter" for row in box.rows]
    said = {cell.text.partition(" = ")[0]: cell.number for cell in rows if cell.role == "share"}
    assert list(said) == ["δ₁⁽¹⁾ · h₁⁽⁰⁾", "δ₁⁽²⁾ · h₁⁽¹⁾", "δ₁⁽³⁾ · h₁⁽²⁾"]
    assert sorted(said.values()) == sorted(arriving)
    units = [box for box in picture(flow, "network").boxes if box.kind == "unit" and len(box.rows[0].cells) == 2]
    assert {tuple(cell.text for cell in box.rows[0].cells) for box in units} == {
        ("z₁⁽¹⁾", "h₁⁽¹⁾"), ("z₁⁽²⁾", "h₁⁽²⁾"), ("z₂⁽²⁾", "h₂⁽²⁾"), ("z₁⁽³⁾", "h₁⁽³⁾"), ("z₂⁽³⁾", "h₂⁽³⁾"),
    }  # fmt: skip


def test_the_readers_language_reaches_hints() -> None:
    """The tooltips of boxes."""
    for view in ("rail", "shares", "network", "graph"):
        hints = " ".join(box.hint for box in picture(notes_flow(), view, language="zh").boxes)
        assert "error" not in hints
        assert "gradient" not in hints


@pytest.mark.parametrize("name", ["W24(1)", "b1(1)", "W11(2)"])
def test_any_parameter_of_the_network(name: str) -> None:
    """Weights of both layers and a bias: all errors on the paths are the ledger's."""
    flow = notes_flow(name)
    what = picture(flow, "network")
    errors = [cell.number for box in what.boxes for row in box.rows for cell in row.cells if cell.role == "error"]
    assert sorted(errors) == sorted(node.error for node in flow.nodes)
    check_layout(what)


@pytest.mark.parametrize("view", ["rail", "shares", "graph", "network"])
def test_every_node_of_a_network_can_be_seen(view: str) -> None:
    """Inputs, units, scores, weights and biases of both windows, and J itself: the picture shows the gradient."""
    flows = margin_flow(suffix="ᶜ").flows
    for node in flows.graph:
        flow = flows.to(node)
        what = picture(flow, view)
        errors = [c.number for b in what.boxes for row in b.rows for c in row.cells if c.role == "error"]
        assert flow.gradient in errors
        check_layout(what)


def test_wide_layers_are_drawn_without_their_middle() -> None:
    """Nine neurons of a column, and the numbers of the others at their places: 8 to 29, and 31 to 39."""
    network = Network((40, 3, 1), scalar=True)
    what = picture(error_flow(network([0.1] * 40), network.parameter("W1,30(1)")), "network")
    column = max(box.column for box in what.boxes)
    boxes = [box for box in what.boxes if box.column == column]
    assert len(boxes) == 11
    assert [box.label for box in boxes[7:]] == ["22 more", "a₃₀⁽¹⁾", "9 more", "a₄₀⁽¹⁾"]
    assert [box.kind for box in boxes if box.label.endswith(" more")] == ["more", "more"]
    check_layout(what)


def test_only_networks_are_drawn_as_networks() -> None:
    """A graph without the notes' names is refused, with what to do."""
    with pytest.raises(ValueError, match=r"nodes with names of neurons .*, but there are none; use the view 'graph'$"):
        picture(skipping(), "network")


def overlap(one: Rect, other: Rect) -> bool:
    """Whether two places have a point inside both."""
    beside = one.right <= other.x or other.right <= one.x
    return not beside and one.y < other.y + other.height and other.y < one.y + one.height


def check_layout(what: Picture) -> None:
    """No two boxes overlap, no text is wider than its cell, no frame cuts a box that is not in it."""
    layout = lay_out(what)
    for one, other in combinations(what.boxes, 2):
        assert not overlap(layout.boxes[one.id], layout.boxes[other.id])
    for box in what.boxes:
        place = layout.boxes[box.id]
        if is_rest(box):
            assert width(box.label, SIZES["rest"]) <= place.width
        else:
            check_cells(box, place)
        for cluster in what.clusters:
            assert (box.id in cluster.boxes) == overlap(place, layout.clusters[cluster.id])
    for place in layout.clusters.values():  # no wire runs through a label
        label = Rect(place.x + 10.0, place.y + 4.0, 60.0, 18.0)
        ends = [point for points in layout.wires.values() for point in points]
        assert not any(label.x < x < label.right and label.y < y < label.y + label.height for x, y in ends)
    assert not any(overlap(*pair) for pair in combinations(layout.clusters.values(), 2))


def check_cells(box: Box, place: Rect) -> None:
    """Texts fit their cells, and cells fill the box."""
    assert all(cell_width(cell) <= place.inset for cell in box.ports)
    for row in box.rows:
        wide = [place.width - place.inset] if len(row.cells) == 1 else place.columns
        assert all(cell_width(cell) <= room for cell, room in zip(row.cells, wide, strict=True))
    assert place.inset + sum(place.columns) == pytest.approx(place.width)


@pytest.mark.parametrize("view", ["graph", "network", "shares"])
@pytest.mark.parametrize("flow", [notes_flow(), deep_flow(), margin_flow(suffix="ᶜ"), recurrent_flow()])
def test_nothing_overlaps_in_views_of_networks(flow: Flow, view: str) -> None:
    """With clusters, with several paths, with two windows."""
    check_layout(picture(flow, view))


@pytest.mark.slow
@examples(30)
@given(programs(operations=ELEMENTWISE, kinks="inputs"))
def test_nothing_overlaps_in_random_graphs(program: Program) -> None:
    """Whatever users compute, boxes and texts have room, and every number is the ledger's."""
    leaves = program.leaves()
    output = program(*leaves)
    for what in (computation(output), picture(error_flow(output, leaves[0]), "graph")):
        check_layout(what)
        for cell in (cell for box in what.boxes for row in box.rows for cell in row.cells):
            assert cell.number is None or cell.text == USUAL.amount(cell.number)


@pytest.mark.slow
@examples(30)
@given(programs(ad.Tensor, operations=OPERATIONS, kinks="inputs"))
def test_nothing_overlaps_in_random_graphs_of_arrays(program: Program) -> None:
    """Shapes and norms have room in every view, and views by name give the ledger's gradient."""
    leaves = program.leaves()
    output = program(*leaves)
    check_layout(computation(output, names={"output": output}))
    flow = error_flow(output, leaves[0])
    for view in ("auto", "graph"):
        what = picture(flow, view)
        check_layout(what)
        if not flow.is_empty:
            errors = [c.number for b in what.boxes for row in b.rows for c in row.cells if c.role == "error"]
            assert any(error is flow.gradient for error in errors)


HOSTILE = (
    '"quote', "<script>alert(1)</script>", "]]>", "back\\slash\\n", "javascript:alert(1)", "\u202ertl", "😀",
    "a\x00b\x1b[31m",
    "\ud800", "x" * 10_000, "&amp;", "\\N", "a:b:c", "n1:p0", "{a|b}", "..", "/", "%s", "δ", "", " ",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_gets_out_of_its_place(name: str) -> None:
    """SVG stays XML without scripts, DOT keeps its boxes, whatever nodes, scopes and variables are called."""
    x, w = Value(0.5, name=name or None), Value(2.0, name=f"{name}.w")
    h = tanh(w * x)
    h.name = f"{name}/h"
    for what in (computation(h, names={name: h}), picture(error_flow(h, w), "graph")):
        root = ElementTree.fromstring(svg(what))
        assert {item.tag.rpartition("}")[2] for item in root.iter()} <= {
            "svg", "title", "desc", "style", "rect", "g", "path", "text", "tspan", "circle",
        }  # fmt: skip
        assert not [key for item in root.iter() for key in item.attrib if key.startswith("on")]
        assert len(dot(what)) < 40_000
        assert dot(what).count('<TABLE BORDER="1"') == 4
        check_layout(what)


@pytest.mark.slow
def test_the_same_graph_gives_the_same_text_in_every_process() -> None:
    """SVG and DOT of two hash seeds are the same bytes."""
    code = (
        "from tests.draw.views.test_views import *; import hashlib;"
        "wide = Network((30, 12, 1), scalar=True);"
        "flows = margin_flow(suffix='ᶜ'), recurrent_flow(), error_flow(wide([0.1] * 30), wide.parameter('W3,7(1)'));"
        "views = [picture(flow, view) for flow in flows for view in ('graph', 'network')];"
        "print(hashlib.sha256(''.join(svg(p) + dot(p) for p in views).encode()).hexdigest())"
    )
    here, elsewhere = printed_here_and_elsewhere(code)
    assert here == elsewhere
    assert len(here) == 65


def test_the_graph_is_written_as_dot() -> None:
    """A table with a port for every input, a cluster for every layer."""
    text = dot(picture(notes_flow(), "graph"))
    assert text.count("subgraph cluster_") == 5
    assert 'PORT="p8"' in text


@pytest.mark.parametrize("view", ["auto", "graph"])
def test_long_names_stay_out_of_the_way(view: str) -> None:
    """The tooltip shows all of a name of 10,000 characters, and the picture is as wide as for one of 200."""
    widths = []
    for length in (200, 10_000):
        what = picture(hostile_flow("x" * length), view)
        widths.append(lay_out(what).width)
        assert any("x" * length in box.hint for box in what.boxes)
    assert widths[0] == widths[1]


def test_what_is_too_much_to_draw_is_said() -> None:
    """A 40-20-1 network: 918 nodes are off the path, and the picture of the path says so in both languages."""
    network = Network((40, 20, 1), scalar=True)
    flow = error_flow(network([0.1] * 40), network.parameter("W3,7(1)"))
    left_out = len(flow.flows.nodes) - len(flow.nodes)
    assert left_out == 918
    assert f"{left_out} nodes that do not lead to the parameter are not shown." in picture(flow).captions
    assert any(str(left_out) in said for said in picture(flow, language="zh").captions)
    assert not any("not drawn" in said for said in picture(notes_flow()).captions)


def test_a_seed_is_written_as_all_numbers_and_words_are() -> None:
    """With the requested number of digits, and in the reader's language."""
    flow = notes_flow(seed=0.123456789)
    assert picture(flow).formula[0] == "0.1235 · ∂a₁⁽³⁾/∂W₁₄⁽¹⁾"
    shown = picture(flow, digits=7)
    assert shown.formula[0] == "0.1234568 · ∂a₁⁽³⁾/∂W₁₄⁽¹⁾"
    assert "0.1234568 · ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = " in text(flow, digits=7)
    t = Tensor([1.0, 2.0], name="T")
    flow = error_flow(tanh(t), t, seed=[1.0, -1.0])
    assert picture(flow).formula[0] == "seed · ∂tanh(T)/∂T"
    assert picture(flow, language="zh").formula[0] == "初始误差 · ∂tanh(T)/∂T"


def test_a_number_without_a_name_is_written_once() -> None:
    """Its box holds the value and the gradient; a named one also its name."""
    a, b = Value(2.0), Value(3.0, name="b")
    (a * b).backward()
    texts = {
        box.label: [[cell.text for cell in row.cells] for row in box.rows]
        for box in computation(a * b).boxes
        if not box.ports
    }
    assert texts == {"2": [["2"], ["3"]], "b": [["b", "3"], ["", "2"]]}
    (parameter,) = (box for box in picture(error_flow(a * b, a), "graph").boxes if box.kind == "parameter")
    assert len(parameter.rows[0].cells) == 2


def test_the_title_has_no_formula_with_gaps() -> None:
    """A name, cut as in a box; a whole formula; neither if the formula is shortened or long."""
    x = Value(2.0, name="x")
    assert computation(x * x + 1.0).title == "Computation graph of x·x + 1"
    deep = reduce(lambda made, _: ad.tanh(made * x + 1.0), range(9), x)
    assert computation(deep).title == "Computation graph"
    assert computation(deep, language="zh").title == "计算图"
    long = x * x * x * x * Value(1.0, name="another name that is rather long for a title of this kind")
    assert computation(long).title == "Computation graph"
    deep.name = "an output with a name…"
    assert computation(deep).title == "Computation graph of an output with a name…"
