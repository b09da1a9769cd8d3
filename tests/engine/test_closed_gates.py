"""A closed gate lets nothing through; a smooth factor that happens to be 0 beside an infinity is no gate."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, grad, gradients, hessian, hvp, jacobian, jvp, vjp
from autodiff.engine.backward import backpropagate
from autodiff.engine.gates import reached
from autodiff.testing import check_gradients

INF, NAN = float("inf"), float("nan")

#: Gates as functions of one number, and a point where each is closed and one where it is open.
GATES: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "relu": (ad.relu, -1.0, 2.0),
    "relu at its kink": (ad.relu, 0.0, 2.0),
    "where": (lambda x: ad.where(x > 0, x, 0.0 * x), -1.0, 2.0),
    "clip": (lambda x: ad.clip(x, 0.0, 4.0), -1.0, 2.0),
    "maximum": (lambda x: ad.maximum(x, 0.0), -1.0, 2.0),
    "minimum": (lambda x: -ad.minimum(-x, 0.0), -1.0, 2.0),
    "max": (lambda x: ad.max(ad.stack([x, 0.0 * x])), -1.0, 2.0),
    "hinge": (lambda x: ad.hinge(0.0, x, margin=0.0), -1.0, 2.0),
    "hard tanh": (lambda x: ad.hard_tanh(x) + 1.0, -2.0, 0.5),
    "leaky relu of slope 0": (lambda x: ad.leaky_relu(x, slope=0.0), -1.0, 2.0),
}
#: Functions with an infinite slope at 0.
SINGULAR: dict[str, Callable[[Any], Any]] = {
    "sqrt": ad.sqrt,
    "power": lambda x: x**0.5,
    "power of a node": lambda x: x ** (0.5 + 0.0 * x),
    "norm by squares": lambda x: ad.sqrt(x * x),
    "arcsin": lambda x: ad.arcsin(1.0 - x),
}
EACH_GATE = pytest.mark.parametrize("gate", GATES)
EACH_SINGULAR = pytest.mark.parametrize("singular", SINGULAR)
KINDS = pytest.mark.parametrize("kind", [Value, Tensor], ids=["Value", "Tensor"])


@pytest.fixture(autouse=True)
def _nothing_warns() -> Iterator[None]:
    """Correct results cause no warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def at(kind: type, x: float) -> Any:
    """A point to differentiate at: a number, or an array without axes, which becomes a Tensor."""
    return x if kind is Value else np.array(x)


@KINDS
@EACH_SINGULAR
@EACH_GATE
def test_a_gate_before_a_singular_function(gate: str, singular: str, kind: type) -> None:
    """f(gate(x)) is constant where the gate is closed: every derivative is 0, pulled and pushed, whatever f does."""
    shut, closed, _ = GATES[gate]
    f = SINGULAR[singular]

    def composed(x: Any) -> Any:
        return f(shut(x))

    x = at(kind, closed)
    assert grad(composed)(x) == 0.0
    assert jacobian(composed)(x) == 0.0
    assert jvp(composed, (x,), (np.ones_like(x) if kind is Tensor else 1.0,))[1] == 0.0
    assert vjp(composed, x)[1](np.ones_like(x) if kind is Tensor else 1.0) == (0.0,)
    assert grad(grad(composed))(x) == 0.0
    assert hessian(composed)(x) == 0.0
    assert grad(grad(grad(composed)))(x) == 0.0


