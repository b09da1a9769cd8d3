"""A function and its gradient as arrays in and arrays out, from any engine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.trees import flatten, rebuild
from autodiff.testing.subject.names import named
from autodiff.testing.subject.refusals import Arrays, told
from autodiff.values.value import Value

__all__ = ["Leaf", "Subject"]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One array (or number, without axes) among the nested inputs, with its path in words.

    ``argument`` is None for a parameter that the function holds. ``dtype`` is the engine's own type.
    """

    argument: int | None
    name: str
    point: np.ndarray[Any, Any]
    scalar: bool
    dtype: Any
    epsilon: float


class Subject:
    """A function with its nested inputs; each subclass knows how to call it and how to compute its gradient.

    The leaves are those of the inputs, then the parameters that the function holds. `held` are these parameters
    themselves; in the body of `at` they have the numbers of a point, and afterwards their own again.
    """

    #: Whether `pullback` takes any cotangent; if not, the output is one number, and the cotangent is 1.
    takes_cotangent = True

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        self.f, self.inputs = f, inputs
        self.leaves = [self.leaf(*item) for item in self.named()]
        self.held: list[Any] = []

    def named(self) -> Iterable[tuple[int, str, Any]]:
        """Argument, path in words, and item of every leaf of the inputs."""
        return named(self.f, self.inputs)

    def flattened(self, tree: Any) -> list[Any]:
        """The leaves of nested arguments or results."""
        return flatten(tree)

    def with_parameters(self) -> Self:
        """Itself, with the leaves that f holds: the parameters of nets and modules that it is or refers to."""
        return self

    def hold(self, parameters: Iterable[tuple[str, Any]]) -> None:
        """Check these leaves of the engine as well, under these names, each once."""
        for name, item in parameters:
            if all(item is not other for other in self.held):
                self.leaves.append(self.leaf(None, name, item))
                self.held.append(item)

    @contextmanager
    def at(self, points: Arrays) -> Iterator[None]:  # noqa: ARG002
        """In its body, the parameters that f holds have the numbers of the points; afterwards their own again."""
        yield

    @property
    def points(self) -> Arrays:
        """The point at which the gradient is checked: copies of the inputs in float64."""
        return [leaf.point.copy() for leaf in self.leaves]

    @property
    def epsilon(self) -> float:
        """The rounding of the coarsest input."""
        return max((leaf.epsilon for leaf in self.leaves), default=2.0**-52)

    def rounded(self, leaf: Leaf, x: Any) -> np.ndarray[Any, Any]:
        """The numbers of a point, rounded to the type of the leaf."""
        return x.astype(leaf.dtype)  # type: ignore[no-any-return]

    def leaf(self, argument: int | None, name: str, item: Any) -> Leaf:
        """The input as a leaf; raises TypeError if it is not numeric, ValueError if it is not finite."""
        array = self.as_array(item)
        if array is None or array.dtype.kind not in "fiu":
            raise TypeError(
                f"inputs of check_gradients must be numbers or arrays of real numbers, and {name} is {told(item)}; "
                "pass other arguments inside the function, as in lambda x: f(x, option)"
            )
        if not np.all(np.isfinite(array)):
            raise ValueError(f"inputs of check_gradients must be finite, and {name} is {told(item)}, with nan or inf")
        dtype = array.dtype if array.dtype in (np.float32, np.float64) else np.dtype(float)
        scalar = isinstance(item, int | float | Value) and not isinstance(item, np.ndarray)
        return Leaf(argument, name, array.astype(float), scalar, dtype, float(np.finfo(dtype).eps))

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        """An input as an array; None if it is not one."""
        if isinstance(item, Node):
            return np.asarray(item._data)
        if isinstance(item, bool) or not isinstance(item, int | float | np.ndarray | np.generic):
            return None
        return np.asarray(item if not isinstance(item, int) else _as_float(item))

    def arguments(self, leaves: Sequence[Any]) -> list[Any]:
        """The arguments of f made of these leaves; the parameters that f holds are ignored."""
        return list(rebuild(list(self.inputs), leaves))

    def values(self, points: Arrays) -> Arrays:
        """The outputs as a flat list of arrays."""
        raise NotImplementedError

    def first_values(self, points: Arrays) -> Arrays:
        """The outputs at the checked point; raises an error if f can have no gradient there."""
        return self.values(points)

    def pullback(self, points: Arrays, cotangents: Arrays) -> Arrays:
        """Jᵀc: one gradient for each leaf."""
        raise NotImplementedError

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:  # noqa: ARG002
        """∂⟨Jᵀc, v⟩/∂x: one array for each leaf."""
        raise ValueError(
            "order 2 needs a function that its own engine can differentiate twice, and got a pair; check the gradient "
            "function itself with its own pullback instead: check_gradients(gradient, x, vjp=…)"
        )

    def fresh(self, points: Arrays) -> list[Any]:
        """New leaves of the engine's own type at these points, then the parameters that f holds."""
        raise NotImplementedError

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:  # noqa: ARG002
        """The side effects of a call, each as a sentence: here, what f writes to."""
        leaves = self.fresh(points)
        arguments = self.arguments(leaves)
        with self.at(points):
            self.f(*arguments)
            written = [*self.written("f", leaves, points)]
        yield from written
        after, given = self.flattened(arguments), leaves[: len(leaves) - len(self.held)]
        if len(after) != len(given) or any(one is not two for one, two in zip(after, given, strict=True)):
            yield "f changed the list or dict that holds its inputs: later results that use it are wrong"

    def written(self, who: str, leaves: Sequence[Any], points: Arrays) -> Iterator[str]:
        """A sentence for each leaf that is no longer at its point."""
        for leaf, now, x in zip(self.leaves, leaves, points, strict=True):
            if not np.array_equal(self.as_array(now), self.rounded(leaf, x)):  # type: ignore[arg-type]
                what = "input" if leaf.argument is not None else "parameter"
                yield f"{who} wrote to its {what} {leaf.name}: later results that use it are wrong"

    def shaped(self, parts: Sequence[Any], who: str = "the gradient") -> Arrays:
        """Gradients as float64 arrays of the leaves' shapes; None means zero."""
        found = []
        for leaf, part in zip(self.leaves, parts, strict=True):
            array = np.zeros(leaf.point.shape) if part is None else self.as_array(part)
            if array is None or array.dtype.kind not in "fiu":
                raise TypeError(f"{who} of {leaf.name} must be real numbers, and is {told(part)}")
            if array.shape != leaf.point.shape:
                raise ValueError(f"{who} of {leaf.name} must have shape {leaf.point.shape}, and has {array.shape}")
            found.append(array.astype(float))
        return found


def _as_float(number: int) -> float:
    """A whole number of any size as a float; infinite where floats end."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf
