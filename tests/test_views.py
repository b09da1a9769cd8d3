"""Views of a graph: the computation graph, the network, and what nodes without a name are called."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autodiff import Value, error_flow, tanh
from autodiff.draw import picture
from autodiff.names import names_in
from tests.flows import chain, deep_flow, ladder, margin_flow, notes_flow

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


# ---- views by name ---------------------------------------------------------------------------------------------------


def test_the_automatic_view_is_a_rail_for_one_path_and_shares_for_several():
    """Both are the ones that are asked for by name."""
    assert picture(notes_flow()).kind == picture(notes_flow(), "rail").kind == "rail"
    assert picture(deep_flow()).kind == picture(deep_flow(), "shares").kind == "shares"


def test_a_rail_of_several_paths_shows_the_strongest_and_says_so():
    """Its boxes are those of the strongest path, its formula that path's part of the gradient."""
    flow = deep_flow()
    what = picture(flow, "rail")
    path = flow.strongest(1)[0]
    assert what.captions[0].startswith("Drawn is the strongest of 6 paths (")
    assert what.formula[0].endswith(" along the strongest path")
    assert [wire.share for wire in what.wires if wire.lane == "error"] == [edge.share for edge in path.edges]


def test_one_path_can_be_seen_as_shares():
    """A row for what arrives at every box, and no caption about paths."""
    what = picture(notes_flow(), "shares")
    assert what.kind == "shares"
    roles = [cell.role for box in what.boxes if box.kind == "parameter" for row in box.rows for cell in row.cells]
    assert roles == ["name", "value", "share", "error-name", "error"]
    assert not any("paths" in caption for caption in what.captions)


def test_views_that_are_unknown_or_do_not_fit_are_refused():
    """One sentence each, which says what to do."""
    with pytest.raises(ValueError, match=r"^unknown view 'tree' \(must be one of auto, rail, shares"):
        picture(notes_flow(), "tree")
    with pytest.raises(ValueError, match=r"at most 60 boxes, and 101 nodes are on the way to x: take the view 'rail'"):
        picture(error_flow(*chain(100)), "shares")
    with pytest.raises(ValueError, match=r"unknown language 'fr'"):
        picture(notes_flow(), language="fr")
    with pytest.raises(ValueError, match=r"at least 1 significant digit"):
        picture(notes_flow(), digits=0)


def test_many_paths_are_drawn_as_one_without_being_asked():
    """2²⁰⁰ paths: the rail of the strongest."""
    assert picture(error_flow(*ladder(200))).kind == "rail"


def test_digits_and_language_reach_every_text():
    """More digits in cells, wires and formula; Chinese captions and terms."""
    what = picture(notes_flow(), digits=7)
    unit = 1 / (1 + math.exp(-1.185))
    assert what.formula[-1] == f"{0.72 * unit * (1 - unit):.7f}"
    assert any(wire.label == f"× σ′(z₁⁽²⁾) = {unit * (1 - unit):.7f}" for wire in what.wires)
    said = picture(margin_flow(), language="zh")
    texts = [cell.text for box in said.boxes for row in box.rows for cell in row.cells]
    assert "误差" in texts
    assert any(text.startswith("真实窗口: × (−1)") for text in texts)
    assert said.title.startswith("误差共享")
