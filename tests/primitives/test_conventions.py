"""Conventions at kinks and edges: the same for Values and Tensors, in both orders, and stated in the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value, gradients
from tests.support.cases import each

INF, NAN = float("inf"), float("nan")


class Row(NamedTuple):
    """A function, a point on its kink or edge, ∂f/∂xᵢ and Σⱼ ∂²f/∂xᵢ∂xⱼ there, and the text of the table."""

    case: str
    f: Callable[..., Any]
    point: tuple[float, ...]
    first: tuple[float, ...]
    second: tuple[float, ...]
    primitive: str
    says: str


ROWS = (
    Row("relu at 0", ad.relu, (0.0,), (0.0,), (0.0,), "relu", "derivative at 0 is 0"),
    Row("hinge at the kink", ad.hinge, (1.0, 0.0), (0.0, 0.0), (0.0, 0.0), "hinge", "else 0, also at the kink"),
    Row("hinge before the kink", ad.hinge, (0.5, 0.0), (-1.0, 1.0), (0.0, 0.0), "hinge", "∂J/∂s = −1 and ∂J/∂s_c = 1"),
    Row("hinge beyond the kink", ad.hinge, (1.5, 0.0), (0.0, 0.0), (0.0, 0.0), "hinge", "where J > 0, else 0"),
    Row("hinge of a sum at the kink", lambda s, c: ad.hinge_sum(ad.stack([s, c])), (1.0, 0.0), (0.0, 0.0), (0.0, 0.0),
        "hinge_sum", "`hinge`"),
    Row("absolute at 0", abs, (0.0,), (0.0,), (NAN,), "absolute", "derivative at 0 is 0"),
    Row("sign at 0", ad.sign, (0.0,), (0.0,), (0.0,), "sign", "derivative is 0 everywhere"),
    Row("maximum, a tie", ad.maximum, (2.0, 2.0), (0.5, 0.5), (NAN, NAN), "maximum", "a tie shares the error equally"),
    Row("minimum, a tie", ad.minimum, (2.0, 2.0), (0.5, 0.5), (NAN, NAN), "minimum", "a tie shares the error equally"),
    Row("max of ties", lambda *x: ad.max(ad.stack(x)), (2.0, 1.0, 2.0), (0.5, 0.0, 0.5), (NAN, 0.0, NAN), "max",
        "ties share the error equally, summing to 1"),
    Row("min of ties", lambda *x: ad.min(ad.stack(x)), (1.0, 1.0, 1.0, 1.0), (0.25,) * 4, (NAN,) * 4, "min",
        "ties share the error equally, summing to 1"),
    Row("sqrt at 0", ad.sqrt, (0.0,), (INF,), (-INF,), "sqrt", "derivative at 0 is inf"),
    Row("x**0.5 at 0", lambda x: x**0.5, (0.0,), (INF,), (-INF,), "power", "for 0 < n < 1 the derivative at 0 is inf"),
    Row("norm at 0", lambda *x: ad.norm(ad.stack(x)), (0.0, 0.0), (0.0, 0.0), (NAN, NAN), "norm", "gradient at 0 is 0"),
    Row("0**0, nodes", lambda x, y: x**y, (0.0, 0.0), (0.0, 0.0), (NAN, NAN), "pow", "at 0⁰ both derivatives are 0"),
    Row("0**0, constant", lambda x: x**0, (0.0,), (0.0,), (0.0,), "power", "d(x⁰)/dx = 0, also at 0"),
    Row("(−2)**3, nodes", lambda x, y: x**y, (-2.0, 3.0), (12.0, NAN), (NAN, NAN), "pow", "for x < 0 that of y is nan"),
    Row("(−2)**3, constant", lambda x: x**3, (-2.0,), (12.0,), (-12.0,), "power", "nan for x < 0 unless n is whole"),
    Row("clip inside", lambda x: ad.clip(x, -1, 1), (0.5,), (1.0,), (0.0,), "clip", "1 inside and at the bounds"),
    Row("clip at the upper bound", lambda x: ad.clip(x, -1, 1), (1.0,), (1.0,), (0.0,), "clip", "at the bounds"),
    Row("clip at the lower bound", lambda x: ad.clip(x, -1, 1), (-1.0,), (1.0,), (0.0,), "clip", "at the bounds"),
    Row("clip outside", lambda x: ad.clip(x, -1, 1), (1.5,), (0.0,), (0.0,), "clip", "0 outside"),
    Row("hard tanh at its bounds", lambda x, y: ad.hard_tanh(x) + ad.hard_tanh(y), (1.0, -1.0), (1.0, 1.0), (0.0, 0.0),
        "hard_tanh", "1 inside and at ±1, 0 outside"),
    Row("leaky relu at 0", ad.leaky_relu, (0.0,), (0.01,), (0.0,), "leaky_relu", "derivative at 0 is slope"),
    Row("elu at 0", ad.elu, (0.0,), (1.0,), (1.0,), "elu", "derivative at 0 is alpha"),
    Row("prod with a zero", lambda *x: ad.prod(ad.stack(x)), (0.0, 2.0, 3.0), (6.0, 0.0, 0.0), (5.0, 3.0, 2.0), "prod",
        "gradient of prod([0, 2, 3]) is [6, 0, 0]"),
    Row("reciprocal of 0", ad.reciprocal, (0.0,), (-INF,), (INF,), "reciprocal", "inf at 0"),
    Row("log at 0", ad.log, (0.0,), (INF,), (-INF,), "log", "−inf at 0"),
    Row("log below 0", ad.log, (-1.0,), (-1.0,), (-1.0,), "log", "nan below"),
    Row("arcsin at 1", ad.arcsin, (1.0,), (INF,), (NAN,), "arcsin", "derivative at ±1 is inf"),
    Row("hypot at the origin", ad.hypot, (0.0, 0.0), (0.0, 0.0), (NAN, NAN), "hypot", "derivatives at (0, 0) are 0"),
    Row("arctan2 at the origin", ad.arctan2, (0.0, 0.0), (NAN, NAN), (NAN, NAN), "arctan2", "at (0, 0) are nan"),
    Row("floor at a jump", ad.floor, (2.0,), (0.0,), (0.0,), "floor", "derivative is 0 everywhere"),
    Row("rint at a jump", ad.rint, (0.5,), (0.0,), (0.0,), "rint", "derivative is 0 everywhere"),
    Row("floor_divide at a jump", ad.floor_divide, (4.0, 2.0), (0.0, 0.0), (0.0, 0.0), "floor_divide", "0 everywhere"),
    Row("remainder at a jump", ad.remainder, (4.0, 2.0), (1.0, -2.0), (0.0, 0.0), "remainder", "side to which the"),
    Row("fmod at a jump", ad.fmod, (-4.0, 2.0), (1.0, 2.0), (0.0, 0.0), "fmod", "the side to which the value belongs"),
    Row("arccosh at 1", ad.arccosh, (1.0,), (INF,), (NAN,), "arccosh", "derivative at 1 is inf"),
    Row("arccos at −1", ad.arccos, (-1.0,), (-INF,), (NAN,), "arccos", "derivative at ±1 is −inf"),
)  # fmt: skip

EACH = pytest.mark.parametrize("row", [pytest.param(row, id=row.case) for row in ROWS])
BOTH = each("kind", [Value, Tensor])


@BOTH
@EACH
def test_first_derivative(row: Row, kind: type) -> None:
    """The derivative on the kink or edge is the convention's, from a plain pass and from one that makes a graph."""
    with np.errstate(all="ignore"):
        leaves = [kind(x) for x in row.point]
        output = row.f(*leaves)
        for create_graph in (False, True):
            found = gradients(output, leaves, create_graph=create_graph)
            np.testing.assert_array_equal([g.item() if create_graph else float(g) for g in found], row.first)


