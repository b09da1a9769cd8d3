"""What is checked: a function and its gradient, from whichever engine, seen as arrays in and arrays out.

`values` computes the outputs at given points, `pull` the gradient for given cotangents, `second` the Hessian's product
with vectors. Torch and jax are never imported here: who passes their tensors has loaded them.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.graph import Node
from autodiff.node import Tensor, Value
from autodiff.primitive import describe
from autodiff.transforms import gradients
from autodiff.tree import flatten, flatten_as, rebuild

__all__ = ["Arrays", "Leaf", "OwnFunction", "PlainPair", "Subject", "check_steady", "inner", "subject_of"]

Arrays = list[np.ndarray[Any, Any]]

_FOREIGN: Final = ("torch", "jax", "jaxlib")


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
        self.leaves = [self.leaf(*item) for item in _named(f, inputs)]

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
                f"gradients are checked at numbers and arrays of real numbers, and {name} is {_told(item)}; "
                "what is not differentiated belongs inside the function, as in lambda x: f(x, option)"
            )
        if not np.all(np.isfinite(array)):
            raise ValueError(f"gradients are checked at finite numbers, and {name} is {_told(item)}, with nan or inf")
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
                raise TypeError(f"{who} of {leaf.name} must be real numbers, and is {_told(part)}")
            if array.shape != leaf.point.shape:
                raise ValueError(f"{who} of {leaf.name} must have its shape {leaf.point.shape}, and has {array.shape}")
            found.append(array.astype(float))
        return found


def subject_of(
    f: Any, inputs: tuple[Any, ...], gradient: Callable[..., Any] | None, vjp: Callable[..., Any] | None
) -> Subject:
    """The subject for these inputs: a pair where a gradient function is given, else by whose tensors they are."""
    for role, function in (("f", f), ("gradient", gradient), ("vjp", vjp)):
        if not callable(function) and (role == "f" or function is not None):
            raise TypeError(f"check_gradients takes a function as {role}, and got {describe(function)}")
    if gradient is not None and vjp is not None:
        raise TypeError("check_gradients takes either gradient or vjp, and got both")
    if not flatten(list(inputs)):
        raise TypeError("there is nothing to check: pass the point, as in check_gradients(f, 2.0)")
    if gradient is not None:
        return PairOfGradient(f, inputs, gradient)
    if vjp is not None:
        return PairOfPullback(f, inputs, vjp)
    engines = {type(item).__module__.split(".")[0] for item in flatten(list(inputs))}.intersection(_FOREIGN)
    if "torch" in engines:
        return TorchFunction(f, inputs)
    return JaxFunction(f, inputs) if engines else OwnFunction(f, inputs)


# ---- this project ----------------------------------------------------------------------------------------------------


class OwnFunction(Subject):
    """A function written with Values and Tensors: numbers become Values, arrays Tensors."""

    def fresh(self, points: Arrays) -> list[Any]:
        return [
            Value(float(x), name=leaf.name) if leaf.scalar else Tensor(x.astype(leaf.dtype), name=leaf.name)
            for leaf, x in zip(self.leaves, points, strict=True)
        ]

    def call(self, points: Arrays) -> tuple[list[Any], list[Any]]:
        """New leaves at these points, and the outputs."""
        leaves = self.fresh(points)
        outputs = flatten(self.f(*self.arguments(leaves)))
        for output in outputs:
            if not isinstance(output, Node):
                _refuse_output(output, "; it left the graph on the way, for example by .data, or ignored its inputs")
        return leaves, outputs

    def values(self, points: Arrays) -> Arrays:
        return [np.asarray(output._data) for output in self.call(points)[1]]

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
        leaves, outputs = self.call(points)
        check_steady(outputs, cotangents)
        _send_back(outputs, cotangents)
        return self.shaped([leaf.grad for leaf in leaves])

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:
        """Inputs and seeds that are written to, gradients that share memory, a second pass that does not double."""
        yield from super().side_effects(points, cotangents)
        leaves, outputs = self.call(points)
        seeds = [c.copy() for c in cotangents]
        _send_back(outputs, seeds)
        if not all(np.array_equal(a, b) for a, b in zip(seeds, cotangents, strict=True)):
            yield "the backward pass wrote to the cotangent"
        arrays = [(leaf.name, leaf.grad) for leaf in leaves if isinstance(leaf.grad, np.ndarray)]
        for k, (name, one) in enumerate(arrays):
            for other, two in [*arrays[k + 1 :], *(("the cotangent", seed) for seed in seeds)]:
                if np.shares_memory(one, two):
                    yield f"the gradient of {name} shares memory with {other}: adding to one changes the other"
        if len(outputs) > 1:
            return  # sums of several passes round in another order
        once = [None if leaf.grad is None else np.array(leaf.grad) for leaf in leaves]
        _send_back(outputs, seeds)
        for leaf, before in zip(leaves, once, strict=True):
            if before is not None and not np.array_equal(leaf.grad, 2 * before, equal_nan=True):
                yield f"a second backward pass does not double the gradient of {leaf.name}"

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        leaves, outputs = self.call(points)
        check_steady(outputs, cotangents)
        slopes = gradients(inner(outputs, cotangents), leaves, create_graph=True)
        along = inner(slopes, vectors)
        if along is not None:
            along.backward()
        return self.shaped([leaf.grad for leaf in leaves])


def _send_back(outputs: Sequence[Any], cotangents: Arrays) -> None:
    for output, seed in zip(outputs, cotangents, strict=True):
        output.backward(float(seed) if output.scalar else seed)


def inner(nodes: Sequence[Any], vectors: Sequence[Any]) -> Any:
    """Σ ⟨node, vector⟩ as one node; None among the nodes is zero, and so is the sum of nothing else."""
    total = None
    for node, vector in zip(nodes, vectors, strict=True):
        if node is not None:
            term = node * float(vector) if node.scalar else (node * vector).sum()
            total = term if total is None else total + term
    return total


# ---- pairs over numbers and NumPy arrays -----------------------------------------------------------------------------


class PlainPair(Subject):
    """A function of floats and NumPy arrays, beside one for its gradient."""

    def fresh(self, points: Arrays) -> list[Any]:
        return [
            float(x) if leaf.scalar else np.array(x, leaf.dtype) for leaf, x in zip(self.leaves, points, strict=True)
        ]

    def values(self, points: Arrays) -> Arrays:
        leaves = self.fresh(points)
        return self.outputs(self.f(*self.arguments(leaves)))

    def side_effects(self, points: Arrays, cotangents: Arrays) -> Iterator[str]:
        """Inputs and cotangents that are written to."""
        yield from super().side_effects(points, cotangents)
        leaves, seeds = self.fresh(points), [c.copy() for c in cotangents]
        self.differentiated(leaves, seeds)
        yield from self.written("the gradient function", leaves, points)
        if not all(np.array_equal(a, b) for a, b in zip(seeds, cotangents, strict=True)):
            yield "the gradient function wrote to its cotangent"

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
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
                _refuse_output(output)
            outputs.append(np.asarray(array))
        return outputs

    def gradients_of(self, result: Any) -> Arrays:
        """The gradients in the structure of the inputs; of a single argument they need no tuple around."""
        like = list(self.inputs)
        if len(like) == 1 and not (isinstance(result, list | tuple) and len(result) == 1 and _is_leaf(like[0])):
            result = [result]
        return self.shaped(flatten_as(result, like, "the result of the gradient function"))


class PairOfGradient(PlainPair):
    """f gives one number, and ``gradient(*inputs)`` its gradient, one for each argument."""

    takes_cotangent = False

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], gradient: Callable[..., Any]) -> None:
        super().__init__(f, inputs)
        self.gradient = gradient

    def differentiated(self, leaves: Sequence[Any], cotangents: Arrays) -> Arrays:
        if [np.size(c) for c in cotangents] != [1]:
            raise ValueError(
                "a gradient function belongs to a function of one number, and f returned more; pass "
                "vjp=lambda cotangent, *inputs: … instead"
            )
        return self.gradients_of(self.gradient(*self.arguments(leaves)))


class PairOfPullback(PlainPair):
    """``vjp(cotangent, *inputs)`` gives Jᵀc, one for each argument; the cotangent has the structure of f's result."""

    def __init__(self, f: Callable[..., Any], inputs: tuple[Any, ...], vjp: Callable[..., Any]) -> None:
        super().__init__(f, inputs)
        self.vjp = vjp

    def differentiated(self, leaves: Sequence[Any], cotangents: Arrays) -> Arrays:
        arguments = self.arguments(leaves)
        given = [float(c) if not np.ndim(c) else c for c in cotangents]
        result = self.f(*arguments)
        check_steady(self.outputs(result), cotangents)
        return self.gradients_of(self.vjp(rebuild(result, given), *arguments))


