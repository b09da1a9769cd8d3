"""A function at a point, recorded as often as relations need it, and the comparison of two of its gradients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import cached_property
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.primitives.operands import describe
from autodiff.testing.random_programs.operations import Operand
from autodiff.testing.random_programs.program import as_given, weights_of
from autodiff.testing.random_programs.rounding import reach
from autodiff.testing.subject import Arrays, as_node
from autodiff.transforms.gradients import gradients
from autodiff.values.reading import recorded
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value
from autodiff.words.printable import shortened

__all__ = ["ROUNDING", "DoesNotApply", "Item", "Relation", "Run", "apart", "near", "same", "short"]

#: A node of a recording: its output, or one of the leaves that hold the inputs.
Item = Value | Tensor

ROUNDING: Final = 64 * np.finfo(float).eps  # of a sum of some tens of shares, relative to the sum of their sizes


class DoesNotApply(Exception):  # noqa: N818 - not an error
    """A relation does not apply to this function here: neither a pass nor a fault."""


class Run:
    """A function at a point, from which every relation starts; ``asked`` if it is the point that the caller passed."""

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any], *, asked: bool = False) -> None:
        self.f, self.asked = f, asked
        self.inputs = [np.array(x) if isinstance(x, np.ndarray) else x for x in map(as_given, inputs)]

    def needs_arrays(self) -> None:
        """Raise `DoesNotApply` for a run over numbers: Values keep local gradients, so no rule runs in a pass."""
        if not any(isinstance(x, np.ndarray) for x in self.inputs):
            raise DoesNotApply

    def needs_steps(self) -> None:
        """Raise `DoesNotApply` if the graph is a single leaf."""
        if self.usual[0].is_leaf:
            raise DoesNotApply

    def record(self, change: Callable[[Node], Node] | None = None) -> tuple[Item, list[Item]]:
        """The output as a node, even if constant, and new leaves; f receives ``change`` of each leaf."""
        leaves = [Tensor(x) if isinstance(x, np.ndarray) else Value(x) for x in self.inputs]
        seen = leaves if change is None else [*map(change, leaves)]
        result = recorded(self.f, seen, {}, leaves) if self.asked else self.f(*seen)
        output = as_node(result)
        if output is None:
            raise TypeError(f"f must return a Value, a Tensor or a real number, and returned {describe(result)}")
        shape = np.shape(output._data)
        if 0 in shape:
            raise ValueError(f"f must return at least one number, and returned an array of shape {shape}")
        return output, leaves

    def fresh(self) -> tuple[Item, list[Item]]:
        """A recording that a relation may run passes on and write to."""
        return apart(*self.record())

    @cached_property
    def usual(self) -> tuple[Item, list[Item]]:
        """The output and its leaves as f makes them, for relations that only read them."""
        return self.record()

    @cached_property
    def usual_gradients(self) -> Arrays:
        """The gradients of the usual output; read-only by convention."""
        return self.gradients(*self.usual)

    @cached_property
    def sizes(self) -> Arrays:
        """The usual gradients with the absolute value of every share: their size if no shares cancelled."""
        output, leaves = self.usual
        return [np.max(np.abs(self.seed(output))) * size for size in reach(output, leaves)]

    def as_usual(self, output: Node, leaves: Sequence[Item]) -> str | None:
        """How the gradients of an equivalent output differ from the usual ones beyond rounding; None if they agree."""
        return near(self.gradients(output, leaves), self.usual_gradients, self.sizes)

    def seed(self, output: Node) -> Operand:
        """A cotangent that is not all ones."""
        return weights_of(np.shape(output.data), 1)

    def gradients(self, output: Node, leaves: Sequence[Item], seed: Operand | None = None) -> Arrays:
        """The gradients as arrays, zeros where the output does not depend on a leaf."""
        found = gradients(output, list(leaves), seed=self.seed(output) if seed is None else seed)
        return [np.zeros(np.shape(x.data)) if g is None else np.asarray(g) for g, x in zip(found, leaves, strict=True)]


#: Returns the violation, None if the relation holds; raises `DoesNotApply` if it does not apply.
Relation = Callable[[Run], str | None]


def apart(output: Item, leaves: list[Item]) -> tuple[Item, list[Item]]:
    """The graph, copied if it has more leaves than ``leaves``, so that passes leave no marks on nodes of the user."""
    own = set(leaves)
    if not any(node.is_leaf and node not in own for node in topological(output)):
        return output, leaves
    output, *leaves = deepcopy([output, *leaves])
    for node in topological(output):
        node.grad = None
    return output, leaves


def same(ours: Sequence[Any], others: Sequence[Any]) -> str | None:
    """The first pair that differs, as a sentence, None if all are equal; nan equals nan, and 0 equals −0."""
    for x, y in zip(ours, others, strict=True):
        if not np.array_equal(x, y, equal_nan=True):
            return f"{short(x)} is not {short(y)}"
    return None


def near(ours: Sequence[Any], others: Sequence[Any], sizes: Arrays) -> str | None:
    """The first pair that differs by more than the rounding of shares of these ``sizes``, as a sentence."""
    for x, y, size in zip(ours, others, sizes, strict=True):
        wrong = np.abs(x - y) > ROUNDING * size
        if np.any(wrong & np.isfinite(size)) or not np.array_equal(np.isnan(x), np.isnan(y)):
            return f"{short(x)} is not {short(y)}, within the rounding of shares up to {short(size)}"
    return None


def short(x: Any) -> str:
    return shortened(" ".join(repr(np.asarray(x).tolist()).split()), 200)
