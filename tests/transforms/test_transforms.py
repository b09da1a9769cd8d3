"""Derivatives as functions of functions: closed forms, any order, any nesting, and no confusion of perturbations."""

from __future__ import annotations

import math
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

import autodiff as ad
from autodiff import Tensor, Value, grad, gradients, hessian, hvp, jacobian, jvp, value_and_grad, vjp

A = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, 1.0]])
S = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]])
VECTORS = numpy_arrays(float, 3, elements=st.floats(-2.0, 2.0))


def quadratic(x: Any) -> Any:
    """½ xᵀSx, with gradient Sx and Hessian S."""
    return 0.5 * (x @ (S @ x))


class Point(NamedTuple):
    """A named tuple of two arguments."""

    x: Any
    y: Any


# ---- closed forms ----------------------------------------------------------------------------------------------------


@given(x=VECTORS, v=VECTORS)
def test_quadratic_form(x: np.ndarray, v: np.ndarray) -> None:
    """Every transform of ½ xᵀSx, and of Ax, is what linear algebra says, to a rounding."""
    close: dict[str, Any] = {"rtol": 1e-13, "atol": 1e-13}
    np.testing.assert_allclose(grad(quadratic)(x), S @ x, **close)
    np.testing.assert_allclose(hessian(quadratic)(x), S, **close)
    np.testing.assert_allclose(hvp(quadratic, x, v), S @ v, **close)
    np.testing.assert_allclose(jacobian(lambda x: A @ x)(x), A, **close)
    value, push = jvp(quadratic, (x,), (v,))
    np.testing.assert_allclose(value, quadratic(x), **close)
    np.testing.assert_allclose(push, v @ S @ x, **close)
    value, pullback = vjp(lambda x: A @ x, x)
    np.testing.assert_allclose(value, A @ x, **close)
    np.testing.assert_allclose(pullback(v[:2])[0], A.T @ v[:2], **close)


@pytest.mark.parametrize(("f", "orders"), [
    (lambda x: x**4, [4 * 8.0, 12 * 4.0, 24 * 2.0, 24.0]), (lambda x: 3.0 * x, [3.0, 0.0, 0.0, 0.0]),
    (lambda x: ad.exp(2.0 * x), [2**k * math.exp(4.0) for k in (1, 2, 3, 4)]),
    (ad.sin, [math.cos(2.0), -math.sin(2.0), -math.cos(2.0), math.sin(2.0)]),
    (lambda x: 1.0 / x, [-1 / 4, 1 / 4, -3 / 8, 3 / 4]), (ad.log, [1 / 2, -1 / 4, 1 / 4, -3 / 8]),
    (lambda x: x * abs(x), [4.0, 2.0, 0.0, 0.0]), (lambda x: x**0.5 * x**1.5, [4.0, 2.0, 0.0, 0.0]),
    (lambda x: 2.0**x, [4.0 * math.log(2.0) ** k for k in (1, 2, 3, 4)]),
])  # fmt: skip
def test_gradients_nest_to_order_four(f: Callable[[Any], Any], orders: list[float]) -> None:
    """grad(grad(grad(grad(f)))) is the fourth derivative, on floats and on arrays of one element."""
    derivative: Callable[..., Any] = f
    for expected in orders:
        derivative = grad(derivative)
        assert type(derivative(2.0)) is float
        assert derivative(2.0) == pytest.approx(expected, rel=1e-14, abs=1e-14)
        assert float(derivative(np.array(2.0))) == pytest.approx(expected, rel=1e-14, abs=1e-14)


