"""Weights of one graph are written in one style: with a comma as soon as any index has two digits."""

from __future__ import annotations

import numpy as np
import pytest

from autodiff import Value, error_flow
from autodiff.draw import dot, picture
from autodiff.flow.order import notes_name, suffix
from autodiff.telling.explain import explain
from nn import Network

NARROW, WIDE = (Network([n, 2, 1], random=np.random.default_rng(0), scalar=True) for n in (9, 12))


def labels(network: Network, inputs: int) -> set[str]:
    """The labels of the graph of a network."""
    output = network([0.1] * inputs)
    return {node.label for node in error_flow(output, network.parameter("W1,2(1)")).flows.nodes}


def test_a_comma_in_all_or_in_none() -> None:
    """W₁,₂⁽¹⁾ beside W₁,₁₂⁽¹⁾; without two-digit indices, W₁₂⁽¹⁾."""
    assert {"W₁₂⁽¹⁾", "W₂₉⁽¹⁾"} <= labels(NARROW, 9)
    wide = labels(WIDE, 12)
    assert {"W₁,₂⁽¹⁾", "W₁,₁₂⁽¹⁾", "W₁,₁⁽²⁾", "b₁⁽¹⁾", "a₁₂⁽¹⁾"} <= wide
    assert not any("," not in label for label in wide if label.startswith("W"))


@pytest.mark.parametrize("called", ["W12(1)", "W1,2(1)", "W1,12(1)"])
def test_texts_and_pictures_of_one_flow(called: str) -> None:
    """Whatever the parameter; names are found in any spelling, and windows keep their marks."""
    told = explain(WIDE, called, [0.1] * 12)
    assert "W₁₁⁽²⁾" not in told.text()
    assert "W₁,₁⁽²⁾" in told.text()
    assert "W₁₁⁽²⁾" not in told.flow.flows.numbered.labels.values()
    assert "W₁₁⁽²⁾" not in (drawing := dot(picture(told.flow, "network")))
    assert "W₁,₁⁽²⁾" in drawing


def test_marks_after_a_name() -> None:
    """ᶜ of the corrupt window and numbers of repetitions, also where the label has a comma more than the name."""
    x = [Value(1.0, name=name) for name in ("W₁₂⁽¹⁾", "W₁₂⁽¹⁾", "W₁,₁₂⁽¹⁾")]
    nodes = error_flow(x[0] + x[1] + x[2], x[0]).flows.nodes
    found = {node.label: (suffix(node), notes_name(node)) for node in nodes if node.name}
    assert {label: mark for label, (mark, _) in found.items()} == {
        "W₁,₂⁽¹⁾": "", "W₁,₂⁽¹⁾#2": "#2", "W₁,₁₂⁽¹⁾": "",
    }  # fmt: skip
    assert {str(name) for _, name in found.values()} == {"W₁₂⁽¹⁾", "W₁,₁₂⁽¹⁾"}
