"""The backward pass: seeds, zero signals, stale graphs, shares of every size, and errors that leave nothing behind."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.engine import backward as backprop
from autodiff.engine.backward import run_backward
from autodiff.engine.shares import edge_shares, local_gradients

KINDS = pytest.mark.parametrize("kind", [ad.Value, ad.Tensor])
Define = Callable[..., ad.Primitive]


# ---- seeds -----------------------------------------------------------------------------------------------------------


def test_an_output_of_many_elements_needs_a_seed() -> None:
    """A gradient needs one number; the error names the shape and both remedies."""
    y = ad.exp(ad.Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"shape \(2,\).*\.sum\(\).*seed"):
        y.backward()


@pytest.mark.parametrize("seed", [1.0, [1.0], [[1.0, 1.0]], [1.0, 1.0, 1.0]])
def test_a_seed_has_the_shape_of_the_output(seed: Any) -> None:
    """A seed is not broadcast: the error names both shapes, and nothing is written."""
    x = ad.Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"seed has shape .*output has shape \(2,\)"):
        ad.exp(x).backward(np.array(seed))
    assert x.grad is None


def test_a_value_takes_no_array_as_seed() -> None:
    """The seed of a number is a number."""
    with pytest.raises(ValueError, match=r"seed has shape \(1,\), but the output has shape \(\)"):
        (ad.Value(1.0) * 2.0).backward(np.ones(1))


@KINDS
@pytest.mark.parametrize("seed", [True, "1", 1j, object, np.array(True)])
def test_a_seed_is_real_numbers(kind: type, seed: Any) -> None:
    """Bools, strings, complex numbers and anything else that is not a number are refused by name."""
    with pytest.raises(TypeError, match=r"the seed must be a number or an array"):
        (kind(1.0) * 2.0).backward(seed)


def test_a_node_as_seed_needs_create_graph() -> None:
    """A seed that is a node belongs to a pass that makes a graph; the error says how to use its number."""
    x = ad.Value(3.0)
    with pytest.raises(TypeError, match=r"create_graph=True.*seed\.data"):
        ad.gradients(x * x, x, seed=ad.Value(1.0))


def test_a_plain_number_has_no_gradient() -> None:
    """What is not a node was computed outside the graph; the error says how that happens."""
    with pytest.raises(TypeError, match=r"left the graph, for example through \.data"):
        ad.backpropagate(3.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [2, 2.0, np.float64(2.0), np.array(2)])
def test_a_seed_multiplies_every_signal(seed: Any) -> None:
    """Ints, floats and NumPy's scalars serve as seed of one number."""
    for x in (ad.Value(3.0), ad.Tensor(3.0)):
        assert ad.backpropagate(x * x, seed)[x] == 12.0


def test_a_leaf_is_an_output_too() -> None:
    """∂x/∂x is the seed itself."""
    x = ad.Tensor([1.0, 2.0])
    x.backward([3.0, 4.0])
    assert x.grad.tolist() == [3.0, 4.0]


# ---- zero signals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [1, 2, 5])
def test_a_zero_signal_shares_zero_on_infinite_edges_of_a_weighted_sum(weights: int) -> None:
    """0 · ∞ is 0 in the backward pass: a neuron whose output does not count gets no nan."""
    w = [ad.Value(1.0) for _ in range(weights)]
    z = ad.weighted_sum(w, [math.inf] * weights, ad.Value(0.0))
    switched_off = ad.minimum(z, 1.0)  # z is infinite, so its side gets a zero signal
    assert ad.gradients(switched_off, w) == [0.0] * weights


def test_a_unit_that_is_off_shares_zeros_without_a_sign() -> None:
    """They are 0.0, not −0.0, by either kind of pass."""
    w, b = [ad.Value(-1.0), ad.Value(-2.0)], ad.Value(0.5)
    a = ad.relu(ad.weighted_sum(w, [1.0, 1.0], b))
    signals = []
    run_backward(a, None, lambda node, signal: signals.append(signal))
    run_backward(ad.Value(1.0), None, lambda *_: signals.extend(ad.backpropagate(a).values()))
    assert list(map(str, signals)) == ["1.0", "0.0", "0.0", "0.0", "0.0"] * 2


@KINDS
def test_a_zero_signal_keeps_what_arrived_before(kind: type) -> None:
    """A zero share adds to the shares of other edges and does not replace them, in either order."""
    for flip in (False, True):
        x = kind(0.0)
        root, line = ad.sqrt(x), 3.0 * x
        terms = [0.0 * root, line]
        assert ad.gradients(terms[flip] + terms[not flip], x) == 3.0


