"""Error sharing as data: the ledger, its paths, and the notes' words for them."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Primitive, StaleGraphError, Tensor, Value, error_flow
from autodiff.engine.shares import local_gradients
from autodiff.flow import Flow, bracketed, count_text
from autodiff.flow.labels import labels
from autodiff.flow.paths import strongest_paths
from autodiff.telling.remarks import remarks
from autodiff.telling.steps import steps
from autodiff.telling.style import USUAL
from autodiff.telling.terms import error_name
from autodiff.testing.hooks.strategies import programs
from autodiff.words.printable import printable
from nn import Network, WindowScorer, max_margin
from tests.support.flows import (
    X,
    chain,
    deep_flow,
    ladder,
    margin_flow,
    notes_flow,
    notes_network,
    paths_one_by_one,
    skipping,
)
from tests.support.present import present
from tests.support.programs import ELEMENTWISE

# ---- the notes' example ----------------------------------------------------------------------------------------------


def test_the_notes_gradient_as_a_product() -> None:
    """∂s/∂W₁₄⁽¹⁾ of the 4-2-1 network: one path, five factors, in symbols and numbers."""
    flow = notes_flow()
    assert flow.formula() == "1 · 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾ = 1 × 1 × 0.9 × 0.1793 × 0.8 = 0.1291"
    assert flow.derivative == "∂a₁⁽³⁾/∂W₁₄⁽¹⁾"
    assert flow.path_count == 1
    sigma = 1 / (1 + math.exp(-1.185))
    assert flow.gradient == pytest.approx(0.9 * sigma * (1 - sigma) * 0.8, rel=1e-15)


def test_the_ledger_of_the_notes_example() -> None:
    """Nodes from the output to the parameter with value and error; edges with local gradient, δ and share."""
    flow = notes_flow()
    assert [node.label for node in flow.nodes] == ["a₁⁽³⁾", "z₁⁽³⁾", "a₁⁽²⁾", "z₁⁽²⁾", "W₁₄⁽¹⁾"]
    assert [node.id for node in flow.nodes] == [0, 1, 2, 3, 4]
    assert [node.operation for node in flow.nodes] == ["identity", "weighted_sum", "sigmoid", "weighted_sum", None]
    assert [(edge.consumer, edge.input, edge.slot) for edge in flow.edges] == [
        (0, 1, 0),
        (1, 2, 2),
        (2, 3, 0),
        (3, 4, 3),
    ]
    assert [edge.local for edge in flow.edges[:2]] == [1.0, 0.9]
    assert [edge.partner for edge in flow.edges] == [None, "W₁₁⁽²⁾", None, "a₄⁽¹⁾"]
    assert all(edge.share == edge.error * present(edge.local) for edge in flow.edges)
    assert all(edge.error == flow.nodes[edge.consumer].error for edge in flow.edges)
    assert flow.output is flow.nodes[0]
    assert flow.parameter is flow.nodes[-1]


def test_the_nodes_off_the_way_are_kept_for_pictures() -> None:
    """Ids of nodes and edges off the paths follow those on the paths, and no edge is listed twice."""
    flow = notes_flow()
    labels_off_path = {node.label for node in flow.off_path}
    assert {"a₁⁽¹⁾", "a₄⁽¹⁾", "z₂⁽²⁾", "a₂⁽²⁾", "W₂₁⁽¹⁾", "b₁⁽²⁾"} <= labels_off_path
    assert [node.id for node in flow.every] == list(range(len(flow.nodes) + len(flow.off_path)))
    way = {(edge.consumer, edge.input, edge.slot) for edge in flow.edges}
    wires = {(wire.consumer, wire.input, wire.slot) for wire in flow.off_path_wires}
    assert not way & wires
    assert len(way | wires) == 2 * 9 + 2 + 5 + 1  # two hidden sums, two units, the output's sum and unit


def test_the_eight_steps_of_the_notes() -> None:
    """The numbered steps of section 1.5, with numbers."""
    assert [str(step) for step in steps(notes_flow())] == [
        "(1) An error signal of 1 enters at a₁⁽³⁾: ∂a₁⁽³⁾/∂a₁⁽³⁾.",
        "(2) × 1, the local gradient of the output unit (identity).",
        "(3) δ₁⁽³⁾ = (error at a₁⁽³⁾) · 1 = 1 × 1 = 1 has reached z₁⁽³⁾ and is shared out.",
        "(4) The share of a₁⁽²⁾ is δ₁⁽³⁾ · W₁₁⁽²⁾ = 1 × 0.9 = 0.9, the error at a₁⁽²⁾.",
        "(5) × σ′(z₁⁽²⁾) = a₁⁽²⁾·(1 − a₁⁽²⁾) = 0.7658 × 0.2342 = 0.1793 carries it through the neuron.",
        "(6) δ₁⁽²⁾ = (error at a₁⁽²⁾) · σ′(z₁⁽²⁾) = 0.9 × 0.1793 = 0.1614 has reached z₁⁽²⁾.",
        "(7) × a₄⁽¹⁾ = 0.8, the signal that W₁₄⁽¹⁾ forwarded.",
        "(8) ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 0.1614 × 0.8 = 0.1291, the gradient.",
    ]


def test_each_step_knows_its_nodes_and_edges() -> None:
    """Exactly one step covers each node and each edge on the paths, and those of one step belong together."""
    for flow in (notes_flow(), deep_flow(), margin_flow(), skipping()):
        told = steps(flow)
        assert sorted(node for step in told for node in step.nodes) == [node.id for node in flow.nodes]
        assert sorted(edge for step in told for edge in step.edges) == list(range(len(flow.edges)))
        assert [step.number for step in told] == list(range(1, len(told) + 1))


def test_a_bias_is_a_weight_on_a_constant_one() -> None:
    """The gradient of a bias is δ itself, and the step says why."""
    flow = notes_flow("b1(1)")
    assert flow.gradient == flow.nodes[-2].error
    assert str(steps(flow)[6]) == "(7) × 1: a bias is a weight on a constant 1."


def test_a_weight_of_the_last_layer_takes_five_steps() -> None:
    """From the output unit straight to the weight: entering, its unit, δ, what the weight forwarded, the gradient."""
    told = steps(notes_flow("W12(2)"))
    assert len(told) == 5
    assert told[3].sentence == "× a₂⁽²⁾ = 0.3566, the signal that W₁₂⁽²⁾ forwarded."


def test_three_more_steps_for_each_further_layer() -> None:
    """A 4-2-1 network takes 8 steps, 4-1-1-1 takes 11."""
    network = Network((4, 1, 1, 1), scalar=True)
    assert len(steps(error_flow(network(X), network.parameter("W14(1)")))) == 11


def test_several_paths_are_told_as_sums_at_units() -> None:
    """The error at a unit is the sum of the shares that its consumers send back, in symbols and numbers."""
    flow = deep_flow()
    told = steps(flow)
    assert len(told) == 14
    line = told[9].lines[0]
    assert line.startswith("error at a₁⁽²⁾ = δ₁⁽³⁾ · W₁₁⁽²⁾ + δ₂⁽³⁾ · W₂₁⁽²⁾ + δ₃⁽³⁾ · W₃₁⁽²⁾ = ")
    unit = next(node for node in flow.nodes if node.label == "a₁⁽²⁾")
    assert line.endswith(f"= {USUAL.amount(unit.error)}")
    assert [len(step.lines) for step in told] == [0, 0, 0, 2, 2, 2, 3, 3, 3, 1, 0, 0, 0, 0]


def test_seed_scales_the_flow() -> None:
    """A seed of −1 flips the sign of every error, and the derivative shows the seed."""
    flow, turned = notes_flow(), notes_flow(seed=-1.0)
    assert turned.gradient == -flow.gradient
    assert turned.derivative == "(−1) · ∂a₁⁽³⁾/∂W₁₄⁽¹⁾"
    assert turned.formula().startswith("(−1) · 1 · W₁₁⁽²⁾")
    assert steps(turned)[0].sentence == "An error signal of −1 enters at a₁⁽³⁾."


# ---- any graph -------------------------------------------------------------------------------------------------------


def test_a_square_has_two_edges() -> None:
    """a·a: one node used twice is two edges with two slots, two paths and both shares."""
    a = Value(3.0, name="a")
    flow = error_flow(a * a, a)
    assert [(edge.slot, edge.share, edge.local_symbol) for edge in flow.shares] == [(0, 3.0, "a"), (1, 3.0, "a")]
    assert (flow.path_count, flow.gradient) == (2, 6.0)
    assert flow.formula() == "1 · a + 1 · a = 3 + 3 = 6"


def test_unnamed_nodes_are_called_by_what_they_compute() -> None:
    """Labels are unique, a chosen name comes first, and constants read as numbers."""
    x = Value(2.0, name="x")
    flow = error_flow((x * 3.0) * (x * 4.0) + x, x)
    assert [node.label for node in flow.nodes] == ["x·3·(x·4) + x", "x·3·(x·4)", "x·4", "x·3", "x"]
    assert sorted(edge.local_symbol for edge in flow.shares) == ["1", "3", "4"]


def test_labels_never_clash_with_chosen_names() -> None:
    """A node that a user named y + 1#2 keeps that label, and the second sum becomes y + 1#3."""
    x, y = Value(2.0, name="y + 1#2"), Value(3.0, name="y")
    order = ad.topological(x * (y + 1.0) * (y + 1.0))
    found = ["y + 1#2", "y", "y + 1", "(y + 1#2)·(y + 1)", "y + 1#3", "(y + 1#2)·(y + 1)·(y + 1)"]
    assert list(labels(order).values()) == found