@KINDS
@EACH_SINGULAR
def test_a_gate_behind_a_singular_function(singular: str, kind: type) -> None:
    """where(x > 0, f(x), 0) at 0, and gates around f(x) that are shut: 0 at every order, pulled and pushed."""
    f = SINGULAR[singular]
    behind = (
        lambda x: ad.where(x > 0, f(x), 0.0 * x),
        lambda x: ad.relu(f(x) - 5.0),
        lambda x: ad.hinge(f(x), -5.0),
        lambda x: ad.clip(f(x), 3.0, 4.0),
        lambda x: ad.maximum(f(x), 5.0),
        lambda x: ad.minimum(f(x), -5.0),
        lambda x: ad.max(ad.stack([f(x), 5.0])),
    )
    for g in behind:
        x = at(kind, 0.0)
        assert grad(g)(x) == 0.0
        assert jvp(g, (x,), (at(kind, 1.0),))[1] == 0.0
        assert grad(grad(g))(x) == 0.0
        assert grad(grad(grad(g)))(x) == 0.0


@KINDS
@pytest.mark.parametrize("kinked", [
    abs, lambda x: ad.norm(ad.stack([x, x])), lambda x: ad.std(ad.stack([x, -x])), lambda x: ad.maximum(x, -x),
])  # fmt: skip
def test_a_gate_behind_a_kink(kinked: Callable[[Any], Any], kind: type) -> None:
    """A second derivative that is nan because the first is a convention does not get through a closed gate either."""
    for gate in (
        lambda y: ad.where(False, y, 0.0), lambda y: 0.0 * y, lambda y: ad.relu(y - 5.0), lambda y: ad.minimum(y, -5.0),
    ):  # fmt: skip
        x = at(kind, 0.0)
        assert grad(lambda x, gate=gate: gate(kinked(x)))(x) == 0.0
        assert grad(grad(lambda x, gate=gate: gate(kinked(x))))(x) == 0.0


@EACH_SINGULAR
@pytest.mark.parametrize("gate", [gate for gate in GATES if gate != "max"])  # which is one gate for all its elements
def test_each_element_has_its_own_gate(gate: str, singular: str) -> None:
    """In an array the closed elements are 0, and each open element has the slope that it has alone."""
    shut, closed, opened = GATES[gate]
    f = SINGULAR[singular]
    x = np.array([closed, opened, closed, opened])

    def composed(x: Any) -> Any:
        return f(shut(x))

    alone, second = grad(composed)(np.array(opened)), hessian(composed)(np.array(opened))
    np.testing.assert_allclose(grad(lambda x: composed(x).sum())(x), [0.0, alone, 0.0, alone], rtol=1e-14)
    np.testing.assert_allclose(
        hessian(lambda x: composed(x).sum())(x), np.diag([0.0, second, 0.0, second]), rtol=1e-12
    )
    np.testing.assert_allclose(jacobian(composed)(x), np.diag([0.0, alone, 0.0, alone]), rtol=1e-14)


def test_a_dead_unit_leaves_its_row_of_the_gradient_0() -> None:
    """Σ √relu(X Wᵀ): a unit that is never active has gradient 0; the others have theirs, at both orders."""
    random = np.random.default_rng(0)
    X, W = random.normal(size=(5, 3)), np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]])

    def loss(W: Any) -> Any:
        return np.sum(np.sqrt(ad.relu(X @ W.T)))

    alone = X @ W[0]
    row = (X * np.where(alone > 0, 0.5 / np.sqrt(np.where(alone > 0, alone, 1.0)), 0.0)[:, None]).sum(axis=0)
    np.testing.assert_allclose(grad(loss)(W), [row, np.zeros(3)], rtol=1e-13)
    assert np.all(hessian(loss)(W)[1] == 0.0)
    leaf = Tensor(W)
    loss(leaf).backward()
    np.testing.assert_allclose(leaf.grad, [row, np.zeros(3)], rtol=1e-13)


