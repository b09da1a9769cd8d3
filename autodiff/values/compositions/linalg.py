"""NumPy's linear algebra: `numpy.linalg` except its norms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from operator import index
from typing import Any, Final

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autodiff.engine.plain import plain, shape_of
from autodiff.primitives.operands import describe
from autodiff.primitives.table import choices, layout, linear
from autodiff.primitives.table import factorizations as of
from autodiff.values.compositions.moves import MOVES
from autodiff.values.compositions.products import PRODUCTS

__all__ = ["LINALG", "matrices"]

_ONE: Final = np.eye(1)
#: NumPy's named tuples.
_EIGEN: Final = type(np.linalg.eigh(_ONE))
_QR: Final = type(np.linalg.qr(_ONE))
_SIGN_AND_SIZE: Final = type(np.linalg.slogdet(_ONE))
_SVD: Final = type(np.linalg.svd(_ONE))


def matrices(name: str, x: Any, *, square: bool = False) -> tuple[int, int]:
    """Rows and columns of the matrices in a stack; raises LinAlgError for anything else."""
    shape = shape_of(x)
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        kind = "square matrices" if square else "matrices"
        raise np.linalg.LinAlgError(f"np.linalg.{name} takes {kind} or stacks of them, and got shape {shape}")
    return shape[-2], shape[-1]


# ---- systems of equations --------------------------------------------------------------------------------------------


def _inv(a: Any) -> Any:
    matrices("inv", a, square=True)
    return of.inv(a)


def _solve(a: Any, b: Any) -> Any:
    """As in NumPy 2: ``b`` with one axis is a vector, with more axes a stack of matrices."""
    matrices("solve", a, square=True)
    if len(shape_of(b)) != 1:
        return of.solve(a, b)
    return layout.squeeze(of.solve(a, layout.expand_dims(b, axis=1)), axis=-1)


def _tensorinv(a: Any, ind: int = 2) -> Any:
    shape, count = shape_of(a), index(ind)
    if count <= 0:
        raise ValueError(f"np.linalg.tensorinv takes a positive number of axes, and got ind={ind!r}")
    rows, columns = math.prod(shape[:count]), math.prod(shape[count:])
    if rows != columns:
        raise np.linalg.LinAlgError(
            f"np.linalg.tensorinv with ind={count} needs as many elements in the first axes as in the others, "
            f"and got shape {shape}"
        )
    return layout.reshape(of.inv(layout.reshape(a, shape=(rows, columns))), shape=shape[count:] + shape[:count])


def _tensorsolve(a: Any, b: Any, axes: Sequence[int] | None = None) -> Any:
    if axes is not None:
        ndim = len(shape_of(a))
        last = normalize_axis_tuple(axes, ndim)
        a = layout.transpose(a, axes=tuple(k for k in range(ndim) if k not in last) + last)
    shape, count = shape_of(a), math.prod(shape_of(b))
    unknowns = shape[len(shape_of(b)) :]
    if math.prod(unknowns) != count or math.prod(shape) != count * count:
        raise np.linalg.LinAlgError(
            f"np.linalg.tensorsolve needs as many unknowns as equations, and got shapes {shape} and {shape_of(b)}"
        )
    right = layout.reshape(b, shape=(count, 1))
    return layout.reshape(of.solve(layout.reshape(a, shape=(count, count)), right), shape=unknowns)


def _pinv(a: Any, rcond: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Any:
    if rcond is not None and rtol is not None:
        raise ValueError(f"np.linalg.pinv takes rcond or rtol, and got both: {rcond!r} and {rtol!r}")
    matrices("pinv", a)
    cutoff = rcond if rcond is not None else rtol if rtol is not None else 1e-15
    return of.pinv(_read("pinv", a, "L") if hermitian else a, rcond=cutoff)


# ---- determinants and factorisations ---------------------------------------------------------------------------------


def _det(a: Any) -> Any:
    matrices("det", a, square=True)
    return of.det(a)


def _slogdet(a: Any) -> Any:
    """The sign is a plain array: it has no derivative."""
    matrices("slogdet", a, square=True)
    return _SIGN_AND_SIZE(np.linalg.slogdet(plain(a))[0], of.log_abs_det(a))


def _read(name: str, a: Any, triangle: str) -> Any:
    """The symmetric matrix that NumPy reads from one triangle of ``a``; the other triangle receives no share."""
    matrices(name, a, square=True)
    if triangle not in ("L", "U"):
        raise ValueError(f"np.linalg.{name} takes 'L' or 'U' as UPLO, and got {triangle!r}")
    kept, strictly = (MOVES["tril"], -1) if triangle == "L" else (MOVES["triu"], 1)
    return kept(a) + of.transposed(kept(a, strictly))


def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    low = of.cholesky(_read("cholesky", a, "U" if upper else "L"))
    return of.transposed(low) if upper else low


def _eigh(a: Any, UPLO: str = "L") -> Any:
    n, _ = matrices("eigh", a, square=True)
    triangle = str(UPLO).upper()
    return _EIGEN(*of.parts(of.eigh(_read("eigh", a, triangle), uplo=triangle), (n,), (n, n)))


def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    triangle = str(UPLO).upper()
    return of.eigvalsh(_read("eigvalsh", a, triangle), uplo=triangle)


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    m, n = matrices("svd", a)
    if hermitian:
        raise TypeError("np.linalg.svd on nodes takes no hermitian=True; use np.linalg.eigh")
    if not compute_uv:
        return of.svdvals(a)
    if full_matrices and m != n:
        raise TypeError(
            f"np.linalg.svd of shape {shape_of(a)} has a rule for full_matrices=False only, and got full_matrices="
            "True: the additional columns of U or V are not unique; pass full_matrices=False"
        )
    least = min(m, n)
    return _SVD(*of.parts(of.svd(a), (m, least), (least,), (least, n)))


def _svdvals(x: Any, /) -> Any:
    matrices("svdvals", x)
    return of.svdvals(x)


def _qr(a: Any, mode: str = "reduced") -> Any:
    m, n = matrices("qr", a)
    if mode not in ("reduced", "r") and not (mode == "complete" and m <= n):
        advice = "; mode 'complete' is possible only for at least as many columns as rows" if mode == "complete" else ""
        raise TypeError(
            f"np.linalg.qr of shape {shape_of(a)} has a rule for mode 'reduced' or 'r', and got {mode!r}{advice}"
        )
    least = min(m, n)
    q, r = of.parts(of.qr(a if n <= m else a[..., :m]), (m, least), (least, least))
    if n > m:
        r = layout.concatenate([r, linear.matmul(of.transposed(q), a[..., m:])], axis=-1)
    return r if mode == "r" else _QR(q, r)


# ---- products --------------------------------------------------------------------------------------------------------


def _matrix_power(a: Any, n: int) -> Any:
    rows, _ = matrices("matrix_power", a, square=True)
    try:
        power = index(n)
    except TypeError:
        raise TypeError(f"np.linalg.matrix_power takes a whole number as n, and got {describe(n)}") from None
    if not power:
        return choices.where(np.zeros(shape_of(a), bool), a, np.eye(rows, dtype=plain(a).dtype))
    base = of.inv(a) if power < 0 else a
    found = base
    for bit in f"{abs(power):b}"[1:]:
        found = linear.matmul(found, found)
        if bit == "1":
            found = linear.matmul(found, base)
    return found


def _multi_dot(arrays: Sequence[Any]) -> Any:
    """The product of all, in the order with the fewest multiplications; the first and the last may be vectors."""
    items = list(arrays)
    shapes = list(map(shape_of, items))
    if len(items) < 2:
        raise ValueError(f"np.linalg.multi_dot takes two arrays or more, and got {len(items)}")
    if any(len(shape) != 2 for shape in shapes[1:-1]) or not {len(shapes[0]), len(shapes[-1])} <= {1, 2}:
        raise np.linalg.LinAlgError(
            f"np.linalg.multi_dot takes matrices, and vectors only at the two ends; it got shapes {shapes}"
        )
    if len(shapes[0]) == 1:
        items[0] = layout.expand_dims(items[0], axis=0)
    if len(shapes[-1]) == 1:
        items[-1] = layout.expand_dims(items[-1], axis=1)
    product = _product(items, _cheapest((shape_of(items[0])[0], *(shape_of(item)[1] for item in items))))
    ends = tuple(axis for axis, shape in ((0, shapes[0]), (1, shapes[-1])) if len(shape) == 1)
    return layout.squeeze(product, axis=ends) if ends else product


Order = int | tuple["Order", "Order"]  #: the index of a factor, or the two products to multiply


def _cheapest(lengths: tuple[int, ...]) -> Order:
    """The cheapest order of multiplications for matrices, the k-th of shape (lengths[k], lengths[k + 1])."""

    @cache
    def best(i: int, j: int) -> tuple[int, Order]:
        if j - i == 1:
            return 0, i
        ways = ((best(i, k), best(k, j), lengths[i] * lengths[k] * lengths[j]) for k in range(i + 1, j))
        found = ((left[0] + right[0] + own, (left[1], right[1])) for left, right, own in ways)
        return min(found, key=lambda way: way[0])

    return best(0, len(lengths) - 1)[1]


def _product(items: Sequence[Any], order: Order) -> Any:
    if isinstance(order, int):
        return items[order]
    return linear.matmul(_product(items, order[0]), _product(items, order[1]))


# ---- variants of functions outside numpy.linalg ----------------------------------------------------------------------


def _diagonal(x: Any, /, *, offset: int = 0) -> Any:
    matrices("diagonal", x)
    return MOVES["diagonal"](x, offset, -2, -1)


def _trace(x: Any, /, *, offset: int = 0) -> Any:
    matrices("trace", x)
    return layout.trace(x, offset, -2, -1)


def _transpose(x: Any, /) -> Any:
    matrices("matrix_transpose", x)
    return of.transposed(x)


def _outer(x1: Any, x2: Any, /) -> Any:
    if {len(shape_of(x1)), len(shape_of(x2))} != {1}:
        raise ValueError(f"np.linalg.outer takes two vectors, and got shapes {shape_of(x1)} and {shape_of(x2)}")
    return linear.outer(x1, x2)


def _cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    lengths = [shape_of(x)[axis] if shape_of(x) else 0 for x in (x1, x2)]
    if lengths != [3, 3]:
        raise ValueError(f"np.linalg.cross takes vectors with 3 elements, and got {lengths[0]} and {lengths[1]}")
    return PRODUCTS["cross"](x1, x2, axis=axis)


def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return PRODUCTS["vecdot"](x1, x2, axis=axis)


def _matmul(x1: Any, x2: Any, /) -> Any:
    return linear.matmul(x1, x2)


def _tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    return linear.tensordot(x1, x2, axes=axes)


#: The implementation of each NumPy function on nodes, by its name in NumPy.
LINALG: Final[dict[str, Callable[..., Any]]] = {
    **{
        f"linalg.{function.__name__[1:]}": function
        for function in (
            _cholesky, _cross, _det, _diagonal, _eigh, _eigvalsh, _inv, _matmul, _matrix_power, _multi_dot, _outer,
            _pinv, _qr, _slogdet, _solve, _svd, _svdvals, _tensordot, _tensorinv, _tensorsolve, _trace, _vecdot,
        )
    },
    "linalg.matrix_transpose": _transpose, "matrix_transpose": _transpose,
}  # fmt: skip
