"""numpy.linalg on nodes: NumPy's values, and derivatives beside torch, HIPS autograd and differences.

Matrices are drawn with condition numbers below 100, so that two algorithms for one number differ by a few hundred
roundings: 1e-12 of the largest element for values, 1e-11 for gradients, in which an inverse stands twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, gradients
from autodiff.primitives.registry import TABLE
from autodiff.system.extras import install
from autodiff.testing import check_gradients
from autodiff.values.compositions.linalg import LINALG
from autodiff.values.compositions.norms import NORMS
from tests.support.cases import each

Shape = tuple[int, ...]

SQUARES: tuple[Shape, ...] = ((1, 1), (2, 2), (3, 3), (2, 3, 3))
ANY_SHAPES: tuple[Shape, ...] = (*SQUARES, (3, 2), (2, 4), (2, 3, 2))


def general(shape: Shape, seed: int = 0) -> Any:
    """A stack of matrices whose singular values are 1, 2, 3, … and no two elements alike."""
    random = np.random.default_rng(seed + sum(shape))
    u, _, v = np.linalg.svd(random.normal(size=shape), full_matrices=False)
    return (u * np.arange(1.0, u.shape[-1] + 1.0)) @ v


def definite(shape: Shape, seed: int = 0) -> Any:
    """Symmetric matrices with the eigenvalues 1, 4, 9, …"""
    x = general(shape, seed)
    return x @ np.swapaxes(x, -1, -2)


W = general((3, 3), 7)


@dataclass(frozen=True)
class Row:
    """A function ``(L, x, w)`` of x, with ``w`` at hand as a constant, and what it is tried on.

    ``L`` is numpy.linalg, that of HIPS autograd where ``hips`` says that it has a rule, or torch.linalg, unless torch
    spells it as ``theirs``.
    """

    ours: Callable[[Any, Any, Any], Any]
    shapes: tuple[Shape, ...] = SQUARES
    theirs: Callable[[Any, Any, Any], Any] | None = None
    drawn: Callable[..., Any] = general
    hips: bool = False


def of_order(p: Any, norm: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """The function of a `Row` for a norm ``(p, L, x)`` of one order."""
    return lambda L, x, w: norm(p, L, x)


SOLVED = ((3, 3), (2, 3, 3))
SIX = ((6, 6),)
VECTORS = ((3,), (2, 3), (2, 3, 2))
ORDERS = (1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc")

ROWS: dict[str, Row] = {
    "inv": Row(lambda L, x, w: L.inv(x), hips=True),
    "solve": Row(lambda L, x, w: L.solve(x, w), SOLVED, hips=True),
    "solve a vector": Row(lambda L, x, w: L.solve(x, w[0]), SOLVED, lambda L, x, w: L.solve(x, w[:1].mT)[..., 0]),
    "solve for": Row(lambda L, x, w: L.solve(w, x), (*SOLVED, (3, 1)), hips=True),
    "solve for a vector": Row(lambda L, x, w: L.solve(w, x[0]), ((3, 3),)),
    "det": Row(lambda L, x, w: L.det(x), hips=True),
    "slogdet": Row(lambda L, x, w: L.slogdet(x)[1], hips=True),
    "cholesky": Row(lambda L, x, w: L.cholesky(x), drawn=definite, hips=True),
    "cholesky, upper": Row(lambda L, x, w: L.cholesky(x, upper=True), drawn=definite),
    "eigh, values": Row(lambda L, x, w: L.eigh(x)[0], drawn=definite, hips=True),
    "eigh, vectors": Row(lambda L, x, w: L.eigh(x)[1] ** 2, drawn=definite, hips=True),
    "eigh, upper": Row(lambda L, x, w: L.eigh(x, UPLO="U")[1] ** 2, drawn=definite),
    "eigvalsh": Row(lambda L, x, w: L.eigvalsh(x), drawn=definite),
    "eigvalsh, upper": Row(lambda L, x, w: L.eigvalsh(x, UPLO="U"), drawn=definite),
    "svd, U": Row(lambda L, x, w: L.svd(x, full_matrices=False)[0] ** 2, ANY_SHAPES, hips=True),
    "svd, s": Row(lambda L, x, w: L.svd(x, full_matrices=False)[1], ANY_SHAPES, hips=True),
    "svd, V": Row(lambda L, x, w: L.svd(x, full_matrices=False)[2] ** 2, ANY_SHAPES, hips=True),
    "svd, square": Row(lambda L, x, w: L.svd(x)[2] ** 2),
    "svd, values": Row(lambda L, x, w: L.svd(x, compute_uv=False), ANY_SHAPES, lambda L, x, w: L.svdvals(x)),
    "svdvals": Row(lambda L, x, w: L.svdvals(x), ANY_SHAPES),
    "pinv": Row(lambda L, x, w: L.pinv(x), ANY_SHAPES),
    "pinv, hermitian": Row(lambda L, x, w: L.pinv(x, hermitian=True), drawn=definite),
    "pinv, of smaller rank": Row(lambda L, x, w: L.pinv(x @ x.T, rtol=1e-10), ((3, 2),)),
    "qr, Q": Row(lambda L, x, w: L.qr(x)[0], ANY_SHAPES),
    "qr, R": Row(lambda L, x, w: L.qr(x)[1], ANY_SHAPES),
    "qr, mode r": Row(lambda L, x, w: L.qr(x, "r"), ANY_SHAPES, lambda L, x, w: L.qr(x)[1]),
    "qr, complete": Row(lambda L, x, w: L.qr(x, mode="complete")[0], (*SQUARES, (2, 4))),
    "matrix_power": Row(lambda L, x, w: L.matrix_power(x, 5)),
    "matrix_power, negative": Row(lambda L, x, w: L.matrix_power(x, -3)),
    "matrix_power 1": Row(lambda L, x, w: L.matrix_power(x, 1)),
    "matrix_power 0": Row(lambda L, x, w: L.matrix_power(x, 0), theirs=lambda L, x, w: L.matrix_power(x, 0) + 0.0 * x),
    "multi_dot": Row(lambda L, x, w: L.multi_dot([x, w[:, :1], w[:1], x]), ((3, 3),)),
    "multi_dot of vectors": Row(lambda L, x, w: L.multi_dot([x[0], x, w, x[1]]), ((3, 3),)),
    "multi_dot from a vector": Row(lambda L, x, w: L.multi_dot([x[0], x, w]), ((3, 3),)),
    "multi_dot of two": Row(lambda L, x, w: L.multi_dot([x, x]), ((3, 3),)),
    "tensorinv": Row(lambda L, x, w: L.tensorinv(x.reshape(2, 3, 6), ind=2), SIX),
    "tensorinv, one axis": Row(lambda L, x, w: L.tensorinv(x.reshape(6, 3, 2), ind=1), SIX),
    "tensorsolve": Row(lambda L, x, w: L.tensorsolve(x.reshape(2, 3, 6), w[:2]), SIX),
    "tensorsolve, axes": Row(
        lambda L, x, w: L.tensorsolve(x.reshape(2, 6, 3), w[:2], axes=(1,)), SIX,
        lambda L, x, w: L.tensorsolve(x.reshape(2, 6, 3), w[:2], dims=(1,)),
    ),
    "norm": Row(lambda L, x, w: L.norm(x), ((3,), *ANY_SHAPES), hips=True),
    "norm 0": Row(lambda L, x, w: L.norm(x, 0, axis=-1), VECTORS, lambda L, x, w: (x != 0).sum(-1) + 0.0 * x.sum(-1)),
    "matrix_norm": Row(lambda L, x, w: L.matrix_norm(x), ANY_SHAPES),
    "vector_norm": Row(lambda L, x, w: L.vector_norm(x), ((3,), *ANY_SHAPES)),
    **{
        f"norm of vectors {p}": Row(
            of_order(p, lambda p, L, x: L.norm(x, p, axis=-1, keepdims=True)), VECTORS,
            of_order(p, lambda p, L, x: L.vector_norm(x, p, dim=-1, keepdim=True)),
        )
        for p in (1, -1, 2, -2, 3, 2.5, 0.5, np.inf, -np.inf)
    },
    **{
        f"vector_norm {p}": Row(
            of_order(p, lambda p, L, x: L.vector_norm(x, axis=(0, -1), ord=p)), VECTORS[1:],
            of_order(p, lambda p, L, x: L.vector_norm(x, p, dim=(0, -1))),
        )
        for p in (1, 2, 3, np.inf)
    },
    **{
        f"norm of matrices {p}": Row(
            of_order(p, lambda p, L, x: L.norm(x, p, axis=(-1, 0), keepdims=True)), ((3, 3), (3, 2), (2, 3, 2)),
            of_order(p, lambda p, L, x: L.matrix_norm(x, p, dim=(-1, 0), keepdim=True)),
        )
        for p in ORDERS
    },
    **{f"matrix_norm {p}": Row(of_order(p, lambda p, L, x: L.matrix_norm(x, ord=p)), ANY_SHAPES) for p in ORDERS},
    **{f"cond {p}": Row(of_order(p, lambda p, L, x: L.cond(x, p))) for p in (None, 2, -2)},
    **{  # torch.linalg.cond has no backward pass for the others
        f"cond {p}": Row(
            of_order(p, lambda p, L, x: L.cond(x, p)),
            theirs=of_order(p, lambda p, L, x: L.matrix_norm(x, p) * L.matrix_norm(L.inv(x), p)),
        )
        for p in (1, -1, np.inf, -np.inf, "fro", "nuc")
    },
    "cond of any shape": Row(lambda L, x, w: L.cond(x), ANY_SHAPES),
    "matrix_transpose": Row(lambda L, x, w: L.matrix_transpose(x), ANY_SHAPES, lambda L, x, w: x.mT),
    "np.matrix_transpose": Row(lambda L, x, w: np.matrix_transpose(x), ANY_SHAPES, lambda L, x, w: x.mT),
    "diagonal": Row(lambda L, x, w: L.diagonal(x, offset=1), ANY_SHAPES[1:], lambda L, x, w: L.diagonal(x, offset=1)),
    "trace": Row(lambda L, x, w: L.trace(x), ANY_SHAPES, lambda L, x, w: L.diagonal(x).sum(-1)),
    "outer": Row(lambda L, x, w: L.outer(x[0], x[-1]), SOLVED[:1], lambda L, x, w: x[0][:, None] * x[-1]),
    "matmul": Row(lambda L, x, w: L.matmul(x, w), SOLVED),
    "tensordot": Row(lambda L, x, w: L.tensordot(x, w, axes=1), SOLVED, lambda L, x, w: x @ w),
}  # fmt: skip
CASES = {f"{name} {shape}": (row, shape) for name, row in ROWS.items() for shape in row.shapes}
EACH = [pytest.param(*case, id=name) for name, case in CASES.items()]
HIPS = [
    pytest.param(row, shape, id=f"{name} {shape}") for name, row in ROWS.items() for shape in row.shapes
    if row.hips and len(shape) <= 2
]  # fmt: skip
ONE_ORDER = {"pinv, of smaller rank", "matrix_power 0", "norm 0"}


def drawn(row: Row, shape: Shape) -> Any:
    """An operand of a row."""
    return row.drawn(shape) if len(shape) > 1 else np.array([0.5, -1.5, 2.0])


def weights(like: Any) -> Any:
    """An error signal of which no two elements are equal."""
    return np.cos(1.0 + np.arange(float(np.size(like)))).reshape(np.shape(like))


def close(found: Any, expected: Any, rounding: float) -> None:
    """Equal up to so much of the largest element."""
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding * np.max(np.abs(expected), initial=1e-300))


def share(row: Row, x: Any) -> Any:
    """The gradient of Σ weights · f at x, symmetrised where f reads one triangle of a symmetric matrix only."""
    leaf = Tensor(x)
    result = row.ours(np.linalg, leaf, W)
    return folded(row, gradients(result, leaf, seed=weights(result.data)))


def folded(row: Row, gradient: Any) -> Any:
    """What both triangles get, in the lower one: engines divide it in different ways."""
    if row.drawn is not definite:
        return gradient
    return np.tril(gradient + np.swapaxes(gradient, -1, -2)) - gradient * np.eye(gradient.shape[-1])


@each("dtype", [np.float64, np.float32])
@each("name", CASES)
def test_values_are_numpys(name: str, dtype: Any) -> None:
    """With the shape and the type; the gradient has those of its leaf."""
    row, shape = CASES[name]
    x = drawn(row, shape).astype(dtype)
    leaf, expected = Tensor(x), row.ours(np.linalg, x, W.astype(dtype))
    result = row.ours(np.linalg, leaf, W.astype(dtype))
    assert result.data.dtype == dtype
    close(result.data, np.asarray(expected), 1e-12 if dtype is np.float64 else 1e-4)
    gradient = gradients(result, leaf, seed=np.ones(result.shape, dtype))
    assert (gradient.shape, gradient.dtype) == (x.shape, dtype)


@pytest.fixture
def torch() -> Any:
    """PyTorch, if it is installed."""
    return pytest.importorskip("torch", reason=f"comparing with torch needs an extra: {install('peers')}")


@each("name", CASES)
def test_gradients_are_those_of_torch(torch: Any, name: str) -> None:
    """Of a weighted sum of all results, in float64."""
    row, shape = CASES[name]
    x = drawn(row, shape)
    leaf = torch.tensor(x, requires_grad=True)
    result = (row.theirs or row.ours)(torch.linalg, leaf, torch.tensor(W))
    (result * torch.tensor(weights(result.detach().numpy()))).sum().backward()
    close(share(row, x), folded(row, leaf.grad.numpy()), 1e-11)


@pytest.mark.parametrize(("row", "shape"), HIPS)
def test_gradients_are_those_of_autograd(row: Row, shape: Shape) -> None:
    """Where HIPS autograd has a rule, on one matrix."""
    autograd = pytest.importorskip("autograd", reason=f"comparing with autograd needs an extra: {install('peers')}")
    numpy = pytest.importorskip("autograd.numpy")
    x = drawn(row, shape)
    weight = weights(row.ours(np.linalg, x, W))
    gradient = autograd.grad(lambda v: numpy.sum(weight * row.ours(numpy.linalg, v, W)))(x)
    close(share(row, x), folded(row, gradient), 1e-11)


@pytest.mark.parametrize(
    ("row", "shape"), [param for param in EACH if not any(str(param.id).startswith(name) for name in ONE_ORDER)]
)
def test_differences_agree_to_second_order(row: Row, shape: Shape) -> None:
    """In every element of small matrices, and along a direction through all elements of larger ones.

    It weighs every element of the gradient, and then of the gradient's own: a wrong one shows in it.
    """
    x = drawn(row, shape)
    weight = weights(row.ours(np.linalg, x, W))
    along = 1 if x.size > 4 else 0
    assert check_gradients(lambda v: np.sum(weight * row.ours(np.linalg, v, W)), x, order=2, directions=along)


# ---- determinants of singular matrices -------------------------------------------------------------------------------


def of_rank(rank: int, n: int = 4, seed: int = 0) -> Any:
    """An n×n matrix of that rank, singular to the last bit: of small integers."""
    random = np.random.default_rng(seed)
    return random.integers(-3, 4, (n, rank)).astype(float) @ random.integers(-3, 4, (rank, n)).astype(float)


def cofactors(x: Any) -> Any:
    """The derivative of det x by its definition: x is linear in every element."""
    found = np.empty(x.shape)
    for place in np.ndindex(x.shape):
        one, zero = x.copy(), x.copy()
        one[place], zero[place] = 1.0, 0.0
        found[place] = np.linalg.det(one) - np.linalg.det(zero)
    return found


@pytest.mark.parametrize("x", [
    of_rank(3), of_rank(2), of_rank(1), np.zeros((3, 3)), np.zeros((1, 1)), np.zeros((2, 2)), np.ones((3, 3)),
    np.stack([np.eye(3), np.zeros((3, 3)), np.diag([1.0, 2.0, 0.0])]),
    np.diag([1e-200, 1e-200, 1.0]), np.diag([1e-300, 1.0]),
])  # fmt: skip
def test_det_is_right_at_singular_matrices(x: Any) -> None:
    """Its gradient is the matrix of cofactors, whatever the rank; the second derivative is right too."""
    expected = np.reshape([cofactors(each) for each in x.reshape(-1, *x.shape[-2:])], x.shape)
    if np.all(x == np.round(x)):  # then so are its cofactors
        expected = np.round(expected)
    found = gradients(np.sum(np.linalg.det(leaf := Tensor(x))), leaf)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-13 * np.abs(expected).max())
    assert check_gradients(lambda v: np.sum(np.linalg.det(v)), x, order=2)


def test_det_of_rank_two_less_has_its_second_derivative() -> None:
    """The gradient is 0 there, and the Hessian is not: each entry is ± an element that is left."""
    hessian = ad.hessian(np.linalg.det)(np.diag([2.0, 0.0, 0.0]))
    assert (hessian[1, 1, 2, 2], hessian[1, 2, 2, 1], hessian[0, 0, 1, 1]) == (2.0, -2.0, 0.0)
    assert np.count_nonzero(hessian) == 4


def test_det_of_a_large_singular_matrix() -> None:
    """Beyond the size at which minors are computed: the gradient is right, and what would need them is nan."""
    x = of_rank(19, 20)
    x /= np.linalg.norm(x, 2)
    u, s, vt = np.linalg.svd(x)
    leaf = Tensor(x)
    (slope,) = gradients(np.linalg.det(leaf), [leaf], create_graph=True)
    expected = np.linalg.det(u) * np.linalg.det(vt) * np.prod(s[:-1]) * np.outer(u[:, -1], vt[-1])
    close(slope.data, expected, 1e-10)
    assert np.isnan(gradients(np.sum(slope * slope), leaf)).all()


def test_det_of_a_large_regular_matrix_differentiates_twice() -> None:
    """By its inverse: ∂²det = det·(x⁻ᵀ⊗x⁻ᵀ − …), here along one direction, against differences."""
    assert check_gradients(lambda v: np.linalg.det(v) / 1e6, general((18, 18)) / 6.0, order=2, directions=3)


def test_det_without_rows_is_one() -> None:
    """The empty product; of a stack too."""
    for shape in ((0, 0), (2, 0, 0), (0, 3, 3)):
        leaf = Tensor(np.ones(shape))
        result = np.linalg.det(leaf)
        np.testing.assert_array_equal(result.data, np.linalg.det(np.ones(shape)))
        assert gradients(result, leaf, seed=np.ones(result.shape)).shape == shape


def test_det_of_a_nan_is_nan() -> None:
    """In the gradient as well, at any size."""
    for n in (2, 20):
        x = np.eye(n)
        x[0, 0] = np.nan
        leaf = Tensor(x)
        with np.errstate(invalid="ignore"):  # NumPy warns of a nan in det
            result = np.linalg.det(leaf)
        assert np.isnan(gradients(result, leaf)).any()


def test_slogdet_at_a_singular_matrix() -> None:
    """−inf as in NumPy; the gradient is undefined there, and right for the other matrices of the stack."""
    x = np.stack([np.diag([1.0, 0.0]), np.diag([2.0, -4.0])])
    leaf = Tensor(x)
    sign, size = np.linalg.slogdet(leaf)
    np.testing.assert_array_equal(sign, [0.0, -1.0])
    np.testing.assert_allclose(size.data, [-np.inf, np.log(8.0)])
    gradient = gradients(size, leaf, seed=np.ones(2))
    assert np.isnan(gradient[0]).all()
    np.testing.assert_allclose(gradient[1], np.diag([0.5, -0.25]))


# ---- one triangle, and values that repeat ----------------------------------------------------------------------------


@pytest.mark.parametrize(("f", "kept"), [
    (np.linalg.cholesky, np.tril), (lambda x: np.linalg.cholesky(x, upper=True), np.triu),
    (np.linalg.eigvalsh, np.tril), (lambda x: np.linalg.eigvalsh(x, UPLO="U"), np.triu),
    (lambda x: np.linalg.eigh(x)[1] ** 2, np.tril), (lambda x: np.linalg.eigh(x, "U").eigenvectors ** 2, np.triu),
    (lambda x: np.linalg.pinv(x, hermitian=True), np.tril),
])  # fmt: skip
def test_the_other_triangle_is_not_read(f: Callable[[Any], Any], kept: Callable[[Any], Any]) -> None:
    """Whatever it contains: the value is NumPy's, and it receives no share of the error."""
    x = kept(definite((3, 3))) + np.where(kept(np.ones((3, 3))) == 0, np.nan, 0.0)
    leaf = Tensor(x)
    result = f(leaf)
    close(result.data, f(np.nan_to_num(x)) if kept is None else f(definite((3, 3))), 1e-13)
    gradient = gradients(result, leaf, seed=weights(result.data))
    np.testing.assert_array_equal(gradient, kept(gradient))
    assert np.all(gradient[kept(np.ones((3, 3))) == 1] != 0)
    assert check_gradients(lambda v: np.sum(weights(result.data) * f(v)), definite((3, 3)), order=2)