def test_labels_are_one_printable_line() -> None:
    """Line ends, control characters and changes of direction cannot reach a terminal or a picture."""
    x = Value(1.0, name="a\nb\x1b[31m\u202ec")
    assert error_flow(x * 2.0, x).parameter.label == "a b\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}c"
    assert printable("\ud800\t") == "\N{REPLACEMENT CHARACTER} "


@pytest.mark.parametrize(
    ("f", "symbol"),
    [
        (lambda x, y: x + y, "1"),
        (lambda x, y: y - x, "−1"),
        (lambda x, y: -x, "−1"),
        (lambda x, y: x * y, "y"),
        (lambda x, y: x / y, "1/y"),
        (lambda x, y: y / x, "−y/x²"),
        (lambda x, y: x**3, "3·x²"),
        (lambda x, y: x**2, "2·x"),
        (lambda x, y: x**0.5, "0.5·x^(−0.5)"),
        (lambda x, y: x**y, "∂q/∂x"),
        (lambda x, y: ad.sigmoid(x), "σ′(x)"),
        (lambda x, y: ad.relu(x), "ReLU′(x)"),
        (lambda x, y: ad.identity(x), "1"),
        (lambda x, y: ad.sqrt(x), "1/(2·q)"),
        (lambda x, y: ad.sign(x), "0"),
        (lambda x, y: abs(x), "1"),
        (lambda x, y: ad.maximum(x, y), "0"),
        (lambda x, y: ad.hinge(x, y), "−1"),
        (lambda x, y: ad.hinge(y, x), "1"),
        (lambda x, y: ad.weighted_sum([x], [y], 1.0), "y"),
        (lambda x, y: ad.weighted_sum([2.0], [x], 1.0), "2"),
        (lambda x, y: ad.weighted_sum([y], [2.0], x), "1"),
        (lambda x, y: ad.sum(np.array([x, y])), "1"),
        (lambda x, y: ad.mean(np.array([x, y])), "0.5"),
        (lambda x, y: ad.max(np.array([x, y])), "∂q/∂x"),
    ],
)
def test_how_local_gradients_read(f: Callable[..., Value], symbol: str) -> None:
    """From the table's rules: the partner in a product, f′ of a unit, the number of a constant or a choice."""
    x, y = Value(0.3, name="x"), Value(0.7, name="y")
    output = f(x, y)
    output.name = "q"
    assert error_flow(output, x).edges[0].local_symbol == symbol


