"""Pictures tell the truth: the ends of wires, the steps of badges, the contents of layers."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Value, error_flow
from autodiff.draw import Picture, computation, dot, picture, svg, text
from autodiff.draw.layout.lines import footer
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.model.cells import brief
from autodiff.draw.model.data import as_json
from autodiff.flow import Flow
from autodiff.flow.sums import with_sums
from autodiff.telling.derivation import derivation
from autodiff.telling.explain import explain
from autodiff.telling.lesson import lesson
from autodiff.telling.markdown import markdown
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import steps
from autodiff.telling.story import Table
from autodiff.telling.style import Style
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.program import Program
from autodiff.words.notation import number
from autodiff.words.typeset import width
from nn import Network
from tests.support.examples import examples
from tests.support.flows import X, deep_flow, margin_flow, notes_flow, notes_network
from tests.support.programs import ELEMENTWISE
from tests.support.sums import Merged

# ---- ends of forward wires -------------------------------------------------------------------------------------------


def profit() -> dict[str, Any]:
    """Two products of one quantity, one of them with a variable."""
    price, quantity = Value(5.0), Value(3.0)
    profit = price * quantity - 2 * quantity
    return locals()


def profit_flow() -> ad.Flow:
    """The flow from the profit to the quantity."""
    names = profit()
    return error_flow(names["profit"], names["quantity"], names=names)


def forward(what: Picture) -> list[tuple[str, str]]:
    """The forward wires by the first names in the boxes that they join."""
    called = {box.id: box.label for box in what.boxes}
    return sorted((called[wire.tail], called[wire.head]) for wire in what.wires if wire.lane == "forward")


def test_the_partner_of_a_product_leads_into_the_product() -> None:
    """Price and quantity enter their product side by side; in no view does a wire lead into a leaf."""
    flow = profit_flow()
    shares = [("price", "price·quantity"), ("quantity", "2·quantity"), ("quantity", "price·quantity")]
    assert forward(picture(flow, "shares")) == shares
    rail = [("price", "price·quantity"), ("price·quantity", "profit"), ("quantity", "price·quantity")]
    assert forward(picture(flow, "rail")) == rail
    what = picture(flow, "graph")
    (price,) = (box for box in what.boxes if box.label == "price")
    (wire,) = (wire for wire in what.wires if price.id in (wire.tail, wire.head))
    assert (wire.tail, what.boxes[1].rows[0].cells[0].text) == (price.id, "×")


def test_a_factor_beside_a_network_leads_into_the_product() -> None:
    """The output of a network times a gain: unit and gain lead into the product in every view."""
    gain = Value(2.0, name="gain")
    output = notes_network()(X) * gain
    output.name = "y"
    flow = error_flow(output, gain)
    assert forward(picture(flow, "rail")) == forward(picture(flow, "shares")) == [("a₁⁽³⁾", "y"), ("gain", "y")]
    assert forward(picture(flow, "network")) == [("gain", "y"), ("z₁⁽³⁾", "y")]


def test_a_weight_of_a_layer_stands_on_its_own_wire() -> None:
    """The notes' picture: a₄⁽¹⁾ → W₁₄⁽¹⁾ → z₁⁽²⁾; a bias is on the wire of a constant 1."""
    for view in ("rail", "shares", "network"):
        assert {("a₄⁽¹⁾", "W₁₄⁽¹⁾"), ("W₁₄⁽¹⁾", "z₁⁽²⁾")} <= {*forward(picture(notes_flow(), view))}
    assert {("constant", "b₁⁽¹⁾"), ("b₁⁽¹⁾", "z₁⁽²⁾")} <= {*forward(picture(notes_flow("b1(1)")))}