def test_eigenvalues_that_repeat() -> None:
    """A symmetric function of them has a gradient; one of eigenvectors has none there, and gives nan."""
    x = np.diag([2.0, 2.0, 5.0])
    for f in (lambda v: np.linalg.eigvalsh(v), lambda v: np.linalg.eigh(v).eigenvalues):
        leaf = Tensor(x)
        close(gradients(np.sum(f(leaf) ** 3), leaf), np.diag([12.0, 12.0, 75.0]), 1e-14)
    leaf = Tensor(x)
    with np.errstate(all="raise"):
        assert not np.isfinite(gradients(np.sum(W * np.linalg.eigh(leaf).eigenvectors), leaf)).all()
    first = ad.grad(lambda v: np.sum(np.linalg.eigh(v)[0] ** 3))
    assert np.isnan(ad.grad(lambda v: np.sum(first(v) * W))(x)).any()


def test_singular_values_that_repeat_or_vanish() -> None:
    """The sum of their squares is that of the elements; a single one at 0 has slope 0, as |x| has."""
    for x in (np.eye(3), np.diag([2.0, 2.0, 1.0]), np.eye(3)[:, :2]):
        for f in (np.linalg.svdvals, lambda v: np.linalg.svd(v, full_matrices=False).S):
            leaf = Tensor(x)
            close(gradients(np.sum(f(leaf) ** 2), leaf), 2.0 * x, 1e-14)
    for x in (np.zeros((2, 3)), np.zeros((1, 1))):
        leaf = Tensor(x)
        np.testing.assert_array_equal(gradients(np.linalg.norm(leaf, "nuc"), leaf), 0.0 * x)
    np.testing.assert_array_equal(ad.grad(lambda v: np.linalg.norm(v, 2))(np.eye(2)), np.eye(2) / 2)


