"""Derivatives as functions of functions: ``grad(f)`` and its relatives, to any order, over nested inputs.

Plain numbers in, plain numbers out. If an argument is a node, or the function closes over one, the result is a node
too, like the result of any other expression. Transforms therefore nest without levels and without a mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import shape_of
from autodiff.engine.trees import flatten, flatten_as, rebuild, tree_map
from autodiff.primitives.namespace import WholeNumber
from autodiff.primitives.operands import describe
from autodiff.primitives.table.layout import reshape, stack
from autodiff.primitives.table.reductions import sum as sum_over
from autodiff.transforms.call import Call, total_of, zero_of
from autodiff.transforms.gradients import gradients
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value

__all__ = ["grad", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def grad(f: Callable[..., Any], argnum: WholeNumber | Sequence[WholeNumber] = 0) -> Callable[..., Any]:
    """Return the function that computes ∇f with respect to argument ``argnum``.

    Args:
        f: a function that returns one number (a Value or Tensor if called with nodes).
        argnum: the 0-based position of the argument; a sequence of positions gives a tuple of gradients.

    Returns:
        a function of the same arguments. The argument may nest lists, tuples and dicts of numbers, arrays and nodes;
        the gradient has the same structure and shapes. It is 0 for an argument that f ignores and if f is constant.

    Raises:
        TypeError: if f is not callable, the argument holds no numbers or the result is not a number; also if the
            result does not depend on the argument although f read the ``.data`` of a node that does (the message
            names the line).
        ValueError: if the result has more than one element, or ``argnum`` is out of range.

    >>> grad(lambda x: x ** 3)(2.0)
    12.0
    >>> grad(grad(lambda x: x ** 3))(2.0)
    12.0
    """
    both = value_and_grad(f, argnum)

    @wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnum: WholeNumber | Sequence[WholeNumber] = 0
) -> Callable[..., tuple[Any, Any]]:
    """Return the function that computes (f, ∇f) in one forward and one backward pass; arguments and errors as `grad`.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """
    _check_function(f)

    @wraps(f)
    def both(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
        call = Call(f, argnum, args, kwargs)
        output = call.single_output()
        return call.plain(output), call.pullback(output, None)

    return both


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return f(*primals) and the pullback (vjp) ū ↦ Jᵀū, which gives one gradient for each primal.

    The result of f may nest; the cotangent ū must have its structure and shapes. Raises the same errors as `grad`.

    >>> value, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    _check_function(f)
    call = Call(f, tuple(range(len(primals))), primals, {})
    outputs = flatten(call.result)
    if not outputs:
        raise TypeError(f"vjp needs a function that returns numbers; this one returned {describe(call.result)}")

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        return call.pullback_of_all(outputs, flatten_as(cotangent, call.result, "the cotangent"))  # type: ignore[no-any-return]

    return tree_map(call.plain, call.result), pullback


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return f(*primals) and the directional derivative (jvp) J·t.

    The pullback ū ↦ Jᵀū is linear, so its pullback is J: two backward passes and no second table of rules.

    Args:
        primals: a list or tuple of the arguments, each of which may nest.
        tangents: a list or tuple with one direction for each argument, of the same structure and shapes.

    Raises:
        TypeError: if primals or tangents is not a list or tuple.
        ValueError: if their structures or shapes differ.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    _check_function(f)
    for role, items in (("primals", primals), ("tangents", tangents)):
        if not isinstance(items, list | tuple):
            raise TypeError(f"jvp needs a list or tuple of {role}, one for each argument, and got {describe(items)}")
    given, directions = flatten(list(primals)), flatten_as(list(tangents), list(primals), "tangents")
    shapes = [np.shape(x) for x in given], [np.shape(x) for x in directions]
    if shapes[0] != shapes[1]:
        raise ValueError(f"jvp needs tangents with the primals' shapes {shapes[0]}, and got {shapes[1]}")
    call = Call(f, tuple(range(len(primals))), tuple(primals), {})
    outputs = flatten(call.result)
    derivatives = [_pushforward(call, output, directions) for output in outputs]
    return tree_map(call.plain, call.result), rebuild(call.result, derivatives)


def jacobian(f: Callable[..., Any], argnum: WholeNumber = 0) -> Callable[..., Any]:
    """Return the function that computes ∂f/∂x, of shape s + t for a result of shape s and an argument of shape t.

    If the result or the argument nests, so does the Jacobian: the structure of the result outside, that of the
    argument inside. Raises the same errors as `grad`.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    _check_function(f)

    @wraps(f)
    def derivative(*args: Any, **kwargs: Any) -> Any:
        call = Call(f, argnum, args, kwargs)
        return tree_map(lambda output: _rows(call, output), call.result)

    return derivative