@BOTH
@EACH
def test_second_derivative(row: Row, kind: type) -> None:
    """The second derivative is that of the smooth side that the convention takes, or the edge's own limit; nan where
    the convention takes no side."""
    with np.errstate(all="ignore"):
        leaves = [kind(x) for x in row.point]
        slopes = gradients(row.f(*leaves), leaves, create_graph=True)
        found = gradients(sum(slopes), leaves)
        np.testing.assert_array_equal([0.0 if g is None else float(g) for g in found], row.second)


@EACH
def test_the_table_states_it(row: Row) -> None:
    """The generated table states the conventions that the tests above find in the numbers."""
    assert row.says in ad.TABLE[row.primitive].doc


def test_ties_over_an_axis_share_row_by_row() -> None:
    """Over an axis each row has its own ties; shares of a row sum to its error signal."""
    x = Tensor([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]])
    share = gradients(x.max(axis=1), x, seed=np.array([1.0, -3.0]))
    assert share.tolist() == [[0.5, 0.5, 0.0], [-1.0, -1.0, -1.0]]
    kept = gradients(x.min(axis=0, keepdims=True), x, seed=np.ones((1, 3)))
    assert kept.tolist() == [[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]


@pytest.mark.parametrize("extreme", [ad.max, ad.min])
def test_a_nan_is_the_extreme(extreme: Callable[..., Any]) -> None:
    """Where the largest of a row is nan, the nan gets the error, and its neighbours and the other rows none of it."""
    x = Tensor([[1.0, NAN, 2.0], [3.0, 0.5, 3.0]])
    share = gradients(extreme(x, axis=1), x, seed=np.array([2.0, 1.0]))
    assert share[0].tolist() == [0.0, 2.0, 0.0]
    assert share[1].sum() == 1.0
    values = [Value(1.0), Value(NAN), Value(2.0)]
    assert gradients(extreme(np.array(values)), values) == [0.0, 1.0, 0.0]


def test_maximum_of_a_node_with_itself_is_that_node() -> None:
    """maximum(a, a) has slope 1: its two edges carry a half each."""
    a = Value(2.0)
    y = ad.maximum(a, a)
    assert ad.engine.shares.local_gradients(y) == (0.5, 0.5)
    assert gradients(y, a) == 1.0
