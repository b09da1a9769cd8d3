"""NumPy's functions that only move elements, on nodes: its values, and for gradients those of a linear function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, gradients
from autodiff.testing import check_gradients
from autodiff.values.compositions.moves import MOVES
from tests.support.cases import each

Function = Callable[[Any], Any]

#: Functions of one array, of any shape that they take.
OF_ONE: dict[str, tuple[Function, tuple[tuple[int, ...], ...]]] = {
    "atleast_1d": (np.atleast_1d, ((), (3,), (2, 3))),
    "atleast_2d": (np.atleast_2d, ((), (3,), (2, 3, 2))),
    "atleast_3d": (np.atleast_3d, ((), (3,), (2, 3))),
    "copy": (np.copy, ((), (3,), (0,), (2, 3))),
    "delete": (lambda x: np.delete(x, [0, 2], axis=-1), ((3,), (2, 4))),
    "diagonal": (lambda x: np.diagonal(x, 1), ((3, 3), (2, 4))),
    "diagonal of axes": (lambda x: np.diagonal(x, offset=-1, axis1=0, axis2=2), ((3, 2, 3),)),
    "diff": (np.diff, ((1,), (4,), (2, 3), (0,))),
    "diff twice": (lambda x: np.diff(x, 2, axis=0), ((4,), (3, 2))),
    "diff not at all": (lambda x: np.diff(x, 0), ((4,),)),
    "fliplr": (np.fliplr, ((2, 3), (0, 3))),
    "flipud": (np.flipud, ((3,), (2, 3))),
    "moveaxis": (lambda x: np.moveaxis(x, 0, -1), ((3,), (2, 3), (2, 3, 4))),
    "moveaxis, two": (lambda x: np.moveaxis(x, [0, 1], [-1, 0]), ((2, 3, 4),)),
    "repeat": (lambda x: np.repeat(x, 2), ((), (3,), (2, 3), (0,))),
    "repeat by counts": (lambda x: np.repeat(x, [0, 2, 1], axis=-1), ((3,), (2, 3))),
    "resize": (lambda x: np.resize(x, (2, 4)), ((3,), (3, 3), (0,), (0, 3))),
    "roll": (lambda x: np.roll(x, 4), ((3,), (2, 3))),
    "roll, two axes": (lambda x: np.roll(x, (1, -1), axis=(0, 1)), ((3, 4),)),
    "rollaxis": (lambda x: np.rollaxis(x, -1), ((2, 3), (2, 3, 4))),
    "rot90": (lambda x: np.rot90(x, -1), ((2, 3), (2, 2, 2))),
    "take_along_axis": (lambda x: np.take_along_axis(x, np.array([[1, 1, 0]]), axis=-1), ((1, 2), (2, 2))),
    "tile": (lambda x: np.tile(x, (2, 3)), ((), (3,), (2, 3))),
    "tril": (lambda x: np.tril(x, -1), ((3, 3), (2, 3, 2))),
    "triu": (np.triu, ((3, 3), (2, 4), (0, 2))),
}
#: Functions of two arrays, and shapes that fit.
OF_TWO: dict[str, tuple[Callable[[Any, Any], Any], tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]]] = {
    "append": (np.append, (((3,), (2,)), ((2, 3), ()), ((), ()), ((0,), (2,)))),
    "append to rows": (lambda x, y: np.append(x, y, axis=0), (((2, 3), (1, 3)),)),
    "concatenate": (lambda x, y: np.concatenate([x, y], axis=None), (((3,), (2, 2)), ((), ()), ((0,), (3,)))),
    "column_stack": (lambda x, y: np.column_stack([x, y]), (((3,), (3,)), ((2, 3), (2,)), ((2, 3), (2, 0)))),
    "dstack": (lambda x, y: np.dstack((x, y)), (((3,), (3,)), ((2, 3), (2, 3)))),
    "hstack": (lambda x, y: np.hstack([x, y]), (((), ()), ((3,), (2,)), ((2, 3), (2, 1)))),
    "vstack": (lambda x, y: np.vstack([x, y]), (((3,), (3,)), ((2, 3), (1, 3)), ((2, 3), (3,)))),
}
ONES = [pytest.param(f, shape, id=f"{name} {shape}") for name, (f, shapes) in OF_ONE.items() for shape in shapes]
TWOS = [pytest.param(f, pair, id=f"{name} {pair}") for name, (f, pairs) in OF_TWO.items() for pair in pairs]


def numbers(shape: tuple[int, ...], seed: int = 0, dtype: Any = float) -> Any:
    """Numbers of which no two are equal."""
    return np.asarray(np.random.default_rng(seed).normal(size=shape), dtype)


def is_its_own_pullback(f: Function, x: Any) -> None:
    """The values are NumPy's bit for bit, and the gradient of Σ w·f(x) is Σ w·f(eᵢ) in its i-th element, exactly."""
    leaf, expected = Tensor(x), f(x)
    result = f(leaf)
    np.testing.assert_array_equal(result.data, expected)
    assert result.shape == expected.shape
    assert result.data.dtype == expected.dtype
    weights = np.arange(1.0, expected.size + 1.0).reshape(expected.shape)
    units = np.eye(x.size).reshape(x.size, *x.shape)
    slope = np.reshape([np.sum(weights * f(unit)) for unit in units], x.shape)
    found = gradients(np.sum(weights * result), leaf)
    np.testing.assert_array_equal(found, slope.astype(x.dtype))
    assert found.dtype == x.dtype