def test_qr_of_a_singular_matrix_says_nan() -> None:
    """R has no inverse; the forward pass is NumPy's."""
    leaf = Tensor(np.zeros((2, 2)))
    result = np.linalg.qr(leaf)
    np.testing.assert_array_equal(result.R.data, np.zeros((2, 2)))
    assert np.isnan(gradients(result.R, leaf, seed=W[:2, :2])).any()


# ---- shapes, kinds, errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [
    np.linalg.inv, np.linalg.det, lambda x: np.linalg.slogdet(x)[1], np.linalg.cholesky, lambda x: np.linalg.eigh(x)[1],
    np.linalg.eigvalsh, lambda x: np.linalg.svd(x)[0], np.linalg.svdvals, np.linalg.pinv, lambda x: np.linalg.qr(x)[1],
    lambda x: np.linalg.solve(x, x), lambda x: np.linalg.matrix_power(x, 3), np.linalg.trace, np.linalg.matrix_norm,
])  # fmt: skip
@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 3, 3), (0, 0)])
def test_without_elements(f: Callable[[Any], Any], shape: Shape) -> None:
    """No matrix, or matrices without rows: NumPy's shapes, and a gradient as empty."""
    x = np.ones(shape)
    leaf = Tensor(x)
    result = f(leaf)
    np.testing.assert_array_equal(result.data, f(x))
    assert gradients(result, leaf, seed=np.ones(result.shape)).shape == shape