def test_transforms_nest_in_each_other() -> None:
    """jacobian, hessian, jvp, vjp and hvp inside each other give the third and fourth derivatives of Σ x⁴."""
    x, v = np.array([1.0, 2.0]), np.array([0.5, -1.0])

    def f(x: Any) -> Any:
        return (x**4).sum()

    third = np.zeros((2, 2, 2))
    third[0, 0, 0], third[1, 1, 1] = 24.0 * x
    np.testing.assert_allclose(jacobian(hessian(f))(x), third, rtol=1e-14)
    np.testing.assert_allclose(hessian(lambda x: (grad(f)(x) * v).sum())(x), third @ v, rtol=1e-14)
    np.testing.assert_allclose(jvp(hessian(f), (x,), (v,))[1], third @ v, rtol=1e-14)
    np.testing.assert_allclose(jacobian(lambda x: hvp(f, x, v))(x), third @ v, rtol=1e-14)
    np.testing.assert_allclose(jvp(lambda x: jvp(f, (x,), (v,))[1], (x,), (v,))[1], hvp(f, x, v) @ v, rtol=1e-14)
    np.testing.assert_allclose(jacobian(lambda x: vjp(grad(f), x)[1](v)[0])(x), third @ v, rtol=1e-14)
    fourth = jacobian(jacobian(hessian(f)))(x)
    assert fourth.shape == (2, 2, 2, 2)
    assert (fourth[0, 0, 0, 0], fourth[1, 1, 1, 1], fourth.sum()) == (24.0, 24.0, 48.0)


@given(x=VECTORS, v=VECTORS)
def test_hvp_and_jvp_agree_with_hessian_and_jacobian(x: np.ndarray, v: np.ndarray) -> None:
    """The products without the matrix are the products with it, also where the function is no polynomial."""

    def f(x: Any) -> Any:
        return np.tanh(A @ x) * (x[:2] + ad.logsumexp(x))

    close: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-13}
    np.testing.assert_allclose(jvp(f, (x,), (v,))[1], jacobian(f)(x) @ v, **close)
    np.testing.assert_allclose(vjp(f, x)[1](v[:2])[0], jacobian(f)(x).T @ v[:2], **close)
    np.testing.assert_allclose(hvp(lambda x: f(x).sum(), x, v), hessian(lambda x: f(x).sum())(x) @ v, **close)


# ---- nested inputs and outputs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("argument", "f", "expected"), [
    ([2.0, [3.0]], lambda p: p[0] * p[1][0], [3.0, [2.0]]),
    ({"w": 2.0, "b": (3.0,)}, lambda p: p["w"] * p["b"][0], {"w": 3.0, "b": (2.0,)}),
    (Point(2.0, [3.0]), lambda p: p.x * p.y[0], Point(3.0, [2.0])), ((2.0, 3), lambda p: p[0] * p[1], (3.0, 2.0)),
])  # fmt: skip
def test_gradient_has_the_structure_of_its_argument(argument: Any, f: Callable[[Any], Any], expected: Any) -> None:
    """Lists, tuples, dicts and named tuples keep their types."""
    found = grad(f)(argument)
    assert found == expected
    assert type(found) is type(expected)


def test_parts_may_be_arrays_numbers_and_nodes() -> None:
    """Each leaf's gradient is of the leaf's kind: array for an array, float for a number, Tensor for a Tensor."""
    parameters = {"w": np.ones((2, 2)), "b": 2.0}
    found = grad(lambda p: (p["w"] * p["b"]).sum())(parameters)
    assert found["w"].tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert found["b"] == 4.0
    assert type(grad(lambda t: (t * t).sum())(Tensor([3.0]))) is Tensor
    assert type(grad(lambda t: t * t)(Value(3.0))) is Value
    assert type(grad(lambda t: t * t)(np.float32(3.0))) is float
    assert grad(lambda t: (t * t).sum())(np.ones(2, np.float32)).dtype == np.float32


@pytest.mark.parametrize(("argnum", "expected"), [
    (0, 12.0), (1, 4.0), (-1, 4.0), ((0, 1), (12.0, 4.0)), ([1, 0], (4.0, 12.0)), ((-1, 0), (4.0, 12.0)),
    ((1,), (4.0,)),
])  # fmt: skip
def test_argnum_picks_arguments(argnum: Any, expected: Any) -> None:
    """An int picks one argument, a sequence gives a tuple in its order; negative numbers count from the end."""
    assert grad(lambda x, y: x * x * y, argnum)(2.0, 3.0) == expected
    assert value_and_grad(lambda x, y: x * x * y, argnum)(2.0, 3.0) == (12.0, expected)


