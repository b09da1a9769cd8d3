"""Primitives of linear algebra: systems of equations, inverses, determinants and factorisations of matrices.

All work on stacks of matrices, which occupy the last two axes. A primitive has one result, so a factorisation with
several parts returns them flattened and concatenated in one row, from which `parts` extracts them. Sources of the
rules: Giles, An extended collection of matrix derivative results (2008); Townsend, Differentiating the singular value
decomposition (2016); any other source is named in the entry.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from autodiff.primitives.definition import primitive
from autodiff.primitives.domain import ANY, Domain, Example
from autodiff.primitives.expression import Expression
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import RECORDERS, TABLE, Objects
from autodiff.primitives.table.elementwise import by_convention, sign, where
from autodiff.primitives.table.layout import concatenate, expand_dims, reshape, swapaxes

__all__ = ["parts", "transposed"]  # the primitives are called through numpy.linalg and not exported from `autodiff`


@dataclass(frozen=True, slots=True)
class _Matrices(Domain):
    """Matrices near diag(1, 2, 3, …): far from singular, with well-separated singular values and eigenvalues."""

    def arranged(self, points: Any) -> Any:
        """Numbers from the interval, scaled and added to the diagonal."""
        if points.ndim < 2:
            return points
        rows, columns = points.shape[-2:]
        small = (points - (self.low + self.high) / 2) / (self.high - self.low) / (2 * max(rows, columns, 1))
        return small + np.eye(rows, columns) * np.arange(1, columns + 1)

    def __contains__(self, x: Any) -> bool:
        """Whether the Gershgorin discs around the diagonal elements, which contain the eigenvalues, are disjoint."""
        size = np.abs(x)
        if size.ndim < 2 or not np.all((x >= self.low) & (x <= self.high)):
            return False
        middle = np.diagonal(x, axis1=-2, axis2=-1)
        count = middle.shape[-1]
        rows, columns = size.sum(-1)[..., :count], size.sum(-2)[..., :count]
        radius = np.maximum(rows, columns) - np.abs(middle)
        before = np.concatenate([0.0 * middle[..., :1], (middle + radius)[..., :-1]], axis=-1)
        return bool(np.all(middle - radius - before > 0.1))


_MATRICES: Final = _Matrices(-8.0, 8.0, "matrices with a dominant diagonal that ascends")
_MOST_MINORS: Final = 16  # rows of a matrix whose n² minors are computed if its inverse loses digits


def transposed(x: Any) -> Any:
    """Each matrix of a stack transposed."""
    return swapaxes(x, axis1=-1, axis2=-2)


def parts(packed: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """Extract the parts of a factorisation, with these shapes, from the row that holds them."""
    found, start = [], 0
    for shape in shapes:
        end = start + math.prod(shape)
        found.append(reshape(packed[..., start:end], shape=(*packed.shape[:-1], *shape)))
        start = end
    return found


def _packed(*items: tuple[Any, int]) -> Any:
    """Arrays concatenated in one row; each comes with the number of its axes to flatten."""
    flat = [reshape(x, shape=(*x.shape[: x.ndim - n], math.prod(x.shape[x.ndim - n :]))) for x, n in items]
    return concatenate(flat, axis=-1)


def _computed(name: str, function: Callable[..., Any], *inputs: Any, **params: Any) -> Any:
    """``function`` of arrays of the types that LAPACK supports; object arrays of Values are computed as Tensors."""
    inputs = tuple(map(np.asarray, inputs))
    if any(part.__class__ in RECORDERS for x in inputs if x.dtype == object for part in x.flat):
        return RECORDERS[Objects](TABLE[name], inputs, params)
    return function(*[x if x.dtype.char in "fd" else x.astype(float) for x in inputs], **params)


def _symmetric(x: Any) -> Any:
    """The symmetric part, which is x itself if x is symmetric; raises LinAlgError if x is not square."""
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise np.linalg.LinAlgError(f"it takes square matrices, and got shape {x.shape}")
    return 0.5 * (x + transposed(x))


def _solve(a: Any, b: Any) -> Any:
    if b.ndim < 2:
        raise np.linalg.LinAlgError(f"the right-hand side must be a matrix or a stack of matrices, got shape {b.shape}")
    return np.linalg.solve(a, b)


def _solved(a: Any, b: Any, singular: Any) -> Any:
    """a⁻¹b, and nan where a is ``singular``, for which LAPACK would raise an error."""
    one = np.eye(a.shape[-1], dtype=a.dtype)
    apart = np.asarray(singular)[..., None, None]
    return solve(where(apart, one, a) if np.any(apart) else a, b) * np.where(apart, np.nan, 1.0).astype(a.dtype)


def _inverse_of(x: Any, log_size: Any) -> Any:
    """x⁻¹, and nan where |det x| is 0."""
    if isinstance(x, Expression):
        return Expression("xp", "inverse", x)
    return _solved(x, np.eye(x.shape[-1], dtype=x.dtype), log_size == -np.inf)


def _over_matrices(g: Any) -> Any:
    """One number for each matrix, with two axes added for broadcasting over its elements."""
    return expand_dims(g, axis=(-2, -1))


# ---- determinants ----------------------------------------------------------------------------------------------------


def _cofactors(z: Any, x: Any) -> Any:
    """∂det/∂x: by the inverse, or by minors where that loses digits; both can be differentiated again."""
    if isinstance(x, Expression):
        return Expression("xp", "cofactors", x)
    data, n = getattr(x, "_data", x), x.shape[-1]
    few = n <= _MOST_MINORS
    if not data.size or _is_sound(data, z, np.finfo(data.dtype).eps ** (-0.25 if few else -0.5)):
        return _over_matrices(z) * transposed(inv(x))
    if few:
        return _minors(x)
    return by_convention(_cofactors_of(data), x, np.ones(data.shape, bool))


def _is_sound(data: Any, z: Any, most: float) -> bool:
    """Whether no determinant has lost digits, and no condition number is above ``most``."""
    size = np.abs(getattr(z, "_data", z))
    smallest = np.finfo(data.dtype).tiny
    whole = np.isfinite(data).all() and np.all((size >= smallest) & (size < np.inf))
    return bool(whole and np.all(np.linalg.cond(data) < most))


def _minors(x: Any) -> Any:
    """The cofactors by definition: ± the determinant of x without a row and a column."""
    n = x.shape[-1]
    others = np.array([[j for j in range(n) if j != i] for i in range(n)], dtype=int).reshape(n, n - 1)
    signs = (-1.0) ** np.add.outer(np.arange(n), np.arange(n))
    return det(x[..., others[:, None, :, None], others[None, :, None, :]]) * signs.astype(x.dtype)


def _cofactors_of(data: Any) -> Any:
    """det(U)·det(V)·U·diag(Πⱼ≠ᵢ sⱼ)·Vᵀ: correct for every matrix, but without a graph."""
    if not np.isfinite(data).all():
        return np.full(data.shape, np.nan, data.dtype)
    u, s, v = np.linalg.svd(data)
    n = s.shape[-1]
    others = np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :]).prod(-1)
    signs = np.linalg.det(u) * np.linalg.det(v)
    return ((signs[..., None, None] * u * others[..., None, :]) @ v).astype(data.dtype)


# ---- factorisations --------------------------------------------------------------------------------------------------


def _ratio(signal: Any, gap: Any) -> Any:
    """signal/gap; 0 where both are 0, and there the next derivative is unknown."""
    still = (signal == 0) & (gap == 0)
    if not np.any(still):
        return signal / gap
    kept = by_convention(by_convention(np.where(still, 0.0, 1.0), gap, still), signal, still)
    return signal / where(still, 1.0, gap) * kept


def _gaps(w: Any) -> Any:
    """wⱼ − wᵢ, with ones on the diagonal."""
    return expand_dims(w, axis=-2) - expand_dims(w, axis=-1) + np.eye(w.shape[-1], dtype=w.dtype)


def _off(x: Any) -> Any:
    """A square matrix without its diagonal."""
    return where(np.broadcast_to(np.eye(x.shape[-1], dtype=bool), x.shape), 0.0, x)


def _scaled(columns: Any, factors: Any) -> Any:
    """The columns of each matrix, each multiplied by its factor."""
    return columns * expand_dims(factors, axis=-2)


def _lower_half(x: Any) -> Any:
    """The lower triangle with half of the diagonal."""
    if isinstance(x, Expression):
        return Expression("xp", "lower_half", x)
    return x * (np.tril(np.ones(x.shape[-2:])) - 0.5 * np.eye(x.shape[-1])).astype(x.dtype)


def _share_of_cholesky(g: Any, low: Any) -> Any:
    """L⁻ᵀ·Φ(Lᵀg)·L⁻¹, its symmetric part; Φ is the lower triangle with half of the diagonal."""
    up = transposed(low)
    inner = solve(up, _lower_half(up @ g))
    share = transposed(solve(up, transposed(inner)))
    return 0.5 * (share + transposed(share))


def _eigh(x: Any, uplo: Any) -> Any:
    w, v = np.linalg.eigh(_symmetric(x), UPLO=uplo)
    return _packed((w, 1), (v, 2))


def _share_of_eigh(g: Any, z: Any, x: Any) -> Any:
    if isinstance(x, Expression):
        return Expression("xp", "share_of_eigh", g, z)
    n = x.shape[-1]
    (gw, gv), (w, v) = (parts(row, (n,), (n, n)) for row in (g, z))
    turned = v @ _ratio(_off(transposed(v) @ gv), _gaps(w))
    share = (_scaled(v, gw) + turned) @ transposed(v)
    return 0.5 * (share + transposed(share))


def _share_of_eigenvalues(g: Any, x: Any, uplo: Any) -> Any:
    """V·diag(g)·Vᵀ."""
    if isinstance(x, Expression):
        return Expression("xp", "share_of_eigenvalues", g, x)
    n = x.shape[-1]
    _, v = parts(eigh(x, uplo=uplo), (n,), (n, n))
    return _scaled(v, g) @ transposed(v)


def _svd(x: Any) -> Any:
    u, s, v = np.linalg.svd(x, full_matrices=False)
    return _packed((u, 2), (s, 1), (v, 2))


def _by_svd(packed: Any, x: Any) -> list[Any]:
    """U, s and Vᵀ."""
    m, n = x.shape[-2:]
    return parts(packed, (m, min(m, n)), (min(m, n),), (min(m, n), n))


def _share_of_size(g: Any, s: Any) -> Any:
    """The share of the singular values: at 0 they have a kink, like |x|, with slope 0 by convention."""
    return g * by_convention(sign(s), s, s == 0)


def _share_of_svd(g: Any, z: Any, x: Any) -> Any:
    if isinstance(x, Expression):
        return Expression("xp", "share_of_svd", g, z)
    (gu, gs, gvt), (u, s, vt) = _by_svd(g, x), _by_svd(z, x)
    m, n = x.shape[-2:]
    ut, gv, v = transposed(u), transposed(gvt), transposed(vt)
    by_u, by_v = ut @ gu, vt @ gv
    by_u, by_v = by_u - transposed(by_u), by_v - transposed(by_v)
    row, one = expand_dims(s, axis=-2), np.eye(s.shape[-1], dtype=s.dtype)
    apart, together = _gaps(s), row + expand_dims(s, axis=-1) + one
    # F∘(P·S + S·Q) for F = 1/(sⱼ² − sᵢ²), split into parts that divide by a difference and a sum: no square loses digits
    inner = 0.5 * (_ratio(_off(by_u + by_v), apart) + _ratio(_off(by_u - by_v), together))
    share = (u @ inner + _scaled(u, _share_of_size(gs, s))) @ vt
    if m > n:
        share = share + _ratio(gu - u @ (ut @ gu), row) @ vt
    if n > m:
        share = share + u @ transposed(_ratio(gv - v @ (vt @ gv), row))
    return share


def _share_of_singular_values(g: Any, z: Any, x: Any) -> Any:
    """U·diag(g)·Vᵀ."""
    if isinstance(x, Expression):
        return Expression("xp", "share_of_singular_values", g, x)
    u, s, vt = _by_svd(svd(x), x)
    return _scaled(u, _share_of_size(g, s)) @ vt


def _share_of_pinv(g: Any, p: Any, a: Any) -> Any:
    """−PᵀgPᵀ + (1 − AP)gᵀPPᵀ + PᵀPgᵀ(1 − PA)."""
    gt, pt = transposed(g), transposed(p)
    return (gt - a @ (p @ gt)) @ (p @ pt) + (pt @ p) @ (gt - (gt @ p) @ a) - pt @ g @ pt


def _qr(x: Any) -> Any:
    q, r = np.linalg.qr(x)
    return _packed((q, 2), (r, 2))


def _share_of_qr(g: Any, z: Any, x: Any) -> Any:
    """(gQ + Q·copyltu(M))·R⁻ᵀ with M = R·gRᵀ − gQᵀ·Q; copyltu mirrors the lower triangle."""
    if isinstance(x, Expression):
        return Expression("xp", "share_of_qr", g, z)
    m, n = x.shape[-2:]
    (gq, gr), (q, r) = (parts(row, (m, n), (n, n)) for row in (g, z))
    half = _lower_half(r @ transposed(gr) - transposed(gq) @ q)
    found = gq + q @ (half + transposed(half))
    singular = np.any(np.diagonal(getattr(r, "_data", r), axis1=-2, axis2=-1) == 0, axis=-1)
    return transposed(_solved(r, transposed(found), singular))


def _tall(x: Any) -> Any:
    """``x`` if it has at least as many rows as columns; else raises LinAlgError."""
    if x.ndim < 2 or x.shape[-2] < x.shape[-1]:
        raise np.linalg.LinAlgError(f"it takes matrices with no more columns than rows, and got shape {x.shape}")
    return x


_SQUARE = (Example(((3, 3),)), Example(((1, 1),)), Example(((2, 2, 2),)))

# fmt: off
solve: Primitive = primitive("solve", lambda xp, a, b: _computed("solve", _solve, a, b),
    [lambda g, z, a, b: -(solve(transposed(a), g) @ transposed(z)), lambda g, z, a, b: solve(transposed(a), g)],
    symbol="A⁻¹B", domain=(_MATRICES, ANY), elementwise=False, singular=True,
    examples=(Example(((3, 3), (3, 2))), Example(((1, 1), (1, 1))), Example(((2, 2, 2), (2, 1)))),
    doc="The X for which A X = B.")

inv: Primitive = primitive("inv", lambda xp, x: _computed("inv", np.linalg.inv, x),
    [lambda g, z, x: -(transposed(z) @ g @ transposed(z))],
    symbol="⁻¹", domain=_MATRICES, elementwise=False, singular=True, examples=_SQUARE,
    doc="Inverse matrix.")

det: Primitive = primitive("det", lambda xp, x: np.asarray(_computed("det", np.linalg.det, x)),
    [lambda g, z, x: _over_matrices(g) * _cofactors(z, x)],
    elementwise=False, examples=_SQUARE,
    doc="Determinant; its gradient, the cofactors, is correct for singular matrices too.")

log_abs_det = primitive("log_abs_det", lambda xp, x: np.asarray(_computed("log_abs_det", lambda a: np.linalg.slogdet(a)[1], x)),
    [lambda g, z, x: _over_matrices(g) * transposed(_inverse_of(x, z))],
    symbol="ln |det|", domain=_MATRICES, elementwise=False, singular=True, examples=_SQUARE,
    doc="ln |det x|, without overflow; −inf for a singular matrix.")

cholesky = primitive("cholesky", lambda xp, x: _computed("cholesky", lambda a: np.linalg.cholesky(_symmetric(a)), x),
    [lambda g, z, x: _share_of_cholesky(g, z)],
    domain=_MATRICES, elementwise=False, singular=True, examples=_SQUARE,
    doc="The lower triangle L for which L Lᵀ is the symmetric part of x (Murray, Differentiation of the Cholesky "
        "decomposition, 2016).")

eigh: Primitive = primitive("eigh", lambda xp, x, *, uplo="L": _computed("eigh", _eigh, x, uplo=uplo),
    [lambda g, z, x, *, uplo="L": _share_of_eigh(g, z, x)],
    domain=_MATRICES, elementwise=False, singular=True, examples=_SQUARE,
    doc="Eigenvalues and eigenvectors of the symmetric part of x, in one row; where eigenvalues repeat, the "
        "eigenvectors have no derivative.")

eigvalsh = primitive("eigvalsh", lambda xp, x, *, uplo="L": _computed("eigvalsh", lambda a, uplo: np.linalg.eigvalsh(_symmetric(a), UPLO=uplo), x, uplo=uplo),
    [lambda g, z, x, *, uplo="L": _share_of_eigenvalues(g, x, uplo)],
    symbol="λ", domain=_MATRICES, elementwise=False, singular=True, examples=_SQUARE,
    doc="Eigenvalues of the symmetric part of x, in ascending order.")

svd: Primitive = primitive("svd", lambda xp, x: _computed("svd", _svd, x),
    [lambda g, z, x: _share_of_svd(g, z, x)],
    domain=_MATRICES, elementwise=False, singular=True,
    examples=(*_SQUARE, Example(((3, 2),)), Example(((2, 3),))),
    doc="U, the singular values and Vᵀ in one row, as many of each as there are; where singular values repeat, U and V "
        "have no derivative.")

svdvals = primitive("svdvals", lambda xp, x: _computed("svdvals", lambda a: np.linalg.svd(a, compute_uv=False), x),
    [lambda g, z, x: _share_of_singular_values(g, z, x)],
    symbol="σ", domain=_MATRICES, elementwise=False, singular=True,
    examples=(*_SQUARE, Example(((3, 2),)), Example(((2, 3),))),
    doc="Singular values, in descending order; the derivative of a singular value 0 is 0.")

pinv = primitive("pinv", lambda xp, x, *, rcond=1e-15: _computed("pinv", np.linalg.pinv, x, rcond=rcond),
    [lambda g, z, x, *, rcond=1e-15: _share_of_pinv(g, z, x)],
    symbol="⁺", domain=_MATRICES, elementwise=False, singular=True,
    examples=(*_SQUARE, Example(((3, 2),)), Example(((2, 3),))),
    doc="Pseudo-inverse; its gradient takes the rank as constant (Golub and Pereyra, 1973).")

qr = primitive("qr", lambda xp, x: _computed("qr", lambda a: _qr(_tall(a)), x),
    [lambda g, z, x: _share_of_qr(g, z, x)],
    domain=_MATRICES, elementwise=False, singular=True, examples=(*_SQUARE, Example(((3, 2),))),
    doc="Q and R in one row, of matrices with no more columns than rows (Walter and Lehmann, Algorithmic "
        "differentiation of linear algebra functions, 2018).")
# fmt: on