def test_a_name_like_a_weights_makes_no_layer() -> None:
    """w₁·x₁ + b₁ in plain Python: both factors of the product lead into it, and no constant 1 is invented."""
    w, x, b = Value(2.0, name="w1"), Value(3.0, name="x1"), Value(1.0, name="b1")
    output = w * x + b
    assert ("x1", "w1·x1") in forward(picture(error_flow(output, w)))
    assert forward(picture(error_flow(output, b))) == [("b1", "w1·x1 + b1")]
    squared = notes_network()
    weight = squared.parameter("W14(1)")
    penalised = error_flow(squared(X) + weight * weight, weight)  # on two kinds of wire at once: on neither
    assert ("a₄⁽¹⁾", "z₁⁽²⁾") in forward(picture(penalised))


@pytest.mark.parametrize("view", ["rail", "shares"])
@examples(30)
@given(program=programs(operations=ELEMENTWISE, kinks="inputs"))
def test_forward_wires_are_edges_of_the_graph(view: str, program: Program) -> None:
    """In any graph without layers, a forward wire leads from an input, or a term of a sum, to a result."""
    leaves = program.leaves()
    flow = error_flow(program(*leaves), leaves[0])
    if flow.is_empty:
        return
    merged = Merged(flow)
    edges = {(brief(item), brief(root)) for root, item, *_ in merged.every_edge()}
    assert {wire for wire in forward(picture(flow, view)) if "…" not in wire} <= edges  # the middle of a long rail


def test_a_factor_beside_a_rail_stands_above_it() -> None:
    """Its wire reaches the product's box from above, and crosses neither the rail nor its labels."""
    price, quantity = Value(5.0, name="price"), Value(3.0, name="quantity")
    what = picture(error_flow(price * quantity, quantity))
    layout = lay_out(what)
    places = {box.label: layout.boxes[box.id] for box in what.boxes}
    assert places["price"].y + places["price"].height < places["quantity"].y == places["price·quantity"].y
    (factor,) = (box.id for box in what.boxes if box.label == "price")
    (wire,) = (wire for wire in what.wires if wire.tail == factor)
    assert layout.wires[wire.id][-1][1] == places["price·quantity"].y


# ---- badges and steps ------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def badges(what: Picture) -> list[int]:
    """The numbers of steps in a drawing, in boxes and on wires."""
    cells = [cell.step for box in what.boxes for row in box.rows for cell in row.cells]
    return sorted(step for step in [*cells, *(wire.step for wire in what.wires)] if step is not None)


def places(flow: ad.Flow) -> list[int]:
    """The number of each step once for every error that it states, or else for every edge that it crosses."""
    return sorted(step.number for step in steps(with_sums(flow)) for _ in (step.nodes or step.edges))


def test_a_square_and_a_sum_show_the_steps_that_are_told() -> None:
    """x·x + x: ① ② ③ ④, the third at each of the three shares that it states."""
    x = Value(3.0, name="x")
    what = picture(error_flow(x * x + x, x))
    assert badges(what) == [1, 2, 3, 3, 3, 4]
    assert what.steps[2] == (
        "Shares arrive at x:\n(error at x·x + x) · 1 = 1 × 1 = 1\n"
        "(error at x·x) · x = 1 × 3 = 3\n(error at x·x) · x = 1 × 3 = 3"
    )


def test_the_notes_rail_shows_each_number_once() -> None:
    """① to ⑧, each at one place."""
    assert badges(picture(notes_flow())) == [*range(1, 9)]
    assert badges(picture(notes_flow(), "shares")) == [*range(1, 9)]


@pytest.mark.parametrize("view", ["auto", "rail", "shares", "graph", "network"])
@pytest.mark.parametrize("flow", [notes_flow(), notes_flow("b1(1)"), deep_flow(), margin_flow(), profit_flow()])
def test_every_badge_has_its_sentence(flow: Flow, view: str) -> None:
    """In every view the badges are those of the sentences below the picture, or there are neither."""
    if view == "network" and flow.output.name == "profit":
        return
    what = picture(flow, view)
    assert {*badges(what)} == {*range(1, len(what.steps) + 1)}
    told = {sentence for step in what.steps for sentence in step.split("\n")}
    assert told <= {line for step in steps(flow) for line in (step.sentence, *step.lines)}


