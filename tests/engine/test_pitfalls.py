"""Known faults of small engines: each test's name says how this engine behaves instead."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Node, Tensor, Value, backpropagate, gradients, topological
from autodiff.engine.backward import run_backward
from autodiff.transforms.finite_differences import numerical_derivative
from tests.support.differences import assert_close, slope
from tests.support.processes import printed_here_and_elsewhere
from tests.support.strategies import plain

Define = Callable[..., ad.Primitive]
BOTH = pytest.mark.parametrize("kind", [Value, Tensor], ids=["Value", "Tensor"])


def slopes(f: Callable[..., Any], kind: type, *points: float) -> list[float]:
    """f′ in every argument, at points given as one ``kind`` of node."""
    leaves = [kind(x) for x in points]
    return [float(g) for g in gradients(f(*leaves), leaves)]


# ---- accumulation and order ------------------------------------------------------------------------------------------


@BOTH
def test_second_backward_of_a_cube_doubles_to_54(kind: type) -> None:
    """x·x·x at 3: 27, and after a second pass over the same graph 54."""
    x = kind(3.0)
    y = x * x * x
    y.backward()
    assert x.grad == 27.0
    y.backward()
    assert x.grad == 54.0
    assert y.grad == 2.0


@BOTH
def test_two_losses_that_share_an_interior_node_give_27(kind: type) -> None:
    """h = 3a; the losses h² and h add their 6h = 24 (at a = 4/3: h = 4) and 3: 27, with nothing left over in h."""
    a = kind(4.0 / 3.0)
    h = a * 3.0
    (h * h).backward()
    (h * 1.0).backward()
    assert a.grad == pytest.approx(27.0, rel=1e-15)
    assert h.grad == pytest.approx(9.0, rel=1e-15)


@BOTH
def test_graph_extended_after_backward(kind: type) -> None:
    """A graph that grows after a pass gives the right gradient in the next one: 4 of y, then 12 of y·x."""
    x = kind(2.0)
    y = x * x
    y.backward()
    z = y * x
    z.backward()
    assert x.grad == 4.0 + 12.0
    assert y.grad == 1.0 + 2.0
    assert gradients(z, x) == 12.0


@BOTH
def test_diamond_with_a_tail_gives_39(kind: type) -> None:
    """h = 3a, y = h·h + h at 2: 39, which naive recursion, pre-order, overwriting and forgetting all miss."""

    def diamond(a: Any) -> Any:
        h = a * 3.0
        return h * h + h

    assert slopes(diamond, kind, 2.0) == [39.0]


@BOTH
@pytest.mark.parametrize(("f", "slope"), [(lambda a: a + a, 2.0), (lambda a: a * a, 6.0), (lambda a: a - a, 0.0)])
def test_same_operand_twice_has_two_edges(kind: type, f: Callable[[Any], Any], slope: float) -> None:
    """a + a, a·a and a − a have two edges to one node, each with its slot and its share."""
    a = kind(3.0)
    y = f(a)
    assert y.inputs == (a, a)
    assert [item for item, *_ in ad.engine.shares.edge_shares(y, plain(y) * 0.0 + 1.0)] == [a, a]
    assert gradients(y, a) == slope


PROGRAM = """
import autodiff as ad, random, struct
r = random.Random(7)
nodes = [ad.Value(r.uniform(-1, 1), name=f"v{k}") for k in range(20)]
leaves = nodes[:]
for _ in range(400):
    a, b = r.choice(nodes), r.choice(nodes)
    nodes.append(r.choice([a + b, a * b, (a - b).tanh(), ad.weighted_sum([a, b, a], [b, a, a], b) * 0.1]))
