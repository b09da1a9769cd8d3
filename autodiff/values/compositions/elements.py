"""Functions that work on each element alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from operator import index
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import as_tensor, constants, plain, shape_of
from autodiff.primitives.operands import describe
from autodiff.primitives.special import LN2
from autodiff.primitives.table import choices, elementwise, layout, rounding, scientific, units
from autodiff.values.compositions.moves import ravel

__all__ = ["ELEMENTS"]


def _beside(z: Any, y: Any) -> Any:
    """``z`` as a node that also depends on ``y``, through a closed gate: y affects z but receives no error."""
    return choices.where(np.ones(shape_of(z), bool) if np.ndim(plain(z)) else True, z, y)


def _clip(x: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    if not (a_min is a_max is None or min is max is None):
        raise ValueError("clip takes its limits as a_min and a_max or as min and max, and got some of both")
    return elementwise.clip(x, min if a_min is None else a_min, max if a_max is None else a_max)


def _round(x: Any, decimals: int = 0) -> Any:
    if decimals == 0:
        return rounding.rint(x)
    unit = 10.0 ** abs(index(decimals)) if abs(index(decimals)) < 309 else math.inf
    return rounding.rint(x * unit) / unit if decimals > 0 else rounding.rint(x / unit) * unit


def _copysign(x: Any, y: Any) -> Any:
    """|x| with the sign of y."""
    z = elementwise.absolute(x) * constants(np.copysign(1.0, plain(y)), x if np.ndim(plain(x)) else y)
    return _beside(z, y) if isinstance(y, Node) else z


def _fmax(x: Any, y: Any) -> Any:
    return _of_numbers(elementwise.maximum, x, y)


def _fmin(x: Any, y: Any) -> Any:
    return _of_numbers(elementwise.minimum, x, y)


def _of_numbers(choice: Callable[..., Any], x: Any, y: Any) -> Any:
    """``choice(x, y)``, but if one of the two is nan, the other."""
    return choices.where(np.isnan(plain(x)), y, choices.where(np.isnan(plain(y)), x, choice(x, y)))


def _heaviside(x: Any, at_zero: Any) -> Any:
    """0 for x < 0, 1 for x > 0, ``at_zero`` at 0."""
    return choices.where(np.equal(plain(x), 0), at_zero, 0.5 * elementwise.sign(x) + 0.5)


def _nan_to_num(x: Any, *, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    data = plain(x)
    largest = np.finfo(np.asarray(data).dtype).max
    for places, number in (
        (np.isnan(data), nan),
        (np.isposinf(data), largest if posinf is None else posinf),
        (np.isneginf(data), -largest if neginf is None else neginf),
    ):
        x = choices.where(places, number, x)
    return x


def _divmod(x: Any, y: Any) -> Any:
    return rounding.floor_divide(x, y), rounding.remainder(x, y)


def _modf(x: Any) -> Any:
    endless = np.isinf(plain(x))
    rest = rounding.fmod(choices.where(endless, constants(0.0, x), x), 1.0)
    return choices.where(endless, constants(np.copysign(0.0, plain(x)), x), rest), rounding.trunc(x)


def _frexp(x: Any) -> Any:
    """m and k with x = m·2ᵏ; the whole numbers k are plain."""
    _, exponents = np.frexp(plain(x))
    return _ldexp(x, -exponents), exponents


def _ldexp(x: Any, exponents: Any) -> Any:
    """x·2ᵏ in two steps, because 2ᵏ may overflow even if the product does not."""
    k = np.asarray(plain(exponents))
    if k.dtype.kind not in "iu":
        raise TypeError(f"ldexp takes whole numbers as exponents, and got {describe(exponents)}")
    half = k // 2
    return x * constants(np.ldexp(1.0, half), x) * constants(np.ldexp(1.0, k - half), x)


def _logaddexp2(x: Any, y: Any) -> Any:
    return scientific.logaddexp(x * LN2, y * LN2) / LN2


def _unwrap(x: Any, discont: Any = None, axis: int = -1, *, period: float = 2.0 * math.pi) -> Any:
    """x with constants added, multiples of the period."""
    return x + (np.unwrap(plain(x), discont, axis, period=period) - plain(x))


def _astype(x: Any, dtype: Any) -> Any:
    """The numbers as float64 or float32."""
    kind = np.dtype(dtype)
    if kind.char not in "df":
        raise TypeError(f"a node must be float64 or float32, got dtype {kind}; use .data for other types")
    if isinstance(x, Node) and x.scalar:
        if kind.char != "d":
            raise TypeError("a Value must be float64, got dtype float32; use a Tensor")
        return x
    return x if kind == x.dtype else layout.astype(x, dtype=kind.name)


# ---- choices ---------------------------------------------------------------------------------------------------------


def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0.0) -> Any:
    """The first choice whose condition holds."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(f"select takes a choice for each condition, and got {len(condlist)} and {len(choicelist)}")
    if not isinstance(default, Node):
        default = constants(default, next((x for x in choicelist if isinstance(x, Node)), default))
    pairs = list(zip(condlist, choicelist, strict=True))
    return reduce(lambda z, pair: choices.where(np.asarray(plain(pair[0])), pair[1], z), reversed(pairs), default)