def test_local_gradients_of_a_users_own_primitive_read_too(define: Callable[..., Primitive]) -> None:
    """A word is a unit; a short rule is shown as its formula; a long one, or one that fails on symbols, as ∂y/∂x."""
    x = Value(0.3, name="x")
    for name, rule, symbol, expected in (
        ("cube_of", lambda g, z, x: g * (3 * x * x), "x³", "3·x²"),
        ("own_unit", lambda g, z, x: g * (3 * x * x), "f", "f′(x)"),
        ("not_symbolic", lambda g, z, x: g * math.cos(x), "s!", "∂q/∂x"),
        ("long_rule", lambda g, z, x: g * (1 + x + x * x + x * x * x + 5 * x + 6 * x * x + 7 * x), "s?", "∂q/∂x"),
    ):
        entry = define(name, lambda xp, x: x * x * x, [rule], symbol=symbol)
        node = entry(x)
        node.name = "q"
        assert error_flow(node, x).edges[0].local_symbol == expected


def test_the_local_gradient_of_a_linear_primitive_is_a_number(define: Callable[..., Primitive]) -> None:
    """The slope is the same everywhere, however its rule is written, so the number says it all."""
    twice = define("twice", lambda xp, x: x + x, [lambda g, z, x: g + g], linear=True)
    x = Value(0.3, name="x")
    assert error_flow(twice(x), x).edges[0].local_symbol == "2"


