"""NumPy's functions that are made of primitives: NumPy's values, and gradients by differences and by HIPS autograd."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from autodiff import TABLE, Tensor, Value, gradients
from autodiff.compositions import COMPOSITIONS
from autodiff.testing import check_gradients
from tests import test_moves, test_numpy_protocol
from tests.differences import slope
from tests.numpy_calls import CALLS, HOLES, MASK, Call

EACH = pytest.mark.parametrize(
    "call", [pytest.param(call, id=f"{name} {k}") for name, calls in CALLS.items() for k, call in enumerate(calls)]
)


@EACH
def test_values_are_numpys(call: Call) -> None:
    """With NumPy's shape; float32 stays float32, also where NumPy computes in float64 (``interp``, ``cov``)."""
    for dtype, rtol in ((np.float64, 1e-13), (np.float32, 1e-5)):  # one rounding of 1e-7 counts for tens in variances
        operands = [np.asarray(x, dtype) for x in call.operands]
        expected, found = call.function(np, *operands), call.function(np, *map(Tensor, operands))
        data = found.data if isinstance(found, Tensor) else found
        assert np.shape(data) == np.shape(expected)
        np.testing.assert_allclose(data, expected, rtol=rtol, atol=rtol * 1e-2)
        assert data.dtype == dtype or not isinstance(found, Tensor)


@EACH
def test_gradients_agree_with_differences(call: Call) -> None:
    """In every operand."""
    found = check_gradients(lambda *xs: np.sum(call.function(np, *xs) ** 2), *call.operands)
    assert found, str(found)


@EACH
def test_second_derivatives_agree_with_differences(call: Call) -> None:
    """How the gradient changes along a direction, from its graph and from gradients beside the point."""
    random = np.random.default_rng(3)
    directions = [random.normal(size=np.shape(x)) for x in call.operands]
    weights = [random.normal(size=np.shape(x)) for x in call.operands]

    def gradient(t: Any) -> Any:
        """Of the sum of squares, along the weights, as a node of ``t``."""
        leaves = [x + t * v for x, v in zip(call.operands, directions, strict=True)]
        found = gradients(np.sum(call.function(np, *leaves) ** 2), leaves, create_graph=True)
        return sum(np.sum(w * part) for w, part in zip(weights, found, strict=True) if part is not None)

    t = Tensor(0.0)
    own = gradients(gradient(t), t)
    numeric, error = slope(lambda h: float(gradient(Tensor(h)).item()))
    assert abs((0.0 if own is None else own) - numeric) <= 1e-8 * max(1.0, abs(numeric)) + error


@EACH
def test_float32_gradients_are_float32(call: Call) -> None:
    """The error signal comes back in the type of each operand."""
    leaves = [Tensor(np.asarray(x, np.float32)) for x in call.operands]
    output = call.function(np, *leaves)
    if isinstance(output, Tensor):
        found = [part for part in gradients(np.sum(output), leaves) if part is not None]
        assert {part.dtype for part in found} == {np.dtype(np.float32)}


def hips(call: Call) -> list[Any]:
    """Gradients by HIPS autograd; None where it has no such function or no rule."""
    autograd = pytest.importorskip("autograd")
    from autograd import numpy as anp

    def total(*xs: Any) -> Any:
        return anp.sum(call.function(anp, *xs) * 1.5)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [autograd.grad(total, k)(*call.operands) for k in range(len(call.operands))]
    except Exception:  # it raises what it likes
        return []


@EACH
def test_gradients_agree_with_hips_autograd(call: Call) -> None:
    """Where it has the function, and a rule for it."""
    expected = hips(call)
    if not expected:
        pytest.skip("HIPS autograd has no rule for this call")
    leaves = list(map(Tensor, call.operands))
    output = np.sum(call.function(np, *leaves) * 1.5)
    for own, other in zip(gradients(output, leaves), expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=1e-12, atol=1e-13)


SHAPES: tuple[tuple[int, ...], ...] = ((), (3,), (2, 3), (3, 2, 2), (0,), (2, 0))
#: Functions of one array that need nothing else, and what else the others need.
MORE_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "array_split": (2,), "expand_dims": (0,), "moveaxis": (0, -1), "repeat": (2,), "reshape": (-1,),
    "resize": ((2, 2),),
    "roll": (1,), "rollaxis": (-1,), "swapaxes": (0, -1), "tile": (2,), "percentile": (30.0,), "quantile": (0.3,),
    "nanpercentile": (30.0,), "nanquantile": (0.3,), "pad": (1,), "partition": (0,), "delete": (0,),
    "astype": (np.float64,),
    "split": (1,), "hsplit": (1,), "vsplit": (1,), "dsplit": (1,), "take": ([0],), "broadcast_to": ((2, 3),),
}  # fmt: skip


def functions_of_one_array() -> dict[str, Any]:
    """All that nodes know, under NumPy's names."""
    named = {function.__name__: function for entry in TABLE.values() for function in entry.numpy if entry.arity == 1}
    named |= {name: getattr(np, name) for name in COMPOSITIONS if "." not in name and hasattr(np, name)}
    return {name: function for name, function in named.items() if name not in NEED_MORE}


#: Functions of two arrays and more, and of sequences.
NEED_MORE = {
    "append", "block", "broadcast_arrays", "choose", "column_stack", "compress", "concatenate", "convolve", "copysign",
    "correlate", "cross", "divmod", "dot", "dstack", "einsum", "extract", "float_power", "fmax", "fmin", "heaviside",
    "hstack", "inner", "insert", "interp", "kron", "ldexp", "linspace", "logaddexp2", "logspace", "matmul", "matvec",
    "meshgrid", "outer", "piecewise", "polyval", "power", "select", "stack", "take_along_axis", "tensordot", "vdot",
    "vecdot", "vecmat", "vstack", "where", "clip",
}  # fmt: skip


