"""Calls that beginners write: each error says in one sentence what to write instead."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from autodiff import Tensor, Value
from nn import SGD, AdaGrad, Layer, Network, Neuron, Optimizer, WindowScorer, unit

NET = Network((2, 1))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SGD(NET, lr=0.1), r"SGD cannot be made from Network\(.*, lr=0.1; write SGD\(network, rate=0.1\)$"),
        (lambda: AdaGrad(NET, 0.1), r"AdaGrad cannot be made from .*, 0.1; write AdaGrad\(network, rate=0.1\)$"),
        (lambda: SGD(), r"SGD cannot be made from nothing; write SGD\(network, rate=0.1\)$"),
        (lambda: Network(4, 2, 1), r"Network cannot be made from 4 .*write Network\(\(4, 2, 1\), activation='relu'\)$"),
        (lambda: Layer(4), r"Layer cannot be made from 4 .*; write Layer\(4, 2, activation='relu'\)$"),
        (lambda: Neuron(2, 3), r"; write Neuron\(4, activation='relu'\)$"),
        (lambda: WindowScorer(5), r"; write WindowScorer\(vectors, window=5, hidden=8\)$"),
        (lambda: Value(2.0, "x"), r"a Value takes its data .*, and got 'x' \(str\) too; write Value\(…, name='x'\)$"),
        (lambda: Value(2.0, 3.0), r"a Value takes its data .*, and got 3.0 too; write Value\(data, name='w'\)$"),
        (lambda: Tensor([2.0], "x"), r"a Tensor takes its data .*; write Tensor\(…, name='x'\)$"),
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
    assert str(inspect.signature(SGD)) == "(parameters: 'Any', *, rate: 'float') -> 'None'"


@pytest.mark.parametrize(("asked", "meant"), [("rely", "relu"), ("sigmiod", "sigmoid"), ("tanH", "tanh")])
def test_a_misspelled_activation_is_answered_by_the_nearest(asked: str, meant: str) -> None:
    """After the list of all; nothing where none is near."""
    with pytest.raises(ValueError, match=rf"unknown activation '{asked}' \(must .*\); did you mean '{meant}'\?$"):
        unit(asked)
    with pytest.raises(ValueError, match=r"trunc\)$"):
        unit("qqqq")
