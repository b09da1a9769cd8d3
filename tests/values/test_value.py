"""`Value` works where a float does: in Python's own functions, beside numbers, and inside NumPy's object arrays."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import TABLE, Tensor, Value, gradients, topological
from autodiff.values import base
from tests.support.strategies import PRIMITIVES, named, needs_params

FLOATS = st.floats(-1e3, 1e3)
ARITHMETIC = [operator.add, operator.sub, operator.mul, operator.truediv]


@pytest.mark.parametrize("operate", ARITHMETIC, ids=lambda f: f.__name__)
@given(x=FLOATS, y=FLOATS.filter(bool))
def test_arithmetic_is_that_of_floats(operate: Callable[..., Any], x: float, y: float) -> None:
    """An operator on two Values, or on a Value and a number on either side, gives the float's result exactly."""
    expected = operate(x, y)
    for left, right in ((Value(x), Value(y)), (Value(x), y), (x, Value(y))):
        result = operate(left, right)
        assert type(result) is Value
        assert type(result.data) is float
        assert result.data == expected


@given(x=FLOATS, y=FLOATS)
def test_order_and_equality_are_those_of_floats(x: float, y: float) -> None:
    """Comparisons, abs, round, truth and formats of a Value are those of its number."""
    a, b = Value(x), Value(y)
    for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne):
        assert compare(a, b) is compare(a, y) is compare(x, b) is compare(x, y)
    assert abs(a).data == abs(x)
    assert bool(a) is bool(x)
    assert (round(a), round(a, 2)) == (round(x), round(x, 2))
    assert f"{a:.3f}" == f"{x:.3f}"
    assert (+a is a, (-a).data) == (True, -x)


@pytest.mark.parametrize(("operate", "operands"), [
    (operator.truediv, (1.0, 0.0)), (operator.truediv, (0.0, 0.0)), (operator.truediv, (-1.0, 0.0)),
    (operator.mul, (1e308, 10.0)), (operator.pow, (0.0, -1.0)), (operator.pow, (-8.0, 1 / 3)),
    (operator.pow, (10.0, 400.0)), (ad.log, (0.0,)), (ad.log, (-1.0,)), (ad.sqrt, (-1.0,)), (ad.exp, (1000.0,)),
    (ad.cosh, (1000.0,)), (ad.log1p, (-1.0,)), (ad.arcsin, (2.0,)), (ad.sin, (math.inf,)), (ad.reciprocal, (0.0,)),
    (ad.expm1, (1000.0,)), (ad.tan, (math.nan,)),
])  # fmt: skip
def test_faults_of_floats_are_ieee_answers(operate: Callable[..., Any], operands: tuple[float, ...]) -> None:
    """Where Python raises an error, a Value holds NumPy's result: inf or nan, in the value and in the gradients."""
    with np.errstate(all="ignore"):
        tensors = [Tensor(x) for x in operands]
        expected = operate(*tensors)
        expected_slopes = gradients(expected, tensors)
    values = [Value(x) for x in operands]
    result = operate(*values)
    np.testing.assert_equal(result.data, float(expected.data))
    np.testing.assert_equal(gradients(result, values), [float(g) for g in expected_slopes])
    if operate.__module__.startswith("autodiff") or isinstance(operate, ad.Primitive):
        np.testing.assert_equal(operate(*operands), float(expected.data))


def test_python_functions_that_add_and_compare() -> None:
    """sum, max, min, sorted and math.prod take Values; the gradient goes to the terms, or to the chosen one."""
    values = [Value(x) for x in (2.0, -1.0, 3.0)]
    assert [v.data for v in sorted(values)] == [-1.0, 2.0, 3.0]
    assert max(values) is values[2]
    assert min(values) is values[1]
    assert gradients(sum(values), values) == [1.0, 1.0, 1.0]
    product = math.prod(values, start=Value(1.0))
    assert gradients(product, values) == [-3.0, 6.0, -2.0]


@pytest.mark.parametrize("convert", [float, complex, math.exp, math.floor, np.float64])
def test_leaving_the_graph_silently_is_refused(convert: Callable[[Any], Any]) -> None:
    """float(v) and its callers would silently drop the gradient: it raises an error that says what to use."""
    with pytest.raises(TypeError, match=r"silently leave the graph.*autodiff\.exp for math\.exp.*\.item\(\)"):
        convert(Value(1.0))