def test_params_that_cannot_be_hashed_are_no_obstacle() -> None:
    """An index array among the params of a call."""
    x = Tensor([1.0, 2.0, 3.0], name="x")
    flow = error_flow(x[np.array([0, 0, 2])].sum(), x)
    np.testing.assert_array_equal(flow.gradient, [2.0, 0.0, 1.0])


def test_not_on_any_path_is_an_empty_flow() -> None:
    """No nodes, no edges, no paths, gradient None, which differs from zero."""
    x, y = Value(1.0, name="x"), Value(2.0, name="y")
    flow = error_flow(x * 2.0, y)
    assert flow.is_empty
    assert flow.gradient is None
    assert (flow.nodes, flow.edges, flow.path_count, flow.strongest(), flow.shares) == ((), (), 0, (), ())
    assert (flow.weakest, flow.left_after_cancelling, flow.formula(), steps(flow)) == (None, None, "", ())
    assert flow.parameter.error is None
    assert remarks(flow) == ("No path leads from x·2 to y: no error reaches it, so it has no gradient (None, not 0).",)


def test_zero_is_not_nothing() -> None:
    """Paths lead to x and nothing arrives: gradient 0.0, and the factor where the error dies is named."""
    x = Value(-1.0, name="x")
    flow = error_flow(ad.relu(x) * 3.0, x)
    assert (flow.is_empty, flow.gradient) == (False, 0.0)
    assert present(flow.weakest).symbol == "ReLU′(x)"
    assert remarks(flow) == ("The error dies here: ReLU′(x) = 0.",)


def test_a_zero_error_shares_zero_on_an_infinite_edge() -> None:
    """0 · inf is 0 for errors, as in the backward pass."""
    x = Value(0.0, name="x")
    flow = error_flow(ad.sqrt(x) * 0.0, x)
    assert flow.gradient == 0.0
    assert [edge.share for edge in flow.edges] == [0.0, 0.0]
    assert flow.strongest(1)[0].product == 0.0


def test_the_output_itself_is_a_flow_without_edges() -> None:
    """∂y/∂y = seed: one node, one path, no edges."""
    y = Value(3.0, name="y") * 2.0
    flow = error_flow(y, y)
    assert (flow.gradient, len(flow.nodes), flow.edges, flow.path_count) == (1.0, 1, (), 1)
    assert flow.strongest(1)[0].product == 1.0
    assert flow.weakest is None


def test_names_of_two_windows_are_told_apart() -> None:
    """Where both windows have the same names, the corrupt one's get a raised c; names that have it keep it."""
    for suffix in ("", "ᶜ"):
        flow = margin_flow(suffix=suffix)
        assert {"z₁⁽²⁾", "z₁⁽²⁾ᶜ", "a₁⁽³⁾ᶜ", "W₁₄⁽¹⁾"} <= {node.label for node in flow.nodes}
        assert {edge.local_symbol for edge in flow.shares} == {"a₄⁽¹⁾", "a₄⁽¹⁾ᶜ"}


def test_both_windows_flows_add_up() -> None:
    """The true window's score gets −1, the corrupt one's +1; the gradient is the sum of both windows' shares."""
    flow = margin_flow()
    scores = {flow.nodes[edge.input].label: edge.share for edge in flow.edges if edge.consumer == 0}
    assert scores == {"a₁⁽³⁾": -1.0, "a₁⁽³⁾ᶜ": 1.0}
    lines = steps(flow)[1].lines
    assert lines[0] == "error at a₁⁽³⁾ = (error at J) · (−1) = 1 × (−1) = −1 (true window)"
    assert lines[1] == "error at a₁⁽³⁾ᶜ = (error at J) · 1 = 1 × 1 = 1 (corrupt window)"
    true, corrupt = (edge.share for edge in sorted(flow.shares, key=attrgetter("share")))
    assert true == pytest.approx(-0.12911479432738593)
    assert flow.gradient == pytest.approx(true + corrupt, abs=0)