total = sum(nodes[-50:])
total.backward()
print(struct.pack("20d", *(leaf.grad or 0.0 for leaf in leaves)).hex())
"""


def test_same_bits_in_processes_with_other_hash_seeds() -> None:
    """The order of a pass follows from the graph: two processes whose hashes and addresses differ give equal bits."""
    here, elsewhere = printed_here_and_elsewhere(PROGRAM)
    assert here == elsewhere
    assert len(here.strip()) == 20 * 16


@BOTH
def test_ladder_of_60_diamonds_takes_no_exponential_time(kind: type) -> None:
    """2⁶⁰ paths, 120 edges: x ↦ x + x sixty times is done at once, and right to the last bit."""
    x = y = kind(1.0)
    for _ in range(60):
        y = y + y
    assert gradients(y, x) == 2.0**60
    assert len(topological(y)) == 61


def test_membership_is_by_hash_not_by_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search in a list, O(n²), would compare nodes with ==; a pass and an order compare none."""

    def compared(self: Value, other: object) -> bool:
        raise AssertionError("nodes were compared")

    x = y = Value(1.0)
    for k in range(1_000):
        y = y + x * (1.0 / (k + 1))
    monkeypatch.setattr(Value, "__eq__", compared)
    y.backward()
    assert len(topological(y)) == 2_001
    assert len(backpropagate(y)) == 2_001


DEPTH = 40_000  # forty recursion limits; `tests.engine.test_scale` has a million Values


def chain(kind: type, depth: int = DEPTH) -> tuple[Any, Any]:
    """A leaf, and the last node of a chain of additions above it."""
    x = y = kind(1.0)
    for _ in range(depth):
        y = y + 1.0
    return x, y


@pytest.mark.slow
@BOTH
def test_a_long_chain_is_differentiated_without_recursion(kind: type) -> None:
    """Depth is free: no RecursionError in either pass, nor while the graph is freed."""
    x, y = chain(kind)
    y.backward()
    assert x.grad == 1.0
    assert len(topological(y)) == DEPTH + 1
    del x, y
    gc.collect()


@BOTH
@pytest.mark.parametrize("twin_of", [copy.deepcopy, lambda y: pickle.loads(pickle.dumps(y))], ids=["copy", "pickle"])
def test_a_long_chain_is_copied_and_pickled(kind: type, twin_of: Callable[[Any], Any]) -> None:
    """A graph is copied and written as a flat list: a long chain survives both, and its copy has its own gradient."""
    depth = 20 * sys.getrecursionlimit()  # of a recursion it would be the end as soon as a hundred thousand
    x, y = chain(kind, depth)
    twin = twin_of(y)
    order = topological(twin)
    assert len(order) == depth + 1
    twin.backward()
    assert order[0].grad == 1.0
    assert x.grad is None


@BOTH
def test_gradient_of_a_deep_copy_stays_in_the_copy(kind: type) -> None:
    """A deep copy shares no node with the original: a pass over it leaves the original's gradients None."""
    x = kind(3.0, name="x")
    y = x * x
    both = copy.deepcopy({"x": x, "y": y})
    both["y"].backward()
    assert both["x"].grad == 6.0
    assert both["x"].name == "x"
    assert x.grad is None
    assert y.grad is None


@BOTH
def test_data_changed_between_forward_and_backward_is_refused(kind: type) -> None:
    """New data under an old graph would mix old and new values: the pass refuses, and names both nodes."""
    x = kind(3.0, name="x")
    y = x * x
    x.data = 5.0
    with pytest.raises(ad.StaleGraphError, match=r"'x' \(the leaf \w+\) .* the result of multiply .* compute the"):
        y.backward()
    assert x.grad is None
    assert gradients(x * x, x) == 10.0


def test_exception_in_a_derivative_leaves_no_state_behind(define: Define) -> None:
    """A rule that raises leaves every .grad as it was, and the next pass over the same nodes is right."""

    def fail(g: Any, z: Any, x: Any) -> Any:
        raise ArithmeticError("no derivative today")

    faulty = define("faulty", lambda xp, x: x + 0.0, [fail])
    x = Tensor([1.0, 2.0])
    (x * 3.0).sum().backward()
    before = x.grad.copy()
    y = (faulty(x) + x * x).sum()
    with pytest.raises(ArithmeticError) as error:
        y.backward()
    assert "faulty" in error.value.__notes__[0]
    assert np.array_equal(x.grad, before)
    assert y.grad is None
    assert np.array_equal(gradients((x * x).sum(), x), [2.0, 4.0])


