"""Flows in which a chain of + is one sum: the numbers of the whole ledger, with fewer nodes."""

from __future__ import annotations

import math

import numpy as np

import autodiff as ad
from autodiff import Tensor, Value, error_flow
from autodiff.flow import Flow
from autodiff.flow.sums import with_sums
from autodiff.telling.derivation import equation_of
from autodiff.telling.text import text


def leaves(names: str) -> list[Value]:
    """Leaves with these names and the values 1, 2, 3, …"""
    return [Value(float(k), name=name) for k, name in enumerate(names, start=1)]


def labels(flow: Flow) -> list[str]:
    """The labels of the nodes on the way."""
    return [node.label for node in flow.nodes]


def test_one_node_and_one_edge() -> None:
    """The sum, its sign and its equation; gradient and error are those of the ledger, which keeps its nodes."""
    a, b, c, d = leaves("abcd")
    whole = error_flow(ad.tanh(a * b + c + d + 0.5), a)
    flow = with_sums(whole)
    assert labels(flow) == ["tanh(a·b + c + d + 0.5)", "a·b + c + d + 0.5", "a·b", "a"]
    assert (flow.nodes[1].symbol, flow.gradient, flow.path_count) == ("Σ", whole.gradient, whole.path_count)
    assert equation_of(flow, flow.nodes[1]) == "a·b + c + d + 0.5"
    assert len(whole.nodes) == 6
    assert with_sums(flow) is flow
    assert [(flow.every[w.consumer].label, flow.every[w.input].label) for w in flow.off_path_wires] == [
        ("a·b + c + d + 0.5", "c"), ("a·b + c + d + 0.5", "d"), ("a·b", "b"),
    ]  # fmt: skip


def test_the_step_says_that_the_sum_passes_the_error_on() -> None:
    """One step for the whole chain, also for two terms; a term that is the parameter itself."""
    a, b, c = leaves("abc")
    told = text(error_flow(ad.sqrt(a * b + c + c), a))
    said = "The sum passes the error on unchanged (× 1): error at a·b = error at a·b + c + c = 0.1768."
    assert said in told
    assert told.count("passes the error on") == 1
    assert "× 1: the sum passes the error on unchanged." in text(error_flow(ad.sqrt(a + b), a))


def test_names_uses_and_the_parameter_stay() -> None:
    """A named part, a part that is used twice, and the parameter inside a chain."""
    a, b, c, d = leaves("abcd")
    part = a + b
    twice = a + c
    assert labels(with_sums(error_flow(part + c + d, part))) == ["a + b + c + d", "a + b"]
    assert "a + c" in labels(with_sums(error_flow((twice + c + d) * twice, a)))
    part.name = "part"
    assert labels(with_sums(error_flow(part + c + d, a))) == ["part + c + d", "part", "a"]


def test_a_term_that_comes_twice_has_two_shares() -> None:
    """a + b + a: two edges in the order of the terms; zeros are no terms."""
    a, b, *_ = leaves("ab")
    flow = with_sums(error_flow(sum([a, b, a]) * 2.0, a))
    assert [(edge.slot, edge.share) for edge in flow.shares] == [(0, 2.0), (2, 2.0)]
    assert flow.gradient == 4.0


def test_a_term_of_another_shape_keeps_its_share() -> None:
    """What is broadcast is added where it was added: its share is a sum of the error."""
    x, y = Tensor([1.0, 2.0], name="x"), Tensor(1.0, name="y")
    flow = with_sums(error_flow(ad.sum((x + y + x) * 3.0), y))
    (edge,) = flow.shares
    assert np.array_equal(edge.share, 6.0)
    assert np.array_equal(edge.error, [3.0, 3.0])
    assert "unchanged" not in text(flow)


def test_values_that_overflow_inside_a_sum_are_told_at_the_sum() -> None:
    """Once, although two additions inside it are infinite."""
    a, b, c, d = leaves("abcd")
    big = 0.8e308
    flow = with_sums(error_flow(a * big + b * big + c * big + d, a))
    (anomaly,) = flow.anomalies[:1]
    assert anomaly.node.label == flow.output.label
    assert math.isinf(anomaly.node.value)


def test_ten_thousand_terms() -> None:
    """Without recursion."""
    top = x = Value(1.0, name="x")
    for k in range(10_000):
        top = top + Value(1.0, name=f"v{k}")
    flow = with_sums(error_flow(top, x))
    assert (len(flow.nodes), flow.gradient) == (2, 1.0)