@pytest.mark.slow
@pytest.mark.parametrize("view", ["rail", "shares"])
@examples(30)
@given(program=programs(operations=ELEMENTWISE, kinks="inputs"))
def test_badges_are_the_steps_that_are_told(view: str, program: Program) -> None:
    """In any graph, each step appears once below the picture and in its description, and its badge is at its place."""
    leaves = program.leaves()
    flow = error_flow(program(*leaves), leaves[0])
    what = picture(flow, view) if not flow.is_empty else picture(flow)
    if not what.steps:
        assert badges(what) == []
        return
    assert badges(what) == places(flow)
    assert [step.split("\n")[0] for step in what.steps] == [step.sentence for step in steps(with_sums(flow))]
    for k, step in enumerate(what.steps, start=1):
        assert what.description.count(f"({k}) {' '.join(step.splitlines())}") == 1


@pytest.mark.slow
@examples(30)
@given(program=programs(operations=ELEMENTWISE, kinks="inputs"))
def test_every_writer_tells_the_steps_of_its_badges(program: Program) -> None:
    """SVG and DOT: every badge in the drawing also precedes its sentence; text and Markdown have it too."""
    leaves = program.leaves()
    flow = error_flow(program(*leaves), leaves[0])
    what = picture(flow)
    drawn = [int(item.get("data-step") or 0) for item in ElementTree.fromstring(svg(what)).iter(f"{SVG}g")]
    numbers = range(1, len(what.steps) + 1)
    assert sorted(step for step in drawn if step) == sorted([*badges(what), *numbers])
    source, told, marked = html.unescape(dot(what)), text(flow), markdown(flow)
    for k in numbers:
        mark = chr(0x2460 + k - 1) if k <= 10 else f"({k})"
        assert source.count(f">{mark} ") == badges(what).count(k) + 1
        assert told.count(f"\n({k}) ") == marked.count(f"\n- **({k})** ") == 1


def test_very_many_steps_leave_no_badges() -> None:
    """The shares of a wide network: no sentences below and no unexplained badges; the description has the steps."""
    network = Network((4, 9, 9, 9, 1), activation="tanh", scalar=True)
    flow = error_flow(network(X), network.parameter("W14(1)"))
    what = picture(flow)
    assert what.kind == "shares"
    assert (what.steps, badges(what)) == ((), [])
    assert f"({len(steps(flow))}) " in what.description


def test_steps_below_a_picture_fit_its_width() -> None:
    """Long sums are broken into lines; two columns stand side by side only where both fit."""
    for across in (400.0, 900.0, 2000.0):
        for flow in (deep_flow(), margin_flow(), notes_flow()):
            for line in footer(picture(flow), across):
                ends = [run.x + width(run.segments[0].text, line.size) for run in line.runs]
                assert max(ends, default=0.0) <= across
                assert all(end <= run.x for end, run in zip(ends, line.runs[1:], strict=False))


# ---- cancelling ------------------------------------------------------------------------------------------------------


def cancelling(*slopes: float) -> tuple[str, ...]:
    """The remarks on the sum of slope · x over some slopes, except those on weak factors."""
    x = Value(1.0, name="x")
    return tuple(said for said in remarks(error_flow(sum(slope * x for slope in slopes), x)) if "cancel" in said)


def test_an_exact_cancellation_is_called_exact() -> None:
    """x − x, and 0.7·x − 0.7·x: nothing remains, and no percentage is given."""
    exactly = "Paths of opposite signs cancel exactly: none of their strength remains."
    assert cancelling(0.7, -0.7) == cancelling(1e-300, -1e-300) == (exactly,)
    x = Value(0.3, name="x")
    assert remarks(error_flow(x - x, x)) == (exactly,)
    assert remarks(error_flow(ad.tanh(x) * 2.0 - ad.tanh(x) * 2.0, x))[0] == exactly
    assert remarks(error_flow(x - x, x), Style("zh")) == ("符号相反的路径恰好完全抵消：总强度没有任何剩余。",)