# ---- types and numbers -----------------------------------------------------------------------------------------------


@BOTH
def test_exponent_may_be_a_node(kind: type) -> None:
    """x**y with nodes on both sides: y·xʸ⁻¹ and xʸ ln x."""
    assert slopes(lambda x, y: x**y, kind, 2.0, 3.0) == pytest.approx([12.0, 8.0 * math.log(2.0)], rel=1e-15)


@BOTH
def test_number_to_the_power_of_a_node(kind: type) -> None:
    """c**x is an exponential of x: 2ˣ ln 2."""
    assert slopes(lambda x: 2.0**x, kind, 3.0) == pytest.approx([8.0 * math.log(2.0)], rel=1e-15)


@BOTH
@pytest.mark.parametrize(("base", "n", "value", "slope"), [
    (-3.0, 2, 9.0, -6.0), (0.0, 0, 1.0, 0.0), (0.0, 0.5, 0.0, math.inf), (0.0, -1, math.inf, -math.inf),
    (0.0, 1, 0.0, 1.0), (0.0, 2, 0.0, 0.0), (-8.0, 1 / 3, math.nan, math.nan), (-2.0, -3, -0.125, -0.1875),
])  # fmt: skip
def test_power_at_zero_and_at_negative_bases(kind: type, base: float, n: float, value: float, slope: float) -> None:
    """x² at −3, 0⁰, 0^½ and 1/0 follow IEEE arithmetic, and a root of −8 is nan, never complex."""
    with np.errstate(all="ignore"):
        x = kind(base)
        y = x**n
        assert not np.iscomplexobj(y.data)
        np.testing.assert_equal(float(y.data), value)
        np.testing.assert_equal(float(gradients(y, x)), slope)


@BOTH
def test_ints_become_floats(kind: type) -> None:
    """An int given as data becomes a float, and so does its gradient: 7/2 is not 3."""
    x = kind(7)
    y = x / 2
    assert np.asarray(x.data).dtype == np.float64
    assert (y.data, gradients(y, x)) == (3.5, 0.5)
    x.data = 3
    assert isinstance(plain(x).item() if kind is Tensor else x.data, float)


@BOTH
@pytest.mark.parametrize("data", [True, "3", 1j, None, Value(1.0), Tensor([1.0]), object(), [Value(1.0)]])
def test_what_is_no_real_number_is_no_data(kind: type, data: Any) -> None:
    """Bools, strings, complex numbers, None, nodes and objects are refused as data, not taken in silently."""
    with pytest.raises(TypeError, match=r"number|array"):
        kind(data)
    x = kind(1.0)
    with pytest.raises(TypeError, match=r"number|array"):
        x.data = data


def test_a_value_of_an_array_is_refused() -> None:
    """Value(ndarray) would be a Tensor in disguise."""
    with pytest.raises(TypeError, match="for an array use Tensor"):
        Value(np.ones(2))  # type: ignore[arg-type]
    assert Value(np.array(2.0)).data == 2.0  # type: ignore[arg-type]  # no axes: one number


@BOTH
@pytest.mark.parametrize("two", [np.float64(2), np.float32(2), np.int64(2), np.int8(2)])
def test_numpy_scalars_are_numbers(kind: type, two: Any) -> None:
    """A NumPy scalar serves as exponent and as operand on either side, and the result is one node."""
    assert slopes(lambda x: x**two, kind, 3.0) == [6.0]
    assert slopes(lambda x: two * x, kind, 3.0) == [2.0]
    assert slopes(lambda x: x / two, kind, 3.0) == [0.5]
    assert slopes(lambda x: two - x, kind, 3.0) == [-1.0]
    assert type(two * kind(3.0)) is kind
    x = kind(3.0)
    assert (x**two).params == {"n": 2}


