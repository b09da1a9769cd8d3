"""Functions of torch tensors, and modules; torch is not imported here: a caller with its tensors has loaded it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.trees import flatten
from autodiff.testing.subject.base import Leaf, Subject
from autodiff.testing.subject.held import persistent, referred
from autodiff.testing.subject.refusals import Arrays, check_steady, refuse_output

__all__ = ["TorchFunction"]


class TorchFunction(Subject):
    """A function of torch tensors; the parameters of the modules that it is or refers to are checked as well.

    Inputs of half precision become doubles, unless the modules are of half precision too.
    """

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        torch = sys.modules["torch"]
        found = [*referred(f, lambda item: isinstance(item, torch.Tensor | torch.nn.Module))]
        tops = [(name, item) for name, item in found if isinstance(item, torch.nn.Module)]
        self.modules = list(dict.fromkeys(module for _, top in tops for module in top.modules()))
        self.buffers = [item for _, top in tops for item in top.buffers()]  # a call may write to them
        self.tensors = [*_tensors_in(found)]
        self.is_half = any(item.dtype in (torch.float16, torch.bfloat16) for _, item in self.tensors)
        self.coarsest = 0.0  # the relative rounding of the coarsest output so far
        super().__init__(f, inputs)

    def with_parameters(self) -> Self:
        with self.at(self.points):
            graph, again = (self.call(self.points)[1] for _ in range(2))
        check_steady(again, graph)
        shared, before = persistent(_functions(graph), _functions(again), _functions_before)
        constant = {id(item) for item in _variables(before)}
        named = (*self.tensors, *(("a tensor that f holds", item) for item in _variables(shared)))
        self.hold((name, item) for name, item in named if _is_checked(item) and id(item) not in constant)
        self.buffers = [item for item in self.buffers if not _is_checked(item)]
        return self

    @contextmanager
    def at(self, points: Arrays) -> Iterator[None]:
        tensors = [(tensor, tensor.data) for tensor in (*self.held, *self.buffers)]
        states = [(place, dict(place)) for module in self.modules for place in _state(module)]
        first = len(self.leaves) - len(self.held)
        try:
            for tensor, leaf, x in zip(self.held, self.leaves[first:], points[first:], strict=True):
                tensor.data = _tensor(x, leaf.dtype, tensor.device)
            for buffer in self.buffers:
                buffer.data = buffer.data.clone()
            yield
        finally:
            for place, before in states:
                place.clear()
                place.update(before)
            for tensor, data in tensors:
                tensor.data = data

    @property
    def epsilon(self) -> float:
        return max(self.coarsest, super().epsilon)

    def leaf(self, argument: int | None, name: str, item: Any) -> Leaf:
        torch = sys.modules["torch"]
        if argument is None and item.is_complex():
            raise TypeError(
                f"the parameters of f are checked too and must be real numbers, and {name} is complex; freeze it with "
                "requires_grad_(False)"
            )
        made = super().leaf(argument, name, item)
        dtype = torch.float32 if made.dtype == np.float32 else torch.float64
        if isinstance(item, torch.Tensor) and item.is_floating_point() and (argument is None or self.is_half):
            dtype = item.dtype
        return replace(made, dtype=dtype, epsilon=float(torch.finfo(dtype).eps))

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        torch = sys.modules["torch"]
        if not isinstance(item, torch.Tensor):
            return None if isinstance(item, Node) else super().as_array(item)
        try:
            item = item.detach().cpu()
            return np.asarray((item.float() if item.dtype == torch.bfloat16 else item).numpy())
        except (TypeError, RuntimeError):  # sparse, quantised: NumPy has no such arrays
            return None

    def rounded(self, leaf: Leaf, x: Any) -> np.ndarray[Any, Any]:
        return self.as_array(_tensor(x, leaf.dtype))  # type: ignore[return-value]

    def fresh(self, points: Arrays) -> list[Any]:
        given = flatten(list(self.inputs))
        leaves = [
            _tensor(x, leaf.dtype, getattr(item, "device", None)).requires_grad_()
            for item, leaf, x in zip(given, self.leaves, points, strict=False)
        ]
        return [*leaves, *self.held]

    def call(self, points: Arrays) -> tuple[list[Any], list[Any]]:
        """New leaves at these points, and the outputs; to be called in the body of `at`."""
        torch, leaves = sys.modules["torch"], self.fresh(points)
        outputs = flatten(self.f(*self.arguments(leaves)))
        for output in outputs:
            if not isinstance(output, torch.Tensor) or output.is_complex():
                refuse_output(output)
            if not output.requires_grad:
                refuse_output(output, "; it is not connected to the inputs")
            self.coarsest = max(self.coarsest, float(torch.finfo(output.dtype).eps))
        return leaves, outputs

    def values(self, points: Arrays) -> Arrays:
        with self.at(points):
            return [np.asarray(self.as_array(output)) for output in self.call(points)[1]]

    def pullback(self, points: Arrays, cotangents: Arrays) -> Arrays:
        with self.at(points):
            leaves, outputs = self.call(points)
            check_steady(outputs, cotangents)
            return self.shaped(_grad(outputs, leaves, cotangents))

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        with self.at(points):
            leaves, outputs = self.call(points)
            slopes = _grad(outputs, leaves, cotangents, create_graph=True)
            open_ones = [
                pair for pair in zip(slopes, vectors, strict=True) if pair[0] is not None and pair[0].requires_grad
            ]
            if not open_ones:
                return self.shaped([None] * len(leaves))
            curved, along = zip(*open_ones, strict=True)
            return self.shaped(_grad(curved, leaves, along))


def _tensors_in(found: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Tensors, and the parameters and buffers of modules, with their names."""
    torch = sys.modules["torch"]
    for name, item in found:
        if isinstance(item, torch.Tensor):
            yield name, item
            continue
        for key, part in (*item.named_parameters(), *item.named_buffers()):
            if torch.nn.parameter.is_lazy(part):
                raise ValueError(
                    f"the parameters of f are checked too, and {key} is not initialised; call the module first"
                )
            yield f"{name}.{key}" if name else key, part


def _is_checked(tensor: Any) -> bool:
    return bool(tensor.requires_grad and tensor.is_leaf)


def _grad(outputs: Any, leaves: Any, cotangents: Any, **more: Any) -> Any:
    """``torch.autograd.grad`` with cotangents as arrays; sparse gradients, as of an embedding, become dense."""
    seeds = [_tensor(c, output.dtype, output.device) for output, c in zip(outputs, cotangents, strict=True)]
    slopes = sys.modules["torch"].autograd.grad(list(outputs), leaves, seeds, allow_unused=True, **more)
    return [slope.to_dense() if slope is not None and slope.is_sparse else slope for slope in slopes]


def _tensor(x: Any, dtype: Any, device: Any = None) -> Any:
    return sys.modules["torch"].tensor(np.asarray(x), dtype=dtype, device=device)


def _functions(outputs: Iterable[Any]) -> list[Any]:
    """The functions that made the outputs; none for an output that is a leaf."""
    return [output.grad_fn for output in outputs if output.grad_fn is not None]


def _variables(functions: Iterable[Any]) -> list[Any]:
    """The leaves at the ends of a graph."""
    return [function.variable for function in functions if hasattr(function, "variable")]


def _functions_before(function: Any) -> list[Any]:
    return [before for before, _ in function.next_functions if before is not None]


def _state(module: Any) -> tuple[dict[str, Any], ...]:
    """The dicts in which a module keeps its attributes, buffers and parameters."""
    return vars(module), module._buffers, module._parameters