@pytest.mark.parametrize("convert", [int, range, lambda v: [0, 1][v]])
def test_an_int_or_an_index_made_of_a_value_is_refused(convert: Callable[[Any], Any]) -> None:
    """The message says how to write a constant."""
    with pytest.raises(TypeError, match=r"an int or an index made of a Value would silently.*write int\(x\.data\)"):
        convert(Value(1.0))


def test_item_is_the_plain_number() -> None:
    """.item() leaves the graph on purpose."""
    assert type(Value(2).item()) is float
    assert Value(2).item() == 2.0


def test_text_of_a_value() -> None:
    """The text shows data, gradient or "–", and the name."""
    x = Value(2.0, name="x")
    assert repr(x) == str(x) == f"{x}" == "Value(data=2, grad=–, name='x')"
    (x * 3.0).backward()
    assert repr(x) == "Value(data=2, grad=3, name='x')"


@pytest.mark.parametrize("entry", named(lambda e: e.elementwise and e.arity == 1 and not needs_params(e)))
def test_every_function_of_one_number_is_a_method(entry: Any) -> None:
    """v.exp() is autodiff.exp(v): NumPy's functions on object arrays find the methods by these names."""
    x = max(entry.domain[0].low, 0.5)
    assert getattr(Value(x), entry.name)().primitive is entry
    assert getattr(Tensor(x), entry.name)().primitive is entry


def test_constants_stay_plain_in_the_graph() -> None:
    """A number beside a Value is an input without an edge: it gets no error signal and no local gradient."""
    x = Value(3.0)
    y = 2 * x
    assert y.inputs == (2.0, x)
    assert type(y.inputs[0]) is float
    assert ad.engine.shares.local_gradients(y) == (None, 2.0)
    assert list(ad.backpropagate(y)) == [y, x]


def test_nodes_of_a_value_describe_themselves() -> None:
    """Primitive, params, inputs, label and leaf-ness are there to be read."""
    x = Value(3.0, name="x")
    y = x**2
    assert (y.primitive, y.params, y.inputs, y.label, y.name) == (TABLE["power"], {"n": 2}, (x,), "power", None)
    assert (x.primitive, x.params, x.inputs, x.label, x.name) == (None, {}, (), "x", "x")
    assert (x.is_leaf, y.is_leaf, Value(1.0).label) == (True, False, "Value")
    y.name = "y"
    assert (y.label, y.primitive, y.params) == ("y", TABLE["power"], {"n": 2})
    y.params["n"] = 5
    assert y.params == {"n": 2}
    assert (Value.shape, Value.ndim, Value.size) == ((), 0, 1)


def test_equal_params_share_their_origin_and_unequal_do_not() -> None:
    """x**2 and x**2.0 are told apart in the graph, since 2 and 2.0 are equal keys."""
    x = Value(3.0)
    assert (x**2).origin is (x**2).origin
    assert type((x**2).params["n"]) is int
    assert type((x**2.0).params["n"]) is float


# ---- many inputs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 60, 200])
def test_weighted_sum_is_one_node(count: int) -> None:
    """z = Σ wᵢxᵢ + b has 2n + 1 edges that carry xᵢ, wᵢ and 1, also beyond what is written out as source."""
    random = np.random.default_rng(count)
    w, x = random.normal(size=(2, count))
    weights, inputs, bias = [Value(v) for v in w], [Value(v) for v in x], Value(0.5)
    z = ad.weighted_sum(weights, inputs, bias)
    assert z.inputs == (*weights, *inputs, bias)
    assert ad.engine.shares.local_gradients(z) == (*x, *w, 1.0)
    assert z.data == pytest.approx(float(w @ x + 0.5), rel=1e-13)
    second = gradients(gradients(z, weights[0], create_graph=True), inputs[0])
    assert second == 1.0


def test_weighted_sum_of_mixed_operands() -> None:
    """Numbers, NumPy scalars and Tensors may stand among the terms; a Tensor makes the result one."""
    w = Value(2.0)
    z = ad.weighted_sum([w, 3], [np.float32(5), w], np.float64(1.0))
    assert (z.data, gradients(z, w)) == (17.0, 8.0)
    t = Tensor([1.0, 2.0])
    mixed = ad.weighted_sum([w], [t])
    assert type(mixed) is Tensor
    assert gradients(mixed, w, seed=np.ones(2)) == 3.0
    assert gradients(ad.weighted_sum([w], [t], w), w, seed=np.ones(2)) == 5.0
    assert ad.weighted_sum([2.0], [3.0]) == 6.0
    assert ad.weighted_sum(Tensor([1.0, 2.0]), [3.0, 4.0], 1.0).data == 12.0
    assert ad.weighted_sum(np.array([w, w]), np.array([w, w])).data == 8.0