@BOTH
def test_reflected_operators_keep_the_order_of_their_operands(kind: type) -> None:
    """5 − x, 1/x and 2ˣ are not x − 5, x/1 and x²."""
    x = kind(2.0)
    assert [y.item() for y in (5 - x, 1.0 / x, 3**x)] == [3.0, 0.5, 9.0]
    assert slopes(lambda x: 5 - x, kind, 2.0) == [-1.0]
    assert slopes(lambda x: 1.0 / x, kind, 2.0) == [-0.25]
    assert (5 - x).inputs == (5, x)


def test_ndarray_on_the_left_makes_a_tensor() -> None:
    """ndarray · node and ndarray @ node are one node, never an object array of many."""
    w, x = np.array([[1.0, 2.0], [3.0, 4.0]]), Tensor([5.0, 6.0])
    made: list[Any] = [w @ x, w * x, w - x, w / x]
    for y, expected in zip(made, (w @ x.data, w * x.data, w - x.data, w / x.data), strict=True):
        assert type(y) is Tensor
        assert np.array_equal(y.data, expected)
    assert np.array_equal(gradients((w @ x).sum(), x), [4.0, 6.0])
    v = Value(2.0)
    assert type(w * v) is Tensor
    assert gradients((w * v).sum(), v) == 10.0


@BOTH
@pytest.mark.parametrize(("f", "at", "value", "slope"), [
    (ad.sigmoid, 1000.0, 1.0, 0.0), (ad.sigmoid, -1000.0, 0.0, 0.0), (ad.tanh, 1000.0, 1.0, 0.0),
    (ad.tanh, -1000.0, -1.0, 0.0), (ad.softplus, 1000.0, 1000.0, 1.0), (ad.softplus, -1000.0, 0.0, 0.0),
    (ad.log_sigmoid, -1000.0, -1000.0, 1.0), (ad.log_sigmoid, 1000.0, 0.0, 0.0), (ad.log1p, 1e-30, 1e-30, 1.0),
    (ad.expm1, 1e-30, 1e-30, 1.0), (ad.elu, 1000.0, 1000.0, 1.0), (ad.elu, -1000.0, -1.0, 0.0),
    (ad.gelu, 1000.0, 1000.0, 1.0), (ad.gelu, -1000.0, 0.0, 0.0), (ad.erfc, 1000.0, 0.0, 0.0),
    (ad.soft_sign, 1e100, 1.0, 1e-200), (ad.exp, 1000.0, math.inf, math.inf),
])  # fmt: skip
def test_far_out_nothing_overflows(kind: type, f: Any, at: float, value: float, slope: float) -> None:
    """Value and derivative at ±1000, and next to 0 where digits are lost, are the right ones, without a nan."""
    x = kind(at)
    with np.errstate(over="ignore"):  # exp(1000) is inf, and NumPy says so
        y = f(x)
    assert (float(y.data), float(gradients(y, x))) == pytest.approx((value, slope), rel=1e-15, abs=0.0)


def test_logsumexp_and_softmax_do_not_overflow() -> None:
    """ln Σ eˣ at ±1000 and with −inf among the elements; the gradient is the softmax and sums to 1."""
    for point in ([1000.0, 1000.0], [-1000.0, -1000.0], [1000.0, -1000.0], [0.0, -math.inf]):
        x = Tensor(point)
        y = ad.logsumexp(x)
        expected = np.logaddexp(point[0], point[1])
        assert float(y.data) == pytest.approx(expected, rel=1e-15)
        share = gradients(y, x)
        assert share.sum() == pytest.approx(1.0, rel=1e-15)
        np.testing.assert_allclose(share, ad.softmax(x).data, rtol=1e-15)
    assert ad.logsumexp(Tensor([-math.inf, -math.inf])).item() == -math.inf
    assert np.isfinite(ad.log_softmax(Tensor([1000.0, -1000.0])).data).all()


