"""Nudges: the graph computed again with the parameter moved, and nothing where that is not possible."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.transforms.nudge import nudge
from tests.support.flows import X, notes_network
from tests.support.present import present


def test_the_output_is_that_of_a_network_with_the_moved_weight() -> None:
    """W₁₄⁽¹⁾ of the notes, 0.7, rises to 0.71 in a second network; the recorded graph does not change."""
    network, other = notes_network(), notes_network()
    s = network(X)
    weight = network.parameter("W14(1)")
    found = present(nudge(s, weight, ad.gradients(s, [weight])[0]))
    other.parameter("W14(1)").data = 0.71
    assert (found.step, found.before) == (0.01, s.data)
    assert found.after == pytest.approx(other(X).data, rel=1e-15)
    assert found.change == pytest.approx(found.predicted, rel=0.01)  # σ″ bends it by 0.3 %
    assert weight.data == 0.7


@pytest.mark.parametrize(("value", "step"), [(0.0, 0.01), (-0.3, 0.01), (-0.05, 0.01), (2e-5, 1e-7), (3000.0, 10.0)])
def test_steps_suit_the_size_of_the_parameter(value: float, step: float) -> None:
    """0.01 is nothing beside 3000 and much beside 0.00002."""
    w = Value(value)
    found = present(nudge(w * 2.0, w, 2.0))
    assert found.step == pytest.approx(step, rel=1e-12)
    assert found.change == pytest.approx(2 * step, rel=1e-9)


def test_arrays_move_against_their_gradient() -> None:
    """A step of length 0.01 along −g changes g · W by −0.01 ‖g‖."""
    W = Tensor(np.array([1.0, 2.0]))
    found = present(nudge(ad.sum(W * np.array([3.0, 4.0])), W, np.array([3.0, 4.0])))
    assert found.change == pytest.approx(-0.05, rel=1e-12)
    assert found.predicted == pytest.approx(-0.05, rel=1e-12)


def test_where_nothing_can_be_said() -> None:
    """No gradient, several outputs, the output itself, inf, and a graph that holds values of other parameters."""
    w = Value(2.0)
    y = w * w
    assert nudge(y, w, None) is None
    assert nudge(y, y, 1.0) is None
    assert nudge(Tensor([1.0, 2.0]) * w, w, 1.0) is None
    assert nudge(w * float("inf"), w, float("inf")) is None
    v = Value(3.0)
    stale = w * v
    v.data = 5.0
    assert nudge(stale, w, 3.0) is None