# ---- torch and jax ---------------------------------------------------------------------------------------------------


class TorchFunction(Subject):
    """A function of torch tensors."""

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        if not isinstance(item, sys.modules["torch"].Tensor):
            return None if isinstance(item, Node) else super().as_array(item)
        try:
            return np.asarray(item.detach().cpu().numpy())
        except (TypeError, RuntimeError):  # bfloat16, sparse, quantised: NumPy has no such arrays
            return None

    def fresh(self, points: Arrays) -> list[Any]:
        torch = sys.modules["torch"]
        return [
            torch.tensor(np.asarray(x, leaf.dtype), requires_grad=True)
            for leaf, x in zip(self.leaves, points, strict=True)
        ]

    def call(self, points: Arrays) -> tuple[list[Any], list[Any]]:
        """New leaves at these points, and the outputs."""
        torch, leaves = sys.modules["torch"], self.fresh(points)
        outputs = flatten(self.f(*self.arguments(leaves)))
        for output in outputs:
            if not isinstance(output, torch.Tensor) or output.is_complex():
                _refuse_output(output)
            if not output.requires_grad:
                _refuse_output(output, "; it is not connected to the inputs")
        return leaves, outputs

    def values(self, points: Arrays) -> Arrays:
        return [output.detach().cpu().numpy() for output in self.call(points)[1]]

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
        leaves, outputs = self.call(points)
        check_steady(outputs, cotangents)
        return self.shaped(self.slopes(outputs, leaves, cotangents))

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        leaves, outputs = self.call(points)
        slopes = self.slopes(outputs, leaves, cotangents, create_graph=True)
        open_ones = [
            (slope, vector)
            for slope, vector in zip(slopes, vectors, strict=True)
            if slope is not None and slope.requires_grad
        ]
        if not open_ones:
            return self.shaped([None] * len(leaves))
        return self.shaped(self.slopes(*zip(*open_ones, strict=True), between=leaves))

    def slopes(self, outputs: Any, leaves: Any, cotangents: Any = None, *, between: Any = None, **more: Any) -> Any:
        """``torch.autograd.grad`` with cotangents as arrays."""
        torch = sys.modules["torch"]
        if between is not None:
            leaves, cotangents = between, leaves
        seeds = [torch.as_tensor(c, dtype=output.dtype) for output, c in zip(outputs, cotangents, strict=True)]
        return torch.autograd.grad(list(outputs), leaves, seeds, allow_unused=True, **more)


