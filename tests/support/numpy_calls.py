"""Calls of NumPy functions composed of primitives, for tests: each with operands at which it is smooth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["CALLS", "HOLES", "MASK", "C", "Call", "M", "N", "V", "W", "since"]


@dataclass(frozen=True)
class Call:
    """``function(xp, *operands)``, where ``xp`` is NumPy or a module with the same functions."""

    function: Callable[..., Any]
    operands: tuple[Any, ...]


#: Distinct numbers, none of them whole or nan.
V = np.array([0.3, -1.2, 2.1, 0.9])
W = np.array([1.4, 0.2, -0.7])
M = np.array([[0.3, -1.7, 0.9], [1.6, 0.2, -0.4]])
N = np.array([[2.3, 0.7, 1.9], [0.6, 3.2, 1.4]])
C = np.stack([M, N, M * N - 0.1, N - 2.0 * M])[:, :, :2]
HOLES = np.array([[0.3, np.nan, 0.9], [1.6, 0.2, np.nan]])
MASK = np.array([[True, False, True], [False, True, True]])


def since(version: str) -> bool:
    """Whether the installed NumPy is at least that version."""
    return np.lib.NumpyVersion(np.__version__) >= f"{version}.0"


def _of(*operands: Any) -> Callable[[list[Callable[..., Any]]], list[Call]]:
    return lambda functions: [Call(function, operands) for function in functions]


#: By the function's name in NumPy.
CALLS: dict[str, list[Call]] = {
    "around": _of(M)([lambda np, x: np.around(x), lambda np, x: np.around(x, 1), lambda np, x: np.around(x, -1)]),
    "array_split": _of(V)([lambda np, x: np.array_split(x, 3)[0], lambda np, x: np.array_split(x, [1, 3])[1]]),
    "average": [
        *_of(M)([lambda np, x: np.average(x), lambda np, x: np.average(x, axis=1)]),
        *_of(M, N)([lambda np, x, y: np.average(x, weights=y), lambda np, x, y: np.average(x, axis=0, weights=y)]),
        *_of(M, np.array([1.5, 0.5, 2.0]))([lambda np, x, w: np.average(x, axis=1, weights=w)]),
    ],
    "block": _of(M, N)([lambda np, x, y: np.block([[x, y], [y, x]])]),
    "broadcast_arrays": _of(M, W)([lambda np, x, y: np.broadcast_arrays(x, y)[1]]),
    "choose": _of(V, W[:1])([lambda np, x, y: np.choose(np.array([1, 0, 0, 1]), [x, y])]),
    "compress": _of(M)([
        lambda np, x: np.compress(np.array([True, False, True]), x, axis=1),
        lambda np, x: np.compress(np.array([False, True]), x),
    ]),
    "conjugate": _of(M)([lambda np, x: np.conjugate(x), lambda np, x: np.conj(x)]),
    "convolve": _of(V, W)([
        lambda np, x, y: np.convolve(x, y), lambda np, x, y: np.convolve(x, y, "same"),
        lambda np, x, y: np.convolve(x, y, "valid"), lambda np, x, y: np.convolve(y, x, mode="same"),
        lambda np, x, y: np.convolve(x[:1], y),
    ]),
    "copysign": _of(M, N)([lambda np, x, y: np.copysign(x, y), lambda np, x, y: np.copysign(y, x)]),
    "corrcoef": _of(M, N)([lambda np, x, y: np.corrcoef(x), lambda np, x, y: np.corrcoef(x, y)]),
    "correlate": _of(V, W)([
        *(lambda np, x, y, mode=mode: np.correlate(x, y, mode) for mode in ("valid", "same", "full")),
        *(lambda np, x, y, mode=mode: np.correlate(y, x, mode) for mode in ("valid", "same", "full")),
        lambda np, x, y: np.correlate(x[:3], y),
    ]),
    "cov": _of(M, N)([
        lambda np, x, y: np.cov(x), lambda np, x, y: np.cov(x, y), lambda np, x, y: np.cov(x, rowvar=False),
        lambda np, x, y: np.cov(x, bias=True), lambda np, x, y: np.cov(x, ddof=0), lambda np, x, y: np.cov(x[0]),
    ]),
    "cross": [
        *_of(M, N)([
            lambda np, x, y: np.cross(x, y), lambda np, x, y: np.cross(x[0], y),
            lambda np, x, y: np.cross(x.T, y, axisa=0), lambda np, x, y: np.cross(x.T, y.T, axis=0),
            lambda np, x, y: np.cross(x, y, axisc=0),
        ]),
    ],
    "cumprod": _of(M)([lambda np, x: np.cumprod(x), lambda np, x: np.cumprod(x, axis=0),
    lambda np, x: np.cumprod(x, -1)]),
    "deg2rad": _of(M)([lambda np, x: np.deg2rad(x)]),
    "degrees": _of(M)([lambda np, x: np.degrees(x)]),
    "diagflat": _of(W)([lambda np, x: np.diagflat(x), lambda np, x: np.diagflat(x, -1)]),
    "divmod": _of(M, N)([lambda np, x, y: np.divmod(x, y)[1], lambda np, x, y: np.divmod(x, y)[0]]),
    "dsplit": _of(C)([lambda np, x: np.dsplit(x, 2)[1]]),
    "ediff1d": _of(M)([lambda np, x: np.ediff1d(x), lambda np, x: np.ediff1d(x, to_end=[1.0], to_begin=2.0)]),
    "extract": _of(M)([lambda np, x: np.extract(MASK, x)]),
    "einsum": [
        *_of(M, N, W)([
            lambda np, x, y, w: np.einsum("ij,ij,j->i", x, y, w, optimize=True),
            lambda np, x, y, w: np.einsum("ij,kj,j", x, y, w, optimize="greedy"),
            lambda np, x, y, w: np.einsum(x, [0, 1], y, [2, 1], [0, 2]),
            lambda np, x, y, w: np.einsum(x, [0, 1], w, [1]),
            lambda np, x, y, w: np.einsum(x, [..., 1], w, [1], [...]),
        ]),
    ],
    "fmax": _of(M, N)([lambda np, x, y: np.fmax(x, y)]),
    "fmin": _of(M, N)([lambda np, x, y: np.fmin(x, y)]),
    "frexp": _of(M)([lambda np, x: np.frexp(x)[0]]),
    "gradient": [
        *_of(M)([
            lambda np, x: np.gradient(x)[1], lambda np, x: np.gradient(x, axis=1),
            lambda np, x: np.gradient(x, 0.5, 2.0)[0],
            lambda np, x: np.gradient(x, [0.0, 1.0, 3.0], axis=1),
        ]),
        *_of(V)([lambda np, x: np.gradient(x), lambda np, x: np.gradient(x, 2.0, edge_order=2)]),
    ],
    "heaviside": _of(M, N)([lambda np, x, y: np.heaviside(x, y)]),
    "hsplit": _of(M)([lambda np, x: np.hsplit(x, 3)[1]]),
    "insert": _of(V, W)([lambda np, x, y: np.insert(x, 1, y[0]), lambda np, x, y: np.insert(x, [0, 2, 2], y)]),
    "interp": _of(V, np.sort(W), W)([
        lambda np, x, a, f: np.interp(x, a, f), lambda np, x, a, f: np.interp(x, a, f, left=5.0, right=-5.0),
    ]),
    "kron": [
        *_of(M, W)([lambda np, x, y: np.kron(x, y), lambda np, x, y: np.kron(y, x)]),
        *_of(M, N)([lambda np, x, y: np.kron(x, y)]),
    ],
    "ldexp": _of(M)([lambda np, x: np.ldexp(x, np.array([1, -2, 0]))]),
    "linspace": _of(V, V + 1.5)([
        lambda np, x, y: np.linspace(x[0], y[1], 5), lambda np, x, y: np.linspace(x, y, 3, axis=-1),
        lambda np, x, y: np.linspace(x, 2.0, 4, endpoint=False),
    ]),
    "logaddexp2": _of(M, N)([lambda np, x, y: np.logaddexp2(x, y)]),
    "logspace": _of(V)([lambda np, x: np.logspace(x[0], x[2], 4), lambda np, x: np.logspace(x[0], 1.0, 3, base=2.0)]),
    "matrix_transpose": _of(C)([lambda np, x: np.matrix_transpose(x)]),
    "median": _of(M)([
        lambda np, x: np.median(x), lambda np, x: np.median(x, axis=0),
        lambda np, x: np.median(x, axis=-1, keepdims=True),
    ]),
    "meshgrid": _of(V, W)([
        lambda np, x, y: np.meshgrid(x, y)[0], lambda np, x, y: np.meshgrid(x, y, indexing="ij")[1],
        lambda np, x, y: np.meshgrid(x, y, sparse=True)[1],
    ]),
    "modf": _of(M)([lambda np, x: np.modf(x)[0], lambda np, x: np.modf(x)[1]]),
    "nan_to_num": _of(M)([lambda np, x: np.nan_to_num(x), lambda np, x: np.nan_to_num(x, nan=1.0, posinf=2.0)]),
    "nancumprod": _of(M)([lambda np, x: np.nancumprod(x), lambda np, x: np.nancumprod(x, axis=1)]),
    "nancumsum": _of(M)([lambda np, x: np.nancumsum(x), lambda np, x: np.nancumsum(x, axis=0)]),
    **{
        name: _of(M)([
            lambda np, x, name=name: getattr(np, name)(x), lambda np, x, name=name: getattr(np, name)(x, axis=0),
            lambda np, x, name=name: getattr(np, name)(x, axis=(0, -1)),
            lambda np, x, name=name: getattr(np, name)(x, axis=1, keepdims=True),
        ])
        for name in ("nanmax", "nanmean", "nanmedian", "nanmin", "nanprod", "nanstd", "nansum", "nanvar")
    },
    **{
        name: _of(M)([
            lambda np, x, f=name, q=scale * 0.3: getattr(np, f)(x, q),
            lambda np, x, f=name, q=scale: getattr(np, f)(x, [0.1 * q, 0.75 * q, 0.3 * q], axis=1),
            lambda np, x, f=name, q=scale: getattr(np, f)(x, [[0.1 * q], [q]], axis=(0, 1), keepdims=True),
            *(
                lambda np, x, f=name, q=scale, method=method: getattr(np, f)(x, 0.3 * q, axis=0, method=method)
                for method in ("lower", "higher", "midpoint")
            ),
        ])
        for name, scale in (("quantile", 1.0), ("nanquantile", 1.0), ("percentile", 100.0), ("nanpercentile", 100.0))
    },
    "pad": _of(M)([
        *(lambda np, x, mode=mode: np.pad(x, ((1, 0), (2, 1)), mode) for mode in ("edge", "reflect", "symmetric",
        "wrap")),
    ]),
    "partition": _of(M)([lambda np, x: np.partition(x, 1), lambda np, x: np.partition(x, 0, axis=0)]),
    "piecewise": _of(V)([lambda np, x: np.piecewise(x, [x < 0, x > 1], [lambda v: v * v, 3.0, lambda v: 2 * v])]),
    "polyval": [
        *_of(W, M)([lambda np, p, x: np.polyval(p, x)]),
        *_of(M)([lambda np, x: np.polyval([1.0, -2.0, 0.5], x)]),
    ],
    "positive": _of(M)([lambda np, x: np.positive(x)]),
    "ptp": _of(M)([lambda np, x: np.ptp(x, axis=1, keepdims=True)]),
    "rad2deg": _of(M)([lambda np, x: np.rad2deg(x)]),
    "radians": _of(M)([lambda np, x: np.radians(x)]),
    "real": _of(M)([lambda np, x: np.real(x)]),
    "real_if_close": _of(M)([lambda np, x: np.real_if_close(x)]),
    "round": _of(M)([lambda np, x: np.round(x, 1)]),
    "select": _of(M, N)([
        lambda np, x, y: np.select([MASK, ~MASK], [x, y]), lambda np, x, y: np.select([MASK], [x], default=7.0),
    ]),
    "trapezoid": [
        *_of(M)([lambda np, y: np.trapezoid(y), lambda np, y: np.trapezoid(y, dx=0.5, axis=0)]),
        *_of(M, W)([lambda np, y, x: np.trapezoid(y, x), lambda np, y, x: np.trapezoid(y, x, axis=1)]),
        *_of(M, N)([lambda np, y, x: np.trapezoid(y, x, axis=0)]),
    ],
    "trace": _of(C)([
        lambda np, x: np.trace(x), lambda np, x: np.trace(x, 1, axis1=0, axis2=2),
        lambda np, x: np.trace(x[0], offset=-1),
    ]),
    "unique": _of(M)([lambda np, x: np.unique(x), lambda np, x: np.unique(x, return_index=True)[0]]),
    "unwrap": _of(np.array([0.3, 6.9, 7.1, 14.0]))([lambda np, x: np.unwrap(x),
    lambda np, x: np.unwrap(x, period=3.0)]),
    "vander": _of(W)([lambda np, x: np.vander(x), lambda np, x: np.vander(x, 4, increasing=True)]),
    "vdot": _of(M, N)([lambda np, x, y: np.vdot(x, y)]),
    "vecdot": _of(M, N)([lambda np, x, y: np.vecdot(x, y), lambda np, x, y: np.vecdot(x, y, axis=0)]),
    "vsplit": _of(M)([lambda np, x: np.vsplit(x, 2)[1]]),
}  # fmt: skip

if since("2.1"):
    CALLS |= {
        "astype": _of(M)([lambda np, x: np.astype(x, x.dtype)]),
        "cumulative_prod": _of(M)([
            lambda np, x: np.cumulative_prod(x, axis=1),
            lambda np, x: np.cumulative_prod(x, axis=0, include_initial=True),
        ]),
        "cumulative_sum": _of(V)([lambda np, x: np.cumulative_sum(x),
        lambda np, x: np.cumulative_sum(x, include_initial=True)]),
        "unstack": _of(M)([lambda np, x: np.unstack(x)[1], lambda np, x: np.unstack(x, axis=-1)[0]]),
    }  # fmt: skip
if since("2.2"):
    CALLS |= {
        "matvec": _of(C, W[:2])([lambda np, a, x: np.matvec(a, x)]),
        "vecmat": _of(W[:2], C)([lambda np, x, a: np.vecmat(x, a)]),
    }
CALLS |= {
    "linalg.cross": _of(M, N)(
        [lambda np, x, y: np.linalg.cross(x, y), lambda np, x, y: np.linalg.cross(x.T, y.T, axis=0)]
    ),
    "linalg.vecdot": _of(M, N)([lambda np, x, y: np.linalg.vecdot(x, y)]),
}
