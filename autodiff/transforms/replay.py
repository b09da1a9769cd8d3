"""A recorded graph computed again with one of its nodes moved: what a gradient is checked against, whatever the graph.

Nothing is written to the graph: not the data of the parameter, not those of the nodes behind it.
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

_FINE: Final = 1e-7  # an error that rounding may leave where the derivative is 0
_COARSE: Final = 1e-4  # beyond it the digits shown would differ


def replayed(output: Node, parameter: Node) -> Callable[[Any], Any]:
    """``output`` as a function of the data of ``parameter``, a leaf or any other node; all other leaves stay.

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
    if entry.reduces and node.scalar:  # a reduction over Values has each of them as an input
        inputs = [np.array(inputs)]
    with np.errstate(all="ignore"):
        return entry.evaluate(inputs, node.origin.params)


@dataclass(frozen=True, slots=True)
class Check:
    """A gradient beside the derivative by differences; of an array's gradient the slope along one fixed direction."""

    gradient: float
    numerical: NumericalDerivative

    @property
    def verdict(self) -> str:
        """What differences tell of the gradient.

        ``agrees``, ``disagrees``, ``within`` where their error, at a kink or from rounding, is too large for ≈ and the
        gradient lies in it, or ``unclear`` where the function jumps or is not defined around its place.
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
    """The gradient of ``parameter`` beside the derivative of the recorded graph by differences.

    Args:
        output, parameter: nodes of one graph, which stays as it is.
        gradient: what is to be checked, of the parameter's shape; None (on no path) counts as 0.
        seed: the error signal that entered at the output, of its shape; 1 if left out.

    Of an array every entry moves at once, along a direction that is drawn once and for all: a wrong entry shows.

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
    """The check as a stamp beside a gradient.

    >>> from autodiff import Value
    >>> x = Value(3.0)
    >>> stamp(x * x, x, 6.0)
    '✓ 6 ≈ 6 (by finite differences)'
    """
    said = check(output, parameter, gradient, seed=seed).said(language=language, write=write)
    return said if isinstance(parameter._data, float) else say("stamp.direction", language, stamp=said)
