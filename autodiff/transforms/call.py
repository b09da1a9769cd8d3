"""One call of a function under differentiation, and the pullback of its result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autodiff.engine.backward import own_copy
from autodiff.engine.graph import Node, clock, topological
from autodiff.engine.plain import shape_of
from autodiff.engine.trees import flatten, rebuild
from autodiff.primitives.namespace import WholeNumber, is_plain_number
from autodiff.primitives.operands import describe
from autodiff.primitives.table.units import identity
from autodiff.transforms.gradients import gradients
from autodiff.values.reading import recorded
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["Call", "total_of", "zero_of"]


class Call:
    """One call of a function, with fresh leaves instead of the arguments to differentiate."""

    def __init__(
        self, f: Any, argnum: WholeNumber | Sequence[WholeNumber], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        self.several = isinstance(argnum, Iterable)
        numbers = _places(argnum, len(args))
        self.start = clock.tick()
        self.chosen = [args[k] for k in numbers]
        leaves = [[_fresh(leaf) for leaf in flatten(arg)] for arg in self.chosen]
        self.inputs = [leaf for group in leaves for leaf in group]
        if not self.inputs:
            raise TypeError("there is nothing to differentiate with respect to: the argument holds no numbers")
        replaced = list(args)
        for k, group in zip(numbers, leaves, strict=True):
            replaced[k] = rebuild(args[k], group)
        self.result = recorded(f, replaced, kwargs, self.inputs)
        for output in flatten(self.result):
            _check_output(output)
        self.open = any(isinstance(leaf, Node) for arg in self.chosen for leaf in flatten(arg)) or self._closes_over()

    def _closes_over(self) -> bool:
        """Whether the result depends on a leaf from before this call: a node from outside."""
        return any(
            node.is_leaf and node.version < self.start and not node.is_detached
            for output in flatten(self.result)
            if isinstance(output, Node)
            for node in topological(output)
        )

    def single_output(self) -> Any:
        """The result; raises TypeError or ValueError if it is not one number."""
        output = self.result
        if isinstance(output, list | tuple | dict):
            raise TypeError(f"a gradient needs one number, but the function returned {describe(output)}")
        shape = shape_of(output)
        if math.prod(shape) != 1:
            raise ValueError(
                f"the function returned shape {shape}, but a gradient needs one number; "
                "reduce the result, for example with .sum(), or use jacobian or vjp"
            )
        return output

    def plain(self, item: Any) -> Any:
        """A result as the caller receives it: a node if the graph extends beyond this call, else plain numbers."""
        return item if self.open or not isinstance(item, Node) else own_copy(item._data)

    def pullback(self, output: Any, seed: Any, create_graph: bool | None = None) -> Any:
        """The gradients of one output, in the structure of the arguments; zero where it does not depend on them."""
        graph = self.open if create_graph is None else create_graph
        if isinstance(output, Node):
            found = gradients(output, self.inputs, seed=seed, create_graph=graph)
        else:
            found = [None] * len(self.inputs)  # a constant: the function ignores its argument
            came, needed = shape_of(seed), shape_of(output)
            if seed is not None and came != needed:
                raise ValueError(f"the seed has shape {came}, but the output has shape {needed}; they must match")
        return self.structured([zero_of(leaf) if g is None else g for leaf, g in zip(self.inputs, found, strict=True)])

    def pullback_of_all(self, outputs: Sequence[Any], seeds: Sequence[Any]) -> Any:
        """The sum over outputs of their gradients with the given seeds."""
        graph = self.open or any(isinstance(seed, Node) for seed in seeds)
        parts = [flatten(self.pullback(output, seed, graph)) for output, seed in zip(outputs, seeds, strict=True)]
        return self.structured([total_of(column) for column in zip(*parts, strict=True)])

    def structured(self, leaves: Iterable[Any]) -> Any:
        rebuilt = rebuild(list(self.chosen), list(leaves))
        return tuple(rebuilt) if self.several else rebuilt[0]


def _places(argnum: WholeNumber | Sequence[WholeNumber], count: int) -> list[int]:
    """The 0-based positions of the arguments to differentiate, out of ``count``; each must exist and occur once."""
    numbers = list(argnum) if isinstance(argnum, Iterable) else [argnum]
    for k in numbers:
        if not isinstance(k, int | np.integer) or isinstance(k, bool):
            raise TypeError(f"argnum must be an int or a sequence of ints, got {argnum!r}")
        if not -count <= k < count:
            raise ValueError(f"argnum={k} is out of range for a call with {_positional(count)}")
    if len({k % count for k in numbers}) < len(numbers):
        raise ValueError(f"argnum={argnum!r} names an argument twice in a call with {_positional(count)}")
    return [int(k) for k in numbers]


def _positional(count: int) -> str:
    return f"{count} positional argument{'s' * (count != 1)}"


def _check_output(output: Any) -> None:
    """Raise TypeError for a result that is neither a node nor a constant number or array."""
    if isinstance(output, Node):
        return
    if isinstance(output, bool | str) or not isinstance(output, int | float | np.ndarray | np.generic):
        raise TypeError(f"the function must return a number, a Value or a Tensor, and returned {describe(output)}")
    if np.asarray(output).dtype.kind not in "fiu":
        raise TypeError(f"the function returned an {describe(output)}; join Values into a Tensor with autodiff.stack")


def _fresh(leaf: Any) -> Any:
    if isinstance(leaf, Node):
        return identity(leaf)  # a new node on top of the old one: gradients stop here, the outer graph continues
    return Value(leaf) if is_plain_number(leaf) else Tensor(leaf)


def zero_of(leaf: Node) -> Any:
    """The gradient of a leaf on which nothing depends."""
    return 0.0 if leaf._data.__class__ is float else np.zeros_like(leaf._data)


def total_of(items: Iterable[Any]) -> Any:
    """The sum of one or more numbers, arrays or nodes."""
    first, *rest = items
    for item in rest:
        first = first + item
    return first