@pytest.mark.parametrize("bad", [INF, -INF, NAN])
def test_a_masked_row_spoils_no_sum(bad: float) -> None:
    """Rows of data that are not finite and masked out add nothing to the gradient of the weights, at both orders."""
    random = np.random.default_rng(1)
    X, W, b = random.normal(size=(4, 3)), random.normal(size=(2, 3)), random.normal(size=2)
    spoiled, kept = X.copy(), np.array([True, True, False, True])
    spoiled[2] = bad

    def masked(X: Any) -> Callable[[Any, Any], Any]:
        return lambda W, b: np.sum(ad.where(kept[:, None], np.tanh(ad.affine(W, X, b)), 0.0) ** 2)

    with np.errstate(invalid="ignore"):  # of the forward pass: it computes with the row
        found = grad(masked(spoiled), argnum=(0, 1))(W, b)
        expected = grad(masked(X), argnum=(0, 1))(W, b)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13)
        v = np.ones_like(W)
        curved = hvp(lambda W: masked(spoiled)(W, b), W, v)
        np.testing.assert_allclose(curved, hvp(lambda W: masked(X)(W, b), W, v), rtol=1e-12)


@pytest.mark.parametrize(("product", "shapes"), [
    (lambda a, b: a @ b, ((3, 2), (2, 4))), (lambda a, b: a @ b, ((3, 2), (2,))),
    (lambda a, b: np.einsum("ij,jk->ik", a, b), ((3, 2), (2, 4))), (lambda a, b: np.outer(a, b), ((3,), (4,))),
    (lambda a, b: a * b, ((3, 2), (2,))), (lambda a, b: np.matmul(a, b), ((2, 3, 2), (2, 4))),
])  # fmt: skip
def test_a_term_that_is_not_taken_spoils_no_product(product: Callable[..., Any], shapes: Any) -> None:
    """Of products in which one row of a factor is infinite, and only the other rows are taken."""
    random = np.random.default_rng(2)
    a, b = (random.normal(size=shape) for shape in shapes)
    spoiled = a.copy()
    spoiled[-1] = INF
    with np.errstate(invalid="ignore"):
        found = grad(lambda b: (product(spoiled, b)[:-1] ** 2).sum())(b)
        np.testing.assert_allclose(found, grad(lambda b: (product(a, b)[:-1] ** 2).sum())(b), rtol=1e-13)


def test_a_closed_gate_behind_a_product_that_is_one_number() -> None:
    """√(h·h) with h = relu of two closed elements: a sum of products without axes has second derivative 0 too."""
    products: tuple[Callable[..., Any], ...] = (
        lambda h: np.einsum("i,i->", h, h), lambda h: h @ h, lambda h: np.vdot(h, h), lambda h: np.tensordot(h, h, 1),
    )  # fmt: skip
    for product in products:
        assert not hessian(lambda x, product=product: ad.sqrt(product(ad.relu(x))))(np.array([-3.0, -1.0])).any()


@KINDS
def test_a_smooth_factor_of_0_beside_an_infinity_is_right_or_nan(kind: type) -> None:
    """√x squared and e^(ln x) have slope 1 at 0 from the right: not 0, pulled or pushed, behind a convention too."""
    for f in (
        lambda x: ad.sqrt(x) ** 2, lambda x: ad.exp(ad.log(x)), lambda x: ad.square(x**0.5),
        lambda x: ad.norm(ad.stack([ad.sqrt(x), 0.0])) ** 2, lambda x: abs(ad.sqrt(x)) ** 2,
    ):  # fmt: skip
        x = at(kind, 0.0)
        with np.errstate(divide="ignore"):  # ln 0
            for slope in (grad(f)(x), jvp(f, (x,), (at(kind, 1.0),))[1]):
                assert np.isnan(slope) or slope == 1.0
            assert np.isnan(hessian(f)(x)) or hessian(f)(x) == 0.0


_DIFFERENCES = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])  # each inner column cancels, for equal errors