# ---- NumPy's object arrays -------------------------------------------------------------------------------------------


def values(data: Any) -> np.ndarray:
    """An object array of Values."""
    made: np.ndarray = np.vectorize(Value, otypes=[object])(np.asarray(data, float))
    return made


def numbers(array: Any) -> Any:
    """The data of an object array of Values."""
    return np.vectorize(lambda v: v.data, otypes=[float])(array)


W, X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.0]]), np.array([0.3, 0.7, -0.2])


@pytest.mark.parametrize("f", [
    lambda w, x: w @ x, lambda w, x: x @ w.T, lambda w, x: w * x, lambda w, x: w + x - 1.0, lambda w, x: np.exp(w) / 2,
    lambda w, x: np.tanh(w @ x), lambda w, x: np.sum(w, axis=0) * x, lambda w, x: np.dot(w, x), lambda w, x: -w[0] + x,
    lambda w, x: abs(w), lambda w, x: w**2, lambda w, x: ad.affine(w, x, np.array([1.0, 2.0])),
    lambda w, x: ad.relu(w), lambda w, x: ad.sum(w, axis=1), lambda w, x: ad.max(w, axis=0, keepdims=True),
    lambda w, x: ad.softmax(w), lambda w, x: ad.affine(w, np.stack([x, x]), np.zeros(2)), lambda w, x: np.sqrt(w * w),
    lambda w, x: ad.mean(w), lambda w, x: ad.where(np.array([True, False, True]), w, x), lambda w, x: ad.minimum(w, x),
    lambda w, x: ad.logsumexp(w, axis=(0, 1)), lambda w, x: ad.std(w, axis=1), lambda w, x: ad.transpose(w)[0],
])  # fmt: skip
def test_object_arrays_compute_what_tensors_compute(f: Callable[..., Any]) -> None:
    """The same line on object arrays of Values and on Tensors has the same values and gradients, but for roundings."""
    w, x = values(W), values(X)
    result = np.asarray(f(w, x))
    expected = f(Tensor(W), Tensor(X))
    np.testing.assert_allclose(numbers(result), expected.data, rtol=1e-15, atol=1e-15)
    weights = np.random.default_rng(1).normal(size=result.shape)
    leaves = Tensor(W), Tensor(X)
    slopes = gradients((f(*leaves) * weights).sum(), leaves)
    found = gradients(np.sum(np.asarray(result) * weights), [*w.flat, *x.flat])
    flat = np.concatenate([np.zeros(6) if slopes[0] is None else slopes[0].ravel(),
                           np.zeros(3) if slopes[1] is None else slopes[1]])  # fmt: skip
    np.testing.assert_allclose([g or 0.0 for g in found], flat, rtol=1e-14, atol=1e-14)


def test_value_beside_an_object_array() -> None:
    """A Value meets an object array element by element, on either side, in operators and in ufuncs."""
    v: Any = Value(2.0)
    w = values([1.0, 3.0])
    for result in (v * w, w * v, (v + w) - [1.0, -1.0], np.maximum(v, w) * [1.0, 2.0]):
        assert result.dtype == object
        assert numbers(result).tolist() == [2.0, 6.0]
    w += v
    assert numbers(w).tolist() == [3.0, 5.0]


def test_list_of_values_is_reduced_to_one_node() -> None:
    """Reductions take lists of Values and numbers; each result is one node whose edges are the elements."""
    a, b = Value(3.0), Value(4.0)
    y = ad.norm([a, b, 12.0])
    assert y.inputs == (a, b, 12.0)
    assert (y.data, gradients(y, [a, b])) == (13.0, [3 / 13, 4 / 13])
    assert len(topological(y)) == 3
    assert ad.sum(a).inputs == (a,)
    assert ad.stack([a, b]).shape == (2,)
    rows = ad.prod(values([[1.0, 2.0], [3.0, 4.0]]), axis=1)
    assert numbers(rows).tolist() == [2.0, 12.0]
    assert ad.max([[a, b]], axis=-1, keepdims=True).shape == (1, 1)