def test_other_arguments_pass_through() -> None:
    """Arguments that are not chosen, and keywords, reach the function unchanged."""

    def f(x: Any, flag: str, *, power: int) -> Any:
        """Docstrings survive."""
        assert flag == "on"
        return x**power

    assert grad(f)(2.0, "on", power=3) == 12.0
    assert hessian(f)(2.0, "on", power=3) == 12.0
    assert (grad(f).__name__, jacobian(f).__doc__) == ("f", "Docstrings survive.")


def test_jacobian_of_nested_results_and_arguments() -> None:
    """The result's nesting is outside, the argument's inside; shapes are those of result + argument."""

    def f(p: Any) -> Any:
        return {"product": p["x"] * p["y"], "both": (p["x"].sum(), 2.0 * p["y"])}

    found = jacobian(f)({"x": np.array([1.0, 2.0]), "y": 3.0})
    assert found["product"]["x"].tolist() == [[3.0, 0.0], [0.0, 3.0]]
    assert found["product"]["y"].tolist() == [1.0, 2.0]
    assert found["both"][0]["x"].tolist() == [1.0, 1.0]
    assert (found["both"][0]["y"], found["both"][1]["y"]) == (0.0, 2.0)
    assert found["both"][1]["x"].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(("argument", "result"), [
    ((2, 3), (2, 3)), ((), (2,)), ((2,), ()), ((0,), (2,)), ((2,), (0,)), ((1,), (1, 1)),
])  # fmt: skip
def test_shape_of_a_jacobian(argument: tuple[int, ...], result: tuple[int, ...]) -> None:
    """For a result of shape s and an argument of shape t the Jacobian has shape s + t, also where one is empty."""
    found = jacobian(lambda x: ad.broadcast_to(x.sum(), shape=result))(np.ones(argument))
    assert found.shape == result + argument
    assert np.all(found == 1.0)


def test_jacobian_of_a_jacobian_of_one_element() -> None:
    """An axis of length 1 stays an axis at each order: for x₁x₂ in a vector of one element, (1, 2) and (1, 2, 2)."""
    f = lambda x: (x[0] * x[1]).reshape(1)  # noqa: E731
    assert jacobian(f)(np.array([3.0, 5.0])).tolist() == [[5.0, 3.0]]
    assert jacobian(jacobian(f))(np.array([3.0, 5.0])).tolist() == [[[0.0, 1.0], [1.0, 0.0]]]


def test_hessian_of_nested_arguments() -> None:
    """The Hessian of a dict is a dict of dicts of blocks."""
    blocks = hessian(lambda p: p["a"] ** 2 * p["b"].sum())({"a": 3.0, "b": np.array([1.0, 2.0])})
    assert blocks["a"]["a"] == 6.0
    assert blocks["a"]["b"].tolist() == blocks["b"]["a"].tolist() == [6.0, 6.0]
    assert blocks["b"]["b"].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_pullback_of_several_results() -> None:
    """The cotangent has the result's structure; the pulled-back parts add up, one gradient an argument."""
    value, pullback = vjp(lambda x, y: {"sum": x + y, "rest": [x * y, 5.0]}, 2.0, np.array([3.0, 4.0]))
    assert value["sum"].tolist() == [5.0, 6.0]
    assert value["rest"][1] == 5.0
    x, y = pullback({"rest": [np.array([1.0, -1.0]), 9.0], "sum": np.array([10.0, 20.0])})
    assert x == 30.0 + 3.0 - 4.0
    assert y.tolist() == [12.0, 18.0]
    assert pullback({"rest": [np.zeros(2), 0.0], "sum": np.zeros(2)})[0] == 0.0