def hessian(f: Callable[..., Any], argnum: WholeNumber = 0) -> Callable[..., Any]:
    """Return the function that computes ∂²f/∂x², the `jacobian` of the gradient; for x of shape t it has shape t + t.

    >>> hessian(lambda x: x[0] * x[0] * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f, argnum), argnum)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """Return the product of the Hessian of f at x with v as the gradient of ⟨∇f, v⟩, without forming the Hessian.

    ``v`` and the result have the structure and shapes of ``x``.

    Raises:
        TypeError: if f is not callable, or its result is not a number.
        ValueError: if the structures or shapes of v and x differ.

    >>> hvp(lambda x: x ** 3, 2.0, 1.0)
    12.0
    """
    direction = flatten_as(v, x, "v")
    shapes = [np.shape(a) for a in flatten(x)], [np.shape(a) for a in direction]
    if shapes[0] != shapes[1]:
        raise ValueError(f"hvp needs v with the shapes of x, {shapes[0]}, and got {shapes[1]}")

    def along(point: Any) -> Any:
        slopes = flatten(grad(f)(point))
        return total_of(_dot(slope, part) for slope, part in zip(slopes, direction, strict=True))

    return grad(along)(x)


def _check_function(f: Any) -> None:
    if not callable(f):
        raise TypeError(
            f"a derivative needs a function, and got {describe(f)}; for a computed output use gradients(output, inputs)"
        )


def _dot(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):  # a slope may be infinite where the direction is 0; that product does not matter
        product = x * y
        return product if np.ndim(product) == 0 else sum_over(product)


def _pushforward(call: Call, output: Any, directions: Sequence[Any]) -> Any:
    """J·t for one output: the pullback of the pullback, at any cotangent (here 1) because the pullback is linear."""
    if not isinstance(output, Node):
        return 0.0 if np.ndim(output) == 0 else np.zeros(np.shape(output))
    data = output._data
    cotangent: Any = Value(1.0) if data.__class__ is float else Tensor(np.ones(data.shape, data.dtype))
    back = gradients(output, call.inputs, seed=cotangent, create_graph=True)
    terms = [_dot(slope, part) for slope, part in zip(back, directions, strict=True) if slope is not None]
    forward = None
    if terms and isinstance(total := total_of(terms), Node):
        graph = call.open or any(isinstance(part, Node) for part in directions)
        forward = gradients(total, cotangent, create_graph=graph)
    return zero_of(cotangent) if forward is None else forward


def _rows(call: Call, output: Any) -> Any:
    """The Jacobian of one output, by one backward pass for each of its elements."""
    shape = shape_of(output)
    if shape == ():
        return call.pullback(output, None)
    rows = []
    for k in range(int(np.prod(shape))):
        seed = np.zeros(shape, output.dtype)
        seed.flat[k] = 1.0
        rows.append(flatten(call.pullback(output, seed)))
    if not rows:
        empty = [np.zeros(shape + np.shape(leaf._data)) for leaf in call.inputs]
        return call.structured(empty)
    return call.structured([_stacked(column, shape) for column in zip(*rows, strict=True)])


def _stacked(column: Sequence[Any], shape: tuple[int, ...]) -> Any:
    if not any(isinstance(row, Node) for row in column):
        return np.stack(column).reshape(shape + np.shape(column[0]))
    return reshape(stack(column), shape=shape + np.shape(column[0]))
