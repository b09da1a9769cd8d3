"""Gradients of a program as plain numbers, by leaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import Node
from autodiff.primitives.operands import describe
from autodiff.values.reading import passed

__all__ = ["Gradients", "eager_gradients", "one_of"]


class Gradients(Mapping[Any, Any]):
    """The gradient of each parameter: ``gradients[leaf]`` is a float or an array of the leaf's shape.

    Attributes:
        leaves: the parameters, in the order of ``parameters``.
        parameters: the gradients of the parameters; an array if all are floats and the program computes one.
        inputs: the gradients of the floats and arrays among the arguments, in their order.
    """

    def __init__(self, leaves: Sequence[Node], parameters: Sequence[Any], inputs: Sequence[Any]) -> None:
        self.leaves, self.parameters, self.inputs = leaves, parameters, inputs
        self._places: dict[Any, int] = {}

    def __getitem__(self, leaf: Any) -> Any:
        if not self._places:
            self._places = {each: k for k, each in enumerate(self.leaves)}
        return self.parameters[self._places[leaf]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.leaves)

    def __len__(self) -> int:
        return len(self.leaves)

    def __repr__(self) -> str:
        return f"<gradients of {len(self)} parameters>"


def one_of(number: Any) -> Any:
    """The error signal 1 of a result; raises ValueError if it is not one number."""
    if number.__class__ is float:
        return 1.0
    if np.size(number) != 1:
        raise ValueError(f"a gradient needs one number, and the program returned shape {np.shape(number)}; reduce it")
    return np.ones(np.shape(number), np.asarray(number).dtype)


def eager_gradients(output: Any) -> tuple[Any, Gradients]:
    """The data and gradients of an eager result."""
    if not isinstance(output, Node):
        raise TypeError(f"a gradient needs one node, and the program returned {describe(output)}")
    one_of(output._data)
    passed(output)
    found = {node: signal for node, signal in backpropagate(output).items() if node.a is None and not node.is_detached}
    return output._data, Gradients(tuple(found), list(found.values()), [])