# ---- stale graphs ----------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("create_graph", [False, True])
def test_new_data_makes_every_kind_of_pass_refuse(kind: type, create_graph: bool) -> None:
    """Passes with slots, without, and those that make a graph refuse a stale graph; the error names the leaf."""
    x, w = kind(3.0, name="x"), kind(2.0)
    y = ad.exp(w * 1.0 * x)
    x.data = 4.0
    with pytest.raises(ad.StaleGraphError, match=r"'x'.*was given new data.*compute the output again"):
        ad.gradients(y, w, create_graph=create_graph)
    assert ad.gradients(ad.exp(w * x), w) == pytest.approx(4.0 * math.exp(8.0), rel=1e-15)


@KINDS
def test_a_nested_pass_refuses_a_stale_graph(kind: type) -> None:
    """The pass that keeps its state in dictionaries checks versions like the other pass."""
    x = kind(3.0)
    y = x * x
    x.data = 4.0
    found: list[BaseException] = []

    def inside(*_: Any) -> None:
        with pytest.raises(ad.StaleGraphError) as caught:
            y.backward()
        found.append(caught.value)

    run_backward(ad.Value(1.0), None, inside)
    assert len(found) == 1
    assert x.grad is None


@KINDS
def test_new_data_of_another_leaf_does_no_harm(kind: type) -> None:
    """Only its own leaves make a graph stale; assigning data before the forward pass is the normal use."""
    x, other = kind(3.0), kind(1.0)
    first = x * x
    other.data = 2.0
    second = first * other
    assert ad.gradients(first, x) == 6.0
    assert ad.gradients(second, x) == 12.0


@KINDS
def test_computed_data_is_not_assigned(kind: type) -> None:
    """Data of a result follows from its inputs; the error says what to do instead."""
    y = kind(3.0) * 2.0
    with pytest.raises(ValueError, match=r"multiply was computed.*Assign to a leaf"):
        y.data = 1.0
    assert y.data == 6.0


# ---- stops -----------------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("stop", [lambda x: x.detach(), ad.detach, ad.stop_gradient])
def test_no_signal_passes_a_detached_node(kind: type, stop: Callable[[Any], Any]) -> None:
    """x · detach(x) has derivative x: the second factor is a constant, at first and second order."""
    x = kind(3.0)
    product = x * stop(x)
    assert ad.gradients(product, x) == 3.0
    assert ad.gradients(ad.gradients(product * x, x, create_graph=True), x) == 6.0
    inner = ad.exp(x)
    (stop(inner) * x).backward()
    assert inner.grad is None
    assert stop(inner).is_leaf


# ---- shares ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 3), (1,), ()])
def test_a_share_smaller_than_its_input_is_repeated(define: Define, shape: tuple[int, ...]) -> None:
    """A rule may give one number for all elements: each of them gets it."""
    total = define("total", lambda xp, x: xp.sum(x), [lambda g, z, x: g], elementwise=False)
    x = ad.Tensor(np.ones(shape))
    for create_graph in (False, True):
        slope = ad.gradients(total(x), x, create_graph=create_graph)
        np.testing.assert_array_equal(slope.data if create_graph else slope, np.ones(shape))


def test_a_share_that_fits_no_input_is_an_error_that_names_the_rule(define: Define) -> None:
    """A rule with a wrong shape is named, with both shapes and its operands, and .grad stays as it was."""
    wrong = define("wrong_shape", lambda xp, x: x * 2.0, [lambda g, z, x: np.ones((3, 5))], elementwise=False)
    x = ad.Tensor([1.0, 2.0])
    y = (wrong(x) * x).sum()
    with pytest.raises(ValueError, match=r"share of shape \(3, 5\) for an input of shape \(2,\)") as caught:
        y.backward()
    assert "wrong_shape" in "".join(caught.value.__notes__)
    assert x.grad is None


def test_an_error_in_a_rule_frees_the_slots_for_the_next_pass(define: Define) -> None:
    """After an exception the next pass is the fast one again, and right."""

    def fails(g: Any, z: Any, x: Any) -> Any:
        raise ArithmeticError("no derivative")

    broken = define("broken", lambda xp, x: x * 1.0, [fails], elementwise=False)
    x = ad.Tensor(2.0)
    y = x * x + broken(x)
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="no derivative"):
            y.backward()
    assert not backprop._slots_in_use.locked()  # a pass without the slots would be right too, and slower
    assert ad.gradients(x * x, x) == 4.0
    assert x.grad is None


@KINDS
def test_constants_of_the_caller_may_change_after_the_call(kind: type) -> None:
    """A graph keeps its own copy of arrays that the caller can write to: constants and leaves."""
    c, start = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    x = ad.Tensor(start) if kind is ad.Tensor else ad.Value(3.0)
    y = (x * c).sum()
    c[:], start[:] = 100.0, 100.0
    np.testing.assert_array_equal(x.data, [3.0, 4.0] if kind is ad.Tensor else 3.0)
    assert y.data == (11.0 if kind is ad.Tensor else 9.0)
    np.testing.assert_array_equal(ad.gradients(y, x), [1.0, 2.0] if kind is ad.Tensor else 3.0)


