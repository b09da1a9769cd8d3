"""Derivatives as functions of functions: ``grad(f)`` and its relatives, to any order, over nested inputs.

Plain numbers in, plain numbers out. If an argument is a node, or the function closes over one, the result is a node
too, as that of any expression would be: that is how transforms nest, without levels and without a mode.
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
    """The function that computes ∇f with respect to argument ``argnum``.

    Args:
        f: a function whose result is one number (a Value or Tensor when called with them).
        argnum: which positional argument, 0-based; a sequence gives a tuple of gradients.

    Returns:
        a function of the same arguments. The argument may nest lists, tuples and dicts of numbers, arrays and nodes:
        so does the result. An argument that f ignores has gradient 0, and so has every argument of a constant.

    Raises:
        TypeError: f is not callable, the argument holds no numbers, or the result is no number; or it depends on none
            of them, but f read the ``.data`` of a node that does (the message names the line).
        ValueError: the result has more than one element, or there is no such argument.

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
    """The function that computes (f, ∇f) in one forward and one backward pass; see `grad`.

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
    """f(*primals) and the pullback ū ↦ Jᵀū: one gradient for each primal.

    The result of f may nest; the cotangent has its structure and shapes. Raises as `grad`.

    >>> value, pullback = vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> value, pullback(1.0)
    (6.0, (3.0, 2.0))
    """
    _check_function(f)
    call = Call(f, tuple(range(len(primals))), primals, {})
    outputs = flatten(call.result)
    if not outputs:
        raise TypeError(f"vjp needs a result that holds a number, and the function returned {describe(call.result)}")

    def pullback(cotangent: Any) -> tuple[Any, ...]:
        return call.pullback_of_all(outputs, flatten_as(cotangent, call.result, "the cotangent"))  # type: ignore[no-any-return]

    return tree_map(call.plain, call.result), pullback


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*primals) and the directional derivative J·t.

    The pullback ū ↦ Jᵀū is linear, so its own pullback is J: two backward passes, no second table of rules.

    Args:
        primals: the arguments, as a list or tuple; each may nest.
        tangents: one direction for each, of the same structure and shapes.

    Raises:
        TypeError: primals or tangents are not lists or tuples. ValueError: their structures or shapes differ.

    >>> jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 0.0))
    (6.0, 3.0)
    """
    _check_function(f)
    for role, items in (("primals", primals), ("tangents", tangents)):
        if not isinstance(items, list | tuple):
            raise TypeError(f"jvp needs {role} as a list or tuple, one for each argument, and got {describe(items)}")
    given, directions = flatten(list(primals)), flatten_as(list(tangents), list(primals), "tangents")
    shapes = [np.shape(x) for x in given], [np.shape(x) for x in directions]
    if shapes[0] != shapes[1]:
        raise ValueError(f"jvp needs tangents of the primals' shapes {shapes[0]}, and got {shapes[1]}")
    call = Call(f, tuple(range(len(primals))), tuple(primals), {})
    outputs = flatten(call.result)
    derivatives = [_pushforward(call, output, directions) for output in outputs]
    return tree_map(call.plain, call.result), rebuild(call.result, derivatives)


def jacobian(f: Callable[..., Any], argnum: WholeNumber = 0) -> Callable[..., Any]:
    """The function that computes ∂f/∂x: for a result of shape s and an argument of shape t, an array of shape s + t.

    A nested result or argument gives the same nesting: the result's outside, the argument's inside. Raises as `grad`.

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
    """The function that computes ∂²f/∂x²: the `jacobian` of the gradient; shape t + t for an argument of shape t.

    >>> hessian(lambda x: x[0] * x[0] * x[1])(np.array([1.0, 2.0]))
    array([[4., 2.],
           [2., 0.]])
    """
    return jacobian(grad(f, argnum), argnum)


def hvp(f: Callable[..., Any], x: Any, v: Any) -> Any:
    """The product of the Hessian of f at x with v, without the Hessian: the gradient of ⟨∇f, v⟩.

    ``v`` has the structure and shapes of ``x``, and so has the result. Raises ValueError where they differ.

    >>> hvp(lambda x: x ** 3, 2.0, 1.0)
    12.0
    """
    direction = flatten_as(v, x, "v")
    shapes = [np.shape(a) for a in flatten(x)], [np.shape(a) for a in direction]
    if shapes[0] != shapes[1]:
        raise ValueError(f"hvp needs v of the shapes of x, {shapes[0]}, and got {shapes[1]}")

    def along(point: Any) -> Any:
        slopes = flatten(grad(f)(point))
        return total_of(_dot(slope, part) for slope, part in zip(slopes, direction, strict=True))

    return grad(along)(x)


def _check_function(f: Any) -> None:
    if not callable(f):
        raise TypeError(f"a derivative is taken of a function, and got {describe(f)}; use gradients(output, inputs)")


def _dot(x: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):  # a slope may be infinite where the direction is 0: nothing comes of it
        product = x * y
        return product if np.ndim(product) == 0 else sum_over(product)


def _pushforward(call: Call, output: Any, directions: Sequence[Any]) -> Any:
    """J·t for one output: the pullback's own pullback, at any cotangent (1 here; it is linear)."""
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
    """The Jacobian of one output: one backward pass for each of its elements."""
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