def test_results_are_numpys_own_tuples() -> None:
    """With their names."""
    x = Tensor(definite((3, 3)))
    for function, names in (
        (np.linalg.eigh, ("eigenvalues", "eigenvectors")), (np.linalg.svd, ("U", "S", "Vh")),
        (np.linalg.qr, ("Q", "R")), (np.linalg.slogdet, ("sign", "logabsdet")),
    ):  # fmt: skip
        result = function(x)
        assert type(result) is type(function(x.data))
        assert result._fields == names


def test_arguments_have_numpys_names() -> None:
    """As on arrays, the first one too."""
    x = Tensor(definite((3, 3)))
    for call in (
        lambda v: np.linalg.inv(a=v), lambda v: np.linalg.solve(a=v, b=W), lambda v: np.linalg.eigh(a=v, UPLO="l")[0],
        lambda v: np.linalg.svd(a=v, full_matrices=False, compute_uv=True, hermitian=False)[1],
        lambda v: np.linalg.pinv(a=v, rtol=1e-9), lambda v: np.linalg.norm(x=v, ord=None, axis=None, keepdims=True),
        lambda v: np.linalg.qr(a=v, mode="reduced")[0], lambda v: np.linalg.matrix_power(a=v, n=np.int64(2)),
        lambda v: np.linalg.multi_dot(arrays=[v, v]), lambda v: np.linalg.cond(x=v, p=2),
        lambda v: np.linalg.tensorinv(a=v, ind=1), lambda v: np.linalg.tensorsolve(a=v, b=W[0], axes=None),
        lambda v: np.linalg.matrix_norm(v, keepdims=True),
        lambda v: np.linalg.vector_norm(v, keepdims=True),  # type: ignore[call-overload]  # NumPy's stubs ask for axis
    ):  # fmt: skip
        close(call(x).data, call(x.data), 1e-13)