@pytest.mark.parametrize(("f", "shape"), ONES)
@each("dtype", [np.float64, np.float32])
def test_one_array(f: Function, shape: tuple[int, ...], dtype: Any) -> None:
    """Over all shapes, negative axes, size 0, both types."""
    is_its_own_pullback(f, numbers(shape, dtype=dtype))


@pytest.mark.parametrize(("f", "shapes"), TWOS)
def test_two_arrays(f: Callable[[Any, Any], Any], shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """In either place, beside a plain array, beside each other."""
    x, y = numbers(shapes[0]), numbers(shapes[1], 1)
    joined = f(Tensor(x), Tensor(y))
    np.testing.assert_array_equal(joined.data, f(x, y))
    for place, shape in enumerate(shapes):
        leaves = [Tensor(x), Tensor(y)]
        alone = [x, y]
        alone[place] = leaves[place]
        weights = np.arange(1.0, joined.size + 1.0).reshape(joined.shape)
        others = [np.zeros(each) for each in shapes]
        units = np.eye(leaves[place].size).reshape(leaves[place].size, *shape)
        slope = np.reshape([
            np.sum(weights * f(*(unit if k == place else zero for k, zero in enumerate(others)))) for unit in units
        ], shape)  # fmt: skip
        np.testing.assert_array_equal(gradients(np.sum(weights * f(*leaves)), leaves[place]), slope)
        np.testing.assert_array_equal(gradients(np.sum(weights * f(*alone)), leaves[place]), slope)


def test_sorting_takes_each_share_to_where_its_element_came_from() -> None:
    """Along any axis; of equal elements the first stays first; a nan comes last, as NumPy has it."""
    x = np.array([[3.0, 1.0, 2.0], [0.5, 0.5, -1.0]])
    for axis in (0, 1, -1, None):
        leaf = Tensor(x)
        result: Any = np.sort(leaf, axis=axis)
        np.testing.assert_array_equal(result.data, np.sort(x, axis=axis))
        weights = np.arange(1.0, 7.0).reshape(result.shape)
        expected = np.zeros(6)
        flat = np.argsort(x, axis=axis, kind="stable")
        places = flat if axis is None else np.take_along_axis(np.arange(6).reshape(2, 3), flat, axis)
        expected[places.ravel()] = weights.ravel()
        np.testing.assert_array_equal(gradients(np.sum(weights * result), leaf).ravel(), expected)
    np.testing.assert_array_equal(np.sort(Tensor([np.nan, 1.0])).data, [1.0, np.nan])


@pytest.mark.parametrize("f", [
    lambda x: np.sum(np.sort(x) * np.arange(4.0)), lambda x: np.sum(np.diff(x) ** 3),
    lambda x: np.sum(np.exp(np.tile(x, 2)) * np.arange(8.0)), lambda x: np.sum(np.hstack([x, x * x]) ** 2),
])  # fmt: skip
def test_differences_agree_to_second_order(f: Function) -> None:
    """Among other operations."""
    assert check_gradients(f, np.array([0.3, -1.2, 2.0, 0.9]), order=2)


def test_a_value_moves_too() -> None:
    """As an array without axes."""
    x: Any = Value(2.0)
    assert np.tile(x, 3).shape == (3,)
    np.sum(np.tile(x, 3) * np.array([1.0, 2.0, 3.0])).backward()
    assert x.grad == 6.0
    np.sum(np.hstack([x, x]) * np.array([1.0, 2.0])).backward()
    assert x.grad == 9.0


def test_an_infinity_outside_a_triangle_spoils_nothing() -> None:
    """What tril leaves out is shut off: nothing gets through, in the forward pass and back."""
    x = Tensor([[1.0, np.inf], [2.0, 3.0]])
    np.sum(np.tril(x) ** 2).backward()
    np.testing.assert_array_equal(x.grad, [[2.0, 0.0], [4.0, 6.0]])


def test_what_numpy_refuses_is_refused_in_its_words() -> None:
    """Axes out of range, shapes that do not fit together."""
    x = Tensor(np.ones((2, 3)))
    call: Callable[[Any], Any]
    for call in (
        lambda x: np.roll(x, 1, axis=2), lambda x: np.hstack([x, np.ones((3, 3))]), lambda x: np.moveaxis(x, 0, 5),
        lambda x: np.diff(x, -1), lambda x: np.diff(x, axis=2), lambda x: np.repeat(x, [1, 2, 3]),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r".+"):
            call(x)
    for call in (
        lambda x: np.atleast_1d(x, x), lambda x: np.sort(x, order="a"), lambda x: np.diff(x, prepend=0.0),
        lambda x: np.hstack([x, x], dtype=np.float32), lambda x: np.roll(x, Value(1.0)),
        lambda x: np.diff(x, 1.5),  # type: ignore[call-overload]
        lambda x: np.rot90(x, k=Value(1.0)),  # type: ignore[call-overload]
        lambda x: np.tile(x, rep=2),  # type: ignore[call-overload]
    ):  # fmt: skip
        with pytest.raises(TypeError, match=r".+"):
            call(x)
    with pytest.raises(IndexError, match="integer"):
        np.take_along_axis(x, x, 0)  # type: ignore[arg-type]


def test_arguments_have_numpys_names() -> None:
    """As on arrays, the first one too."""
    x = Tensor([[1.0, 2.0]])
    np.testing.assert_array_equal(np.tile(A=x, reps=2).data, [[1.0, 2.0, 1.0, 2.0]])
    np.testing.assert_array_equal(np.roll(a=x, shift=1, axis=1).data, [[2.0, 1.0]])
    with pytest.raises(TypeError, match=r"np\.roll takes shift as a constant, and got Value"):
        np.roll(x, Value(1.9))


def test_moves_are_linear_to_any_order() -> None:
    """The Hessian of Σ x³ behind a roll is diagonal: 6·x."""
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(ad.hessian(lambda v: np.sum(np.roll(v, 1) ** 3))(x), np.diag(6.0 * x), rtol=1e-15)


def test_each_function_is_tried() -> None:
    """Under its own name."""
    tried = {name.split()[0].split(",")[0] for name in (*OF_ONE, *OF_TWO)} | {"sort"}
    assert tried <= MOVES.keys()
