"""Primitives that reduce many elements to few: sums, extremes, norms, and functions composed of them.

``axis`` is None (all elements), an int or a tuple of ints; ``keepdims`` keeps reduced axes with length 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import NONZERO, Example
from autodiff.primitives.expression import Expression
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import as_operand
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import RECORDERS
from autodiff.primitives.table.elementwise import by_convention, exp, square, where
from autodiff.primitives.table.layout import concatenate, flip, reshape, stack, swapaxes, transpose

__all__ = [
    "cumprod", "cumsum", "log_softmax", "logsumexp", "max", "mean", "min", "norm", "prod", "softmax", "spread", "std", "sum",
    "var",
]  # fmt: skip

_REDUCTIONS = (
    Example(((4,),)),
    Example(((2, 3),), {"axis": 0}),
    Example(((2, 3),), {"axis": 1, "keepdims": True}),
    Example(((2, 3, 2),), {"axis": (0, -1)}),
    Example(((1, 3),)),
    Example(((),)),
)
_add_up: Any = np.add.reduce  # NumPy's types take keepdims as a literal only
_SMALLEST = {"d": 2.2250738585072014e-308, "f": 1.1754943508222875e-38}  # normal numbers
_MOST_COPIES = 1000  # of n elements each, to multiply all but one; longer products use division while no element is 0


def _sum(xp: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    return _add_up(x, axis, None, None, keepdims)  # in two thirds of the time of x.sum on few numbers


def _mean(xp: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    if not x.size:
        return x.mean(axis=axis, keepdims=keepdims)
    total = _add_up(x, axis, None, None, keepdims)
    return total / (x.size // total.size if isinstance(total, np.ndarray) else x.size)


def _spread(xp: Any, g: Any, *, shape: Any, axis: Any = None, keepdims: bool = False) -> Any:
    if isinstance(g, np.ndarray | np.generic) and g.dtype.char != "O" and g.size:
        strides = _strides(g, shape, axis, keepdims)
        if strides is not None:
            view = np.ndarray(shape, g.dtype, g, 0, strides)  # a seventh of the time of `numpy.broadcast_to`
            view.flags.writeable = False
            return view
    if axis is None:
        return np.broadcast_to(np.reshape(g, (1,) * len(shape)), shape)
    if shape:  # NumPy reduces a number over axis 0 and −1 although it has no axes
        axes = tuple(a % len(shape) for a in (axis if isinstance(axis, tuple) else (axis,)))
        if not keepdims:
            g = np.expand_dims(g, axes)
        elif g.ndim != len(shape) or any(g.shape[a] != 1 for a in axes):
            raise ValueError(f"shape {g.shape} is not that of a sum over axis={axis} of shape {shape} with keepdims")
    return np.broadcast_to(g, shape)


def _strides(g: Any, shape: tuple[int, ...], axis: Any, keepdims: bool) -> tuple[int, ...] | None:
    """The strides with which ``g`` repeats itself along the summed axes; None if it needs NumPy's checks."""
    count = len(shape)
    if axis is None:
        return (0,) * count if g.size == 1 else None
    strides = g.strides
    if axis.__class__ is not int or not -count <= axis < count or not g.flags.c_contiguous:
        return None
    axis %= count
    if keepdims:
        kept = g.shape == (*shape[:axis], 1, *shape[axis + 1 :])
        return (*strides[:axis], 0, *strides[axis + 1 :]) if kept else None
    return (*strides[:axis], 0, *strides[axis:]) if g.shape == (*shape[:axis], *shape[axis + 1 :]) else None


def _norm(xp: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """√Σx² scaled by the largest element, so that squares neither overflow nor vanish."""
    scale = np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0)
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1.0)
    size = np.sqrt(np.sum(np.square(x / scale), axis=axis, keepdims=True)) * scale
    return size if keepdims else np.squeeze(size, axis=axis) if axis is not None else size.reshape(())