def test_a_met_margin_says_so() -> None:
    """J = 0: nothing is shared, every gradient is 0.0; exactly at the kink that is a convention."""
    met = margin_flow(shift=3.0)
    assert met.gradient == 0.0
    assert remarks(met) == ("J = 0: the margin is met, so no error is shared and every gradient is 0.",)
    score, corrupt = Value(2.0, name="s"), Value(1.0, name="s_c")
    kink = error_flow(ad.hinge(score, corrupt), score)
    assert kink.nodes[0].at_kink
    assert remarks(kink) == (
        "max(0, 1 + s_c − s) = 0 is exactly at its kink, Δ + s_c − s = 0: by convention, no error is shared there.",
    )
    assert not error_flow(ad.hinge(score, corrupt, margin=0.5), score).nodes[0].at_kink


def test_a_unit_at_its_kink_says_so() -> None:
    """relu exactly at 0."""
    x = Value(0.0, name="x")
    flow = error_flow(ad.relu(x) + x, x)
    assert "ReLU(x) is exactly at a kink of ReLU: its local gradient there is a convention." in remarks(flow)


def test_paths_that_cancel_are_pointed_out() -> None:
    """0.74 against −0.72: 1.4 % of the strength remains."""
    x = Value(1.0, name="x")
    flow = error_flow(x * 0.74 - x * 0.72, x)
    assert flow.left_after_cancelling == pytest.approx(0.02 / 1.46)
    assert remarks(flow)[0] == "Paths of opposite signs nearly cancel: 1.4 % of their strength remains."


def test_the_factor_that_shrinks_most_is_named() -> None:
    """A unit by its slope, a constant by its edge; where nothing shrinks, nothing is said."""
    assert present(notes_flow().weakest).symbol == "σ′(z₁⁽²⁾)"
    assert remarks(notes_flow()) == ("σ′(z₁⁽²⁾) = 0.1793 shrinks the error most.",)
    x = Value(3.0, name="x")
    assert remarks(error_flow(x * 0.1, x)) == ("∂(x·0.1)/∂x = 0.1 shrinks the error most.",)
    assert remarks(error_flow(x * 5.0, x)) == ()
    assert remarks(deep_flow())[-1] == "On the strongest path, W₃₁⁽²⁾ = −0.4006 shrinks the error most."


# ---- arrays ----------------------------------------------------------------------------------------------------------


def test_a_flow_through_arrays() -> None:
    """Errors and shares are arrays, local gradients None; the gradient is that of the backward pass."""
    network = notes_network(scalar=False)
    W = network.parameter("W(1)")
    flow = error_flow(network(X), W)
    assert flow.gradient.shape == (2, 4)
    assert flow.gradient[0, 3] == pytest.approx(notes_flow().gradient, rel=1e-15)
    assert {edge.local for edge in flow.edges} == {None}
    assert flow.formula() == "1 · 1 · ∂z⁽³⁾/∂a⁽²⁾ · σ′(z⁽²⁾) · ∂z⁽²⁾/∂W⁽¹⁾"
    assert (flow.strongest(1)[0].product, flow.weakest, flow.left_after_cancelling) == (None, None, None)
    assert len(steps(flow)) == 8


def test_a_flow_through_numbers_and_arrays() -> None:
    """A Value that scales a Tensor gets the sum of the shares of all elements."""
    v, t = Value(2.0, name="v"), Tensor([1.0, 2.0], name="T")
    output = (t * v).sum()
    assert error_flow(output, v).gradient == 3.0
    np.testing.assert_array_equal(error_flow(output, t).gradient, [2.0, 2.0])
    number = (t * t)[1].value() * v
    np.testing.assert_array_equal(error_flow(number, t).gradient, [0.0, 8.0])


def test_paths_through_arrays_are_ranked_by_gain() -> None:
    """Of two paths through arrays, the one that changes the size of the error most comes first."""
    t = Tensor([1.0, 2.0], name="T")
    flow = error_flow((t * 0.1 + t * 5.0).sum(), t)
    assert flow.path_count == 2
    assert flow.strongest(2)[0].symbols().endswith("· 5")


