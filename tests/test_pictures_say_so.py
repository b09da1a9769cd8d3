"""What pictures draw and say is so: where wires lead, which step a badge names, what a layer holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

import autodiff as ad
from autodiff import Value, error_flow
from autodiff.draw import Picture, picture
from autodiff.draw.layout import lay_out
from autodiff.testing.strategies import programs
from tests.flows import X, notes_flow, notes_network
from tests.programs import ELEMENTWISE

# ---- where forward wires lead ----------------------------------------------------------------------------------------


def profit() -> dict[str, Any]:
    """Two products of one quantity, one of them with a variable."""
    price, quantity = Value(5.0), Value(3.0)
    profit = price * quantity - 2 * quantity
    return locals()


def profit_flow() -> ad.Flow:
    """What the quantity does to the profit."""
    names = profit()
    return error_flow(names["profit"], names["quantity"], names=names)


def forward(what: Picture) -> list[tuple[str, str]]:
    """The forward wires by the first names in the boxes that they join."""
    called = {box.id: box.label for box in what.boxes}
    return sorted((called[wire.tail], called[wire.head]) for wire in what.wires if wire.lane == "forward")


def test_the_partner_of_a_product_leads_into_the_product():
    """Price and quantity go into their product side by side; nothing leads into a leaf, in no view."""
    flow = profit_flow()
    shares = [("price", "multiply"), ("quantity", "multiply"), ("quantity", "multiply#2")]
    assert forward(picture(flow, "shares")) == shares
    assert forward(picture(flow, "rail")) == [("multiply", "profit"), ("price", "multiply"), ("quantity", "multiply")]
    what = picture(flow, "graph")
    (price,) = (box for box in what.boxes if box.label == "price")
    (wire,) = (wire for wire in what.wires if price.id in (wire.tail, wire.head))
    assert (wire.tail, what.boxes[1].rows[0].cells[0].text) == (price.id, "×")


def test_a_factor_beside_a_network_leads_into_the_product():
    """What a network gives is multiplied by a gain: unit and gain lead into the product, in every view."""
    gain = Value(2.0, name="gain")
    output = notes_network()(X) * gain
    output.name = "y"
    flow = error_flow(output, gain)
    assert forward(picture(flow, "rail")) == forward(picture(flow, "shares")) == [("a₁⁽³⁾", "y"), ("gain", "y")]
    assert forward(picture(flow, "network")) == [("gain", "y"), ("z₁⁽³⁾", "y")]


def test_a_weight_of_a_layer_stands_on_its_own_wire():
    """The notes' picture: a₄⁽¹⁾ → W₁₄⁽¹⁾ → z₁⁽²⁾; a bias stands on the wire of a constant 1."""
    for view in ("rail", "shares", "network"):
        assert {("a₄⁽¹⁾", "W₁₄⁽¹⁾"), ("W₁₄⁽¹⁾", "z₁⁽²⁾")} <= {*forward(picture(notes_flow(), view))}
    assert {("constant", "b₁⁽¹⁾"), ("b₁⁽¹⁾", "z₁⁽²⁾")} <= {*forward(picture(notes_flow("b1(1)")))}


def test_a_name_like_a_weights_makes_no_layer():
    """w₁·x₁ + b₁ in plain Python: both factors of the product lead into it, and no constant 1 is made up."""
    w, x, b = Value(2.0, name="w1"), Value(3.0, name="x1"), Value(1.0, name="b1")
    output = w * x + b
    assert ("x1", "multiply") in forward(picture(error_flow(output, w)))
    assert forward(picture(error_flow(output, b))) == [("b1", "add")]
    squared = notes_network()
    weight = squared.parameter("W14(1)")
    penalised = error_flow(squared(X) + weight * weight, weight)  # on two kinds of wire at once: on neither
    assert ("a₄⁽¹⁾", "z₁⁽²⁾") in forward(picture(penalised))


@pytest.mark.parametrize("view", ["rail", "shares"])
@given(program=programs(operations=ELEMENTWISE, kinks="inputs"))
def test_forward_wires_are_edges_of_the_graph(view, program):
    """Of any graph without layers: a forward wire leads from an input to what was computed from it."""
    leaves = program.leaves()
    flow = error_flow(program(*leaves), leaves[0])
    if flow.is_empty:
        return
    labels = flow.flows.label_of
    edges = {(labels(i), labels(node)) for node in flow.flows.graph for i in node.inputs if isinstance(i, ad.Node)}
    assert {wire for wire in forward(picture(flow, view)) if "…" not in wire} <= edges  # the middle of a long rail


def test_a_factor_beside_a_rail_stands_above_it():
    """Its wire reaches the product's box from above, and crosses neither the rail nor its labels."""
    price, quantity = Value(5.0, name="price"), Value(3.0, name="quantity")
    what = picture(error_flow(price * quantity, quantity))
    layout = lay_out(what)
    places = {box.label: layout.boxes[box.id] for box in what.boxes}
    assert places["price"].y + places["price"].height < places["quantity"].y == places["multiply"].y
    (price,) = (box.id for box in what.boxes if box.label == "price")
    (wire,) = (wire for wire in what.wires if wire.tail == price)
    assert layout.wires[wire.id][-1][1] == places["multiply"].y
