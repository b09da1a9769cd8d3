"""Functions written with this project's Values and Tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Self

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import as_leaf_array, as_value_data
from autodiff.engine.trees import flatten
from autodiff.testing.subject.base import Subject
from autodiff.testing.subject.held import persistent, referred
from autodiff.testing.subject.refusals import Arrays, check_steady, refuse_output
from autodiff.transforms.gradients import gradients
from autodiff.values.reading import recorded
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["OwnFunction", "as_node", "inner"]


#: Parts of the error messages of torch and jax for an argument of another engine.
_SAID_BY_OTHER_ENGINES: Final = ("must be Tensor, not ", "is not a valid JAX type", "as an abstract array")
_WHAT_OTHERS_TAKE: Final = (
    "check_gradients turned the plain numbers into Values and Tensors of autodiff, and another engine refused them; "
    "pass numbers of that engine: torch.tensor(0.7, dtype=torch.float64), or jnp.asarray(0.7)"
)


@contextmanager
def _told_what_others_take() -> Iterator[None]:
    try:
        yield
    except TypeError as error:
        if any(said in str(error) for said in _SAID_BY_OTHER_ENGINES):
            raise TypeError(_WHAT_OTHERS_TAKE) from error
        raise


class OwnFunction(Subject):
    """A function written with Values and Tensors: numbers become Values, arrays become Tensors."""

    #: Nodes that exist before a call, and to whose gradients a backward pass would add.
    old: Sequence[Any] = ()

    def with_parameters(self) -> Self:
        graph, again = (self.call(self.points)[1] for _ in range(2))
        check_steady(again, [np.asarray(output._data) for output in graph])
        shared, before = persistent(graph, again, _nodes_before)
        self.old = [*shared, *before]
        named = [*_parameters(self.f), *((node.label, node) for node in shared)]
        self.hold((name, node) for name, node in named if not node.is_detached and node not in before)
        return self

    @contextmanager
    def at(self, points: Arrays) -> Iterator[None]:
        kept = [(node, node._data, node._grad) for node in (*self.old, *self.held)]
        try:
            for node, _, _ in kept:
                node._grad = None
            for node, made in zip(self.held, self.made(points, first=len(self.leaves) - len(self.held)), strict=True):
                node._data = made._data
            yield
        finally:
            for node, data, grad in kept:
                node._data, node._grad = data, grad

    def fresh(self, points: Arrays) -> list[Any]:
        return [*self.made(points, last=len(self.leaves) - len(self.held)), *self.held]

    def made(self, points: Arrays, *, first: int = 0, last: int | None = None) -> list[Any]:
        """A new node for every leaf, from the ``first`` to before the ``last``."""
        return [
            Value(float(x), name=leaf.name) if leaf.scalar else Tensor(x.astype(leaf.dtype), name=leaf.name)
            for leaf, x in zip(self.leaves[first:last], points[first:last], strict=True)
        ]

    def call(self, points: Arrays) -> tuple[list[Any], list[Any]]:
        """New leaves at these points, and the outputs as nodes; to be called in the body of `at`."""
        leaves = self.fresh(points)
        with _told_what_others_take():
            return leaves, _as_nodes(self.f(*self.arguments(leaves)))

    def first_values(self, points: Arrays) -> Arrays:
        """The outputs; raises TypeError if they depend on numbers that f took out of the graph."""
        with self.at(points):
            leaves = self.fresh(points)
            with _told_what_others_take():
                result = recorded(self.f, self.arguments(leaves), {}, leaves)
            return [np.asarray(output._data) for output in _as_nodes(result)]

    def values(self, points: Arrays) -> Arrays:
        with self.at(points):
            return [np.asarray(output._data) for output in self.call(points)[1]]

    def pullback(self, points: Arrays, cotangents: Arrays) -> Arrays:
        with self.at(points):
            leaves, outputs = self.call(points)
            check_steady(outputs, cotangents)
            _run_backward(outputs, cotangents)
            return self.shaped([leaf.grad for leaf in leaves])

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:
        """Sentences on inputs and seeds written to, gradients that share memory, and passes that do not add up."""
        yield from super().side_effects(points, cotangents)
        with self.at(points):
            found = [*self.side_effects_of_a_pass(points, cotangents)]
        yield from found

    def side_effects_of_a_pass(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:
        """The side effects of one backward pass, and of a second."""
        leaves, outputs = self.call(points)
        seeds = [c.copy() for c in cotangents]
        _run_backward(outputs, seeds)
        if not all(np.array_equal(a, b) for a, b in zip(seeds, cotangents, strict=True)):
            yield "the backward pass wrote to the cotangent"
        arrays = [(leaf.name, leaf.grad) for leaf in leaves if isinstance(leaf.grad, np.ndarray)]
        for k, (name, one) in enumerate(arrays):
            for other, two in [*arrays[k + 1 :], *(("the cotangent", seed) for seed in seeds)]:
                if np.shares_memory(one, two):
                    yield f"the gradient of {name} shares memory with {other}: adding to one changes the other"
        if len(outputs) > 1:
            return  # sums over several outputs round differently
        once = [None if leaf.grad is None else np.array(leaf.grad) for leaf in leaves]
        _run_backward(outputs, seeds)
        for leaf, before in zip(leaves, once, strict=True):
            if before is not None and not np.array_equal(leaf.grad, 2 * before, equal_nan=True):
                yield f"a second backward pass does not double the gradient of {leaf.name}"

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        with self.at(points):
            leaves, outputs = self.call(points)
            check_steady(outputs, cotangents)
            slopes = gradients(inner(outputs, cotangents), leaves, create_graph=True)
            along = inner(slopes, vectors)
            if along is not None:
                along.backward()
            return self.shaped([leaf.grad for leaf in leaves])


def _values_in(item: Any) -> list[Any]:
    """The Values of an object array, as layers return it; a list of the item itself otherwise."""
    return list(item.flat) if isinstance(item, np.ndarray) and item.dtype == object else [item]


def _nodes_before(node: Node) -> list[Node]:
    return [item for item in node.inputs if isinstance(item, Node)]


def _parameters(f: Any) -> Iterator[tuple[str, Any]]:
    """Leaves and parameters of nets that a function refers to, with their names."""
    for name, item in referred(f, lambda item: isinstance(item, Node) or _is_net(item)):
        if isinstance(item, Node):
            yield from [(item.name or name, item)] if item.is_leaf else []
        else:
            prefix = f"{name}." if name else ""
            yield from ((f"{prefix}{key}", leaf) for key, leaf in item.parameters().items() if isinstance(leaf, Node))


def _is_net(item: Any) -> bool:
    """Whether an object can be called and returns its parameters by name."""
    if isinstance(item, type) or not callable(item) or not hasattr(item, "parameters"):
        return False
    try:
        return isinstance(item.parameters(), dict)
    except Exception:  # another method of that name, which may do anything
        return False


def as_node(output: Any) -> Any:
    """An output of a function as a node: a real number or array becomes a constant, anything else None.

    >>> as_node(3).data, as_node("3")
    (3.0, None)
    """
    if isinstance(output, Node):
        return output
    real = isinstance(output, int | float | np.ndarray | np.generic) and np.asarray(output).dtype.kind in "fiu"
    if not real:
        return None
    array = isinstance(output, np.ndarray)
    return Tensor.constant(as_leaf_array(output)) if array else Value.constant(as_value_data(output))


def _as_nodes(result: Any) -> list[Any]:
    outputs = [part for item in flatten(result) for part in _values_in(item)]
    return [refuse_output(output) if (node := as_node(output)) is None else node for output in outputs]


def _run_backward(outputs: Sequence[Any], cotangents: Arrays) -> None:
    for output, seed in zip(outputs, cotangents, strict=True):
        output.backward(float(seed) if output.scalar else seed)


def inner(nodes: Sequence[Any], vectors: Sequence[Any]) -> Any:
    """Σ ⟨node, vector⟩ as one node; nodes that are None are skipped, and the sum is None if all are."""
    total = None
    for node, vector in zip(nodes, vectors, strict=True):
        if node is not None:
            term = node * float(vector) if node.scalar else (node * vector).sum()
            total = term if total is None else total + term
    return total