def test_what_rounding_leaves_is_called_rounding() -> None:
    """0.1 + 0.2 − 0.3 leaves 2.8e−17, and 1 + 1e−17 − 1 leaves 0: both are within the rounding error."""
    (said,) = cancelling(0.1, 0.2, -0.3)
    assert said.startswith("Paths of opposite signs cancel to within rounding: the remaining 2.776e−17 is within")
    x = Value(0.5, name="x")
    h = x * 1.0  # here 1 + 1e−17 is rounded to 1
    y = (h + h * 1e-17) - x
    assert error_flow(y, x).gradient == 0.0
    assert "to within rounding: the remaining 0 " in remarks(error_flow(y, x))[0]


@pytest.mark.parametrize(("left", "nearly"), [(1e-12, True), (0.02, True), (0.06, False), (0.2, False), (0.5, False)])
def test_what_is_more_than_rounding_has_its_percentage(left: float, nearly: bool) -> None:
    """2 % and 10⁻¹² of the strength are nearly nothing, but not rounding; a fifth is not nearly nothing."""
    told = f"Paths of opposite signs nearly cancel: {number(100 * left, 2)} % of their strength remains."
    assert cancelling(0.5 * (1.0 + left), -0.5 * (1.0 - left)) == ((told,) if nearly else ())


@given(st.lists(st.fractions(-1, 1, max_denominator=10**6), min_size=2, max_size=6), st.integers(0, 3))
def test_rounding_is_blamed_where_it_may_be_and_exactness_is_exact(drawn: list[Fraction], doublings: int) -> None:
    """Against exact arithmetic: "exactly" means 0, and a remainder beyond the bound is not called rounding."""
    slopes = [float(slope) for slope in drawn]
    slopes.append(-math.fsum(slopes))
    x = Value(1.0, name="x")
    output = sum(slope * x for slope in slopes)
    for _ in range(doublings):
        output = output * 0.1 + output
    flow = error_flow(output, x)
    exact = sum(map(Fraction, slopes)) * (Fraction(0.1) + 1) ** doublings
    assert flow.rounding is None or abs(Fraction(flow.gradient) - exact) <= flow.rounding
    if "exactly" in remarks(flow)[0]:
        assert exact == flow.gradient == 0


def test_a_seed_changes_nothing_of_what_cancels() -> None:
    """Even a gradient so small that products in another order would leave the range of floats."""
    x = Value(1.0, name="x")
    flow = error_flow(x * 1e-20 * 1e100 + x * 1e-20 * 1e100, x, seed=1e-300)
    assert flow.left_after_cancelling == 1.0
    assert not any("cancel" in said for said in remarks(flow))


# ---- inf and nan -----------------------------------------------------------------------------------------------------


def root_of_a_square(at: Any = 0.0) -> ad.Flow:
    """√(x·x): at 0 an infinite slope behind a slope of 0."""
    x = Value(at, name="x") if isinstance(at, float) else ad.Tensor(at, name="x")
    y = ad.sqrt(x * x)
    y = y if isinstance(at, float) else y.sum()
    y.name = "y"
    return error_flow(y, x)


def test_a_nan_of_zero_times_infinity_is_told_where_it_begins() -> None:
    """The error does not die but explodes at the root, and inf × 0 is nan; in remarks, steps, text and JSON."""
    flow = root_of_a_square()
    assert math.isnan(flow.gradient)
    said = remarks(flow)
    assert said == (
        "The error explodes at 1/(2·y) = inf.",
        "The error becomes nan: (error at x·x) · x = inf × 0 = nan.",
    )
    assert remarks(flow, Style("zh"))[0] == "误差在 1/(2·y) = inf 处爆炸。"
    assert steps(flow)[1].sentence.endswith("= 1 × inf = inf (explodes here), the error at x·x.")
    assert steps(flow)[2].lines == ("(error at x·x) · x = inf × 0 = nan (nan begins here)",) * 2
    for told in (text(flow), told_in_full(flow), markdown(flow)):
        assert "explodes at 1/(2·y) = inf" in told.replace("\\", "")
        assert "dies" not in told
    kinds = [("explodes", "x·x", 0), ("nan", "x", 1), ("nan", "x", 2)]
    assert [tuple(each.values()) for each in json.loads(as_json(flow.as_dict()))["anomalies"]] == kinds


