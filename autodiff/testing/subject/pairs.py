"""A function of floats and NumPy arrays with a separate function for its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autodiff.engine.trees import flatten, flatten_as, rebuild
from autodiff.testing.subject.base import Subject
from autodiff.testing.subject.refusals import Arrays, check_steady, refuse_output

__all__ = ["PairOfGradient", "PairOfPullback", "PlainPair"]


class PlainPair(Subject):
    """A function of floats and NumPy arrays with a separate function for its gradient."""

    def fresh(self, points: Arrays) -> list[Any]:
        return [
            float(x) if leaf.scalar else np.array(x, leaf.dtype) for leaf, x in zip(self.leaves, points, strict=True)
        ]

    def values(self, points: Arrays) -> Arrays:
        leaves = self.fresh(points)
        return self.outputs(self.f(*self.arguments(leaves)))

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:
        """A sentence for each input and cotangent that is written to."""
        yield from super().side_effects(points, cotangents)
        leaves, seeds = self.fresh(points), [c.copy() for c in cotangents]
        self.differentiated(leaves, seeds)
        yield from self.written("the gradient function", leaves, points)
        if not all(np.array_equal(a, b) for a, b in zip(seeds, cotangents, strict=True)):
            yield "the gradient function wrote to its cotangent"

    def pullback(self, points: Arrays, cotangents: Arrays) -> Arrays:
        return self.differentiated(self.fresh(points), cotangents)

    def differentiated(self, leaves: Sequence[Any], cotangents: Arrays) -> Arrays:
        """The gradients at these leaves."""
        raise NotImplementedError

    def outputs(self, result: Any) -> Arrays:
        """The nested result of f as arrays."""
        outputs = []
        for output in flatten(result):
            array = self.as_array(output)
            if array is None or array.dtype.kind not in "fiu":
                refuse_output(output)
            outputs.append(np.asarray(array))
        return outputs

    def gradients_of(self, result: Any) -> Arrays:
        """The gradients in the structure of the inputs; a single argument needs no tuple around its gradient."""
        like = list(self.inputs)
        if len(like) == 1 and not (isinstance(result, list | tuple) and len(result) == 1 and _is_leaf(like[0])):
            result = [result]
        return self.shaped(flatten_as(result, like, "the result of the gradient function"))


class PairOfGradient(PlainPair):
    """f returns one number, and ``gradient(*inputs)`` one gradient for each argument."""

    takes_cotangent = False

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], gradient: Callable[..., Any]) -> None:
        super().__init__(f, inputs)
        self.gradient = gradient

    def differentiated(self, leaves: Sequence[Any], cotangents: Arrays) -> Arrays:
        if [np.size(c) for c in cotangents] != [1]:
            raise ValueError(
                "gradient= needs a function that returns one number, and f returned more; pass "
                "vjp=lambda cotangent, *inputs: … instead"
            )
        return self.gradients_of(self.gradient(*self.arguments(leaves)))


class PairOfPullback(PlainPair):
    """``vjp(cotangent, *inputs)`` is Jᵀc for each argument; the cotangent has the structure of the result of f."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], vjp: Callable[..., Any]) -> None:
        super().__init__(f, inputs)
        self.vjp = vjp

    def differentiated(self, leaves: Sequence[Any], cotangents: Arrays) -> Arrays:
        arguments = self.arguments(leaves)
        given = [float(c) if not np.ndim(c) else c for c in cotangents]
        result = self.f(*arguments)
        check_steady(self.outputs(result), cotangents)
        return self.gradients_of(self.vjp(rebuild(result, given), *arguments))


def _is_leaf(item: Any) -> bool:
    return not isinstance(item, list | tuple | dict)