def test_a_seed_for_an_array() -> None:
    """The seed has the output's shape and appears as such in the formula."""
    t = Tensor([1.0, 2.0], name="T")
    flow = error_flow(t * 2.0, t, seed=np.array([1.0, -1.0]))
    np.testing.assert_array_equal(flow.gradient, [2.0, -2.0])
    assert flow.derivative == "seed · ∂(T·2)/∂T"
    assert flow.formula() == "seed · 2"


def test_the_word_vectors_of_a_scorer_receive_errors() -> None:
    """L of the window scorer, shared by both windows: every hidden unit of both sends its share."""
    scorer = WindowScorer(np.random.default_rng(0).normal(size=(9, 2)), window=3, hidden=3, scalar=True)
    objective = max_margin(scorer([0, 1, 2]), scorer([0, 3, 4], suffix="ᶜ"))
    flow = error_flow(objective, scorer.parameter("L11"))
    assert flow.path_count == 6
    assert math.fsum(edge.share for edge in flow.shares) == pytest.approx(flow.gradient, rel=1e-12)
    assert error_name(flow, flow.nodes[flow.shares[0].consumer]).startswith("δ")


# ---- paths -----------------------------------------------------------------------------------------------------------


def test_a_ladder_of_two_hundred_diamonds() -> None:
    """2²⁰⁰ paths are counted exactly and the strongest ones found, without walking them."""
    flow = error_flow(*ladder(200))
    assert flow.path_count == 2**200
    first, second, third = flow.strongest(3)
    assert first.product == 1.0
    assert (second.product, third.product) == (0.25, 0.25)
    assert first.percentage == pytest.approx(100 / 1.25**200)
    assert flow.gradient == pytest.approx(1.25**200)


def test_count_text_shows_the_size_of_huge_numbers() -> None:
    """Exact up to 15 digits; beyond that, two digits and the exponent, even where Python refuses to print."""
    assert count_text(999_999_999_999_999) == "999999999999999"
    assert count_text(10**15) == "about 1.0e15"
    assert count_text(2**200) == "about 1.6e60"
    assert count_text(2**100_000) == "about 1.0e30103"


def test_long_paths_do_not_vanish_when_compared() -> None:
    """1,000 factors of 0.01 underflow as a product; their order is still right."""
    x = Value(1.0, name="x")
    weak = strong = x
    for _ in range(1000):
        weak, strong = weak * 0.01, strong * 0.02
    flow = error_flow(weak + strong, x)
    assert {factor.number for factor in flow.strongest(1)[0].factors} == {1.0, 0.02}
    assert flow.strongest(1)[0].percentage is None  # 0 of 0


def test_paths_with_infinite_or_undefined_factors_come_first() -> None:
    """nan is not hidden behind numbers; zero stays the weakest, even times infinity."""
    x = Value(0.0, name="x")
    flow = error_flow(ad.sqrt(x) * 0.0 + x * math.nan + x * 5.0, x)
    products = [path.product for path in flow.strongest(3)]
    assert math.isnan(present(products[0]))
    assert products[1:] == [5.0, 0.0]


def test_a_path_with_an_infinite_factor_and_a_zero_is_the_weakest() -> None:
    """0 · inf on one path is 0: a finite path beside it comes first."""
    assert strongest_paths([(0, 1), (1, 2), (0, 2)], [math.inf, 0.0, 0.5], 2, 2) == [[2], [0, 1]]
    assert strongest_paths([(0, 1), (1, 2), (0, 2)], [0.0, math.inf, 0.5], 2, 2) == [[2], [0, 1]]


@pytest.mark.slow
@given(st.data())
def test_path_counts_and_the_strongest_paths_agree_with_walking_them_all(data: st.DataObject) -> None:
    """On random graphs, for every leaf: count, products, order and percentages."""
    output, leaves = _drawn(data)
    for leaf, flow in _flows(output, leaves):
        walked = paths_one_by_one(output, leaf)
        assert flow.path_count == len(walked)
        if not walked:
            continue
        products = (math.prod(present(local_gradients(node)[slot]) for node, slot in path) for path in walked)
        sizes = sorted(map(abs, products), reverse=True)
        found = flow.strongest(len(walked) + 1)
        assert len(found) == len(walked)
        assert [abs(present(path.product)) for path in found] == pytest.approx(sizes, rel=1e-9, abs=1e-300)
        if sum(sizes):
            assert [path.percentage for path in found] == pytest.approx(
                [100 * size / sum(sizes) for size in sizes], abs=1e-6
            )


@pytest.mark.slow
@given(st.data())
def test_shares_add_up_exactly_to_every_error_and_to_the_gradient(data: st.DataObject) -> None:
    """On random graphs: the shares that arrive, in the ledger's order, sum to the node's error to the last bit."""
    output, leaves = _drawn(data)
    gradients = ad.gradients(output, leaves)
    for (_, flow), gradient in zip(_flows(output, leaves), gradients, strict=True):
        assert flow.gradient == gradient
        for node in flow.nodes[1:]:
            first, *others = flow.arriving(node)
            total = first.share
            for edge in others:
                total = total + edge.share
            assert total == node.error


#: Built once, because hypothesis takes longer to build this strategy than to draw from it.
_PROGRAMS = programs(operations=ELEMENTWISE, kinks="nowhere")


def _drawn(data: st.DataObject) -> tuple[Value, list[Value]]:
    """The output of a random program on named leaves, and the leaves."""
    program = data.draw(_PROGRAMS)
    leaves = [Value(number, name=f"x{k}") for k, number in enumerate(program.inputs)]
    output = program(*leaves)
    assume(isinstance(output, Value))
    assume(sum(len(paths_one_by_one(output, leaf)) for leaf in leaves) <= 300)
    return output, leaves


def _flows(output: Value, leaves: Sequence[Value]) -> Iterator[tuple[Value, Flow]]:
    """The flow to each leaf, of one pass and one numbering where the output depends on the leaf."""
    flows = error_flow(output, leaves[0]).flows
    there = {*flows.graph}
    for leaf in leaves:
        yield leaf, flows.to(leaf) if leaf in there else error_flow(output, leaf)


def test_the_sum_of_shares_is_exact_on_arrays_too() -> None:
    """The same on a graph of arrays where one Tensor is used three times."""
    t = Tensor(np.linspace(-1.0, 1.0, 6).reshape(2, 3), name="T")
    flow = error_flow((ad.tanh(t) * t + ad.exp(t) @ np.ones((3, 3))).sum(), t)
    total = np.zeros((2, 3))
    for edge in flow.shares:
        total = total + edge.share
    np.testing.assert_array_equal(total, flow.gradient)
    np.testing.assert_array_equal(total, ad.gradients((ad.tanh(t) * t + ad.exp(t) @ np.ones((3, 3))).sum(), t))


@pytest.mark.slow
def test_thirty_thousand_nodes_without_recursion() -> None:
    """A chain of 30,000 units: flow, count and formula; long products show their outer factors."""
    flow = error_flow(*chain(30_000))
    assert len(flow.nodes) == 30_001
    assert flow.path_count == 1
    formula = flow.formula()
    assert "… (29961 more) …" in formula
    assert len(formula) < 2000


# ---- as plain data ---------------------------------------------------------------------------------------------------


def test_as_dict_is_json_with_full_numbers() -> None:
    """Data read back from JSON equals the ledger."""
    flow = deep_flow()
    data = json.loads(json.dumps(flow.as_dict(), allow_nan=False))
    assert data["gradient"] == flow.gradient
    assert [edge["share"] for edge in data["edges"]] == [edge.share for edge in flow.edges]
    assert [node["error"] for node in data["nodes"]] == [node.error for node in flow.nodes]
    assert data["path_count"] == 6
    assert [path["product"] for path in data["paths"]] == [path.product for path in flow.strongest(10)]
    assert data["formula"] == flow.formula()


def test_as_dict_where_json_has_no_numbers() -> None:
    """nan and inf become text, arrays become lists, huge counts are rounded; an empty flow has gradient null."""
    x = Value(0.0, name="x")
    assert json.loads(json.dumps(error_flow(ad.sqrt(x), x).as_dict(), allow_nan=False))["gradient"] == "inf"
    t = Tensor([np.inf, 1.0], name="T")
    assert json.loads(json.dumps(error_flow((t * t).sum(), t).as_dict(), allow_nan=False))["gradient"] == ["inf", 2.0]
    assert error_flow(*ladder(200)).as_dict()["path_count"] == "about 1.6e60"
    empty = error_flow(x * 2.0, Value(1.0)).as_dict()
    assert (empty["gradient"], empty["on_a_path"], empty["path_count"]) == (None, False, 0)