def told_in_full(flow: ad.Flow) -> str:
    """All texts about a flow."""
    return explain(flow.flows.graph[0], flow.parameter.label).text()


@pytest.mark.parametrize("view", ["rail", "shares", "graph"])
def test_the_box_and_the_wire_where_it_begins_are_marked(view: str) -> None:
    """In every view that has them, by SVG and DOT; the legend says what the mark means."""
    what = picture(root_of_a_square(), view)
    called = {box.id: (box.rows[-1] if view == "graph" else box.rows[0]).cells[0].text for box in what.boxes}
    wires = [(called[wire.tail], wire.mark or "") for wire in what.wires if wire.mark]
    assert wires[0] == ("y", "explodes here")
    assert {mark for _, mark in wires[1:]} == {"nan begins here"}
    marked = {box.mark for box in what.boxes if box.mark}
    assert marked == {"explodes here", "nan begins here"}
    root = ElementTree.fromstring(svg(what))
    drawn = [item.attrib["data-mark"] for item in root.iter(f"{SVG}g") if item.get("data-mark")]
    assert sorted(drawn) == sorted([*(box.mark for box in what.boxes if box.mark), *(mark for _, mark in wires)])
    assert "numbers stop being finite here" in "".join(root.itertext())
    assert dot(what).count("(!)") == len(drawn)


def test_a_finite_flow_has_no_marks() -> None:
    """No anomalies, no marks, no line in the legend."""
    for flow in (notes_flow(), deep_flow(), margin_flow()):
        assert flow.anomalies == ()
        assert flow.as_dict()["anomalies"] == []
        for view in ("auto", "graph", "network"):
            what = picture(flow, view)
            assert not any(box.mark for box in what.boxes)
            assert not any(wire.mark for wire in what.wires)
            assert "stop being finite" not in svg(what)


def test_marks_stand_in_networks_too() -> None:
    """A weight so large that its product overflows: its unit is marked in the network."""
    network = notes_network()
    network.load({"W(1)": [[1e308] * 4, [0.1] * 4], "b(1)": [0.0, 0.0], "W(2)": [[1.0, 1.0]], "b(2)": [0.0]})
    flow = error_flow(network([1.0, 1.0, 1.0, 1.0]), network.parameter("W14(1)"))
    what = picture(flow, "network")
    assert [box.label for box in what.boxes if box.mark] == ["z₁⁽²⁾"]
    assert remarks(flow)[0].startswith("The values stop being finite at z₁⁽²⁾ = inf, computed from W₁₁⁽¹⁾ = 1e+308, ")


@pytest.mark.parametrize(("compute", "said"), [
    (lambda x: ad.sqrt(x), "The error explodes at 1/(2·√x) = inf."),
    (lambda x: ad.log(x - 1.0), "The values stop being finite at ln(x − 1) = nan, computed from x − 1 = −1."),
    (lambda x: ad.log(x) * 2.0, "The values stop being finite at ln(x) = −inf, computed from x = 0."),
    (lambda x: (x * 1e200) * 1e200, "The error exceeds the largest float: (error at x·1e+200) · 1e+200 = "
     "1e+200 × 1e+200 = inf."),
    (lambda x: ad.sqrt(x) - ad.sqrt(2.0 * x), "The error becomes nan: ∂(√x − √(2·x))/∂x = (−inf) + inf = nan."),
    (lambda x: x * 1e308 + x * 1e308,
     "The error exceeds the largest float: ∂(x·1e+308 + x·1e+308)/∂x = 1e+308 + 1e+308 = inf."),
    (lambda x: x * math.inf, "The values stop being finite at x·inf = nan, computed from x = 0, inf."),
    (lambda x: x * Value(math.nan, name="n"), "The given value n = nan is not a finite number."),
])  # fmt: skip
def test_every_way_out_of_the_finite_numbers_has_its_remark(compute: Callable[[Value], Value], said: str) -> None:
    """Values and errors, products and sums, given data; no remark says that the error dies or shrinks."""
    x = Value(0.0, name="x")
    found = remarks(error_flow(compute(x), x))
    assert said in found
    assert not any("dies" in told or "shrinks" in told for told in found)
    assert len(remarks(error_flow(compute(x), x), Style("zh"))) == len(found)


