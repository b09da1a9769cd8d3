"""Constants are functions like any other; a choice leaves a node; a result that left the graph is no constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, grad, gradients, hessian, jvp
from autodiff.draw import see
from autodiff.testing import check_gradients

KINDS = pytest.mark.parametrize("kind", [Value, Tensor])


def margin(s: Any, c: Any) -> Any:
    """How far a pair of scores violates the margin 1."""
    return 1.0 - s + c


def by_if(s: Any, c: Any) -> Any:
    """max(m, 0) by Python's ``if``."""
    return m if (m := margin(s, c)) > 0 else 0.0


OBJECTIVES = {
    "where": lambda s, c: ad.where(margin(s, c) > 0, margin(s, c), 0.0), "max": lambda s, c: max(0, margin(s, c)),
    "if": by_if,
}  # fmt: skip
EACH_OBJECTIVE = pytest.mark.parametrize("J", OBJECTIVES.values(), ids=OBJECTIVES)

# ---- where -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bool_of", [bool, np.bool, np.array])
def test_one_condition_leaves_a_node(bool_of: Callable[[bool], Any]) -> None:
    """True and False, Python's, NumPy's or in an array without axes: both branches are inputs, one gets the error."""
    for x, y in ((Value(2.0), Value(3.0)), (Tensor([1.0, 2.0]), Tensor([3.0, 4.0]))):
        for taken in (True, False):
            z = ad.where(bool_of(taken), x, y)
            assert (z.primitive, z.inputs) == (ad.TABLE["where"], (x, y))
            assert np.array_equal(z.data, (x if taken else y).data)
            shares = gradients(z, [x, y], seed=1.0 + 0.0 * x.data)
            assert [np.min(share) for share in shares] == [np.max(share) for share in shares] == [taken, not taken]


@pytest.mark.parametrize("constant", [0, 0.5, np.float64(0.5), np.float32(0.5)])
def test_a_chosen_constant_is_a_node(constant: Any) -> None:
    """So that `backward` works: the branch beside it has gradient 0, not none, and stays out at every order."""
    m = Value(-3.0)
    J = ad.where(m > 0, ad.sqrt(m), constant)
    J.backward()
    assert (type(J), J.data, m.grad) == (Value, float(constant), 0.0)
    chosen = lambda m: ad.where(m > 0, ad.sqrt(m), constant)  # noqa: E731
    assert [grad(chosen)(-3.0), grad(grad(chosen))(-3.0), jvp(chosen, (-3.0,), (1.0,))[1]] == [0.0, 0.0, 0.0]
    assert grad(chosen)(0.0) == 0.0  # beside an infinite slope too


def test_where_broadcasts_as_numpy_does() -> None:
    """Of any mixture of nodes, arrays, lists and numbers, the shape and the values are those of ``np.where``."""
    operands = (2.0, 3, np.array([1.0, 2.0]), [3.0, 4.0], np.array([[1.0], [2.0]]))
    for condition in (True, False, np.bool(True), np.array(False), np.array([True, False])):
        for x in operands:
            for y in operands:
                expected = np.where(condition, x, y)
                for a, b in ((x, y), (Tensor(x), y), (x, Tensor(y)), (Tensor(x), Tensor(y))):
                    found = ad.where(condition, a, b)
                    np.testing.assert_array_equal(found.data if isinstance(found, Tensor) else found, expected)


def test_two_plain_numbers_make_no_node() -> None:
    """One bool gives one of them as it is; an array of bools an array."""
    assert ad.where(True, 1.0, -1.0).__class__ is float
    assert ad.where(np.bool(False), 1, -1) == -1
    for chosen in (ad.where(Tensor([1.0, -2.0]) > 0, 1.0, -1.0), ad.where([True, False], 1, -1)):
        assert isinstance(chosen, np.ndarray)
        assert chosen.tolist() == [1.0, -1.0]


def test_where_on_object_arrays_chooses_for_each_value() -> None:
    """A closed gate over an array of Values is an array of nodes, whose sum has a backward pass."""
    values = np.array([Value(1.0), Value(2.0)], dtype=object)
    for taken in (True, False):
        total = ad.where(taken, values, 0.5).sum()
        assert total.data == (3.0 if taken else 1.0)
        assert gradients(total, list(values)) == [float(taken)] * 2


def test_numpys_where_is_ours_on_nodes() -> None:
    """``np.where`` of a node leaves the same node."""
    x = Value(-1.0)
    z = np.where(x > 0, x, 0.0)
    assert (type(z), z.primitive, gradients(z, x)) == (Value, ad.TABLE["where"], 0.0)


@pytest.fixture
def unit(define: Callable[..., ad.Primitive]) -> ad.Primitive:
    """A user's own ReLU, whose rule chooses between two plain numbers."""
    return define("unit", lambda xp, x: xp.maximum(x, 0.0), [lambda g, z, x: g * ad.where(x > 0, 1.0, 0.0)])


def test_a_rule_may_choose_between_two_numbers(unit: ad.Primitive) -> None:
    """On floats and arrays, at both orders and forward; as a formula; and as the source of fast code."""
    assert [grad(unit)(x) for x in (2.0, 0.0, -2.0)] == [1.0, 0.0, 0.0]
    assert grad(grad(lambda x: unit(x) ** 2))(2.0) == 2.0
    points = np.array([2.0, 0.0, -2.0])
    assert grad(lambda x: ad.sum(unit(x)))(points).tolist() == [1.0, 0.0, 0.0]
    assert hessian(lambda x: ad.sum(unit(x) ** 2))(points).tolist() == np.diag([2.0, 0.0, 0.0]).tolist()
    assert jvp(unit, (points,), (np.ones(3),))[1].tolist() == [1.0, 0.0, 0.0]
    assert unit.formula(0) == "where(x > 0, 1.0, 0.0)"
    for x in (2.0, -2.0, points + 0.5):
        assert check_gradients(unit, x, order=2).passed


def test_a_rule_that_chooses_makes_no_nodes_for_numbers(unit: ad.Primitive) -> None:
    """The graph of a derivative has the product, and no choice of 1 and 0."""
    x = Value(2.0)
    (slope,) = gradients(unit(x * 1.0), [x], create_graph=True)
    assert "where" not in {node.label for node in ad.topological(slope)}


def test_an_array_among_the_params_makes_an_array_of_numbers(define: Callable[..., ad.Primitive]) -> None:
    """Any elementwise primitive of plain numbers with a param that is an array gives what NumPy gives."""
    masked = define("masked", lambda xp, x, *, mask: x * mask, [lambda g, z, x, *, mask: g * mask])
    assert masked(2.0, mask=np.array([1.0, 0.0])).tolist() == [2.0, 0.0]


def test_the_picture_of_a_closed_choice_has_the_closed_edge() -> None:
    """The branch not taken is drawn with its factor 0, and the flow says where the error dies."""
    s, c = Value(5.0, name="s"), Value(1.0, name="c")
    m = margin(s, c)
    m.name = "m"
    J = ad.where(m > 0, m, 0.0)
    J.name = "J"
    assert ad.error_flow(J, s).formula() == "1 · 0 · 1 · (−1) = 1 × 0 × 1 × (−1) = 0"
    drawing = see(J, s, view="rail", check=True)
    wires = [wire for wire in drawing.picture.wires if wire.lane == "error"]
    assert [(wire.label, wire.share) for wire in wires] == [("× 0", 0.0), ("× 1", 0.0), ("× (−1)", 0.0)]
    assert "Here the error dies: ∂J/∂m = 0." in drawing.picture.captions
    assert drawing.stamp == "✓ 0 ≈ 0 (by differences)"