@pytest.mark.parametrize("differences", [
    lambda x: _DIFFERENCES @ x, lambda x: x @ _DIFFERENCES.T, lambda x: ad.affine(_DIFFERENCES, x, np.zeros(2)),
    lambda x: np.einsum("ij,j->i", _DIFFERENCES, x), lambda x: (x.reshape(1, 3) @ _DIFFERENCES.T)[0],
])  # fmt: skip
def test_weights_that_cancel_are_no_closed_gate(differences: Callable[..., Any]) -> None:
    """Constant weights that sum to 0 let different errors through: second order and jvp are not silently 0."""
    x, weights = np.array([1.0, 4.0, 9.0]), np.array([1.0, 3.0])

    def f(x: Any) -> Any:
        return (differences(np.sqrt(x)) * weights).sum()

    errors = weights @ _DIFFERENCES
    np.testing.assert_allclose(hessian(f)(x), np.diag(-errors / (4.0 * x**1.5)), rtol=1e-13)
    np.testing.assert_allclose(jvp(f, (x,), (np.ones(3),))[1], np.sum(errors / (2.0 * np.sqrt(x))), rtol=1e-13)


def test_what_is_0_for_some_numbers_is_no_closed_gate(define: Callable[..., Any]) -> None:
    """High powers, large exponents, and user-defined rules that are 0 for numbers other than the actual ones."""
    one = np.array(1.0)
    for power in (1000, -1000, 1e300):
        assert jvp(lambda x, n=power: x**n, (one,), (one,))[1] == power
        assert jvp(lambda x, n=power: ad.pow(x, n), (one,), (one,))[1] == power
    assert hessian(lambda x: x**1000)(one) == 999000.0
    below = define("below_0", lambda xp, x: xp.minimum(x, 0.0),
        [lambda g, z, x: g * ad.where(x < 0, 1.0, 0.0)])  # fmt: skip
    for x in (-3.0, np.array(-3.0)):
        assert hessian(lambda x: below(x) ** 2)(x) == 2.0
    about_mean = define("sum_about_mean", lambda xp, x: ((x - x.mean()) ** 2).sum(),
        [lambda g, z, x: g * 2.0 * (x - ad.mean(x))], elementwise=False)  # fmt: skip
    x = np.array([1.0, 2.0, 6.0])
    np.testing.assert_allclose(hessian(about_mean)(x), 2.0 * (np.eye(3) - 1.0 / 3.0), rtol=1e-13)


@KINDS
def test_a_constant_factor_of_0_is_a_closed_gate(kind: type) -> None:
    """0 · √x is the constant 0, with its mask as a number, an array or an exponent; a seed of 0 sends nothing."""
    x = at(kind, 0.0)
    assert grad(lambda x: 0.0 * ad.sqrt(x) + x)(x) == 1.0
    assert grad(lambda x: ad.sqrt(x) ** 0 + x)(x) == 1.0
    mask = np.array([0.0, 1.0])
    assert grad(lambda x: np.sum(mask * np.sqrt(x)))(np.array([0.0, 4.0])).tolist() == [0.0, 0.25]
    assert vjp(ad.sqrt, x)[1](at(kind, 0.0)) == (0.0,)
    np.testing.assert_array_equal(jacobian(np.sqrt)(np.array([0.0, 4.0])), [[INF, 0.0], [0.0, 0.25]])
    assert jvp(lambda x, y: ad.sqrt(x) + y, (x, 1.0), (at(kind, 0.0), 1.0))[1] == 1.0


@pytest.mark.parametrize("f", [
    lambda x: ad.norm(x) ** 2, lambda x: np.linalg.norm(x) ** 2, lambda x: ad.max(ad.stack([x[0], -x[0]])) ** 2,
    lambda x: abs(x[0]) ** 2, lambda x: ad.maximum(x[0], -x[0]) ** 2, lambda x: ad.sqrt(x[0] * x[0]) ** 2,
    lambda x: ad.std(x) ** 2, lambda x: ad.min(ad.stack([x[0], -x[0]])) * x[0],
])  # fmt: skip
def test_the_derivative_of_a_convention_is_right_or_nan(f: Callable[..., Any]) -> None:
    """Squares written by functions with a kink at 0: their second derivative is not silently 0."""
    found = hessian(f)(np.zeros(2))[0, 0]
    assert np.isnan(found)
    values = [Value(0.0), Value(0.0)]
    slope = gradients(f(ad.stack(values)), values[0], create_graph=True)
    assert np.isnan(gradients(slope, values[0]))
    report = check_gradients(f, np.zeros(2), order=2)
    assert not report


