"""NumPy's functions that are made of primitives: NumPy's values, and gradients by differences and, where it has a
rule, by HIPS autograd."""

from __future__ import annotations

import tracemalloc
import warnings
from typing import Any

import numpy as np
import pytest

from autodiff import TABLE, Tensor, Value, gradients, hessian
from autodiff.testing import check_gradients
from autodiff.values.compositions import COMPOSITIONS
from tests.support.cases import each
from tests.support.differences import slope
from tests.support.numpy_calls import CALLS, HOLES, MASK, Call, since
from tests.values import test_moves, test_numpy_protocol

CASES = {f"{name} {k}": call for name, calls in CALLS.items() for k, call in enumerate(calls)}
EACH = pytest.mark.parametrize("call", CASES.values(), ids=CASES)


@each("name", CASES)
def test_values_are_numpys(name: str) -> None:
    """With NumPy's shape; float32 stays float32, also where NumPy computes in float64 (``interp``, ``cov``)."""
    call = CASES[name]
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


@each("name", CASES)
def test_float32_gradients_are_float32(name: str) -> None:
    """The error signal comes back in the type of each operand."""
    call = CASES[name]
    leaves = [Tensor(np.asarray(x, np.float32)) for x in call.operands]
    output = call.function(np, *leaves)
    if isinstance(output, Tensor):
        found = [part for part in gradients(np.sum(output), leaves) if part is not None]
        assert {part.dtype for part in found} == {np.dtype(np.float32)}


#: Functions for which HIPS autograd has a rule, for some of their calls.
KNOWN_TO_HIPS = (
    "around", "array_split", "block", "choose", "conjugate", "cross", "deg2rad", "degrees", "dsplit", "einsum", "fmax",
    "fmin", "gradient", "hsplit", "kron", "linspace", "logaddexp2", "nan_to_num", "rad2deg", "radians", "real",
    "real_if_close", "round", "select", "trace", "vsplit",
)  # fmt: skip


def by_hips(call: Call) -> list[Any]:
    """Gradients by HIPS autograd; none where it has no rule for the call."""
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


@pytest.mark.parametrize("name", KNOWN_TO_HIPS)
def test_gradients_agree_with_hips_autograd(name: str) -> None:
    """Where it has a rule: it has one for at least one call of each of these functions."""
    compared = 0
    for call in CALLS[name]:
        leaves = list(map(Tensor, call.operands))
        output = np.sum(call.function(np, *leaves) * 1.5)
        for own, other in zip(gradients(output, leaves), by_hips(call), strict=False):
            np.testing.assert_allclose(0.0 if own is None else own, other, rtol=1e-12, atol=1e-13)
            compared += 1
    assert compared


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
    """All functions that nodes support, under NumPy's names."""
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


@each("name", sorted(functions_of_one_array()))
def test_any_shape_that_numpy_takes(name: str) -> None:
    """Shapes from () to three axes, and of size 0: nodes give NumPy's result, or both raise an error."""
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
    """It does not count and receives no error, as if the elements were absent."""
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
    """Here, in test_moves.py or among the calls of test_numpy_protocol.py; functions of numpy.linalg are exempt."""
    elsewhere = {*test_moves.OF_ONE, *test_moves.OF_TWO, "sort", "full_like"}
    elsewhere |= {f.__name__ for f in test_numpy_protocol.CALLS}
    here = {name for name in COMPOSITIONS if hasattr(np, name) and "." not in name}
    here -= set() if since("2.1") else {"astype"}  # in NumPy 2.0 it takes arrays alone
    assert here <= CALLS.keys() | {name.split()[0].split(",")[0] for name in elsewhere}


INF, NAN = np.inf, np.nan