def _logsumexp(xp: Any, x: Any, *, axis: Any = None, keepdims: bool = False) -> Any:
    """top + ln n + ln(1 + Σ e^(x − top)/n), where n elements equal top: ln Σ would round to 0 if one dominates."""
    top = _top(x, axis)
    with np.errstate(divide="ignore", over="ignore"):  # e^−inf = 0 and, where every element is −inf, ln 0 are right
        y = x - top
        highest = y == 0
        count = np.add.reduce(highest, axis, keepdims=True)
        others = np.add.reduce(np.where(highest, 0.0, np.exp(y)), axis, keepdims=True)
        n = np.maximum(count, 1).astype(x.dtype)
        total = np.log(n) + np.log1p(others / n)
        if not count.all():
            total = np.where(count, total, np.log(others))
        total = total + top
    return total if keepdims else np.squeeze(total, axis=axis) if axis is not None else total.reshape(())


def _top(x: Any, axis: Any) -> Any:
    """The largest element of each row, or 0 if that is infinite."""
    top = np.maximum.reduce(x, axis, keepdims=True)
    finite = np.isfinite(top)
    return top if finite.all() else np.where(finite, top, 0.0)


def _below_top(name: str, x: Any, axis: Any) -> Any:
    """x − max x, with the maximum as a constant: the softmax is unchanged, and its logarithm keeps all digits."""
    data = getattr(x, "_data", x)
    if not isinstance(data, np.ndarray) or data.dtype.kind not in "fO":
        data = as_operand(name, data)
    x = x if x.__class__ in RECORDERS else data
    if data.dtype == object:
        parts = [getattr(part, "_data", part) for part in data.flat]
        if not all(map(is_plain_number, parts)):  # dual numbers, which have all the digits required
            return x - logsumexp(x, axis=axis, keepdims=True)
        data = np.array(parts, float).reshape(data.shape)
    try:
        with np.errstate(over="ignore"):  # −inf is right: its share is 0
            return x - _top(data, axis)
    except (TypeError, ValueError) as error:
        raise logsumexp.refusal([data], {"axis": axis}, error) from error


def _shares(x: Any, axis: Any) -> Any:
    """The softmax over axes, which is the gradient of `logsumexp`."""
    return Expression("xp", "softmax", x) if isinstance(x, Expression) else softmax(x, axis=axis)


def _share_of_extreme(g: Any, z: Any, x: Any, *, axis: Any, keepdims: bool) -> Any:
    """g shared equally among the elements of x that equal the extreme z."""
    chosen = 1.0 * ((x == spread(z, shape=x.shape, axis=axis, keepdims=keepdims)) | (x != x))  # a nan is the extreme
    count = spread(sum(chosen, axis=axis, keepdims=keepdims), shape=x.shape, axis=axis, keepdims=keepdims)
    weight = by_convention(chosen / count, x, (chosen > 0) & (count > 1))
    return spread(g, shape=x.shape, axis=axis, keepdims=keepdims) * weight


def _by_length(g: Any, z: Any) -> Any:
    """g/z, and 0·g where z is 0: the factor 0 is not a closed gate, so that a nan or an inf is not lost."""
    return g / where(z == 0, 1.0, z) * by_convention(where(z == 0, 0.0, 1.0), z, z == 0)


def _product_of_others(z: Any, x: Any, axis: Any, keepdims: bool) -> Any:
    """For each element the product of the *others*, correct at zeros too, and differentiable to any order."""
    if isinstance(x, Expression):
        return Expression("xp", "product_of_others", x)
    axes = tuple(range(x.ndim)) if axis is None or not x.ndim else tuple(a % x.ndim for a in np.atleast_1d(axis))
    count = int(np.prod([x.shape[a] for a in axes]))
    if _has_all_digits(z, x.dtype) or (count > _MOST_COPIES and np.all(x != 0)):
        return spread(z, shape=x.shape, axis=axis, keepdims=keepdims) / x
    # n copies of the n elements, the k-th with a 1 in place of x_k: n² space, used only where z/x_k is undefined.
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    order = rest + axes
    flat = reshape(transpose(x, axes=order), shape=(*(x.shape[a] for a in rest), 1, count))
    others = prod(where(np.eye(count, dtype=bool), np.ones(count), flat), axis=-1)
    shaped = reshape(others, shape=tuple(x.shape[a] for a in order))
    return transpose(shaped, axes=tuple(int(a) for a in np.argsort(order)))