def test_what_the_backward_pass_writes_on_its_way_is_right_too() -> None:
    """The error at results between a closed gate and an infinity is 0, not the nan that is stopped further back."""
    x = Value(-1.0)
    open_at_the_end = ad.relu(x)
    root = ad.sqrt(open_at_the_end)
    ad.where(np.array([False]), ad.stack([root]), 1.0).sum().backward()
    assert (root.grad, open_at_the_end.grad, x.grad) == (0.0, 0.0, 0.0)
    flow = ad.error_flow(ad.sqrt(ad.relu(Value(-10.0, name="x"))) + 0.0, x)
    assert flow.is_empty


def test_a_nan_that_an_index_drops_was_asked_about_before() -> None:
    """Errors at elements that no index selects are 0 behind a closed gate too, in every kind of pass."""
    x = Tensor(4.0)
    h = ad.layout.scatter(x, index=1, shape=(3,))
    y = np.sum(ad.where(h > 0, np.sqrt(h), 0.0))
    expected = [0.0, 0.25, 0.0]
    assert gradients(y, h).tolist() == ad.backpropagate(y)[h].tolist() == expected
    inside: list[Any] = []
    ad.engine.backward.run_backward(Value(1.0), None, lambda *_: inside.append(ad.backpropagate(y)[h].tolist()))
    assert inside == [expected]
    y.backward()
    assert (h.grad.tolist(), x.grad) == (expected, 0.25)


@KINDS
def test_the_flow_says_what_the_pass_says(kind: type) -> None:
    """Shares of a flow add up to the errors of the pass, behind closed gates too, and the product of a path is 0."""
    x = kind(-10.0, name="x")
    flow = ad.error_flow(ad.sqrt(ad.relu(x)), x)
    assert flow.gradient == 0.0
    assert [float(edge.share) for edge in flow.edges] == [INF, 0.0]
    if kind is Value:
        assert [edge.closed for edge in flow.edges] == [False, True]
        assert flow.strongest(1)[0].product == 0.0
        assert flow.formula().endswith("= 0")


def test_a_pass_that_asks_for_gates_is_a_pass_like_any_other() -> None:
    """Threads of passes, nested passes and `gradients` of results in between give the same numbers."""
    x = Tensor([-1.0, 0.0, 4.0])
    h = ad.relu(x)
    y = np.sum(np.sqrt(h))
    expected = [0.0, 0.0, 0.25]
    assert gradients(y, x).tolist() == expected
    assert gradients(y, x, create_graph=True).data.tolist() == expected
    assert ad.backpropagate(y)[x].tolist() == expected
    inside: list[Any] = []
    ad.engine.backward.run_backward(Value(1.0), None, lambda *_: inside.append(gradients(y, x).tolist()))
    assert inside[0] == expected
    y.backward()
    y.backward()
    assert x.grad.tolist() == [0.0, 0.0, 0.5]


def test_nothing_is_written_before_the_gates_were_asked() -> None:
    """The first pass meets a nan and writes nothing: a second ``backward()`` doubles the existing numbers."""
    x = Value(-4.0)
    x.grad = 1.0
    y = ad.sqrt(ad.relu(x)) + x
    y.backward()
    y.backward()
    assert x.grad == 3.0


@EACH_GATE
def test_reach_says_where_an_error_comes(gate: str) -> None:
    """A closed gate is reached and lets nothing through; an open one lets the error through."""
    shut, closed, opened = GATES[gate]
    for x, arrives in ((closed, False), (opened, True)):
        leaf = Value(x)
        output = shut(leaf) if gate != "max" else shut(leaf).value()
        come = reached(output, 1.0)
        last = [bool(np.any(mask)) for node in come for item, mask in zip(node.inputs, come[node].inputs, strict=True)
                if item is leaf]  # fmt: skip
        assert any(last) == arrives