def test_leading_axes_broadcast() -> None:
    """A stack of right sides for one matrix, a vector for a stack of matrices; shares are summed over what repeats."""
    a, b = definite((2, 1, 3, 3)), general((4, 3, 2))
    leaves = Tensor(a), Tensor(b)
    result = np.linalg.solve(*leaves)
    close(result.data, np.linalg.solve(a, b), 1e-13)
    assert check_gradients(lambda v, w: np.sum(weights(result.data) * np.linalg.solve(v, w)), a, b)
    assert np.linalg.solve(Tensor(definite((2, 3, 3))), W[0]).shape == (2, 3)


def test_multi_dot_multiplies_as_few_numbers_as_can_be() -> None:
    """Of all orders of five matrices the cheapest is chosen: a vector first reduces each tall matrix."""
    lengths = [30, 2, 40, 3, 50, 1]
    items = [Tensor(np.ones(pair)) for pair in pairwise(lengths)]
    result = np.linalg.multi_dot(items)
    close(result.data, np.linalg.multi_dot([x.data for x in items]), 1e-13)
    assert cost(result) == min(costs(tuple(lengths)))


def cost(node: Any) -> int:
    """How many products of numbers a graph of matrix products takes."""
    if not node.inputs:
        return 0
    left, right = node.inputs
    return cost(left) + cost(right) + int(np.prod(left.shape)) * int(right.shape[-1])


