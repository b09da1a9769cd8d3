"""Example calls of operations from the examples and domains in the table: shapes, and sessions that tests run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from inspect import Parameter
from math import prod
from typing import Any, Final

import numpy as np

from autodiff.primitives.domain import Domain, Example
from autodiff.primitives.primitive import Primitive

__all__ = ["call_of", "session", "shapes"]

_SEED: Final = 0
_DIGITS: Final = 4
_EXAMPLE: Final = 2  # used for params without a default: the first often has the simplest, such as x⁰
_LARGEST: Final = 12  # elements of an input
_POINTS: Final = (0.5, 1.5)  # for the first and the second input, if their domains contain them


def call_of(entry: Primitive, names: Sequence[str]) -> str:
    """The call of an operation: its inputs, and its params with their defaults.

    >>> from autodiff import concatenate, power
    >>> call_of(power, ["x"]), call_of(concatenate, ["x", "y"])
    ('power(x, n)', 'concatenate([x, y, …], axis=0)')
    """
    given = ", ".join([*names, *(["…"] if entry.arity is None else [])])
    if entry.packed:
        given = f"[{given}]"
    params = [
        key if default is Parameter.empty else f"{key}={default!r}" for key, default in entry.defaults.items()
    ]
    return f"{entry.name}({', '.join([given, *params])})"


def shapes(entry: Primitive) -> list[str]:
    """The shapes of inputs and result in each example of the table; none for elementwise operations.

    >>> from autodiff import sum
    >>> shapes(sum)[:2]
    ['(4,) → ()', '(2, 3), axis=0 → (3,)']
    """
    if entry.elementwise:
        return []
    random = np.random.default_rng(_SEED)
    found = []
    for example in entry.examples:
        domains = entry.domain if entry.arity else entry.domain * len(example.shapes)
        inputs = [domain.draw(random, shape) for domain, shape in zip(domains, example.shapes, strict=False)]
        result = entry.evaluate(inputs, example.params)
        given = ", ".join([*map(str, example.shapes), *_spelled(example.params)])
        found.append(f"{given} → {np.shape(result)}")
    return found


def session(entry: Primitive, name: str) -> str:
    """A session with an exported operation and, if it is elementwise, its derivative.

    Args:
        entry: a built-in operation that the package exports.
        name: the expression that calls it, such as ``ad.exp``.

    >>> from autodiff import exp
    >>> session(exp, "ad.exp").splitlines()
    ['>>> round(ad.exp(0.5), 4)', '1.6487', '>>> round(ad.grad(ad.exp)(0.5), 4)', '1.6487']
    """
    lines = []
    for typed in _calls(entry, name):
        lines += [f">>> {typed}", repr(eval(typed, {"ad": import_module("autodiff"), "np": np}))]
    return "\n".join(lines)


def _calls(entry: Primitive, name: str) -> Iterator[str]:
    if not entry.elementwise:
        example = max(entry.examples[:2], key=_tells)
        given = ", ".join(map(_array, example.shapes))
        arguments = [f"[{given}]" if entry.packed else given, *_spelled(example.params)]
        yield f"np.round({name}({', '.join(arguments)}), {_DIGITS}).tolist()"
        return
    points = ", ".join(map(_point, entry.domain, _POINTS))
    needed = [key for key, default in entry.defaults.items() if default is Parameter.empty]
    params = _spelled({key: entry.examples[_EXAMPLE].params[key] for key in needed})
    value = f"{name}({', '.join([points, *params])})"
    names = ("x", "y")[: entry.arity]
    function = f"lambda {', '.join(names)}: {name}({', '.join([*names, *params])})" if params else name
    yield f"round({value}, {_DIGITS})"
    if len(names) == 1:
        yield f"round(ad.grad({function})({points}), {_DIGITS})"
    else:
        yield f"np.round(ad.grad({function}, (0, 1))({points}), {_DIGITS}).tolist()"


def _tells(example: Example) -> tuple[bool, bool]:
    """How useful an example is for readers: small examples with params are best."""
    return max(map(prod, example.shapes)) <= _LARGEST, bool(example.params)


def _point(domain: Domain, point: float) -> str:
    return repr(point if point in domain else round((domain.low + domain.high) / 2.0, 1))


def _array(shape: Sequence[int]) -> str:
    """An expression for an array of that shape with the whole numbers from 1."""
    if not shape:
        return "1.0"
    counted = f"np.arange(1.0, {prod(shape) + 1.0})"
    return counted if len(shape) == 1 else f"{counted}.reshape{tuple(shape)}"


def _spelled(params: Mapping[str, Any]) -> list[str]:
    """Params as keyword arguments."""
    return [f"{key}={'np.' if isinstance(each, np.ndarray) else ''}{each!r}" for key, each in params.items()]
