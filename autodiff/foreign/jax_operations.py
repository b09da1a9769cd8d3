"""The table of jax primitives: for each name, the same operation of this engine.

The entries consist of primitives, so that they run on nodes and on object arrays of Values. Primitives with integer or
boolean results are not here: their results are constants, which jax computes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.foreign.jax_call import Call, data_of, is_node
from autodiff.foreign.jax_moves import MOVES, ordered, shaped
from autodiff.foreign.singles import constant_of, holds_values, product
from autodiff.foreign.windows import at_positions, convolution, dilated, padded, positions, running_logsumexp, windows
from autodiff.primitives.registry import TABLE
from autodiff.primitives.table.choices import where
from autodiff.primitives.table.elementwise import (
    absolute,
    add,
    cos,
    cosh,
    divide,
    erfc,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    pow,
    power,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
)
from autodiff.primitives.table.elementwise import arccos as acos
from autodiff.primitives.table.elementwise import arcsin as asin
from autodiff.primitives.table.elementwise import arctan as atan
from autodiff.primitives.table.layout import flip
from autodiff.primitives.table.reductions import cumprod, cumsum, max, min, prod, sum
from autodiff.primitives.table.rounding import ceil, floor, fmod, rint
from autodiff.primitives.table.scientific import arccosh, arcsinh, arctan2, arctanh, cbrt, exp2
from autodiff.primitives.table.units import sigmoid
from autodiff.values.base import detach

__all__ = ["OPERATIONS", "clamped"]

Operation = Callable[[Call], Any]


def _of(function: Callable[..., Any]) -> Operation:
    return lambda call: function(*call.operands)


def _same(call: Call) -> Any:
    results = list(call.operands)
    return results if len(results) > 1 else results[0]


def _absolute(x: Any) -> Any:
    """|x|; in jax, its derivative at 0 is 1."""
    numbers = constant_of(x)
    return absolute(x) if np.all(numbers) else where(numbers >= 0, x, negative(x))


def _erf(x: Any) -> Any:
    return subtract(1.0, erfc(x))


def _integer_power(call: Call) -> Any:
    n = call.param("y")
    return square(call.operand(0)) if n == 2 else power(call.operand(0), n=float(n))


def _power(call: Call) -> Any:
    x, y = call.operands
    if np.ndim(y) == 0 and isinstance(y, float | np.ndarray):
        return power(x, n=float(y))
    return pow(x, y if not isinstance(y, np.ndarray) or y.dtype == object else y.astype(call.data(0).dtype))


def _rounded(call: Call) -> Any:
    if call.param("rounding_method").name != "TO_NEAREST_EVEN":
        raise NotImplementedError("its rounding away from zero has no equal in this engine; use jnp.round")
    return rint(call.operand(0))


def _converted(call: Call) -> Any:
    x, kind = call.operand(0), np.dtype(call.equation.outvars[0].aval.dtype)
    if kind.char not in "df":
        instead = "; products with cosines and sines replace a Fourier transform" if kind.kind == "c" else ""
        raise NotImplementedError(f"this engine has no {kind}{instead}")
    return x if holds_values(x) or x.dtype == kind else TABLE["astype"](x, dtype=kind.name)


def _stopped(call: Call) -> Any:
    x = call.operand(0)
    return data_of(x, call.data(0).dtype) if holds_values(x) else detach(x)


def _clamp(call: Call) -> Any:
    low, x, high = call.operands
    return clamped(x, low, high)


def clamped(x: Any, low: Any, high: Any) -> Any:
    """x between two bounds; at a bound, the derivative is 0, as in jax."""
    numbers, least, most = map(constant_of, (x, low, high))
    beyond = np.clip(numbers, least, most)
    if is_node(low) or is_node(high):
        beyond = where(np.less(numbers, least), low, beyond)
        beyond = where(np.greater(np.maximum(numbers, least), most), high, beyond)
    return where(np.greater(numbers, least) & np.less(numbers, most), x, beyond)


def _reduced(function: Callable[..., Any]) -> Operation:
    def reduce(call: Call) -> Any:
        axes = tuple(call.param("axes"))
        x = call.operand(0)
        return x if not axes else function(x) if len(axes) == np.ndim(x) else function(x, axis=axes)

    return reduce


def _running(function: Callable[..., Any]) -> Operation:
    def run(call: Call) -> Any:
        x, axis = call.operand(0), call.param("axis")
        if not call.param("reverse"):
            return function(x, axis=axis)
        return flip(function(flip(x, axis=axis), axis=axis), axis=axis)

    return run


def _dot(call: Call) -> Any:
    (over_a, over_b), (batch_a, batch_b) = call.param("dimension_numbers")
    a, b = call.operands
    free_a = [k for k in range(np.ndim(a)) if k not in (*over_a, *batch_a)]
    free_b = [k for k in range(np.ndim(b)) if k not in (*over_b, *batch_b)]
    a, b = ordered(a, (*batch_a, *free_a, *over_a)), ordered(b, (*batch_b, *over_b, *free_b))
    if len(over_a) == 1 and (len(free_a) <= 1 and len(free_b) <= 1) and not batch_a:
        return product(a, b)
    lead, terms = np.shape(a)[: len(batch_a)], math.prod(np.shape(a)[len(batch_a) + len(free_a) :])
    rows = np.shape(a)[len(batch_a) : len(batch_a) + len(free_a)]
    columns = np.shape(b)[len(batch_b) + len(over_b) :]
    left = shaped(a, (*lead, math.prod(rows), terms))
    right = shaped(b, (*lead, terms, math.prod(columns)))
    return shaped(product(left, right), (*lead, *rows, *columns))


def _convolution(call: Call) -> Any:
    if call.param("batch_group_count") != 1:
        raise NotImplementedError("with batch_group_count, as in a gradient that jax took")
    numbers = call.param("dimension_numbers")
    x, w = ordered(call.operand(0), tuple(numbers.lhs_spec)), ordered(call.operand(1), tuple(numbers.rhs_spec))
    made = convolution(
        dilated(x, call.param("lhs_dilation")), w, stride=call.param("window_strides"), margins=call.param("padding"),
        dilation=call.param("rhs_dilation"), groups=call.param("feature_group_count"),
    )  # fmt: skip
    return ordered(made, tuple(int(k) for k in np.argsort(numbers.out_spec)))


def _parts(call: Call, x: Any, fill: float) -> Any:
    """The windows of a reduction over windows, as the last axes."""
    size, stride = call.param("window_dimensions"), call.param("window_strides")
    if any(step != 1 for step in call.param("base_dilation")):
        raise NotImplementedError("with base_dilation")
    margins = call.param("padding")
    x = np.pad(x, margins, constant_values=fill) if fill else padded(x, margins)
    return windows(x, size, stride, call.param("window_dilation"))


def _window_sum(call: Call) -> Any:
    count = len(call.shape)
    return sum(_parts(call, call.operand(0), 0.0), axis=tuple(range(count, 2 * count)))


def _window_extreme(worst: float, find: Callable[..., Any]) -> Operation:
    """The first extreme of each window, by its position: jax gives ties to it, too."""

    def choose(call: Call) -> Any:
        x = call.data(0)
        count = (*call.shape, -1)
        taken = find(_parts(call, x, worst).reshape(count), axis=-1)[..., None]
        numbered = np.pad(positions(x.shape), call.param("padding"))
        size, stride = call.param("window_dimensions"), call.param("window_strides")
        places = windows(numbered, size, stride, call.param("window_dilation")).reshape(count)
        return at_positions(call.operand(0), np.take_along_axis(places, taken, -1)[..., 0])

    return choose


OPERATIONS: Final[dict[str, Operation]] = {
    **MOVES,
    "abs": _of(_absolute), "acos": _of(acos), "acosh": _of(arccosh), "add": _of(add), "add_any": _of(add),
    "asin": _of(asin), "asinh": _of(arcsinh), "atan": _of(atan), "atan2": _of(arctan2), "atanh": _of(arctanh),
    "cbrt": _of(cbrt), "ceil": _of(ceil), "clamp": _clamp, "conv_general_dilated": _convolution,
    "convert_element_type": _converted, "copy": _same, "copy_p": _same, "cos": _of(cos), "cosh": _of(cosh),
    "cumlogsumexp": _running(running_logsumexp),
    "cumprod": _running(cumprod), "cumsum": _running(cumsum), "device_put": _same, "div": _of(divide),
    "dot_general": _dot, "erf": _of(_erf), "erfc": _of(erfc), "exp": _of(exp), "exp2": _of(exp2), "expm1": _of(expm1),
    "floor": _of(floor), "integer_pow": _integer_power, "log": _of(log), "log1p": _of(log1p), "logistic": _of(sigmoid),
    "max": _of(maximum), "min": _of(minimum), "mul": _of(multiply), "name": _same, "neg": _of(negative),
    "optimization_barrier": _same, "pow": _power, "reduce_max": _reduced(max), "reduce_min": _reduced(min),
    "reduce_prod": _reduced(prod), "reduce_sum": _reduced(sum),
    "reduce_window_max": _window_extreme(-np.inf, np.argmax), "reduce_window_min": _window_extreme(np.inf, np.argmin),
    "reduce_window_sum": _window_sum, "rem": _of(fmod), "round": _rounded, "rsqrt": _of(lambda x: power(x, n=-0.5)),
    "sign": _of(sign), "sin": _of(sin), "sinh": _of(sinh), "sqrt": _of(sqrt), "square": _of(square),
    "stop_gradient": _stopped, "sub": _of(subtract), "tan": _of(tan), "tanh": _of(tanh),
}  # fmt: skip