def _share_of_running_product(g: Any, z: Any, x: Any, axis: Any) -> Any:
    """Σᵢ≥ⱼ gᵢzᵢ / xⱼ; where z/x is undefined, the product of the elements before xⱼ times that of those after it."""
    if isinstance(x, Expression):
        return Expression("xp", "share_of_running_product", g, z, x)
    if _has_all_digits(z, x.dtype):
        return flip(cumsum(flip(g * z, axis=axis), axis=axis), axis=axis) / x
    g, z, x = (swapaxes(item, axis1=axis, axis2=-1) for item in (g, z, x))
    behind = [g[..., -1]]
    for k in range(x.shape[-1] - 1, 0, -1):  # gⱼ + xⱼ₊₁·(gⱼ₊₁ + xⱼ₊₂·(…)): without products of earlier elements
        behind.append(g[..., k - 1] + x[..., k] * behind[-1])
    before = concatenate([np.ones((*x.shape[:-1], 1), x.dtype), z[..., :-1]], axis=-1)
    return swapaxes(before * stack(behind[::-1], axis=-1), axis1=axis, axis2=-1)


def _has_all_digits(z: Any, dtype: Any) -> bool:
    """Whether no product is zero, has overflowed, or has lost digits below the smallest normal number."""
    smallest = _SMALLEST.get(dtype.char, _SMALLEST["d"])
    return bool(np.all(((z >= smallest) | (z <= -smallest)) & (z < np.inf) & (z > -np.inf)))


# fmt: off
sum: Primitive = primitive("sum", _sum,
    [lambda g, z, x, *, axis=None, keepdims=False: spread(g, shape=x.shape, axis=axis, keepdims=keepdims)],
    symbol="Σ", elementwise=False, reduces=True, linear=True, numpy=np.sum, examples=_REDUCTIONS,
    doc="Sum over axes; every element gets the whole error signal.")

mean = primitive("mean", _mean,
    [lambda g, z, x, *, axis=None, keepdims=False:
        spread(g * z.size / x.size, shape=x.shape, axis=axis, keepdims=keepdims)],
    elementwise=False, reduces=True, linear=True, numpy=np.mean, examples=_REDUCTIONS,
    doc="Mean over axes; every element gets 1/n of the error signal.")

prod = primitive("prod", lambda xp, x, *, axis=None, keepdims=False: x.prod(axis=axis, keepdims=keepdims),
    [lambda g, z, x, *, axis=None, keepdims=False:
        spread(g, shape=x.shape, axis=axis, keepdims=keepdims) * _product_of_others(z, x, axis, keepdims)],
    symbol="Π", domain=NONZERO, elementwise=False, reduces=True, numpy=np.prod, examples=_REDUCTIONS,
    doc="Product over axes; correct at zeros: the gradient of prod([0, 2, 3]) is [6, 0, 0].")

max = primitive("max", lambda xp, x, *, axis=None, keepdims=False: x.max(axis=axis, keepdims=keepdims),
    [lambda g, z, x, *, axis=None, keepdims=False: _share_of_extreme(g, z, x, axis=axis, keepdims=keepdims)],
    elementwise=False, reduces=True, gate=True, numpy=(np.max, np.amax), examples=_REDUCTIONS,
    doc="Largest element over axes; ties share the error equally, summing to 1.")

min = primitive("min", lambda xp, x, *, axis=None, keepdims=False: x.min(axis=axis, keepdims=keepdims),
    [lambda g, z, x, *, axis=None, keepdims=False: _share_of_extreme(g, z, x, axis=axis, keepdims=keepdims)],
    elementwise=False, reduces=True, gate=True, numpy=(np.min, np.amin), examples=_REDUCTIONS,
    doc="Smallest element over axes; ties share the error equally, summing to 1.")

norm = primitive("norm", _norm,
    [lambda g, z, x, *, axis=None, keepdims=False:
        x * spread(_by_length(g, z), shape=x.shape, axis=axis, keepdims=keepdims)],
    symbol="‖x‖", elementwise=False, reduces=True, domain=NONZERO, examples=_REDUCTIONS,
    doc="Euclidean norm √Σx² over axes; its gradient at 0 is 0.")

logsumexp: Primitive = primitive("logsumexp", _logsumexp,
    [lambda g, z, x, *, axis=None, keepdims=False: spread(g, shape=x.shape, axis=axis, keepdims=keepdims)
        * _shares(x, axis)],
    symbol="ln Σ eˣ", elementwise=False, reduces=True, examples=_REDUCTIONS,
    doc="ln Σ eˣ over axes, without overflow; its gradient is the softmax.")

