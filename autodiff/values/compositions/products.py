"""Products of vectors and matrices, sums of products in Einstein notation, convolutions and polynomials."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from operator import mul
from typing import Any, Final

import numpy as np

from autodiff.engine.plain import plain, shape_of
from autodiff.primitives.operands import describe
from autodiff.primitives.table import choices, layout, linear, reductions
from autodiff.values.compositions.moves import ravel

__all__ = ["PRODUCTS"]


def _inner(x: Any, y: Any) -> Any:
    """The sum over the last axis of both; dot takes the second-to-last axis of ``y`` instead."""
    return linear.dot(x, y) if np.ndim(y) < 2 or not np.ndim(x) else linear.tensordot(x, y, axes=((-1,), (-1,)))


def _vdot(x: Any, y: Any) -> Any:
    return linear.dot(ravel(x), ravel(y))


def _vecdot(x: Any, y: Any, /, *, axis: int = -1) -> Any:
    x, y = np.moveaxis(x, axis, -1), np.moveaxis(y, axis, -1)
    if shape_of(x)[-1] != shape_of(y)[-1]:
        shapes = f"{shape_of(x)} and {shape_of(y)}"
        raise ValueError(f"vecdot takes vectors of one length, and got shapes {shapes}")
    return reductions.sum(x * y, axis=-1)


def _matvec(a: Any, x: Any) -> Any:
    return linear.einsum("...ij,...j->...i", a, x)


def _vecmat(x: Any, a: Any) -> Any:
    return linear.einsum("...i,...ij->...j", x, a)


def _kron(x: Any, y: Any) -> Any:
    """The Kronecker product: all products xᵢyⱼ with the axes of x and y interleaved, then merged in pairs."""
    count = max(np.ndim(plain(x)), np.ndim(plain(y)))
    n, m = ((1,) * (count - np.ndim(plain(item))) + shape_of(item) for item in (x, y))
    x = layout.reshape(x, shape=tuple(length for k in n for length in (k, 1)))
    y = layout.reshape(y, shape=tuple(length for k in m for length in (1, k)))
    return layout.reshape(x * y, shape=tuple(map(mul, n, m)))


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """a × b for vectors of 2 or 3 elements; a missing element is 0. For two 2-vectors, only the third component."""
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    lengths = shape_of(a)[-1], shape_of(b)[-1]
    if not {*lengths} <= {2, 3}:
        raise ValueError(f"cross takes vectors with 2 or 3 elements, and got {lengths[0]} and {lengths[1]}")
    if lengths == (2, 2):
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    a, b = map(_in_space, (a, b))
    rolled = [layout.take(v, places, axis=-1) for v in (a, b) for places in ([1, 2, 0], [2, 0, 1])]
    product = rolled[0] * rolled[3] - rolled[1] * rolled[2]
    return np.moveaxis(product, -1, axisc) if axisc != -1 else product


def _in_space(v: Any) -> Any:
    """A vector with its third element, 0 if it has none."""
    shape = shape_of(v)
    return v if shape[-1] == 3 else layout.pad(v, [(0, 0)] * (len(shape) - 1) + [(0, 1)])


# ---- sums of products ------------------------------------------------------------------------------------------------


def _einsum(*operands: Any, optimize: Any = False) -> Any:
    """`linear.einsum` in both of NumPy's call forms; with ``optimize``, as a sequence of pairwise products."""
    subscripts, *arrays = operands if isinstance(operands[0], str) else _spelled_out(operands)
    if not optimize or len(arrays) < 3 or "." in subscripts:
        return linear.einsum(subscripts, *arrays)
    left, arrow, result = subscripts.replace(" ", "").partition("->")
    letters = left.replace(",", "")
    result = result if arrow else "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    terms = list(zip(left.split(","), arrays, strict=True))
    path, _ = np.einsum_path(subscripts, *(np.broadcast_to(0.0, shape_of(x)) for x in arrays), optimize=optimize)
    for places in path[1:]:
        taken = [terms.pop(k) for k in sorted(places, reverse=True)]
        needed = set(result).union(*(term for term, _ in terms))
        kept = "".join(sorted(set("".join(term for term, _ in taken)) & needed)) if terms else result
        text = ",".join(term for term, _ in taken) + "->" + kept
        terms.append((kept, linear.einsum(text, *(x for _, x in taken))))
    return terms[0][1]