@pytest.mark.parametrize("point", [[0.0, 0.0], [0.0]])
def test_norm_at_zero_is_not_nan(point: list[float]) -> None:
    """The norm has a kink at 0, and gradient 0 there, on Tensors and on Values; huge elements do not overflow it."""
    x = Tensor(point)
    assert np.array_equal(gradients(ad.norm(x), x), np.zeros(len(point)))
    values = [Value(p) for p in point]
    assert gradients(ad.norm(values), values) == [0.0] * len(point)
    assert ad.norm([3e200, 4e200]) == pytest.approx(5e200, rel=1e-15)


@BOTH
@pytest.mark.parametrize("f", [ad.relu, ad.leaky_relu, ad.elu, ad.hard_tanh, ad.absolute, lambda x: ad.clip(x, 0, 1)])
def test_nan_passes_through_every_kink(kind: type, f: Any) -> None:
    """The derivative at nan is nan: a 0 would hide where it came from."""
    x = kind(math.nan)
    assert math.isnan(f(x).data)
    assert math.isnan(gradients(f(x), x))


@pytest.mark.parametrize(("f", "expected"), [
    (ad.max, [0.5, 0.0, 0.5]), (ad.min, [0.0, 1.0, 0.0]), (lambda x: ad.maximum(x[0], x[2]), [0.5, 0.0, 0.5]),
    (lambda x: ad.minimum(x[0], x[2]), [0.5, 0.0, 0.5]), (lambda x: ad.maximum(x[0], x[0]), [1.0, 0.0, 0.0]),
])  # fmt: skip
def test_ties_share_equally(f: Any, expected: list[float]) -> None:
    """Equal extremes get equal shares that sum to 1: neither [1, 1] nor [0, 0]."""
    x = Tensor([2.0, 1.0, 2.0])
    assert np.array_equal(gradients(f(x), x), expected)
    values = [Value(v) for v in x.data]
    assert [g or 0.0 for g in gradients(f(values), values)] == expected


@pytest.mark.parametrize(("point", "expected"), [
    ([0.0, 2.0, 3.0], [6.0, 0.0, 0.0]), ([0.0, 0.0, 3.0], [0.0, 0.0, 0.0]), ([2.0, 3.0, 4.0], [12.0, 8.0, 6.0]),
])  # fmt: skip
def test_prod_is_right_at_zeros(point: list[float], expected: list[float]) -> None:
    """The gradient of a product is the product of the others, with no division by zero; also the second order."""
    x = Tensor(point)
    assert np.array_equal(gradients(ad.prod(x), x), expected)
    a, b, c = point
    assert np.array_equal(ad.hessian(ad.prod)(np.array(point)), [[0, c, b], [c, 0, a], [b, a, 0]])


@BOTH
def test_branch_not_taken_shares_zero(kind: type) -> None:
    """where(x > 0, √x, 0) at 0 has derivative 0, not 0 · inf = nan; also with a logarithm, a product, exp."""

    def slope_at(at: float, f: Callable[[Any], Any]) -> float:
        x = kind([at]) if kind is Tensor else kind(at)
        with np.errstate(all="ignore"):
            y = f(x)
        for create_graph in (False, True):
            assert not np.isnan(plain(gradients(y, x, seed=plain(y) * 0.0 + 1.0, create_graph=create_graph)))
        return float(np.sum(gradients(y, x, seed=plain(y) * 0.0 + 1.0)))

    assert slope_at(0.0, lambda x: ad.where(x > 0, ad.sqrt(x), 0.0 * x)) == 0.0
    assert slope_at(0.0, lambda x: ad.where(x > 0, x * ad.log(x), 0.0 * x)) == 0.0
    assert slope_at(1000.0, lambda x: ad.where(x > 30, x, ad.log(1.0 + ad.exp(x)))) == 1.0


