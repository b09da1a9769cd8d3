"""Edge cases of the table that once went wrong: infinities, zero exponents, invalid axes and sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, gradients

BOTH = pytest.mark.parametrize("kind", [Value, Tensor], ids=["Value", "Tensor"])
INF = float("inf")


@BOTH
@pytest.mark.parametrize(("f", "at", "slope"), [
    (lambda x: ad.clip(x, -1.0, 1.0), INF, 0.0), (lambda x: ad.clip(x, -1.0, 1.0), -INF, 0.0),
    (lambda x: ad.clip(x, 0.0), INF, 1.0), (ad.hard_tanh, INF, 0.0), (ad.hard_tanh, -INF, 0.0),
    (ad.leaky_relu, INF, 1.0), (ad.leaky_relu, -INF, 0.01),
])  # fmt: skip
def test_slope_beyond_the_kink_holds_at_infinity(kind: type, f: Callable[[Any], Any], at: float, slope: float) -> None:
    """Outside its bounds a limited x has slope 0, also where it is infinite: 0·inf would be nan."""
    x = kind(at)
    assert float(gradients(f(x), x)) == slope


@pytest.mark.parametrize("x", [0.5, 2.0, 3.0])
def test_second_derivatives_of_a_power_at_exponent_zero(x: float) -> None:
    """∂²xʸ/∂x∂y = xʸ⁻¹(1 + y ln x): 1/x at y = 0, whichever comes first, and ∂²/∂y² = ln² x."""
    found = ad.hessian(lambda p: p[0] ** p[1])(np.array([x, 0.0]))
    np.testing.assert_allclose(found, [[0.0, 1.0 / x], [1.0 / x, np.log(x) ** 2]], rtol=1e-15)


@BOTH
def test_power_at_exponent_zero_has_slope_zero_next_to_zero(kind: type) -> None:
    """d(x⁰)/dx is 0 also where 1/x overflows."""
    x, y = kind(5e-324), kind(0.0)
    assert float(gradients(x**y, x)) == 0.0


@pytest.mark.parametrize(("call", "kind", "words"), [
    (lambda t: ad.tensordot(t, t, axes=((3,), (0,))), ValueError, "tensordot over axes=((3,), (0,))"),
    (lambda t: ad.tensordot(t, t, axes=3), ValueError, "is not defined: the number of axes must be from 0 to 2"),
    (lambda t: ad.tensordot(t, t, axes=-1), ValueError, "is not defined: the number of axes must be from 0 to 2"),
    (lambda t: ad.tensordot(t, t, axes="ab"), TypeError, "tensordot over axes='ab'"),
    (lambda t: ad.tensordot(Tensor(1.0), t, axes=1), ValueError, "operands with 0 and 2 axes"),
    (lambda t: ad.concatenate([t, t], axis=None), TypeError, "concatenate("),
    (lambda t: ad.var(t, axis=5), ValueError, "a variance over axis=5 of shape (2, 2) is not defined"),
    (lambda t: ad.std(t, axis="a"), TypeError, "a variance over axis='a'"),
    (lambda t: ad.std(t, ddof="1"), TypeError, "a variance takes a number as ddof, and got '1'"),  # type: ignore[arg-type]
    (lambda t: ad.var(t, ddof=float("nan")), ValueError, "needs more than ddof=nan"),  # type: ignore[arg-type]
    (lambda t: ad.split(t, 2.0), TypeError,  # type: ignore[arg-type]
     "split takes a number of parts or a list of positions, and got 2.0"),
    (lambda t: ad.split(t, ["a"]), TypeError, "a list of positions, and got ['a']"),  # type: ignore[list-item]
    (lambda t: ad.split(t, 2, "a"), TypeError, "an axis must be an integer, got 'a'"),  # type: ignore[arg-type]
    (lambda t: ad.diag(t, 1.5), TypeError, "the offset of a diagonal must be an integer, got 1.5"),  # type: ignore[arg-type]
    (lambda t: ad.pad(t, 1, constant_values="1"), TypeError,  # type: ignore[arg-type]
     "pad takes one plain number as constant_values, and got '1'"),
    (lambda t: ad.pad(t, 1, constant_values=Value(1.0)), TypeError, "pad takes one plain number as constant_values"),  # type: ignore[arg-type]
    (lambda t: ad.pad(t, ((1, 2),) * 3), ValueError, "a pair for each axis of shape (2, 2)"),
    (lambda t: ad.clip(t, float("nan"), 1.0), ValueError, "clip needs low ≤ high"),
    (lambda t: ad.einsum("......", t), ValueError, "the part '......' does not fit"),
    (lambda t: ad.einsum("...i->i", t), ValueError, "the result must have the '...' of its operands"),
    (lambda t: ad.affine(None, t, t), TypeError, "affine takes real numbers"),
])  # fmt: skip
def test_what_is_not_there_is_refused(call: Callable[[Tensor], Any], kind: type[Exception], words: str) -> None:
    """Invalid axes, positions and fill values raise an error of one sentence; none wraps around."""
    with pytest.raises(kind) as error:
        call(Tensor(np.ones((2, 2))))
    assert words in str(error.value)


def test_numpy_integers_count_axes_and_parts() -> None:
    """A NumPy integer works like an int; taking no elements from an empty array gives an empty array."""
    t = Tensor(np.arange(4.0))
    assert [part.shape for part in ad.split(t, np.int64(2))] == [(2,), (2,)]
    assert ad.tensordot(t, t, axes=np.int64(1)).item() == 14.0
    assert ad.take(t, []).shape == (0,)


def test_affine_of_lists() -> None:
    """Lists are treated as arrays, as everywhere in the table, and lists of Values as Values."""
    assert ad.affine([[1.0, 2.0]], [3.0, 4.0], [0.5]).tolist() == [11.5]
    (z,) = ad.affine([[Value(1.0), Value(2.0)]], [3.0, 4.0], [0.5])
    assert z.data == 11.5


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ij,ij->", ((1, 3), (2, 1))), ("ij,ij->i", ((1, 3), (2, 1))), ("ij,i->", ((1, 3), (2,))),
    ("ij,i->j", ((1, 3), (2,))), ("...i,...->...", ((1, 3), (2, 1))), ("ij,jk->ik", ((2, 1), (3, 2))),
    ("ij,ij->", ((1, 0), (2, 1))), ("ij,jk,i->", ((1, 3), (1, 2), (2,))),
])  # fmt: skip
def test_einsum_repeats_lengths_of_one(subscripts: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    """A letter of length 1 in one operand runs as far as in the others; its gradient is summed over the repeats."""
    random = np.random.default_rng(0)
    data = [random.normal(size=shape) for shape in shapes]
    leaves = [Tensor(x) for x in data]
    y = ad.einsum(subscripts, *leaves)
    np.testing.assert_allclose(y.data, np.einsum(subscripts, *data), rtol=1e-14)
    for k, (x, found) in enumerate(zip(data, gradients(y.sum(), leaves), strict=True)):
        units = [unit.reshape(x.shape) for unit in np.eye(x.size)]  # y is linear in each operand
        moved = [np.einsum(subscripts, *data[:k], unit, *data[k + 1 :]).sum() for unit in units]
        np.testing.assert_allclose(found, np.reshape(moved, x.shape), rtol=1e-14)
    slopes = gradients(y.sum(), leaves, create_graph=True)
    u, v = ([random.normal(size=shape) for shape in shapes] for _ in range(2))

    def second(first: list[Any], then: list[Any]) -> float:
        along = sum((g * d).sum() for g, d in zip(slopes, first, strict=True))
        return float(sum((g * d).sum() for g, d in zip(gradients(along, leaves), then, strict=True)))

    assert second(u, v) == pytest.approx(second(v, u), rel=1e-12)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "norm", "logsumexp"])
def test_a_number_is_reduced_over_the_axis_that_numpy_lends_it(name: str, axis: int, keepdims: bool) -> None:
    """NumPy reduces a 0-d array over axis 0 and −1: the value is the number itself, and its gradient 1."""
    x = Tensor(2.5)
    output = getattr(ad, name)(x, axis=axis, keepdims=keepdims)
    assert (output.shape, output.item(), float(gradients(output, x))) == ((), 2.5, 1.0)
    zero = Tensor(0.0)
    assert float(gradients(ad.prod(zero, axis=axis, keepdims=keepdims), zero)) == 1.0


@pytest.mark.parametrize("shape", [(3,), (2, 3)])
def test_spread_takes_what_a_sum_gives(shape: tuple[int, ...]) -> None:
    """An array that only broadcasts is refused: the way back would be the sum over other axes, a wrong gradient."""
    with pytest.raises(ValueError, match=r"is not that of a sum over axis=1 of shape \(2, 3\) with keepdims"):
        ad.spread(Tensor(np.ones(shape)), shape=(2, 3), axis=1, keepdims=True)


def test_a_share_that_is_a_plain_number_is_a_tensor_in_a_graph_of_gradients() -> None:
    """A rule may give 0.0, as that of the branch not taken: the node for it holds a number of NumPy's, with a type."""
    x = Tensor([1.0, 2.0])
    output = ad.TABLE["where"](Tensor(3.0), x[1], condition=True)
    assert gradients(output, x, create_graph=True).data.tolist() == [0.0, 0.0]
