"""`from_jax`: a function of jax at a point as a graph of this engine."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.engine.plain import plain
from autodiff.foreign.jax_call import is_node
from autodiff.foreign.jax_program import run
from autodiff.foreign.singles import MOST_SINGLES, entry_name, holds_values, singles, with_entry
from autodiff.primitives.operands import describe
from autodiff.primitives.table.layout import reshape, stack
from autodiff.system.extras import install
from autodiff.values.tensor import Tensor
from autodiff.words.arguments import argument_names

__all__ = ["TracedFunction", "from_jax"]


@dataclass(frozen=True, slots=True, eq=False)
class TracedFunction:
    """A function of jax at a point as a graph of this engine; made by `from_jax`.

    ``output`` is the node of the result, ``parameter`` the node of the parameter that `at` chose, or None. ``names``
    are those of the arguments and of the arrays in them, such as ``params['w1']``.
    """

    output: Node
    parameter: Node | None
    names: tuple[str, ...]
    _program: Any = field(repr=False)
    _arrays: tuple[Any, ...] = field(repr=False)
    _leaves: tuple[Any, ...] = field(repr=False)

    def node(self, name: str) -> Node:
        """The node of an argument, or of an array in it.

        Raises:
            TypeError: if the name is not a string. ValueError: if it is unknown (the message lists the known ones),
            names one element, or names integers, which are constants.
        """
        leaf, index = self._place(name)
        found = self._leaves[leaf]
        if holds_values(found) and found.size == 1:
            return found.item()  # type: ignore[no-any-return]
        if index is not None or not isinstance(found, Node):
            raise ValueError(f"{name} has no node in this trace; choose it as the parameter: J.at({name!r})")
        return found

    def at(self, name: str) -> TracedFunction:
        """The trace with an argument, an array in it, or one element (``params['w1'][0, 3]``) as the parameter.

        For one element of a small program, the graph consists of Values. Raises the errors of `node`.
        """
        leaf, index = self._place(name)
        data = self._arrays[leaf]
        few = sum(np.size(plain(node)) for node in topological(self.output)) <= MOST_SINGLES
        if index is None and not (few and data.ndim == 0):
            return replace(self, parameter=self._leaves[leaf])
        leaves, place = list(self._leaves), index or ()
        if few:
            leaves = [_start(*pair, single=True) for pair in zip(self._arrays, self.names, strict=True)]
            entry = leaves[leaf][place]
        else:
            entry = Tensor(data[place], name=entry_name(self.names[leaf], place))
            leaves[leaf] = with_entry(data, place, entry)
        output = _output(run(self._program, tuple(leaves)))
        return replace(self, output=output, parameter=entry, _leaves=tuple(leaves))

    def _place(self, name: Any) -> tuple[int, tuple[int, ...] | None]:
        """The number of the array, and the index of one element in it; None for the whole array."""
        if not isinstance(name, str):
            raise TypeError(f"expected the parameter by name, such as {self.names[0]!r}, but got {describe(name)}")
        asked = name.strip().replace('"', "'")
        found = [k for k, known in enumerate(self.names) if asked.startswith(known.replace('"', "'"))]
        leaf = max(found, key=lambda k: len(self.names[k]), default=None)
        rest = "" if leaf is None else asked[len(self.names[leaf]) :]
        if leaf is None or not _INDICES.fullmatch(rest):
            raise ValueError(
                f"unknown parameter {name!r} (must be one of {', '.join(self.names)}, or an element of one)"
            )
        if not _is_real(self._arrays[leaf]):
            raise ValueError(f"{name} holds no real numbers, so it is a constant; choose another parameter")
        index = tuple(map(int, re.findall(r"-?\d+", rest)))
        shape = self._arrays[leaf].shape
        if not index:
            return leaf, None
        if len(index) != len(shape) or any(not -n <= k < n for k, n in zip(index, shape, strict=True)):
            raise ValueError(f"{name} is not one element of {self.names[leaf]}, which has shape {shape}")
        return leaf, tuple(k % n for k, n in zip(index, shape, strict=True))


def from_jax(f: Callable[..., Any], *args: Any, **kwargs: Any) -> TracedFunction:
    """Trace ``f(*args)`` of jax into a graph of this engine, with the same value and the gradients of ``jax.grad``.

    Args:
        f: a function that returns one real array; for `see`, one number. It may use jit, vmap, grad, scan, cond,
            while_loop, checkpoint, and functions with a derivative of their own.
        args: its arguments, in any tree that jax knows. Their real arrays become nodes, which are named by the argument
            and the path in it, such as ``params['w1']``; integers and bools are constants.
        kwargs: its keyword arguments, likewise.

    Loops are unrolled, and of a condition only the branch taken is traced. Every value has the unit that it has in f.
    float32 stays float32, so gradients agree to about 1e-5; with ``jax_enable_x64``, to 1e-12. Kinks follow jax; but a
    closed gate such as ``where`` blocks an infinity, where jax gives nan.

    Raises:
        ModuleNotFoundError: if jax is not installed. TypeError: if f is not callable. ValueError: if f returns several
        arrays, depends on no real argument, or uses a primitive that cannot be traced: the message names it and its
        line. The errors of ``jax.make_jaxpr``.

    Source: ``jax.make_jaxpr``.

    >>> from_jax(3.0)
    Traceback (most recent call last):
    TypeError: from_jax takes a function of jax and its arguments, and got 3.0
    """
    if not callable(f):
        raise TypeError(f"from_jax takes a function of jax and its arguments, and got {describe(f)}")
    jax = _jax()
    program = jax.make_jaxpr(f)(*args, **kwargs)
    paths = jax.tree_util.tree_flatten_with_path((args, kwargs))[0]
    names = tuple(_named(f, args, path, jax.tree_util.keystr) for path, _ in paths)
    arrays = tuple(
        _array(jax, *item) for item in zip((leaf for _, leaf in paths), program.in_avals, names, strict=True)
    )
    if len(program.out_avals) != 1:
        raise ValueError(
            f"expected a function that returns one array, such as a loss, but it returned {len(program.out_avals)}; "
            "trace a function that returns one of them, such as lambda *args: f(*args)[0]"
        )
    for single in (False, True):
        leaves = tuple(_start(*pair, single=single) for pair in zip(arrays, names, strict=True))
        output = _output(run(program, leaves))
        if any(np.ndim(plain(node)) for node in topological(output)):
            break  # a program of single numbers is a graph of Values
    return TracedFunction(output, None, names, program, arrays, leaves)


_INDICES: Final = re.compile(r"(\[\s*-?\d+(\s*,\s*-?\d+)*\s*\])*")


def _jax() -> Any:
    try:
        return import_module("jax")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"from_jax needs jax: {install('peers')}", name=error.name) from None


def _named(f: Callable[..., Any], args: tuple[Any, ...], path: Any, keystr: Callable[..., str]) -> str:
    kind, argument, *rest = path
    name = argument_names(f, len(args))[argument.idx] if kind.idx == 0 else str(argument.key)
    return name + keystr(tuple(rest))


def _array(jax: Any, leaf: Any, aval: Any, name: str) -> Any:
    """An argument as an array of the type that jax gives it; keys of random numbers unchanged."""
    if not jax.numpy.issubdtype(aval.dtype, jax.numpy.inexact):
        return leaf
    if np.dtype(aval.dtype).char not in "df":
        raise ValueError(
            f"expected {name} as float64 or float32, but it is {aval.dtype}; pass {name}.astype('float32')"
        )
    return np.asarray(leaf, aval.dtype)


def _is_real(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.dtype.char in "df"


def _start(data: Any, name: str, *, single: bool) -> Any:
    """A node, or an array of Values, in place of an argument; a constant unchanged."""
    if not _is_real(data):
        return data
    return singles(data, name) if single else Tensor(data, name=name)


def _output(results: list[Any]) -> Node:
    [found] = results
    if not is_node(found):
        raise ValueError("the function depends on none of its real arguments, so there is no gradient to see")
    if not holds_values(found):
        return found  # type: ignore[no-any-return]
    return found.item() if found.size == 1 else reshape(stack(list(found.flat), axis=0), shape=found.shape)  # type: ignore[no-any-return]