@pytest.mark.parametrize(("shape", "axis", "expected"), [
    ((2, 3), 0, np.full((2, 3), 0.5)), ((2, 3), 1, np.full((2, 3), 1 / 3)), ((2, 3), None, np.full((2, 3), 1 / 6)),
    ((2, 3), -1, np.full((2, 3), 1 / 3)), ((2, 3), (0, 1), np.full((2, 3), 1 / 6)), ((2, 3), (), np.ones((2, 3))),
])  # fmt: skip
def test_axis_zero_is_an_axis(shape: tuple[int, ...], axis: Any, expected: np.ndarray) -> None:
    """mean(axis=0) is over the first axis, not over all: `if not axis` takes 0 for None."""
    x = Tensor(np.arange(6.0).reshape(shape))
    y = x.mean(axis=axis)
    assert y.shape == np.mean(x.data, axis=axis).shape
    np.testing.assert_allclose(gradients(y.sum(), x), expected, rtol=1e-15)


@pytest.mark.parametrize(("shapes", "summed"), [
    (((2, 3), (3,)), [2.0, 2.0, 2.0]), (((2, 3), (1, 3)), [[2.0, 2.0, 2.0]]), (((2, 3), (2, 1)), [[3.0], [3.0]]),
    (((2, 3), ()), 6.0), (((2, 2), (2,)), [2.0, 2.0]), (((4, 2, 3), (2, 1)), [[12.0], [12.0]]),
    (((0, 3), (3,)), [0.0, 0.0, 0.0]), (((0, 3), (1, 3)), [[0.0, 0.0, 0.0]]), (((0,), ()), 0.0), (((1,), ()), 1.0),
])  # fmt: skip
def test_broadcast_gradient_is_summed_over_the_axes_that_were_repeated(shapes: Any, summed: Any) -> None:
    """Each operand's gradient has its own shape: 0-d, axes of length 1 and empty axes too."""
    left, right = (Tensor(np.ones(shape)) for shape in shapes)
    (left * right).sum().backward()
    assert (left.grad.shape, right.grad.shape) == shapes
    assert np.array_equal(right.grad, summed)


def test_no_gradient_shares_memory_with_another() -> None:
    """a.grad is b.grad, or .grad in the memory of an intermediate, would let one write into the other."""
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    seed = np.array([1.0, -1.0])
    c = a + b
    d = ad.reshape(c, shape=(2, 1))
    (d * 1.0).backward(seed[:, None])
    kept = [node.grad for node in (a, b, c, d)] + [seed, a.data, b.data, c.data]
    for k, first in enumerate(kept):
        assert not any(np.shares_memory(first, second) for second in kept[k + 1 :])
    a.grad[:] = 99.0
    assert np.array_equal(b.grad, [1.0, -1.0])
    assert not np.shares_memory(*gradients(c, [a, b], seed=seed))


def test_no_gradient_of_a_nested_pass_shares_memory_with_another() -> None:
    """A backward pass inside another keeps its state elsewhere; its gradients are as separate."""
    a, b = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])
    c = a + b
    run_backward(Value(1.0), None, lambda *_: c.backward([1.0, -1.0]))
    a.grad[:] = 99.0
    assert np.array_equal(b.grad, [1.0, -1.0])
    assert np.array_equal(c.grad, [1.0, -1.0])


def test_no_gradient_of_any_number_of_inputs_shares_memory_with_another(define: Define) -> None:
    """A rule that passes the error signal on unchanged gives each input a separate array."""
    total = define("total", lambda xp, *x: x[0] + x[1] + x[2], lambda k, g, z, *x: g)
    first, *others = (Tensor([1.0, 2.0]) for _ in range(3))
    y = total(first, *others)
    y.backward([1.0, -1.0])
    first.grad[:] = 99.0
    assert all(np.array_equal(node.grad, [1.0, -1.0]) for node in (y, *others))


@pytest.mark.parametrize("many", [False, True])
def test_array_that_a_rule_keeps_is_not_written_to(define: Define, many: bool) -> None:
    """Shares are added up in the engine's own memory, even if a user's rule returns an array that it keeps."""
    kept = np.array([1.0, 2.0])
    forward: Any = (lambda xp, *x: x[0].dot(kept)) if many else (lambda xp, x: x.dot(kept))
    rules: Any = (lambda k, g, z, *x: kept) if many else [lambda g, z, x: kept]
    scaled = define("scaled", forward, rules, elementwise=False)
    x = Tensor([1.0, 1.0])
    (scaled(x) + scaled(x)).backward()
    assert np.array_equal(x.grad, [2.0, 4.0])
    assert np.array_equal(kept, [1.0, 2.0])
    assert not np.shares_memory(x.grad, kept)


