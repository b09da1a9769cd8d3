"""Views of a graph: the computation graph, the network, and what nodes without a name are called."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Value, error_flow, tanh
from autodiff.names import names_in

# ---- names -----------------------------------------------------------------------------------------------------------


def test_unnamed_nodes_are_called_like_their_variables():
    """Variables, lists, dicts and arrays of nodes; the nodes themselves stay without a name."""
    rate, weights = Value(0.5), [Value(1.0), Value(2.0)]
    table = {"first": Value(3.0)}
    array = np.array([[Value(4.0), Value(5.0)]])
    named = names_in({"rate": rate, "weights": weights, "table": table, "array": array, "other": 3, "_": Value(1.0)})
    assert {name: node.data for node, name in named.items()} == {
        "rate": 0.5, "weights[0]": 1.0, "weights[1]": 2.0, "table['first']": 3.0, "array[0, 0]": 4.0,
        "array[0, 1]": 5.0,
    }  # fmt: skip
    assert rate.name is None


def test_a_nodes_own_name_and_its_first_variable_win():
    """A variable comes before any place in a list, and a list that holds itself is read once."""
    x, y = Value(1.0, name="x"), Value(2.0)
    round_trip: list[object] = [y]
    round_trip.append(round_trip)
    assert names_in({"z": x, "round_trip": round_trip, "y": y, "again": y}) == {y: "y"}


def test_names_reach_the_flow():
    """Labels, names, symbols and formulas are those of the variables."""
    x, w = Value(3.0), Value(2.0)
    product = w * x
    flow = error_flow(tanh(product), w, names={"x": x, "w": w, "product": product})
    assert [node.label for node in flow.nodes] == ["tanh", "product", "w"]
    assert [node.name for node in flow.nodes] == [None, "product", "w"]
    assert [edge.local_symbol for edge in flow.edges] == ["tanh′(product)", "x"]


def test_names_are_a_mapping():
    """Anything else is refused in one sentence."""
    x = Value(3.0)
    with pytest.raises(TypeError, match=r"names are a mapping from text to nodes, such as locals\(\), and got list"):
        error_flow(x * x, x, names=["x"])  # type: ignore[arg-type]
