"""Ways to several parameters of one graph: found by a scan the first time, by a map of consumers from then on."""

from __future__ import annotations

from hypothesis import given

import autodiff as ad
from autodiff import Value, error_flow
from autodiff.testing.hooks.strategies import programs
from autodiff.testing.random_programs.program import Program
from tests.support.examples import examples


@examples(12)
@given(programs(ad.Value))
def test_every_way_is_the_same_whichever_was_asked_for_first(program: Program) -> None:
    """Each node's flow from one pass, and from a pass of its own, to the last number and text."""
    leaves = program.leaves()
    output = program(*leaves)
    flows = error_flow(output, leaves[0]).flows
    for node in ad.topological(output):
        alone = error_flow(output, node)
        assert flows.to(node).as_dict() == alone.as_dict()
        assert flows.to(node).nodes[-1].id == len(alone.nodes) - 1


def test_what_is_asked_for_later_is_of_the_time_of_the_pass() -> None:
    """Names and data that are assigned after the pass change nothing, though nodes are described when asked for."""
    x, w, b = Value(3.0, name="x"), Value(2.0, name="w"), Value(1.0, name="b")
    y = w * x + b
    early = error_flow(y, w).flows
    expected = [(node.label, node.value, node.error) for node in early.nodes]
    late = error_flow(y, w).flows
    b.name, b.data = "c", 5.0
    assert [(node.label, node.value, node.error) for node in late.nodes] == expected
    assert [node.label for node in late.to(b).nodes] == ["w·x + b", "b"]