class JaxFunction(Subject):
    """A function of jax arrays."""

    def as_array(self, item: Any) -> np.ndarray[Any, Any] | None:
        return np.asarray(item) if hasattr(item, "devices") else super().as_array(item)

    def flat(self, *leaves: Any) -> list[Any]:
        """f on flat leaves, with its outputs flat."""
        outputs = flatten(self.f(*self.arguments(leaves)))
        for output in outputs:
            if getattr(getattr(output, "dtype", None), "kind", "") != "f":
                _refuse_output(output)
        return outputs

    def fresh(self, points: Arrays) -> list[Any]:
        jnp = sys.modules["jax"].numpy
        return [jnp.asarray(x, leaf.dtype) for leaf, x in zip(self.leaves, points, strict=True)]

    def values(self, points: Arrays) -> Arrays:
        return [np.asarray(output) for output in self.flat(*self.fresh(points))]

    def pull(self, points: Arrays, cotangents: Arrays) -> Arrays:
        return self.shaped(self.pullback(cotangents)(*self.fresh(points)))

    def pullback(self, cotangents: Arrays) -> Callable[..., Any]:
        """x ↦ Jᵀ(x)·c."""
        jax = sys.modules["jax"]

        def slopes(*leaves: Any) -> Any:
            outputs, back = jax.vjp(self.flat, *leaves)
            check_steady(outputs, cotangents)
            return back([jax.numpy.asarray(c, z.dtype) for c, z in zip(cotangents, outputs, strict=True)])

        return slopes

    def second(self, points: Arrays, cotangents: Arrays, vectors: Arrays) -> Arrays:
        jax = sys.modules["jax"]
        slopes, back = jax.vjp(self.pullback(cotangents), *self.fresh(points))
        return self.shaped(back(tuple(jax.numpy.asarray(v, s.dtype) for v, s in zip(vectors, slopes, strict=True))))


# ---- names and refusals ----------------------------------------------------------------------------------------------


def check_steady(outputs: Sequence[Any], like: Arrays) -> None:
    """Raise ValueError unless f returned as many outputs as before, of the same shapes."""
    found, before = ([tuple(getattr(z, "shape", ())) for z in each] for each in (outputs, like))
    if found != before:
        raise ValueError(
            f"a derivative needs results of the same shapes at every point, and f returned {found} where it had "
            f"returned {before}"
        )


def _refuse_output(output: Any, why: str = "") -> None:
    raise TypeError(
        f"a gradient needs outputs that are real numbers of the engine of the inputs, and f returned "
        f"{_told(output)}{why}"
    )


def _as_float(number: int) -> float:
    """A whole number of any size as a float; infinite where floats end."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _told(item: Any) -> str:
    """What an item is, in one line."""
    return " ".join(describe(item).split())


def _is_leaf(item: Any) -> bool:
    return not isinstance(item, list | tuple | dict)


def _named(f: Callable[..., Any], inputs: tuple[Any, ...]) -> Iterator[tuple[int, str, Any]]:
    """Argument, path in words, and item of every leaf, in the order of `flatten`."""
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        names = [item.name for item in inspect.signature(f).parameters.values() if item.kind in kinds]
    except (TypeError, ValueError):  # built-in functions may have no signature
        names = []
    names += [f"x{k}" for k in range(len(names), len(inputs))]
    for argument, (name, item) in enumerate(zip(names, inputs, strict=False)):
        yield from ((argument, path, leaf) for path, leaf in _inside(name, item))


def _inside(path: str, item: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(item, dict):
        for key, part in item.items():
            yield from _inside(f"{path}[{key!r}]", part)
    elif isinstance(item, list | tuple):
        for k, part in enumerate(item):
            yield from _inside(f"{path}[{k}]", part)
    else:
        yield path, item