def costs(lengths: tuple[int, ...]) -> list[int]:
    """The same of every order."""
    if len(lengths) == 2:
        return [0]
    return [
        one + two + lengths[0] * lengths[k] * lengths[-1]
        for k in range(1, len(lengths) - 1)
        for one in costs(lengths[: k + 1])
        for two in costs(lengths[k:])
    ]


def test_values_in_a_tensor() -> None:
    """Values that were stacked into a Tensor get their shares."""
    a, b = Value(2.0), Value(3.0)
    np.linalg.det(ad.stack([ad.stack([a, Value(1.0)]), ad.stack([Value(1.0), b])])).backward()
    assert (a.grad, b.grad) == (pytest.approx(3.0, rel=1e-15), pytest.approx(2.0, rel=1e-15))


L, SINGULAR = np.linalg, np.linalg.LinAlgError


@pytest.mark.parametrize(("call", "kind", "text"), [
    (lambda x: L.inv(x[:2]), SINGULAR, r"linalg\.inv takes square matrices .* got shape \(2, 3\)"),
    (lambda x: L.inv(x[0]), ValueError, r"np\.linalg\.inv takes square matrices .* got shape \(3,\)"),
    (lambda x: L.inv(0.0 * x), SINGULAR, r"inv\(array of shape \(3, 3\).*\) is not defined: Singular"),
    (lambda x: L.solve(0.0 * x, W), SINGULAR, r"solve\(array of shape \(3, 3\).* Singular matrix"),
    (lambda x: L.solve(x, W[:2]), ValueError, r"solve\(array of shape \(3, 3\).*shape \(2, 3\)"),
    (lambda x: L.solve(x, 1.0), ValueError, r"the right-hand side must be a matrix .* got shape \(\)"),
    (lambda x: L.cholesky(-x), SINGULAR, r"cholesky\(array of shape \(3, 3\).*not positive definite"),
    (lambda x: L.cholesky(x[:2]), ValueError, r"np\.linalg\.cholesky takes square matrices"),
    (lambda x: L.eigh(x, UPLO="X"),  # type: ignore[call-overload]
     ValueError, r"np\.linalg\.eigh takes 'L' or 'U' as UPLO, and got 'X'"),
    (lambda x: L.det(x[:2]), ValueError, r"np\.linalg\.det takes square matrices .* \(2, 3\)"),
    (lambda x: L.svd(x[:2]), TypeError, r"\(2, 3\) has a rule for full_matrices=False only.*not unique; pass full_"),
    (lambda x: L.svd(x, hermitian=True), TypeError, r"takes no hermitian=True; use np\.linalg\.eigh"),
    (lambda x: L.svd(x[0]), ValueError, r"np\.linalg\.svd takes matrices or stacks of them, and got shape \(3,\)"),
    (lambda x: L.qr(x[:, :2], mode="complete"), TypeError, r"shape \(3, 2\) has .*mode 'complete' is possible"),
    (lambda x: L.qr(x, mode="raw"), TypeError, r"has a rule for mode 'reduced' or 'r', and got 'raw'"),
    (lambda x: L.pinv(x, rcond=0.1, rtol=0.2), ValueError, r"takes rcond or rtol, and got both: 0\.1 and 0\.2"),
    (lambda x: L.matrix_power(x, 1.5),  # type: ignore[arg-type]
     TypeError, r"takes a whole number as n, and got 1\.5"),
    (lambda x: L.matrix_power(x[:2], 2), ValueError, r"np\.linalg\.matrix_power takes square matrices"),
    (lambda x: L.multi_dot([x]), ValueError, r"takes two arrays or more, and got 1"),
    (lambda x: L.multi_dot([x, W[0], x]), ValueError, r"only at the two ends; it got shapes \[\(3, 3\), \(3,\), "),
    (lambda x: L.multi_dot([x, W], out=np.empty((3, 3))), TypeError, r"takes no out="),
    (lambda x: L.norm(x, 3), ValueError, r"a matrix norm takes 1, -1, 2, .*'fro' or 'nuc' as ord, and got 3"),
    (lambda x: L.norm(x[0], "fro"), ValueError, r"a vector norm takes a number as ord, and got 'fro'"),
    (lambda x: L.norm(x.reshape(1, 3, 3), 1), ValueError, r"ord=1 takes one axis or two, and got shape \(1, 3, 3\)"),
    (lambda x: L.norm(x, 1, axis=2), ValueError, r"axis 2 is out of bounds"),
    (lambda x: L.cond(x[:2], 1), ValueError, r"np\.linalg\.cond takes square matrices"),
    (lambda x: L.cond(x[:0]), ValueError, r"takes matrices with elements, and got shape \(0, 3\)"),
    (lambda x: L.tensorinv(x, ind=0), ValueError, r"takes a positive number of axes, and got ind=0"),
    (lambda x: L.tensorinv(x[:2], ind=1), ValueError, r"as many elements in the first axes .* \(2, 3\)"),
    (lambda x: L.tensorsolve(x, W), ValueError, r"as many unknowns as equations, and got shapes \(3, 3\)"),
    (lambda x: L.outer(x, x), ValueError, r"takes two vectors, and got shapes \(3, 3\)"),
    (lambda x: L.matrix_norm(x[0]), ValueError, r"np\.linalg\.matrix_norm takes matrices"),
    (lambda x: L.lstsq(x, W), TypeError, r"lstsq has no rule on nodes: it returns several results"),
    (lambda x: TABLE["eigh"](x[:2]), ValueError, r"it takes square matrices, and got shape \(2, 3\)"),
    (lambda x: TABLE["qr"](x[:2]), ValueError, r"no more columns than rows, and got shape \(2, 3\)"),
])  # fmt: skip
def test_what_is_not_defined_is_said(call: Callable[[Any], Any], kind: type[Exception], text: str) -> None:
    """The error is a sentence that names the call, what it needs and what it got."""
    with pytest.raises(kind, match=text):
        call(Tensor(definite((3, 3))))


def test_each_function_is_tried() -> None:
    """Under its own name."""
    tried = {name.split()[0].split(",")[0].removeprefix("np.") for name in ROWS}
    defined = {name.removeprefix("linalg.") for name in (*LINALG, *NORMS)}
    assert defined == tried | {"cross", "vecdot"}  # in test_compositions.py