def test_float32_stays_float32() -> None:
    """Neither Python numbers, nor a mean, nor a mask turn float32 into float64; the gradient has the leaf's type."""
    x = Tensor(np.array([0.5, 1.5], np.float32))
    y = ad.sigmoid(x * 2.0 + 1).mean() + np.exp(x).sum() / 3 + ad.softmax(x)[0] + x.var() + x.prod()
    y = y + ad.where(x > 1, x, 0.0).sum()
    assert y.data.dtype == np.float32
    y.backward()
    assert x.grad.dtype == np.float32
    mixed = x * np.array([1.0, 2.0])
    mixed.sum().backward()
    assert (mixed.data.dtype, x.grad.dtype) == (np.float64, np.float32)


def test_integer_arrays_become_float64() -> None:
    """An integer array as data truncates nothing: it becomes float64, and so does its gradient."""
    x = Tensor(np.array([1, 2, 3]))
    (x * 0.5).sum().backward()
    assert x.data.dtype == x.grad.dtype == np.float64
    assert np.array_equal(x.grad, [0.5, 0.5, 0.5])
    w = np.array([1, 2, 3])
    assert (x / w).data.dtype == np.float64


@pytest.mark.parametrize("call", [
    lambda: ad.weighted_sum([Value(1.0), Value(2.0)], [Value(1.0)]),
    lambda: ad.affine(Tensor(np.ones((2, 3))), Tensor(np.ones(2)), Tensor(np.ones(2))),
    lambda: ad.affine(np.ones((2, 3)), np.ones(3), np.ones(3)),
    lambda: ad.matmul(Tensor(np.ones((2, 3))), np.ones(2)),
    lambda: ad.dot(Tensor(np.ones(2)), np.ones(3)),
])  # fmt: skip
def test_wrong_length_is_an_error_not_a_shorter_sum(call: Callable[[], Any]) -> None:
    """Nothing is zipped to the shorter length: an input of the wrong length is refused, with the shapes."""
    with pytest.raises(ValueError, match=r"2.*[13]|3.*2"):
        call()


def test_layer_of_width_one() -> None:
    """One unit, one input, one example: axes of length 1 are axes, and the gradients keep them."""
    w, x, b = Tensor([[2.0]]), Tensor([3.0]), Tensor([1.0])
    z = ad.affine(w, x, b)
    assert z.shape == (1,)
    assert [g.shape for g in gradients(z, [w, x, b])] == [(1, 1), (1,), (1,)]
    rows = ad.affine(w, Tensor([[3.0]]), b)
    assert rows.shape == (1, 1)
    assert [g.tolist() for g in gradients(rows, [w, b])] == [[[3.0]], [1.0]]


def test_comparisons_are_bools() -> None:
    """Comparing Values compares numbers and makes no node, so that `in`, sorting and dicts work."""
    a, b = Value(1.0), Value(2.0)
    answers = [a < b, a <= b, a > b, a >= b, a == b, a != b, a == 1.0, a < np.float64(2), a == "a", a != None]  # noqa: E711
    assert answers == [True, True, False, False, False, True, True, True, False, True]
    assert all(type(answer) is bool for answer in answers)
    assert a in [b, a]
    assert Value(3.0) not in [a, b]
    assert 2.0 in [a, b]
    assert sorted([b, a]) == [a, b]
    assert max(a, b) is b
    with pytest.raises(TypeError, match="not supported between"):
        a < "b"  # noqa: B015


def test_nodes_are_keys_by_identity() -> None:
    """Two parameters of equal value are two keys; new data does not lose an entry of a dict."""
    a, b = Value(1.0), Value(1.0)
    found = {a: "a", b: "b"}
    assert (found[a], found[b], len({a, b})) == ("a", "b", 2)
    a.data = 5.0
    assert found[a] == "a"
    x, y = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    assert {x: 1, y: 2}[y] == 2


