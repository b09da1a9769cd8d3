"""Calls that beginners write: each error says in one sentence what to write instead."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import autodiff
import nn
from nn import SGD, Network, Optimizer, unit

NET = Network((2, 1))
made: Any = nn  # type checkers find these errors too
graph: Any = autodiff


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: made.SGD(NET, lr=0.1), r"SGD cannot be made from .*, lr=0.1; write SGD\(network, rate=0.1\)$"),
        (lambda: made.AdaGrad(NET, 0.1), r"AdaGrad cannot be made .*, 0.1; write AdaGrad\(network, rate=0.1\)$"),
        (lambda: made.SGD(), r"SGD cannot be made from nothing; write SGD\(network, rate=0.1\)$"),
        (lambda: made.Network(4, 2, 1), r"Network cannot be .*write Network\(\(4, 2, 1\), activation='relu'\)$"),
        (lambda: made.Layer(4), r"Layer cannot be made from 4 .*; write Layer\(4, 2, activation='relu'\)$"),
        (lambda: made.Neuron(2, 3), r"; write Neuron\(4, activation='relu'\)$"),
        (lambda: made.WindowScorer(5), r"; write WindowScorer\(vectors, window=5, hidden=8\)$"),
        (lambda: graph.Value(2.0, "x"), r"a Value takes its data .*, and got 'x' .*; write Value\(…, name='x'\)$"),
        (lambda: graph.Value(2.0, 3.0), r"a Value takes its data .*, and got 3.0 too; write Value\(data, name='w'\)$"),
        (lambda: graph.Tensor([2.0], "x"), r"a Tensor takes its data .*; write Tensor\(…, name='x'\)$"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_answered_by_a_right_one(call: Callable[[], Any], message: str) -> None:
    """What came, and an example."""
    with pytest.raises(TypeError, match=message):
        call()


def test_errors_from_inside_stay_as_they_are() -> None:
    """Also the TypeErrors of subclasses; and signatures are those of the class."""
    with pytest.raises(TypeError, match="the learning rate must be a positive number"):
        SGD(NET, rate="fast")  # type: ignore[arg-type]

    class Own(Optimizer):
        def __init__(self) -> None:
            super().__init__([], rate=0.1, lr=0.2)  # type: ignore[call-arg]

    with pytest.raises(TypeError, match=r"write Own\(network, rate=0.1\)"):
        Own()
    assert str(inspect.signature(SGD)).startswith("(parameters: 'Any', *, rate: 'Rate', decay: 'float' = 0.0, clip: ")


@pytest.mark.parametrize(("asked", "meant"), [("rely", "relu"), ("sigmiod", "sigmoid"), ("tanH", "tanh")])
def test_a_misspelled_activation_is_answered_by_the_nearest(asked: str, meant: str) -> None:
    """After the list of all; nothing where none is near."""
    with pytest.raises(ValueError, match=rf"unknown activation '{asked}' \(must .*\); did you mean '{meant}'\?$"):
        unit(asked)
    with pytest.raises(ValueError, match=r"trunc\)$"):
        unit("qqqq")