def _spelled_out(operands: Sequence[Any]) -> list[Any]:
    """``einsum(x, [0, 1], y, [1], [0])`` as ``einsum("ab,b->a", x, y)``."""
    arrays, lists = list(operands[:-1:2]), list(operands[1::2])
    result = [operands[-1]] if len(operands) % 2 else []

    def letters(numbers: Any) -> str:
        try:
            return "".join("..." if k is Ellipsis else string.ascii_letters[k] for k in numbers)
        except (TypeError, IndexError):
            raise TypeError(
                f"einsum takes subscripts as a string, or a list of axis numbers 0 … 51 behind each operand, and got "
                f"{describe(numbers)}"
            ) from None

    return ["->".join([",".join(map(letters, lists)), *map(letters, result)]), *arrays]


# ---- convolutions and polynomials ------------------------------------------------------------------------------------


def _convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """(a ∗ v)ₖ = Σᵢ aᵢ vₖ₋ᵢ of two vectors."""
    n, m = len(_vector(a)), len(_vector(v))
    if n < m:
        a, v, n, m = v, a, m, n
    whole = _sums_of_products(a, v, n, m)
    return whole[_kept(mode, n, m)]


def _correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """cₖ = Σᵢ aᵢ₊ₖ vᵢ of two vectors."""
    n, m = len(_vector(a)), len(_vector(v))
    if n >= m:
        return _sums_of_products(a, np.flip(v), n, m)[_kept(mode, n, m)]
    return np.flip(_sums_of_products(v, np.flip(a), m, n)[_kept(mode, m, n)])  # NumPy swaps the two


def _vector(x: Any) -> Any:
    data = np.asarray(plain(x))
    if data.ndim != 1 or not data.size:
        raise ValueError(f"a convolution takes vectors with at least one element, and got shape {data.shape}")
    return data


def _sums_of_products(a: Any, v: Any, n: int, m: int) -> Any:
    places = np.arange(n + m - 1)[:, None] - np.arange(m)
    inside = (places >= 0) & (places < n)
    return linear.matmul(choices.where(inside, layout.take(a, np.where(inside, places, 0)), 0.0), v)


def _kept(mode: str, n: int, m: int) -> slice:
    """The part of the n + m − 1 sums, n ≥ m, that a mode keeps."""
    if mode == "full":
        return slice(None)
    if mode == "same":
        return slice((m - 1) // 2, (m - 1) // 2 + n)
    if mode == "valid":
        return slice(m - 1, n)
    raise ValueError(f"the mode of a convolution must be 'full', 'same' or 'valid', got {mode!r}")


def _polyval(p: Any, x: Any) -> Any:
    """p₀xⁿ + p₁xⁿ⁻¹ + … + pₙ, by Horner's scheme."""
    x = np.asarray(x) if isinstance(x, list | tuple) else x
    z = x * 0.0
    for k in range(shape_of(p)[0]):
        z = z * x + p[k]
    return z


def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The powers of each element, one column per power."""
    if np.ndim(plain(x)) != 1:
        raise ValueError(f"vander takes a vector, and got shape {shape_of(x)}")
    count = shape_of(x)[0] if N is None else N
    powers = range(count) if increasing else range(count - 1, -1, -1)
    if not count:
        return layout.reshape(x[:0], shape=(shape_of(x)[0], 0))
    return layout.stack([x**k for k in powers], axis=-1)


#: The implementation of each NumPy function on nodes, by its name in NumPy.
PRODUCTS: Final[dict[str, Callable[..., Any]]] = {
    "convolve": _convolve, "correlate": _correlate, "cross": _cross, "dot": linear.dot, "einsum": _einsum,
    "inner": _inner, "kron": _kron, "matmul": linear.matmul, "matvec": _matvec, "outer": linear.outer,
    "polyval": _polyval, "tensordot": linear.tensordot, "vander": _vander, "vdot": _vdot, "vecdot": _vecdot,
    "vecmat": _vecmat,
}  # fmt: skip