def test_comparisons_of_tensors_are_masks() -> None:
    """A Tensor compares by element, to plain arrays of bools; one that is many numbers is neither true nor false."""
    x = Tensor([1.0, 3.0])
    for mask in (x > 2, np.full(2, 2.0) < x, x >= 3.0, x == 3.0, x != 1.0, np.greater(x, 2.0), ~(x < 2), ~(x <= 2)):
        assert type(mask) is np.ndarray
        assert mask.tolist() == [False, True]
    with pytest.raises(ValueError, match="neither true nor false"):
        bool(x)


@BOTH
def test_truth_of_a_node_is_that_of_its_number(kind: type) -> None:
    """bool(Value(0)) is False, as that of 0.0 is: an object's default truth would say True."""
    assert bool(kind(0.0)) is False
    assert bool(kind(-0.5)) is True


# ---- reading ---------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(("f", "name"), [
    (lambda a, b: a - b, "subtract"), (lambda a, b: a / b, "divide"), (lambda a, _: -a, "negative"),
    (lambda a, b: b - a, "subtract"), (lambda a, _: 1.0 - a, "subtract"), (lambda a, _: 1.0 / a, "divide"),
    (lambda a, _: abs(a), "absolute"), (lambda a, _: a**2, "power"), (lambda a, b: a**b, "pow"),
    (lambda a, b: ad.stack([a, b]).sum(), "sum"),
])  # fmt: skip
def test_operation_is_one_node_of_its_own(kind: type, f: Any, name: str) -> None:
    """a − b is not a + (−1)·b, and a/b is not a·b⁻¹: the graph reads like the code."""
    y = f(kind(3.0), kind(2.0))
    assert y.primitive is ad.TABLE[name]
    if name != "sum":
        assert all(item.is_leaf for item in y.inputs if isinstance(item, Node))


@BOTH
def test_sum_has_no_spurious_zero(kind: type) -> None:
    """sum([...]) starts at its first term, not at 0 + …; the sum of one term is that term."""
    a, b, c = (kind(x) for x in (1.0, 2.0, 3.0))
    assert sum([a, b]).inputs == (a, b)
    assert sum([a]) is a
    assert {node.label for node in topological(sum([a, b, c]))} <= {"add", kind.__name__}
    assert len(topological(sum([a, b, c]))) == 5


def test_sum_of_values_is_one_node_of_all_terms() -> None:
    """The engine's sum of n Values is one node with n edges."""
    terms = [Value(float(k)) for k in range(5)]
    total = ad.sum(terms)
    assert total.inputs == tuple(terms)
    assert (total.data, total.primitive) == (10.0, ad.TABLE["sum"])
    assert gradients(total, terms) == [1.0] * 5


@BOTH
def test_no_gradient_before_a_pass(kind: type) -> None:
    """.grad is None until a pass has reached the node, and reads "–": not yet, which is not 0."""
    x, apart = kind(2.0), kind(3.0)
    y = x * 0.0
    assert x.grad is y.grad is None
    assert "grad=–" in repr(Value(2.0))
    y.backward()
    assert x.grad == 0.0
    assert apart.grad is None
    assert gradients(y, apart) is None


@pytest.mark.parametrize("factor", [1234.0, -1.0, 1.001, 0.0, math.nan])
def test_checkers_refuse_wrong_gradients(factor: float) -> None:
    """A gradient check that never compares passes anything: ours fail a gradient × 1234, a flipped sign, 1 in 1000."""
    found = numerical_derivative(lambda x: math.exp(x) * x, 1.5)
    right = 2.5 * math.exp(1.5)
    assert found.agrees(right)
    assert not found.agrees(factor * right)
    ours = slope(lambda t: np.exp(1.5 + t) * (1.5 + t))
    assert_close(right, ours)
    with pytest.raises(AssertionError):
        assert_close(factor * right, ours)