def test_values_and_arrays_make_tensors() -> None:
    """A Value broadcasts into an array: its gradient is the sum over the array's elements."""
    v, x = Value(2.0), np.array([[1.0, 2.0], [3.0, 4.0]])
    for y, slope in ((v * x, 10.0), (x - v, -4.0), (v / x, 25 / 12), (ad.maximum(v, x), 1.5), (x @ (v * x[0]), 16.0)):
        assert type(y) is Tensor
        assert gradients(y.sum(), v) == pytest.approx(slope, rel=1e-15)
    assert type(v * np.array(3.0)) is Value
    chosen = ad.where(np.array([True, False]), v, 0.0)
    assert (chosen.data.tolist(), gradients(chosen.sum(), v)) == ([2.0, 0.0], 1.0)


def test_value_of_a_tensor_stays_on_the_graph() -> None:
    """tensor.value() is a Value behind which the Tensor's graph goes on, in both orders."""
    x = Tensor([[3.0]])
    v = (x * x).value()
    assert type(v) is Value
    y = v * v
    assert gradients(y, x).tolist() == [[108.0]]
    slope = gradients(y, x, create_graph=True)
    assert gradients(slope.sum(), x).tolist() == [[108.0]]
    y.backward()
    assert (v.grad, x.grad.tolist()) == (18.0, [[108.0]])


def test_data_of_a_leaf_may_be_assigned() -> None:
    """New data of a leaf is for new graphs; what was computed takes none."""
    x = Value(2.0)
    x.data = 3
    assert (x * x).data == 9.0
    with pytest.raises(ValueError, match=r"multiply was computed .* Assign to a leaf"):
        (x * x).data = 1.0


def test_move_adds_to_leaves_for_all_or_for_none() -> None:
    """A step adds a change to each leaf and keeps its kind and type; one change that does not fit moves nothing."""
    v, t, point = Value(3.0), Tensor(np.ones(2, np.float32)), Tensor(np.float32(1.0))
    ad.move([(v, np.float64(-1.0)), (t, np.array([1.0, 2.0])), (point, np.array(0.5))])
    assert (v.data, type(v.data), t.data.tolist(), t.dtype) == (2.0, float, [2.0, 3.0], np.dtype(np.float32))
    assert (point.item(), point.shape, point.dtype) == (1.5, (), np.dtype(np.float32))
    assert gradients(v * v, v) == 4.0
    for wrong in ((t, np.ones(3)), (t, np.ones((2, 2))), (v, np.ones(2)), (v * 2.0, 1.0)):
        with pytest.raises(ValueError, match=r"move changes a leaf|broadcast"):
            ad.move([(v, 1.0), wrong])
        assert v.data == 2.0
    y = v * 2.0
    ad.move([(v, 1.0)])
    with pytest.raises(ad.StaleGraphError):
        y.backward()


def test_changes_of_one_leaf_add_up() -> None:
    """A leaf that comes twice moves by both changes, in their order, in one step; the shapes of all are checked."""
    x, t = Value(1.0), Tensor([1.0, 2.0])
    ad.move([(x, 0.5), (t, np.ones(2)), (x, 0.25), (t, [10, 20])])
    assert (x.data, t.data.tolist()) == (1.75, [12.0, 23.0])
    with pytest.raises(ValueError, match="shape"):
        ad.move([(x, 0.5), (t, np.ones(2)), (t, np.ones(3))])
    assert (x.data, t.data.tolist()) == (1.75, [12.0, 23.0])


def test_detached_value_passes_no_error() -> None:
    """detach and stop_gradient give a leaf with the same number and name; plain numbers pass through."""
    x = Value(3.0, name="x")
    y = x * x.detach() + ad.stop_gradient(x)
    assert gradients(y, x) == 3.0
    assert (x.detach().name, x.detach().is_leaf, x.detach().is_detached, x.is_detached) == ("x", True, True, False)
    assert (x * 2.0).detach().name is None
    assert ad.detach(2.0) == 2.0


def test_checkers_of_types_know_every_method() -> None:
    """The methods that the table gives to nodes are declared for them, since they are set at run time."""
    tree = ast.parse(Path(base.__file__).read_text(encoding="utf-8"))
    (block,) = (node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    targets = [target for item in block.body if isinstance(item, ast.Assign) for target in item.targets]
    declared = {ast.unparse(target) for target in targets}
    unary = {entry.name for entry in PRIMITIVES if entry.elementwise and entry.arity == 1}
    given = {name for name in unary if hasattr(Value, name) and name not in vars(base.Arithmetic)}
    assert declared | {"absolute"} == given