def _choose(a: Any, choices: Sequence[Any]) -> Any:
    """For each element of ``a``, the choice with that index."""
    numbers, count = np.asarray(plain(a)), len(choices)
    if numbers.dtype.kind not in "iu" or not count or numbers.min(initial=0) < 0 or numbers.max(initial=0) >= count:
        raise ValueError(f"choose takes whole numbers 0 … {count - 1} for {count} choices, and got {describe(a)}")
    return _select([numbers == k for k in range(count)], choices, choices[0])


def _piecewise(x: Any, condlist: Sequence[Any], funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """Each function of the elements for which its condition holds (the last one wins); an extra one is the default."""
    size, functions = np.size(plain(x)), list(funclist)
    asked = np.asarray(plain(condlist), bool)
    conditions = list(asked.reshape(1 if asked.shape == shape_of(x) else len(asked), size))
    if len(functions) - len(conditions) not in (0, 1):
        raise ValueError(
            f"piecewise takes a function for each condition, and one more as default; it got {len(conditions)} "
            f"conditions and {len(functions)} functions"
        )
    if len(functions) > len(conditions):
        conditions.append(~np.any(conditions, axis=0))
    last = np.max([(k + 1) * condition for k, condition in enumerate(conditions)], axis=0)
    z, flat = constants(np.zeros(size), x), ravel(x)
    for k, (condition, function) in enumerate(zip(conditions, functions, strict=True)):
        places = np.flatnonzero(condition)
        part = function(layout.take(flat, places), *args, **kw) if callable(function) else constants(function, x)
        kept = last[places] == k + 1
        part = layout.take(layout.broadcast_to(part, shape=places.shape), np.flatnonzero(kept))
        z = z + layout.scatter(part, index=places[kept], shape=(size,))
    return layout.reshape(z if isinstance(z, Node) else _beside(z, flat), shape=shape_of(x))


# ---- along an axis ---------------------------------------------------------------------------------------------------


def _linspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, *, axis: int = 0
) -> Any:
    """start + t·(stop − start) for equidistant t from 0 to 1, along a new axis."""
    steps = np.linspace(0.0, 1.0, num, endpoint)
    shape = np.broadcast_shapes(shape_of(start), shape_of(stop))
    t = constants(np.reshape(steps, (num, *[1] * len(shape))), start if isinstance(start, Node) else stop)
    z = (1.0 - t) * start + t * stop
    if axis not in (0, -len(shape) - 1):
        z = np.moveaxis(z, 0, axis)
    return (z, (stop - start) / ((num - endpoint) or math.nan)) if retstep else z


def _logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, *, axis: int = 0) -> Any:
    return elementwise.raise_to(base, _linspace(start, stop, num, endpoint, axis=axis))


def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Any:
    """Linear interpolation between the two points (xp, fp) around x; ``left`` and ``right`` outside all points."""
    shape = shape_of(xp)
    if len(shape) != 1 or shape == (0,) or shape_of(fp) != shape:
        raise ValueError(
            f"interp takes two vectors of one length, at least 1, as xp and fp, and got shapes {shape} and "
            f"{shape_of(fp)}"
        )
    if shape == (1,):
        xp, fp = layout.take(xp, [0, 0]) + np.array([0.0, 1.0]), layout.take(fp, [0, 0])
    data, known = plain(x), np.asarray(plain(xp))
    k = np.clip(np.searchsorted(known, data, side="right") - 1, 0, len(known) - 2)
    low, high, f_low, f_high = (layout.take(part, places) for part in (xp, fp) for places in (k, k + 1))
    z = f_low + (f_high - f_low) * ((x - low) / (high - low))
    z = choices.where(data > known[-1], layout.take(fp, -1) if right is None else right, z)
    return choices.where(data < known[0], layout.take(fp, 0) if left is None else left, z)


def _full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Any:
    """A node if the fill value is one, else a plain array."""
    if not isinstance(fill_value, Node):
        return np.full_like(plain(a), fill_value, dtype, shape=shape)
    filled = layout.broadcast_to(as_tensor(fill_value), shape=shape_of(a) if shape is None else shape)
    return _astype(filled, getattr(plain(a), "dtype", np.float64) if dtype is None else dtype)


#: The implementation of each NumPy function on nodes, by its name in NumPy.
ELEMENTS: Final[dict[str, Callable[..., Any]]] = {
    "around": _round, "astype": _astype, "choose": _choose, "clip": _clip, "conjugate": lambda x: units.identity(x),
    "copysign": _copysign, "deg2rad": lambda x: x * (math.pi / 180.0), "degrees": lambda x: x * (180.0 / math.pi),
    "divmod": _divmod, "float_power": elementwise.raise_to, "fmax": _fmax, "fmin": _fmin, "frexp": _frexp,
    "full_like": _full_like,
    "heaviside": _heaviside, "interp": _interp, "ldexp": _ldexp, "linspace": _linspace, "logaddexp2": _logaddexp2,
    "logspace": _logspace, "modf": _modf, "nan_to_num": _nan_to_num, "piecewise": _piecewise,
    "positive": lambda x: units.identity(x), "power": elementwise.raise_to, "rad2deg": lambda x: x * (180.0 / math.pi),
    "radians": lambda x: x * (math.pi / 180.0), "real": lambda x: units.identity(x), "real_if_close": units.identity,
    "round": _round, "select": _select, "unwrap": _unwrap, "where": choices.where,
}  # fmt: skip
