"""Linear algebra on object arrays of dual numbers, which LAPACK does not support: elimination and perturbation.

An independent derivation of every factorisation, by other algorithms than those of the table's rules. Where several
factorisations are possible (a sign, an order), NumPy's factorisation of the primal parts decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from autodiff.primitives.registry import TABLE

__all__ = ["ON_MATRICES"]


def _primal(x: Any) -> Any:
    """The floats of the primal parts."""
    return np.array([float(getattr(item, "primal", item)) for item in x.flat]).reshape(x.shape)


def _of_each(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` of matrices, applied to stacks that broadcast; params are ignored."""

    def applied(*operands: Any, **_params: Any) -> Any:
        lead = np.broadcast_shapes(*(x.shape[:-2] for x in operands))
        whole = [np.broadcast_to(x, (*lead, *x.shape[-2:])) for x in operands]
        found = {place: function(*(x[place] for x in whole)) for place in np.ndindex(lead)}
        result = np.empty((*lead, *np.shape(found[(0,) * len(lead)])), object)
        for place, item in found.items():
            result[place] = item
        return result

    return applied


def _eliminated(a: Any, b: Any) -> tuple[Any, Any]:
    """(det a, a⁻¹b) by Gauss and Jordan, with the largest pivot of each column."""
    a, b, det = a.copy(), b.copy(), 1.0
    for k in range(len(a)):
        top = k + int(np.argmax(np.abs(_primal(a[k:, k]))))
        if top != k:
            a[[k, top]], b[[k, top]], det = a[[top, k]], b[[top, k]], -det
        det = det * a[k, k]
        a[k], b[k] = a[k] / a[k, k], b[k] / a[k, k]
        for i in range(len(a)):
            if i != k:
                factor = a[i, k]
                a[i], b[i] = a[i] - a[k] * factor, b[i] - b[k] * factor
    return det, b


def _solve(a: Any, b: Any) -> Any:
    return _eliminated(a, b)[1]


def _det(a: Any) -> Any:
    return _eliminated(a, a)[0]


def _roots(x: Any) -> Any:
    return np.array([TABLE["sqrt"](item) for item in x.flat], object).reshape(x.shape)


def _symmetric(x: Any) -> Any:
    return (x + x.T) * 0.5


def _cholesky(x: Any) -> Any:
    """Column by column."""
    rest, low = _symmetric(x), np.zeros(x.shape, object)
    for k in range(len(x)):
        low[k:, k] = rest[k:, k] / TABLE["sqrt"](rest[k, k])
        rest = rest - np.outer(low[:, k], low[:, k])
    return low


def _eigen(x: Any) -> tuple[Any, Any]:
    """First-order perturbation of NumPy's eigenvectors, which is all that a tangent needs."""
    x = _symmetric(x)
    w, v = np.linalg.eigh(_primal(x))
    moved = v.T @ x @ v
    gaps = w - w[:, None] + np.eye(len(w))
    return np.diagonal(moved), v + v @ (moved * (1.0 - np.eye(len(w))) / gaps)


def _eigh(x: Any) -> Any:
    w, v = _eigen(x)
    return np.concatenate([w, v.ravel()])


def _singular(x: Any) -> tuple[Any, Any, Any]:
    """U, s and Vᵀ by the eigenvalues of xᵀx, with the signs of NumPy's."""
    if x.shape[0] < x.shape[1]:
        u, s, vt = _singular(x.T)
        return vt.T, s, u.T
    w, v = (part[..., ::-1] for part in _eigen(x.T @ x))
    _, _, known = np.linalg.svd(_primal(x), full_matrices=False)
    v = v * np.sign(np.sum(_primal(v) * known.T, axis=0))
    s = _roots(w)
    return x @ v / s, s, v.T


def _svd(x: Any) -> Any:
    u, s, vt = _singular(x)
    if x.shape[0] < x.shape[1]:  # the signs were those of xᵀ
        known = np.sign(np.sum(_primal(u) * np.linalg.svd(_primal(x), full_matrices=False)[0], axis=0))
        u, vt = u * known, vt * known[:, None]
    return np.concatenate([u.ravel(), s, vt.ravel()])


def _pinv(x: Any) -> Any:
    """The pseudo-inverse of a matrix of full rank."""
    return _solve(x.T @ x, x.T) if x.shape[0] >= x.shape[1] else _solve(x @ x.T, x).T


def _qr(x: Any) -> Any:
    """By Cholesky's triangle of xᵀx, with the signs of NumPy's."""
    signs = np.sign(np.diagonal(np.linalg.qr(_primal(x))[1]))
    r = _cholesky(x.T @ x).T * signs[:, None]
    q = _solve(r.T, x.T).T
    return np.concatenate([q.ravel(), r.ravel()])


_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "solve": _solve, "inv": lambda x: _solve(x, np.eye(len(x)).astype(object)), "det": _det,
    "log_abs_det": lambda x: TABLE["log"](abs(_det(x))), "cholesky": _cholesky, "eigh": _eigh,
    "eigvalsh": lambda x: _eigen(x)[0], "svd": _svd, "svdvals": lambda x: _singular(x)[1], "pinv": _pinv, "qr": _qr,
}  # fmt: skip

#: The functions on stacks of matrices, by the names of the primitives.
ON_MATRICES: Final[Mapping[str, Callable[..., Any]]] = {key: _of_each(item) for key, item in _FUNCTIONS.items()}
