"""NumPy's functions that are made of primitives beside the torch function that means the same: values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autodiff import Tensor, gradients
from tests.support.numpy_calls import HOLES, C, M, N, V, W

pytestmark = pytest.mark.peer

torch = pytest.importorskip("torch")

#: A name for each call, the call as NumPy has it, as torch has it, and the operands.
CALLS: dict[str, tuple[Callable[..., Any], Callable[..., Any], tuple[Any, ...]]] = {
    "append": (lambda x, y: np.append(x, y), lambda x, y: torch.cat([x.ravel(), y]), (M, W)),
    "atleast_3d": (np.atleast_3d, lambda x: x[:, :, None], (M,)),
    "average": (
        lambda x, w: np.average(x, axis=1, weights=w),
        lambda x, w: (x * w).sum(1) / w.sum(),
        (M, np.array([1.5, 0.5, 2.0])),
    ),
    "column_stack": (lambda x, y: np.column_stack([x, y]), lambda x, y: torch.column_stack([x, y]), (M.T, W)),
    "convolve": (
        lambda a, v: np.convolve(a, v),
        lambda a, v: torch.nn.functional.conv1d(a[None, None], v.flip(0)[None, None], padding=2)[0, 0],
        (V, W),
    ),
    "copysign": (np.copysign, torch.copysign, (M, N)),
    "corrcoef": (np.corrcoef, torch.corrcoef, (M,)),
    "correlate": (
        lambda a, v: np.correlate(a, v),
        lambda a, v: torch.nn.functional.conv1d(a[None, None], v[None, None])[0, 0],
        (V, W),
    ),
    "cov": (np.cov, torch.cov, (M,)),
    "cross": (np.cross, lambda x, y: torch.linalg.cross(x, y), (M, N)),
    "cumprod": (lambda x: np.cumprod(x, axis=1), lambda x: torch.cumprod(x, 1), (M,)),
    "cumprod at zeros": (
        lambda x: np.cumprod(x),
        lambda x: torch.cumprod(x, 0),
        (np.array([2.0, 0.0, -1.5, 0.0, 3.0]),),
    ),
    "cumsum": (lambda x: np.cumsum(x, axis=0), lambda x: torch.cumsum(x, 0), (M,)),
    "delete": (lambda x: np.delete(x, 1, axis=1), lambda x: x[:, [0, 2]], (M,)),
    "diff": (lambda x: np.diff(x, 2), lambda x: torch.diff(x, 2), (M,)),
    "dstack": (lambda x, y: np.dstack([x, y]), lambda x, y: torch.dstack([x, y]), (M, N)),
    "ediff1d": (np.ediff1d, lambda x: torch.diff(x.ravel()), (M,)),
    "extract": (lambda x: np.extract(M > 0, x), lambda x: x[x > 0], (M,)),
    "flip": (lambda x: np.flip(x), lambda x: torch.flip(x, (0, 1)), (M,)),
    "fmax": (np.fmax, torch.fmax, (M, N)),
    "fmin": (np.fmin, torch.fmin, (M, N)),
    "frexp": (lambda x: np.frexp(x)[0], lambda x: torch.frexp(x)[0], (M,)),
    "gradient": (lambda x: np.gradient(x, axis=1), lambda x: torch.gradient(x, dim=1)[0], (M,)),
    "heaviside": (lambda x: np.heaviside(x, 0.5) + x, lambda x: (x > 0) * 1.0 + x, (M,)),
    "hstack": (lambda x, y: np.hstack([x, y]), lambda x, y: torch.hstack([x, y]), (M, N)),
    "inner": (np.inner, lambda x, y: x @ y.T, (M, N)),
    "insert": (lambda x, y: np.insert(x, 2, y), lambda x, y: torch.cat([x[:2], y, x[2:]]), (V, W[:1])),
    "interp": (
        lambda x: np.interp(x, [0.0, 1.0, 3.0], [2.0, -1.0, 4.0]),
        lambda x: 2.0 - 3.0 * x,
        (np.array([0.2, 0.7]),),
    ),
    "kron": (np.kron, torch.kron, (M, N)),
    "ldexp": (lambda x: np.ldexp(x, 3), lambda x: torch.ldexp(x, torch.tensor(3)), (M,)),
    "linspace": (
        lambda x: np.linspace(x[0], x[1], 4),
        lambda x: x[0] + (x[1] - x[0]) * torch.linspace(0.0, 1.0, 4, dtype=torch.float64),
        (V,),
    ),
    "logaddexp2": (np.logaddexp2, torch.logaddexp2, (M, N)),
    "logspace": (
        lambda x: np.logspace(x[0], 1.0, 3),
        lambda x: 10.0 ** (x[0] + (1.0 - x[0]) * torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)),
        (V,),
    ),
    "median": (lambda x: np.median(x, axis=1), lambda x: torch.median(x, 1)[0], (M,)),
    "median of two in the middle": (np.median, lambda x: torch.quantile(x, 0.5), (V,)),
    "meshgrid": (lambda x, y: np.meshgrid(x, y)[0], lambda x, y: torch.meshgrid(x, y, indexing="xy")[0], (V, W)),
    "modf": (lambda x: np.modf(x)[0], torch.frac, (M,)),
    "nan_to_num": (np.nan_to_num, torch.nan_to_num, (HOLES,)),
    "nanmean": (lambda x: np.nanmean(x, axis=0), lambda x: torch.nanmean(x, 0), (HOLES,)),
    "nanmedian": (lambda x: np.nanmedian(x[:, ::2]), lambda x: torch.nanquantile(x[:, ::2], 0.5), (HOLES,)),
    "nanquantile": (lambda x: np.nanquantile(x, 0.3, axis=1), lambda x: torch.nanquantile(x, 0.3, 1), (HOLES,)),
    "nansum": (lambda x: np.nansum(x, axis=1), lambda x: torch.nansum(x, 1), (HOLES,)),
    "outer": (np.outer, torch.outer, (V, W)),
    "pad by reflection": (
        lambda x: np.pad(x, ((0, 0), (1, 2)), "reflect"),
        lambda x: torch.nn.functional.pad(x, (1, 2), "reflect"),
        (M,),
    ),
    "partition": (lambda x: np.partition(x, 0, axis=1)[:, 0], lambda x: x.min(1)[0], (M,)),
    "percentile": (lambda x: np.percentile(x, 30.0, axis=0), lambda x: torch.quantile(x, 0.3, 0), (M,)),
    "piecewise": (
        lambda x: np.piecewise(x, [x < 0], [lambda v: v * v, lambda v: 2.0 * v]),
        lambda x: torch.where(x < 0, x * x, 2.0 * x),
        (V,),
    ),
    "polyval": (np.polyval, lambda p, x: p[0] * x**2 + p[1] * x + p[2], (W, M)),
    "ptp": (lambda x: np.ptp(x, axis=1), lambda x: x.max(1)[0] - x.min(1)[0], (M,)),
    "quantile": (
        lambda x: np.quantile(x, 0.3, axis=1, method="higher"),
        lambda x: torch.quantile(x, 0.3, 1, interpolation="higher"),
        (M,),
    ),
    "repeat": (lambda x: np.repeat(x, 2, axis=0), lambda x: torch.repeat_interleave(x, 2, 0), (M,)),
    "roll": (lambda x: np.roll(x, 1, axis=1), lambda x: torch.roll(x, 1, 1), (M,)),
    "rot90": (np.rot90, torch.rot90, (M,)),
    "sort": (lambda x: np.sort(x, axis=0), lambda x: torch.sort(x, 0)[0], (M,)),
    "std": (lambda x: np.std(x, axis=1, ddof=1), lambda x: torch.std(x, 1), (M,)),
    "take_along_axis": (
        lambda x: np.take_along_axis(x, np.array([[2], [0]]), 1),
        lambda x: torch.take_along_dim(x, torch.tensor([[2], [0]]), 1),
        (M,),
    ),
    "tile": (lambda x: np.tile(x, (2, 3)), lambda x: torch.tile(x, (2, 3)), (M,)),
    "trace": (lambda x: np.trace(x, axis1=1, axis2=2), lambda x: torch.einsum("kii->k", x), (C[:, :2],)),
    "trapezoid": (lambda y, x: np.trapezoid(y, x), lambda y, x: torch.trapezoid(y, x), (M, W)),
    "tril": (lambda x: np.tril(x, -1), lambda x: torch.tril(x, -1), (M,)),
    "triu": (np.triu, torch.triu, (M,)),
    "unique": (np.unique, lambda x: torch.sort(x.ravel())[0], (M,)),
    "vander": (np.vander, lambda x: torch.linalg.vander(x).flip(1), (W,)),
    "var": (lambda x: np.var(x, axis=0), lambda x: torch.var(x, 0, correction=0), (M,)),
    "vdot": (np.vdot, lambda x, y: torch.dot(x.ravel(), y.ravel()), (M, N)),
    "vecdot": (np.vecdot, lambda x, y: torch.linalg.vecdot(x, y), (M, N)),
    "vstack": (lambda x, y: np.vstack([x, y]), lambda x, y: torch.vstack([x, y]), (M, N)),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_and_gradients_are_torchs(name: str) -> None:
    """For a cotangent that weighs every element of the result differently."""
    ours, theirs, operands = CALLS[name]
    leaves = list(map(Tensor, operands))
    others = [torch.tensor(x, requires_grad=True) for x in operands]
    output, result = ours(*leaves), theirs(*others)
    np.testing.assert_allclose(output.data, result.detach().numpy(), rtol=1e-13, atol=1e-15)
    cotangent = np.linspace(0.5, 2.0, output.size).reshape(output.shape)
    found = gradients(output, leaves, seed=cotangent)
    expected = torch.autograd.grad(result, others, torch.tensor(cotangent), allow_unused=True)
    for own, other in zip(found, expected, strict=True):
        plain = (0.0 if own is None else own), (0.0 if other is None else other.numpy())
        np.testing.assert_allclose(*plain, rtol=1e-12, atol=1e-14)