def test_amounts_of_arrays_and_brackets() -> None:
    """An array shows shape and norm, one of one element its number; sums and negative factors get brackets."""
    assert USUAL.amount(np.array([[3.0], [4.0]])) == "2×1, norm 5"
    assert USUAL.amount(np.array([0.25])) == "0.25"
    assert [bracketed(text) for text in ("−2", "x − 1", "1/y")] == ["(−2)", "(x − 1)", "1/y"]


# ---- refusals --------------------------------------------------------------------------------------------------------


def test_a_parameter_by_name_needs_its_network() -> None:
    """One sentence that says how to look it up."""
    with pytest.raises(TypeError) as caught:
        error_flow(notes_network()(X), "W14(1)")
    assert str(caught.value) == (
        "expected the parameter as a node, but got the name 'W14(1)'; look it up in its network first: "
        "network.parameter('W14(1)')"
    )


def test_what_is_not_a_node_is_refused() -> None:
    """Outputs and parameters are nodes."""
    x = Value(1.0)
    with pytest.raises(
        TypeError, match=r"expected the parameter as a Value or Tensor of the output's graph, but got 2\.0"
    ):
        error_flow(x, 2.0)
    with pytest.raises(TypeError, match=r"a gradient needs an output computed from Values or Tensors"):
        error_flow(2.0, x)


def test_an_array_output_needs_a_seed() -> None:
    """As for every gradient."""
    t = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"the output has shape \(2,\)"):
        error_flow(t * 2.0, t)


def test_stale_graphs_are_refused() -> None:
    """New data after the forward pass would mix old and new values."""
    x = Value(1.0, name="x")
    y = x * 2.0
    x.data = 5.0
    with pytest.raises(StaleGraphError):
        error_flow(y, x)


@pytest.mark.parametrize(
    ("k", "kind", "message"),
    [
        (0, ValueError, "expected at least 1 path, but got k=0"),
        (1.5, TypeError, "expected an integer number of paths, but got k=1.5"),
        (True, TypeError, "expected an integer number of paths, but got k=True"),
    ],
)
def test_the_number_of_strongest_paths_is_a_positive_integer(k: Any, kind: type[Exception], message: str) -> None:
    """One sentence for anything else."""
    with pytest.raises(kind) as caught:
        notes_flow().strongest(k)
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_flows_of_arrays_without_axes_are_plain_data(kind: type) -> None:
    """Where no axis is left, NumPy returns its own scalars; JSON has only floats and lists."""
    w = ad.Tensor(np.array([0.5, 2.0], kind), name="w")
    data = json.loads(json.dumps(error_flow((w * w).sum(), w).as_dict()))
    assert data["gradient"] == [1.0, 4.0]
    assert data["seed"] == data["nodes"][0]["error"] == 1.0
    assert data["nodes"][0]["value"] == 4.25


@pytest.mark.parametrize("flow", [deep_flow(), margin_flow(), skipping()], ids=["deep", "margin", "skipping"])
def test_flows_to_all_nodes_are_those_of_a_pass_each(flow: Flow) -> None:
    """One backward pass gives the same ledgers as one for every node, with all edges of the graph among them."""
    graph = flow.flows.graph
    for node in flow.flows.nodes:
        found = flow.flows.to(node)
        alone = error_flow(graph[0], graph[node.id])
        assert found.as_dict() == alone.as_dict()
        assert [vars_of(item) for item in found.off_path] == [vars_of(item) for item in alone.off_path]
        assert found.off_path_wires == alone.off_path_wires
        own = {(found.nodes[edge.consumer].label, edge.slot): edge.share for edge in found.edges}
        assert own.items() <= shares_by_place(flow).items()


def vars_of(node: Any) -> dict[str, Any]:
    return {key: getattr(node, key) for key in node.__slots__}


def shares_by_place(flow: Flow) -> dict[tuple[str, int], Any]:
    """The share of every edge of the graph, by its consumer's label and the slot."""
    flows = flow.flows
    return {(flows.nodes[edge.consumer].label, edge.slot): edge.share for edge in flows.edges()}


def test_flows_keep_the_moment_of_their_pass() -> None:
    """Data assigned to a leaf after the pass changes none of its flows."""
    x, w = Value(3.0, name="x"), Value(2.0, name="w")
    flow = error_flow(w * x, w)
    x.data = 5.0
    assert flow.flows.to(x).parameter.value == 3.0
    assert flow.flows.to(x).gradient == 2.0
    assert [node.value for node in flow.off_path] == [3.0]
