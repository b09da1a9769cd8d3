"""The subject of a check: a function and its gradient, from any engine, as arrays in and arrays out.

`Subject.values` computes the outputs at given points, `Subject.pullback` the gradient for given cotangents,
`Subject.second` the product of the Hessian with vectors.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from autodiff.engine.trees import flatten, tree_map
from autodiff.primitives.operands import describe
from autodiff.testing.subject.base import Leaf, Subject
from autodiff.testing.subject.jax_function import JaxFunction
from autodiff.testing.subject.own import OwnFunction, as_node, inner
from autodiff.testing.subject.pairs import PairOfGradient, PairOfPullback, PlainPair
from autodiff.testing.subject.refusals import Arrays, check_steady
from autodiff.testing.subject.torch_function import TorchFunction

__all__ = [
    "Arrays", "JaxFunction", "Leaf", "OwnFunction", "PairOfGradient", "PairOfPullback", "PlainPair", "Subject",
    "TorchFunction", "as_node", "check_steady", "inner", "subject_of",
]  # fmt: skip

def _leaves(inputs: tuple[Any, ...]) -> list[Any]:
    """The leaves of all arguments; if jax is loaded, also those in types of trees that only jax knows."""
    jax = sys.modules.get("jax")
    return flatten(list(inputs)) if jax is None else [*flatten(list(inputs)), *jax.tree_util.tree_leaves(inputs)]


_FOREIGN: Final = ("torch", "jax", "jaxlib")


def subject_of(
    f: Any, inputs: tuple[Any, ...], gradient: Callable[..., Any] | None, vjp: Callable[..., Any] | None
) -> Subject:
    """The subject for these inputs: a pair if a gradient function is given, else by the engine of the inputs."""
    for role, function in (("f", f), ("gradient", gradient), ("vjp", vjp)):
        if not callable(function) and (role == "f" or function is not None):
            raise TypeError(f"{role} must be a function, and got {describe(function)}")
    if gradient is not None and vjp is not None:
        raise TypeError("check_gradients takes either gradient or vjp, and got both")
    if not flatten(list(inputs)):
        raise TypeError("check_gradients needs a point; pass it after the function, as in check_gradients(f, 2.0)")
    if gradient is not None:
        return PairOfGradient(f, inputs, gradient)
    if vjp is not None:
        return PairOfPullback(f, inputs, vjp)
    engines = {_home(type(item)) for item in _leaves(inputs)}.intersection(_FOREIGN)
    if not engines and (engine := _engine_of(f)):
        engines, inputs = {engine}, tuple(tree_map(partial(_TENSORS[engine], f), item) for item in inputs)
    if "torch" in engines:
        return TorchFunction(f, inputs).with_parameters()
    return JaxFunction(f, inputs) if engines else OwnFunction(f, inputs).with_parameters()


def _home(item: Any) -> str:
    return (getattr(item, "__module__", None) or "").split(".")[0]


def _engine_of(f: Any) -> str | None:
    """The engine that defines ``f``: torch for torch.sin and for modules, jax for compiled functions."""
    f = f.func if isinstance(f, partial) else f
    found = {_home(f), *map(_home, type(f).__mro__)}.intersection(_FOREIGN)
    return ("torch" if "torch" in found else "jax") if found else None


def _torch_tensor(f: Any, x: Any) -> Any:
    """A tensor of the type of a module's parameters; of doubles if there are none."""
    torch = sys.modules["torch"]
    parameters = list(f.parameters()) if isinstance(f, torch.nn.Module) else []
    return torch.tensor(np.asarray(x, float), dtype=parameters[0].dtype if parameters else torch.float64)


#: How each engine converts plain numbers and arrays to what its functions take.
_TENSORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "torch": _torch_tensor, "jax": lambda f, x: np.asarray(x, float),  # noqa: ARG005
}  # fmt: skip