def test_data_of_a_graph_cannot_be_written_to(define: Define) -> None:
    """Writing in place raises for leaves and results, from outside and from a forward rule that reuses its operand."""
    in_place = define(
        "in_place", lambda xp, x: np.multiply(x, 2.0, out=x), [lambda g, z, x: 2.0 * g], elementwise=False
    )
    x = ad.Tensor([1.0, 2.0])
    for node in (x, x * 3.0):
        with pytest.raises(ValueError, match="read-only"):
            node.data[0] = 9.0
    with pytest.raises(ValueError, match="read-only"):
        in_place(x)
    assert x.data.tolist() == [1.0, 2.0]


def test_a_seed_of_the_caller_is_not_kept() -> None:
    """Neither .grad nor a returned signal is the caller's seed, or shares memory with it."""
    seed = np.array([1.0, 2.0])
    x = ad.Tensor([1.0, 1.0])
    y = ad.identity(x)
    found = ad.gradients(y, x, seed=seed)
    y.backward(seed)
    seed[:] = 100.0
    assert found.tolist() == x.grad.tolist() == y.grad.tolist() == [1.0, 2.0]


def test_edges_say_what_they_carry() -> None:
    """`edge_shares` gives signal times local gradient, edge by edge, and `local_gradients` the factors."""
    x, y = ad.Value(3.0), ad.Value(4.0)
    z = x * y
    assert local_gradients(z) == (4.0, 3.0)
    assert local_gradients(x) == ()
    assert local_gradients(2.0 * x) == (None, 2.0)
    assert [(item is x, share) for item, share in edge_shares(z, 2.0)] == [(True, 8.0), (False, 6.0)]
    as_nodes = edge_shares(z, ad.Value(2.0), create_graph=True)
    assert [share.data for _, share in as_nodes] == [8.0, 6.0]


@KINDS
def test_second_order_through_broadcasting_has_the_shapes_of_the_inputs(kind: type) -> None:
    """Gradients as nodes have their inputs' shapes: broadcasting is undone on graphs, too."""
    x = ad.Tensor([1.0, 2.0, 3.0]) if kind is ad.Tensor else ad.Value(2.0)
    m = ad.Tensor(np.arange(6.0).reshape(2, 3))
    y = ad.sum(x * x * m)
    slopes = ad.gradients(y, [x, m], create_graph=True)
    assert [slope.shape for slope in slopes] == [x.shape, m.shape]
    second = ad.gradients(ad.sum(slopes[0]), x)
    np.testing.assert_array_equal(second, 2.0 * m.data.sum(axis=0) if kind is ad.Tensor else 2.0 * m.data.sum())


@pytest.mark.parametrize("number", [3, 3.0, np.float32(3.0), np.array(3.0), np.int64(3)])
def test_a_gradient_may_be_assigned_and_the_next_pass_adds(number: Any) -> None:
    """A real number becomes the float of a Value or an array of the Tensor's type; None means "not reached" again."""
    x, t = Value(2.0), Tensor(np.float32(2.0))
    x.grad = t.grad = number
    (x * 5.0).backward()
    (t * 5.0).backward()
    assert (x.grad, type(x.grad)) == (8.0, float)
    assert (t.grad, t.grad.shape, t.grad.dtype) == (8.0, (), np.float32)
    x.grad = t.grad = None
    (x + t.value()).backward()
    assert (x.grad, t.grad) == (1.0, 1.0)


def test_an_assigned_gradient_is_the_tensors_own() -> None:
    """Later changes of the caller's array, or of another node's gradient, do not affect this gradient."""
    mine, x, y = np.array([1.0, 2.0]), Tensor([0.0, 0.0]), Tensor([0.0, 0.0])
    x.grad = mine
    y.grad = x.grad
    mine[:] = 7.0
    ad.sum(x * 1.0).backward()
    x.grad *= 10.0
    assert (x.grad.tolist(), y.grad.tolist()) == ([20.0, 30.0], [1.0, 2.0])


def test_a_refused_gradient_leaves_the_old_one() -> None:
    """The gradient that was there is still there, and a later pass adds to it."""
    x, t = Value(2.0), Tensor([1.0, 2.0])
    (x * ad.sum(t)).backward()
    for node, wrong in ((x, "x"), (x, [1.0]), (t, np.zeros((3, 2))), (t, "x")):
        with pytest.raises((TypeError, ValueError), match="gradient"):
            node.grad = wrong
    (x * ad.sum(t)).backward()
    assert (x.grad, t.grad.tolist()) == (6.0, [4.0, 4.0])