def test_all_arguments_move_along_their_tangents() -> None:
    """J·t = Σᵢ ∂f/∂xᵢ tᵢ: each argument moves, whatever its kind, and what stands still adds nothing."""
    f = lambda x, y, z: x * y * ad.sum(z)  # noqa: E731
    primals = (2.0, 3.0, np.array([1.0, 4.0]))
    assert jvp(f, primals, (1.0, 0.0, np.zeros(2)))[1] == 15.0
    assert jvp(f, primals, (1.0, 10.0, np.array([0.5, 0.25])))[1] == 15.0 + 100.0 + 4.5


def test_tangents_match_dicts_by_key() -> None:
    """The order in which a dict of tangents was written does not matter: "a" moves "a"."""
    primal = {"a": 2.0, "b": 3.0}
    assert jvp(lambda p: p["a"] ** 2 * p["b"], (primal,), ({"b": 0.0, "a": 1.0},)) == (12.0, 12.0)
    assert hvp(lambda p: p["a"] ** 2 * p["b"], primal, {"b": 0.0, "a": 1.0}) == {"a": 6.0, "b": 4.0}


# ---- constants, closures, confusion ----------------------------------------------------------------------------------


def test_function_that_ignores_its_argument_has_gradient_zero() -> None:
    """Constant results, and arguments not used, have derivative 0 of the argument's shape; not None, not an error."""
    assert grad(lambda x: 3.0)(2.0) == 0.0
    assert value_and_grad(lambda x: 3)(2.0) == (3, 0.0)
    assert grad(lambda x, y: x * 1.0, (0, 1))(2.0, np.ones(2))[1].tolist() == [0.0, 0.0]
    assert jacobian(lambda x: np.array([1, 2]))(np.ones(3)).tolist() == [[0.0] * 3] * 2
    assert jvp(lambda x: np.ones(2), (1.0,), (1.0,))[1].tolist() == [0.0, 0.0]
    assert jvp(lambda x: 4.0, (1.0,), (1.0,)) == (4.0, 0.0)
    assert isinstance(jvp(lambda x: 4.0, (1.0,), (1.0,))[1], float)
    assert jvp(lambda x, y: y * 2.0, (1.0, 2.0), (1.0, 0.0)) == (4.0, 0.0)
    assert jvp(lambda x: x.detach() * 1.0, (1.0,), (1.0,)) == (1.0, 0.0)
    assert hvp(lambda x: (2.0 * x).sum(), np.ones(2), np.ones(2)).tolist() == [0.0, 0.0]
    assert hessian(lambda x: x.sum())(np.ones(2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert vjp(lambda x: 3.0, 2.0)[1](1.0) == (0.0,)


def test_closing_over_a_node_gives_a_node() -> None:
    """A function that closes over a Value has a gradient that depends on it, and can be differentiated further."""
    a = Value(3.0)
    slope = grad(lambda x: a * x * x)(2.0)
    assert type(slope) is Value
    assert slope.data == 12.0
    assert gradients(slope, a) == 4.0
    value, derivative = jvp(lambda x: a * x, (2.0,), (1.0,))
    assert (value.data, gradients(derivative, a)) == (6.0, 1.0)
    rows = jacobian(lambda x: a * x)(np.array([1.0, 2.0]))
    assert type(rows) is Tensor
    assert gradients(rows.sum(), a) == 2.0
    pulled = vjp(lambda x: x * x, 2.0)[1](a)[0]
    assert gradients(pulled, a) == 4.0
    assert gradients(jvp(lambda x: x * x, (2.0,), (a,))[1], a) == 4.0


@pytest.mark.parametrize(("f", "at", "expected"), [
    (lambda x: x * grad(lambda y: x + y)(1.0), 1.0, 1.0),  # 2 if the two x are confused
    (lambda x: x * grad(lambda y: x * y)(2.0), 3.0, 6.0),
    (lambda x: grad(lambda x: x * x)(x) * x, 3.0, 12.0),
    (lambda x: grad(lambda y: grad(lambda z: x * y * z)(1.0))(1.0), 5.0, 1.0),
    (lambda x: x * grad(lambda y: ad.stop_gradient(x) * y)(2.0), 3.0, 3.0),
    (lambda x: jvp(lambda y: x * y * y, (2.0,), (1.0,))[1], 3.0, 4.0),
    (lambda x: x * jvp(lambda y: x + y, (1.0,), (1.0,))[1], 1.0, 1.0),
    (lambda x: vjp(lambda y: x * y * y, 2.0)[1](1.0)[0], 3.0, 4.0),
    (lambda x: hessian(lambda y: x * y**3)(1.0), 2.0, 6.0), (lambda x: hvp(lambda y: x * y**3, 1.0, x), 2.0, 24.0),
])  # fmt: skip
def test_perturbations_are_not_confused(f: Callable[[Any], Any], at: float, expected: float) -> None:
    """The derivative inside knows its own variable from the one outside, whatever the names."""
    assert grad(f)(at) == expected
    assert type(grad(f)(at)) is float


def test_constant_made_inside_a_function_is_not_closed_over() -> None:
    """Nodes that f makes of plain numbers are constants of f: the result is plain."""
    assert type(grad(lambda x: x * Value(2.0) + Tensor([1.0, 2.0]).sum())(3.0)) is float
    assert type(jacobian(lambda x: x * Tensor([1.0, 2.0]))(3.0)) is np.ndarray


def test_array_arguments_inside_and_outside() -> None:
    """Nested derivatives with respect to arrays and numbers at once."""
    x = np.array([1.0, 2.0])
    mixed = jacobian(lambda s: grad(lambda x: (s * x**3).sum())(x))(2.0)
    np.testing.assert_allclose(mixed, 3.0 * x**2, rtol=1e-15)
    assert grad(lambda s: (grad(lambda x: (s * x**2).sum())(x) * x).sum())(2.0) == 2.0 * (x**2).sum()


# ---- gradients of a recorded graph -----------------------------------------------------------------------------------


def test_gradients_are_of_any_node_and_touch_no_grad() -> None:
    """Leaves, intermediate results and the output, in any nesting; None where the output does not depend on it."""
    x, apart = Tensor([1.0, 2.0]), Value(1.0)
    h = x * x
    y = h.sum()
    found = gradients(y, {"x": x, "rest": [h, y, apart, x]})
    assert found["x"].tolist() == [2.0, 4.0]
    assert found["rest"][0].tolist() == [1.0, 1.0]
    assert float(found["rest"][1]) == 1.0
    assert found["rest"][2] is None
    assert x.grad is h.grad is y.grad is None
    assert not np.shares_memory(found["x"], found["rest"][3]) or found["x"] is found["rest"][3]


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_seed_scales_the_gradient(kind: type) -> None:
    """The seed is the error signal of the output; with create_graph it may be a node."""
    x = kind(3.0)
    y = x * x
    assert gradients(y, x, seed=2.0) == 12.0
    assert gradients(y, x, seed=-1) == -6.0
    seed = kind(5.0)
    slope = gradients(y, x, seed=seed, create_graph=True)
    assert (slope.data, gradients(slope, seed), gradients(slope, x)) == (30.0, 6.0, 10.0)


def test_gradient_with_create_graph_is_a_node_in_every_case() -> None:
    """Also where the slope is a constant: it is a leaf on which nothing depends."""
    x, t = Value(3.0), Tensor([1.0, 2.0])
    slope = gradients(2.0 * x, x, create_graph=True)
    assert type(slope) is Value
    assert gradients(slope, x) is None
    assert type(gradients(t.sum(), t, create_graph=True)) is Tensor
    assert gradients(x, x, create_graph=True).data == 1.0
    mixed = gradients((t * x).sum(), [x, t], create_graph=True)
    assert gradients(mixed[0], t).tolist() == [1.0, 1.0]
    assert gradients(mixed[1].sum(), x) == 2.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signals_have_the_shape_and_type_of_their_nodes(dtype: type) -> None:
    """Also at the output, and without axes: there an array of shape (), not a NumPy scalar."""
    x = Tensor(np.array([1.0, 3.0], dtype))
    total = x.sum()
    output = total * total
    found = [*ad.backpropagate(output).values(), *gradients(output, [total, x, output])]
    assert [(type(signal), signal.dtype) for signal in found] == [(np.ndarray, dtype)] * 6
    assert [signal.shape for signal in found] == [(), (), (2,), (), (2,), ()]


def test_backpropagate_returns_every_error_signal() -> None:
    """{node: δ} for all nodes above the output, with the seed at the output."""
    x, y = Value(2.0), Tensor([1.0, 3.0])
    h = y * x
    signals = ad.backpropagate(h, [1.0, 2.0])
    assert signals[x] == 7.0
    assert signals[y].tolist() == [2.0, 4.0]
    assert signals[h].tolist() == [1.0, 2.0]
    assert set(signals) == {x, y, h}
    graph = ad.backpropagate(x * x, create_graph=True)
    assert gradients(graph[x], x) == 2.0


def test_value_that_a_transform_returns_is_the_callers_own() -> None:
    """Writing into the returned value changes no later pullback."""
    value, pullback = vjp(lambda x: np.exp(x), np.zeros(2))
    value += 5.0
    assert pullback(np.ones(2))[0].tolist() == [1.0, 1.0]


def test_a_random_program_agrees_in_every_order_of_evaluation() -> None:
    """d/dx d/dy = d/dy d/dx for a function of both, to a rounding."""

    def f(x: Any, y: Any) -> Any:
        return ad.sin(x * y) * ad.exp(-x) + x ** (1.0 + y * y)

    one = grad(lambda x, y: grad(f, 1)(x, y), 0)(0.7, 0.3)
    other = grad(lambda x, y: grad(f, 0)(x, y), 1)(0.7, 0.3)
    assert one == pytest.approx(other, rel=1e-14)


@pytest.mark.parametrize("argnum", [1.0, None, "0", True, [0.0]])
def test_argnum_of_another_kind_is_refused(argnum: Any) -> None:
    """argnum must be an integer, which may be a NumPy integer."""
    with pytest.raises(TypeError, match="argnum must be an int or a sequence of ints"):
        grad(lambda x: x, argnum)(1.0)
    assert grad(lambda x, y: x * y, np.int64(1))(2.0, 3.0) == 2.0


def test_constant_of_another_shape_is_refused() -> None:
    """A constant result is checked like any other: one number for grad, the cotangent's shape for a pullback."""
    with pytest.raises(ValueError, match=r"returned shape \(3,\), but a gradient needs one number"):
        grad(lambda x: np.ones(3))(1.0)
    with pytest.raises(ValueError, match=r"the seed has shape \(7,\), but the output has shape \(3,\)"):
        vjp(lambda x: np.ones(3), 1.0)[1](np.ones(7))
    with pytest.raises(TypeError, match=r"vjp needs a function that returns numbers; this one returned \[\]"):
        vjp(lambda x: [], 1.0)


def test_dicts_of_other_kinds_stay_what_they_are() -> None:
    """A function gets the kind of dict that it was given, and so does the caller."""
    point = OrderedDict(a=2.0, b=3.0)
    slopes = grad(lambda p: p["a"] * p.popitem(last=True)[1])(point)
    assert (type(slopes), dict(slopes)) == (OrderedDict, {"a": 3.0, "b": 2.0})
    counted = defaultdict(float, a=2.0)
    assert type(grad(lambda p: p["a"] + p["missing"])(counted)) is defaultdict
    assert dict(counted) == {"a": 2.0}