def test_the_smaller_of_two_values_gets_nothing() -> None:
    """max of an array of Values is one node for all: √0 is not chosen, so that its infinite slope does not matter."""
    x, y = Value(0.0), Value(1.0)
    largest = ad.max(np.array([ad.sqrt(x), y]))
    assert gradients(largest, [x, y]) == [0.0, 1.0]
    assert [slope.data for slope in gradients(largest, [x, y], create_graph=True)] == [0.0, 1.0]


def test_gates_are_those_that_take_a_side() -> None:
    """A primitive is a gate in the table if its slope is exactly 0 on one side of a kink or jump, and only then."""
    built_in = [entry for entry in ad.TABLE.values() if entry.forward.__module__.startswith("autodiff.")]
    assert {entry.name for entry in built_in if entry.gate} == {
        "relu", "leaky_relu", "hard_tanh", "clip", "maximum", "minimum", "max", "min", "where", "hinge", "hinge_sum",
        "sign", "by_convention", "floor", "ceil", "trunc", "rint", "floor_divide",
    }  # fmt: skip


def test_every_pair_of_a_gate_and_a_singular_function_passes_the_check() -> None:
    """Differences of a constant are 0, and so is the gradient, at both orders."""
    for (name, (shut, closed, _)), f in itertools.product(GATES.items(), SINGULAR.values()):
        if "kink" not in name:
            report = check_gradients(lambda x, f=f, shut=shut: f(shut(x)), closed, order=2)
            assert report.passed, report


@KINDS
def test_a_constant_denominator_of_0_gives_what_ieee_gives(kind: type) -> None:
    """x / 0 has slope inf, and no float operation raises an error on the way to the second derivative."""
    with np.errstate(divide="ignore", invalid="ignore"):
        x = at(kind, 1.0)
        assert grad(lambda x: x / 0.0)(x) == INF
        assert not np.isfinite(grad(grad(lambda x: x / 0.0))(x)) or grad(grad(lambda x: x / 0.0))(x) == 0.0


def through_an_infinite_factor(outer: Callable[[Any], Any]) -> tuple[Any, Any]:
    """The gradients of outer(Σ wᵢxᵢ) with respect to w₁, whose partner is infinite, and to w₂, whose partner is 2."""
    w = [Value(-1.0), Value(3.0)]
    found = gradients(outer(ad.weighted_sum(w, [INF, 2.0], 0.0)), w)
    outer(ad.weighted_sum(w, [INF, 2.0], 0.0)).backward()
    np.testing.assert_array_equal([each.grad for each in w], found)
    return tuple(found)


def test_a_weighted_sum_with_an_infinite_factor_gets_0_from_a_gate_and_nan_from_a_smooth_factor() -> None:
    """−∞ behind relu is shut off; eᶻ has slope 0 at −∞, and 0 · ∞ is no number."""
    assert through_an_infinite_factor(ad.relu) == (0.0, 0.0)
    smooth = through_an_infinite_factor(ad.exp)
    assert np.isnan(smooth[0])
    assert smooth[1] == 0.0


def test_a_shut_off_weighted_sum_sends_zeros_of_its_signal() -> None:
    """Both passes agree bit for bit, whatever the signs of weights and inputs."""
    for sign in (1.0, -1.0):
        w, x = [Value(-1.0), Value(2.0)], [Value(-3.0), Value(-4.0)]
        y = sign * ad.relu(ad.weighted_sum(w, x, Value(-9.0)))
        y.backward()
        signs = [np.signbit(each.grad) for each in (*w, *x)]
        assert signs == [np.signbit(each) for each in gradients(y, [*w, *x])]
        assert signs == [np.signbit(backpropagate(y)[each]) for each in (*w, *x)]
        assert [each.grad for each in (*w, *x)] == [0.0] * 4