@pytest.mark.parametrize("call", [
    lambda x: np.piecewise(x([1.0, 2.0, 3.0]), [np.array([False, True, True])], [lambda v: v - v.mean(), 0.0]),
    lambda x: np.piecewise(x([1.0, 2.0, 3.0]), [[False, True, True], [True, True, False]], [np.cumsum, lambda v: -v]),
    lambda x: np.median(x(np.arange(9.0).reshape(3, 3)), axis=()), lambda x: np.median(x([1.0, 2.0, INF])),
    lambda x: np.median(x([INF, INF])), lambda x: np.median(x([-1.7e308, 1.7e308])),
    lambda x: np.nanmedian(x([[1.0, NAN], [2.0, INF], [3.0, INF]]), axis=0),
    lambda x: np.quantile(x([1.0, INF]), 0.5, method="lower"),
    lambda x: np.quantile(x([1.0, 2.0, INF]), 0.5, method="higher"),
    lambda x: np.fmax(x([NAN, 1.0, 3.0]), x([2.0, NAN, 4.0])),
    lambda x: np.fmin(x([NAN, 1.0, 3.0]), x([2.0, NAN, 4.0])),
    lambda x: np.interp(x([0.2, 1.1, 1.6, 2.9]), [0.0, 1.0, 1.5, 3.0], [2.0, -1.0, 4.0, 0.5]),
    lambda x: np.median(x(np.zeros((0, 3))), axis=1), lambda x: np.median(x([[1.0, 2.0]]), None, None, False),
    lambda x: np.gradient(x([0.0, 1.0, 2.0, 3.0, NAN])), lambda x: np.gradient(x([1.0, 2.0, INF, 4.0, 5.0])),
    lambda x: np.gradient(x([1.0, 4.0, 9.0, 16.5]), [0.0, 1.0, 3.0, 4.5], edge_order=2),
    lambda x: np.interp(x([0.0, 2.0]), [0.0], [3.0]), lambda x: np.frexp(x([5e-324, 3.0]))[0],
    lambda x: np.ldexp(x([1e-300, 0.0]), 1100), lambda x: np.ldexp(x([1e300]), -1100),
    lambda x: np.modf(x([INF, -INF, -0.5]))[0],
    lambda x: np.vander(x([1.0, 2.0]), 0), lambda x: np.exp(x([1.0]), where=True),
    lambda x: np.round(x([1.5]), 400) * 0.0,
    lambda x: np.polyval(x([1.0, 2.0]), [1.0, 2.0]), lambda x: np.full_like(x([1.0, 2.0]), 3.0),
    lambda x: x([1.0, 3.0]).clip(min=2.0),
    lambda x: np.linalg.norm(x([0.0, 0.0]), 3), lambda x: np.piecewise(x([]), [np.array([], bool)], [1.0]),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*encountered")  # of infinities and nan, which is NumPy's word about such numbers
def test_values_at_the_edges_are_numpys(call: Any) -> None:
    """Infinities, nan, nothing, functions of parts, numbers at the ends of the range of floats."""
    found, expected = call(Tensor), call(np.array)
    np.testing.assert_allclose(getattr(found, "data", found), expected, rtol=1e-14)
    assert np.shape(getattr(found, "data", found)) == np.shape(expected)


def test_gradients_at_the_edges() -> None:
    """A sum to 1 at ties with the start of a maximum; 0 where a norm is 0; the graph of a number that fills."""
    x = Tensor([-INF, -INF])
    assert gradients(np.nanmax(x), x).tolist() == [0.5, 0.5]
    x = Tensor([0.0, 0.0])
    assert gradients(np.linalg.norm(x, 3), x).tolist() == [0.0, 0.0]
    point = np.array([1.0, -2.0, 0.0])
    expected = hessian(lambda v: np.sum(v**4) ** 0.25)(point)
    np.testing.assert_allclose(hessian(lambda v: np.linalg.norm(v, 4))(point), expected, rtol=1e-13, atol=1e-16)
    v = Value(3.0)
    assert gradients(np.sum(np.full_like(Tensor([1.0, 2.0]), v)), v) == 2.0


def test_running_products_at_zeros_take_linear_memory() -> None:
    """20,000 elements, two zeros among them: the sum is linear in each element, so its slope is the sum with a 1 there
    without the products that leave it out; a matrix of all pairs would take 3.2 GB."""
    x = np.random.default_rng(0).normal(size=20_000)
    x[[7, 19_000]] = 0.0
    leaf = Tensor(x)
    output = np.sum(np.cumprod(leaf))
    tracemalloc.start()
    found = gradients(output, leaf)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000_000
    for j in (0, 3, 7, 8, 19_000, 19_999):
        one = x.copy()
        one[j] = 1.0
        np.testing.assert_allclose(found[j], np.cumprod(one)[j:].sum(), rtol=1e-12)


def test_the_error_signal_comes_back_through_astype() -> None:
    """In the type of x, both ways."""
    for own, other in ((np.float32, np.float64), (np.float64, np.float32)):
        x = Tensor(np.array([0.5, -2.0], own))
        found = gradients(np.sum(x.astype(other) ** 2), x)
        assert found.dtype == own
        np.testing.assert_array_equal(found, [1.0, -4.0])


@pytest.mark.parametrize(("call", "said"), [
    (lambda x: np.hstack([x, 1.0], dtype="f4"), "unexpected keyword argument 'dtype'"),
    (lambda x: np.insert(x, Value(1.0), 1), "insert takes obj as a constant"),  # type: ignore[call-overload]
    (lambda x: np.array_split(x, Value(2.0)), "takes indices_or_sections as a constant"),
    (lambda x: np.quantile(x, [NAN]), "a quantile must be from 0 to 1"),
    (lambda x: np.quantile(x, x), "q must be a constant"),
    (lambda x: np.quantile(x, 0.5, method="hazen"), "methods are higher, linear, lower, midpoint"),
    (lambda x: np.gradient(x, x), "spacing must be a constant"),
    (lambda x: np.gradient(x[:1]), "needs more than 1 elements"),
    (lambda x: np.interp(x, [1.0, 2.0, 3.0], [1.0, 2.0]), "two vectors of one length"),
    (lambda x: np.round(x, 1.5), "cannot be interpreted as an integer"),  # type: ignore[call-overload]
    (lambda x: np.ldexp(x, 1.5), "whole numbers as exponents"),
    (lambda x: x.clip(1.0, min=2.0), "low and high or as min and max, and got some of both"),
    (lambda x: np.linalg.cond(np.outer(x, x), 1), "takes invertible matrices"),
    (lambda x: np.percentile(x, 30.0, weights=x), "np.percentile on nodes takes x, q, axis, method, keepdims"),
    (lambda x: np.vander(Value(1.0)), "vander takes a vector"),  # type: ignore[call-overload]
    (lambda x: np.vecdot(x, x[:1]), "vectors of one length"),
    (lambda x: np.convolve(x, x, "all"), "the mode of a convolution must be 'full', 'same' or 'valid', got 'all'"),  # type: ignore[call-overload]
    (lambda x: np.cross(x[:1], x[:1]), "2 or 3 elements"),
    (lambda x: np.select([x > 0, x > 1], [x]), "a choice for each condition"),
    (lambda x: np.choose([2], [x]), "whole numbers 0 … 0"),
    (lambda x: np.piecewise(x, [x > 0], []), "a function for each condition"),
    (lambda x: np.max(x, where=x > 0), "with where= needs initial=, in case where selects no element"),
    (lambda x: x.clip(least=2), "low and high, or min and max"),
    (lambda x: x.astype(int), "a node must be float64 or float32, got dtype int64"),
    (lambda x: getattr(np, "astype", lambda _, kind: x.astype("i4"))(Value(1.0), "f4"),  # since NumPy 2.1
     "a Value must be float64, got dtype float32|a node must be"),
    (lambda x: np.diff(x, -1), "np.diff needs n ≥ 0, and got n=-1"),
    (lambda x: np.gradient(x, [1.0, 2.0]), "gradient takes as many coordinates as elements, 3, and got 2"),
    (lambda x: np.average(np.outer(x, x), weights=[1.0, 2.0, 3.0]), r"weights whose shape is not \(3, 3\) need"),
    (lambda x: np.linalg.cross(x[:2], x[:2]), "vectors with 3 elements"),
    (lambda x: np.einsum(x, ["a"]), "a list of axis numbers"), (lambda x: np.vander(x[None]), "vander takes a vector"),
    (lambda x: np.cumulative_sum(x[None]) if hasattr(np, "cumulative_sum") else np.cumsum(x, "a"),  # type: ignore[call-overload]
     "axis|integer"),
])  # fmt: skip
def test_errors_say_what_is_asked(call: Any, said: str) -> None:
    """A TypeError or ValueError that says what the function takes."""
    with pytest.raises((TypeError, ValueError), match=said):
        call(Tensor([1.0, 2.0, 4.0]))