def test_arrays_stop_being_finite_as_numbers_do() -> None:
    """One entry is enough; remarks show shapes and norms."""
    flow = root_of_a_square([0.0, 1.0])
    assert [(each.kind, each.node.label) for each in flow.anomalies] == [
        ("explodes", "x·x"), ("nan", "x"), ("nan", "x"),
    ]  # fmt: skip
    told = "The error explodes: (error at √(x·x)) ∘ 1/(2·√(x·x)), a vector of 2 entries and norm inf."
    assert remarks(flow)[0] == told
    assert {box.mark for box in picture(flow).boxes} == {"", "explodes here", "nan begins here"}


def test_of_very_many_places_the_first_are_told() -> None:
    """Four sentences, and how many more there are."""
    x = Value(0.0, name="x")
    total = sum((ad.sqrt(x * float(k)) for k in range(1, 8)), start=x * 1.0)
    assert [said.partition(" at ")[0] for said in remarks(error_flow(total, x))] == [
        *["The error explodes"] * 4, "Other places where numbers stop being finite: 3.",
    ]  # fmt: skip


def test_a_value_that_leaves_no_trace_is_no_remark() -> None:
    """exp(1000) is inf, and 1/inf is 0: off the paths of a finite gradient it gets no remark, on a path it does."""
    x, w = Value(1000.0, name="x"), Value(2.0, name="w")
    y = w * 3.0 + 1.0 / ad.exp(x)
    assert error_flow(y, w).anomalies == ()
    assert [each.kind for each in error_flow(y, x).anomalies][:1] == ["value"]


def test_a_whole_graph_marks_where_values_and_gradients_stop_being_finite() -> None:
    """Without a parameter: the first values in order of computation, the first gradients starting at the output."""
    x = Value(0.0, name="x")
    y = ad.sqrt(x * x) + ad.log(Value(-1.0, name="q"))
    y.backward()
    what = computation(y)
    assert [box.rows[0].cells[0].text for box in what.boxes if box.mark] == ["ln", "×"]
    assert what.captions == (
        "The values stop being finite at ln(q) = nan, computed from q = −1.",
        "The gradients stop being finite at x·x: inf.",
    )


def test_two_derivations_that_end_apart_say_why() -> None:
    """With an infinite factor, the order of multiplication matters, and rounding is not blamed."""
    x = Value(1e-200, name="x")
    explanation = explain(x * 1e200 * 1e200 * 1e-300, "x")
    assert (explanation.gradient, explanation.explicit) == (pytest.approx(1e100), math.inf)
    assert "lost to rounding" not in explanation.text()
    assert "gives inf, error sharing 1e+100: they multiply in different orders" in explanation.text()
    root = root_of_a_square()
    assert "gives nan, and so does error sharing (nan): it is not a number" in told_in_full(root)


def test_nothing_gets_through_a_closed_edge_in_either_direction() -> None:
    """√relu(x) at −10, its gate closed: explicit differentiation gives 0, and no error remains behind it."""
    x = Value(-10.0, name="x")
    flow = error_flow(ad.sqrt(ad.relu(x)), x)
    gated = replace(flow, edges=tuple(replace(edge, closed=edge.local == 0.0) for edge in flow.edges))
    assert [line.derivative for line in derivation(gated)] == [0.0, 0.0]
    tables = (block for block in lesson(gated).blocks if isinstance(block, Table))
    (table,) = (block for block in tables if "remaining" in "".join(block.head))
    assert [row[-1] for row in table.rows] == ["1", "inf", "0"]