cumsum: Primitive = primitive("cumsum", lambda xp, x, *, axis: xp.cumsum(x, axis=axis),
    [lambda g, z, x, *, axis: flip(cumsum(flip(g, axis=axis), axis=axis), axis=axis)],
    elementwise=False, linear=True,
    examples=(Example(((4,),), {"axis": 0}), Example(((2, 3),), {"axis": 0}), Example(((2, 3),), {"axis": -1})),
    doc="Cumulative sum along one axis.")

cumprod: Primitive = primitive("cumprod", lambda xp, x, *, axis: xp.cumprod(x, axis=axis),
    [lambda g, z, x, *, axis: _share_of_running_product(g, z, x, axis)],
    domain=NONZERO, elementwise=False,
    examples=(Example(((4,),), {"axis": 0}), Example(((2, 3),), {"axis": 0}), Example(((2, 3),), {"axis": -1})),
    doc="Cumulative product along one axis; correct at zeros, like the product.")

spread: Primitive = primitive("spread", _spread,
    [lambda g, z, x, *, shape, axis=None, keepdims=False: sum(g, axis=axis, keepdims=keepdims)
        if axis is not None or keepdims else reshape(sum(g), shape=x.shape)],
    elementwise=False, linear=True,
    examples=(Example(((),), {"shape": (2, 3)}), Example(((3,),), {"shape": (2, 3), "axis": 0}),
              Example(((2, 1),), {"shape": (2, 3), "axis": 1, "keepdims": True})),
    doc="The transpose of a sum: a reduced array repeated over the summed axes.")
# fmt: on


def var(x: Any, axis: Any = None, keepdims: bool = False, *, ddof: int = 0) -> Any:
    """Return the variance Σ(x − mean)²/(n − ddof) over ``axis``, shaped like `sum`, in squared units of ``x``.

    Raises:
        TypeError: if ``ddof`` is not a number.
        ValueError: if n − ddof is not positive.

    >>> float(var([1.0, 3.0]))
    1.0
    """
    freedom = _freedom(x, axis, ddof)
    centred = x - mean(x, axis=axis, keepdims=True)
    return sum(square(centred), axis=axis, keepdims=keepdims) / freedom


def std(x: Any, axis: Any = None, keepdims: bool = False, *, ddof: int = 0) -> Any:
    """Return the standard deviation √var over ``axis``, shaped like `sum`, in the units of ``x``.

    For equal elements the value and the gradient are 0 (like `norm` at 0).

    Raises:
        TypeError: if ``ddof`` is not a number.
        ValueError: if n − ddof is not positive.

    >>> float(std([1.0, 3.0]))
    1.0
    """
    freedom = _freedom(x, axis, ddof)
    centred = x - mean(x, axis=axis, keepdims=True)
    return norm(centred, axis=axis, keepdims=keepdims) / freedom**0.5


def _freedom(x: Any, axis: Any, ddof: int) -> float:
    """n − ddof, where n is the number of elements in each variance."""
    shape = np.shape(x)
    try:
        axes = range(len(shape)) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, len(shape))
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"a variance over axis={axis!r} of shape {shape} is not defined: {error}") from error
    if not is_plain_number(ddof):
        raise TypeError(f"a variance takes a number as ddof, and got {ddof!r}")
    freedom = float(np.prod([shape[a] for a in axes])) - as_float(ddof)
    if not freedom > 0:
        raise ValueError(f"a variance needs more than ddof={ddof} elements, and got shape {shape} with axis={axis}")
    return freedom


def softmax(x: Any, axis: Any = -1) -> Any:
    """Return the softmax eˣ/Σ eˣ along ``axis``, without overflow; the result (dimensionless) sums to 1 along it.

    >>> softmax([0.0, 0.0])
    array([0.5, 0.5])
    """
    e = exp(_below_top("softmax", x, axis))
    return e / sum(e, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Return the logarithm of the `softmax`, x − ln Σ eˣ along ``axis``, without overflow, in nats.

    >>> log_softmax([0.0, 0.0]).round(4)
    array([-0.6931, -0.6931])
    """
    y = _below_top("log_softmax", x, axis)
    return y - logsumexp(y, axis=axis, keepdims=True)
