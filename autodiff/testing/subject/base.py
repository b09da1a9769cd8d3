"""A function and its gradient seen as arrays in and arrays out, from whichever engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.graph import Node
from autodiff.node import Value
from autodiff.testing.subject.names import named
from autodiff.testing.subject.refusals import Arrays, told
from autodiff.tree import flatten, rebuild

__all__ = ["Leaf", "Subject"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array (or number, without axes) among the nested inputs, with its path in words."""

    argument: int
    name: str
    point: np.ndarray[Any, Any]
    scalar: bool
    dtype: Any


class Subject:
    """A function with its nested inputs; each kind says how to call it and how to ask for its gradient."""

    #: Whether `pull` takes any cotangent; else the output is one number, and the cotangent is 1.
    takes_cotangent = True

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        self.f, self.inputs = f, inputs
        self.leaves = [self.leaf(*item) for item in named(f, inputs)]

    @property
    def points(self) -> Arrays:
        """Where the gradient is checked: copies of the inputs in float64."""
        return [leaf.point.copy() for leaf in self.leaves]

    @property
    def epsilon(self) -> float:
        """The rounding of the coarsest input."""
        return max((float(np.finfo(leaf.dtype).eps) for leaf in self.leaves), default=2.0**-52)

    def leaf(self, argument: int, name: str, item: Any) -> Leaf:
        """The input as a leaf; TypeError or ValueError for what no gradient is taken of."""
        array = self.as_array(item)
        if array is None or array.dtype.kind not in "fiu":
            raise TypeError(
                f"gradients are checked at numbers and arrays of real numbers, and {name} is {told(item)}; "
                "what is not differentiated belongs inside the function, as in lambda x: f(x, option)"
            )
        if not np.all(np.isfinite(array)):
            raise ValueError(f"gradients are checked at finite numbers, and {name} is {told(item)}, with nan or inf")
        dtype = array.dtype if array.dtype in (np.float32, np.float64) else np.dtype(float)
        scalar = isinstance(item, int | float | Value) and not isinstance(item, np.ndarray)
        return Leaf(argument, name, array.astype(float), scalar, dtype)

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        """An input as an array; None if it is not one."""
        if isinstance(item, Node):
            return np.asarray(item._data)
        if isinstance(item, bool) or not isinstance(item, int | float | np.ndarray | np.generic):
            return None
        return np.asarray(item if not isinstance(item, int) else _as_float(item))

    def arguments(self, leaves: Sequence[Any]) -> list[Any]:
        """The arguments of f with these leaves."""
        return list(rebuild(list(self.inputs), leaves))

    def values(self, points: Arrays) -> Arrays:
        """The outputs as a flat list of arrays."""
        raise NotImplementedError

    def first_values(self, points: Arrays) -> Arrays:
        """The outputs where the gradient is to be checked; raises for an f that can have none there."""
        return self.values(points)

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
        """Jᵀc: one gradient for each leaf."""
        raise NotImplementedError

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:  # noqa: ARG002
        """∂⟨Jᵀc, v⟩/∂x: one array for each leaf."""
        raise ValueError(
            "order 2 needs a function that its own engine can differentiate twice; for a pair check the gradient "
            "function itself, with its own gradient: check_gradients(gradient, x, vjp=…)"
        )

    def fresh(self, points: Arrays) -> list[Any]:
        """New leaves at these points, of the engine's own kind."""
        raise NotImplementedError

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:  # noqa: ARG002
        """What a call does besides giving its result, each as a sentence: here what f writes to."""
        leaves = self.fresh(points)
        arguments = self.arguments(leaves)
        self.f(*arguments)
        yield from self.written("f", leaves, points)
        after = flatten(arguments)
        if len(after) != len(leaves) or any(one is not two for one, two in zip(after, leaves, strict=True)):
            yield "f changed the list or dict that holds its inputs: what is computed from it later is wrong"

    def written(self, who: str, leaves: Sequence[Any], points: Arrays) -> Iterator[str]:
        """A sentence for each leaf that is no longer at its point."""
        for leaf, now, x in zip(self.leaves, leaves, points, strict=True):
            if not np.array_equal(self.as_array(now), x.astype(leaf.dtype)):  # type: ignore[arg-type]
                yield f"{who} wrote to its input {leaf.name}: what is computed from it later is wrong"

    def shaped(self, parts: Sequence[Any], who: str = "the gradient") -> Arrays:
        """Gradients as float64 arrays of the leaves' shapes; None is zero."""
        found = []
        for leaf, part in zip(self.leaves, parts, strict=True):
            array = np.zeros(leaf.point.shape) if part is None else self.as_array(part)
            if array is None or array.dtype.kind not in "fiu":
                raise TypeError(f"{who} of {leaf.name} must be real numbers, and is {told(part)}")
            if array.shape != leaf.point.shape:
                raise ValueError(f"{who} of {leaf.name} must have its shape {leaf.point.shape}, and has {array.shape}")
            found.append(array.astype(float))
        return found


def _as_float(number: int) -> float:
    """A whole number of any size as a float; infinite where floats end."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