def parts(result: Any) -> list[Any]:
    """The arrays of a result, of one that is several too."""
    return [part for item in result for part in parts(item)] if isinstance(result, list | tuple) else [result]


@pytest.mark.parametrize("name", sorted(functions_of_one_array()))
def test_any_shape_that_numpy_takes(name: str) -> None:
    """Shapes from () to three axes, and of size 0: where NumPy has a result nodes have the same, else both raise."""
    function, more = functions_of_one_array()[name], MORE_ARGUMENTS.get(name, ())
    for shape in SHAPES[:4] if name in ("std", "var") else SHAPES:  # of nothing they raise, where NumPy warns
        x = np.random.default_rng(1).uniform(0.1, 0.9, shape)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # of means of nothing
            try:
                expected = parts(function(x, *more))
            except (ValueError, TypeError, IndexError, ZeroDivisionError):
                with pytest.raises((ValueError, TypeError, IndexError)):
                    function(Tensor(x), *more)
                continue
            found = parts(function(Tensor(x), *more))
        for own, theirs in zip(found, expected, strict=True):
            data = own.data if isinstance(own, Tensor) else own
            assert np.shape(data) == np.shape(theirs), shape
            np.testing.assert_allclose(data, theirs, rtol=1e-13, err_msg=f"{shape}")


@pytest.mark.parametrize("name", ["nanmax", "nanmean", "nanmedian", "nanmin", "nanprod", "nanstd", "nansum", "nanvar"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_nan_is_left_out(name: str, axis: Any) -> None:
    """It counts for nothing, and nothing goes back to it: as if the elements were not there."""
    function = getattr(np, name)
    x = Tensor(HOLES)
    output = function(x, axis=axis)
    np.testing.assert_allclose(output.data, function(HOLES, axis=axis), rtol=1e-14)
    slope_ = gradients(np.sum(output), x)
    assert not np.any(slope_[np.isnan(HOLES)])
    assert np.all(np.isfinite(slope_))
    if axis is None:
        known = ~np.isnan(HOLES)
        short = Tensor(HOLES[known])
        expected = gradients(getattr(np, name.removeprefix("nan"))(short), short)
        np.testing.assert_allclose(slope_[known], expected, rtol=1e-14, atol=1e-16)


@pytest.mark.parametrize("call", [
    lambda x: np.sum(x, where=MASK), lambda x: np.sum(x, axis=0, initial=3.0), lambda x: np.sum(x, dtype=np.float32),
    lambda x: np.prod(x, where=MASK, axis=1), lambda x: np.prod(x, initial=2.0),
    lambda x: np.mean(x, where=MASK, axis=0),
    lambda x: np.mean(x, 0, np.float32), lambda x: np.max(x, initial=0.5, axis=1),
    lambda x: np.min(x, where=MASK, initial=9.0),
    lambda x: np.max(x, axis=1, where=MASK, initial=-9.0, keepdims=True), lambda x: x.sum(where=MASK),
    lambda x: x.max(initial=0.5),
    lambda x: np.add.accumulate(x, axis=1), lambda x: np.multiply.accumulate(x),
    lambda x: np.subtract.outer(x[0], x[1]),
])  # fmt: skip
def test_reductions_of_some_elements(call: Any) -> None:
    """NumPy's keywords where, initial and dtype, and what ufuncs accumulate."""
    x, leaf = CALLS["median"][0].operands[0], Tensor(CALLS["median"][0].operands[0])
    expected, found = call(x), call(leaf)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.data, expected, rtol=1e-13 if expected.dtype == float else 1e-6)
    if expected.dtype == float:
        assert check_gradients(lambda v: np.sum(call(v) ** 2), x)


@pytest.mark.parametrize("make", [
    lambda v: np.median(v), lambda v: np.average(v), lambda v: np.round(v), lambda v: np.hypot(v, 2.0),
    lambda v: np.fmax(v, 1.0),
    lambda v: np.nan_to_num(v), lambda v: np.deg2rad(v), lambda v: np.logaddexp2(v, 0.5),
    lambda v: np.copysign(v, -1.0),
    lambda v: np.select([True], [v]), lambda v: np.heaviside(1.0, v), lambda v: np.polyval([1.0, 2.0], v),
    lambda v: divmod(v, 0.4)[1],
    lambda v: np.positive(v), lambda v: np.clip(v, 0.0, 0.5), lambda v: np.sinc(v), lambda v: np.arctan2(v, 0.3),
])  # fmt: skip
def test_functions_take_one_value(make: Any) -> None:
    """A Value is a number: the result is one number with NumPy's value, and its derivative agrees with differences."""
    output = make(Value(0.7))
    assert output.size == 1
    assert output.item() == pytest.approx(float(make(0.7)), rel=1e-14)
    assert check_gradients(lambda v: make(v) * 1.0, 0.7)


def test_every_composition_is_tried() -> None:
    """Here, in test_moves.py, in test_linalg.py or among the calls of test_numpy_protocol.py."""
    elsewhere = {*test_moves.OF_ONE, *test_moves.OF_TWO, "sort"} | {f.__name__ for f in test_numpy_protocol.CALLS}
    here = {name for name in COMPOSITIONS if hasattr(np, name) and "." not in name}
    assert here <= CALLS.keys() | {name.split()[0].split(",")[0] for name in elsewhere}
