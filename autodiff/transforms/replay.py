"""Recompute a recorded graph with one of its nodes changed, to check the gradient of that node numerically.

Nothing is written to the graph, neither to the parameter nor to the nodes that depend on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.transforms.finite_differences import NumericalDerivative, numerical_derivative
from autodiff.words.notation import number
from autodiff.words.phrases import say

__all__ = ["Check", "check", "replayed", "stamp"]

_FINE: Final = 1e-7  # an error that rounding may leave if the derivative is 0
_COARSE: Final = 1e-4  # beyond this relative error the displayed digits would differ


def replayed(output: Node, parameter: Node) -> Callable[[Any], Any]:
    """``output`` as a function of the data of ``parameter``, a leaf or any other node; all other leaves stay fixed.

    >>> from autodiff import Value
    >>> x, w = Value(3.0), Value(2.0)
    >>> replayed(w * x, w)(5.0), w.data
    (15.0, 2.0)
    """
    behind: list[Node] = []
    moved = {parameter}
    for node in topological(output):
        if node is not parameter and any(isinstance(item, Node) and item in moved for item in node.inputs):
            moved.add(node)
            behind.append(node)

    def function(data: Any) -> Any:
        found: dict[Node, Any] = {parameter: data}
        for node in behind:
            found[node] = _again(node, found)
        return found.get(output, output._data)

    return function


def _again(node: Node, found: Mapping[Node, Any]) -> Any:
    inputs = [found.get(item, item._data) if isinstance(item, Node) else item for item in node.inputs]
    entry = node.origin.primitive
    if entry is None:
        raise TypeError(f"a leaf has no inputs, and {node.label} has some")
    if entry.reduces and node.scalar:  # a reduction over Values has each Value as an input
        inputs = [np.array(inputs)]
    with np.errstate(all="ignore"):
        return entry.evaluate(inputs, node.origin.params)


@dataclass(frozen=True, slots=True)
class Check:
    """A gradient and the derivative by differences; for an array, both are slopes along one fixed direction."""

    gradient: float
    numerical: NumericalDerivative

    @property
    def verdict(self) -> str:
        """The verdict of the comparison: ``agrees``, ``disagrees``, ``within`` or ``unclear``.

        ``within``: the error of the differences, at a kink or from rounding, is too large for ≈, but the gradient lies
        within it. ``unclear``: the function jumps, or is not defined around the point.
        """
        value, error = self.numerical.value, self.numerical.error
        if not self.numerical.agrees(self.gradient):
            return "disagrees" if math.isfinite(error) else "unclear"
        if error <= max(_FINE, _COARSE * max(abs(value), abs(self.gradient))):
            return "agrees"
        return "within" if abs(self.gradient - value) <= error * (1 + _COARSE) else "unclear"

    def said(self, *, language: str = "en", write: Callable[[float | None], str] = number) -> str:
        """The verdict as a stamp with both numbers."""
        numbers = {
            "gradient": self.gradient, "numerical": self.numerical.value, "error": self.numerical.error,
        }  # fmt: skip
        return say(f"stamp.{self.verdict}", language, **{name: write(size) for name, size in numbers.items()})


def check(output: Node, parameter: Node, gradient: Any, *, seed: Any = None) -> Check:
    """Compare the gradient of ``parameter`` with the derivative of the recorded graph by differences.

    Args:
        output, parameter: nodes of one graph, which is not changed.
        gradient: the gradient to check, of the parameter's shape; None (on no path) counts as 0.
        seed: the error signal that entered at the output, of the output's shape; 1 if omitted.

    For an array, all entries move at once along one fixed random direction, so a wrong entry changes the result.

    Source: notes, section 2 ("gradient check").

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> check(x * x, x, 6.0).verdict, check(x * x, x, 6.1).verdict
    ('agrees', 'disagrees')
    """
    function = replayed(output, parameter)
    start = parameter._data
    weight = 1.0 if seed is None else seed
    if isinstance(start, float):
        slope = 0.0 if gradient is None else float(gradient)
        return Check(slope, numerical_derivative(lambda x: _total(function(x), weight), start))
    start = np.asarray(start, dtype=float)
    direction = np.random.default_rng(0).standard_normal(start.shape)
    direction /= np.linalg.norm(direction) or 1.0
    slope = 0.0 if gradient is None else float(np.sum(np.asarray(gradient) * direction))
    return Check(slope, numerical_derivative(lambda t: _total(function(start + t * direction), weight), 0.0))


def _total(value: Any, seed: Any) -> float:
    return float(np.sum(np.multiply(value, seed)))


def stamp(
    output: Node, parameter: Node, gradient: Any, *, seed: Any = None, language: str = "en",
    write: Callable[[float | None], str] = number,
) -> str:  # fmt: skip
    """The result of `check` as a stamp to print beside a gradient.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> stamp(x * x, x, 6.0)
    '✓ 6 ≈ 6 (by finite differences)'
    """
    said = check(output, parameter, gradient, seed=seed).said(language=language, write=write)
    return said if isinstance(parameter._data, float) else say("stamp.direction", language, stamp=said)
