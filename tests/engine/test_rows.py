"""Gradients of rows: a look-up of a large table sends rows, and everyone sees the array that it always sent."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autodiff as ad
from autodiff import Tensor
from autodiff.draw import see
from autodiff.engine.backward import backpropagate
from autodiff.engine.graph import StaleGraphError
from autodiff.primitives.rows import LARGE, Rows
from autodiff.testing import check_gradients

V, D = 6000, 3
TABLE: Final = np.random.default_rng(0).normal(size=(V, D))
WEIGHTS: Final = np.random.default_rng(1).normal(size=4 * V * D)

ints = st.integers(-V, V - 1)
few = st.sampled_from([0, 1, -1, 5, V - 1, -V])
lists = st.lists(few | ints, min_size=1, max_size=9)
arrays = lists.map(np.array)
#: Indices that pick whole rows, as a program may write them.
by_rows = st.one_of(
    ints, ints.map(np.int64), ints.map(np.array), lists, arrays, lists.map(lambda x: np.array([x, x[::-1]])),
    st.lists(st.integers(0, 255), min_size=1, max_size=9).map(lambda x: np.array(x, np.uint8)),
    arrays.map(lambda x: (x, slice(None))), arrays.map(lambda x: (x, Ellipsis)), ints.map(lambda k: (k,)),
)  # fmt: skip
#: Indices that do not.
others = st.one_of(
    st.just(slice(2, 9)), arrays.map(lambda x: (x, 0)), arrays.map(lambda x: (x, slice(1, None))),
    arrays.map(lambda x: np.isin(np.arange(V), x)), arrays.map(lambda x: (slice(None), np.abs(x) % D)),
    arrays.map(lambda x: (x, np.abs(x) % D)), arrays.map(lambda x: (None, x)), st.just(Ellipsis), st.just([]),
    st.just(np.arange(V) // 3),
)  # fmt: skip


def table(data: Any = TABLE) -> Tensor:
    """A large leaf."""
    return Tensor(data, name="L")


def weighted(item: Any, start: int = 0) -> Any:
    """Σ w·x with weights that differ, so that no two entries of a gradient are equal."""
    weights = WEIGHTS[start : start + item.size].reshape(item.shape)
    return ad.sum(item * weights.astype(item.dtype))


def by_hand(*indices: Any) -> np.ndarray[Any, Any]:
    """The gradient of the sum of `weighted` look-ups, added up by NumPy."""
    whole = np.zeros((V, D))
    for index in indices:
        part = np.zeros((V, D))
        np.add.at(part, index, WEIGHTS[: TABLE[index].size].reshape(TABLE[index].shape))
        whole = whole + part
    return whole


@given(index=by_rows)
def test_a_look_up_sends_rows(index: Any) -> None:
    """Whichever index picks rows, ``.grad_rows`` has few of them, and ``.grad`` has the bits of the array."""
    L = table()
    weighted(L[index]).backward()
    assert L.grad_rows.__class__ is Rows
    met = np.zeros((V, D), bool)
    met[index] = True
    assert L.grad_rows.indices.tolist() == np.flatnonzero(met.all(axis=1)).tolist()
    assert L.grad.tobytes() == by_hand(index).tobytes()
    assert L.grad is L.grad
    assert L.grad_rows.__class__ is Rows
    L.grad[-1] += 1.0
    assert L.grad_rows is L.grad


@given(index=others)
def test_other_indices_send_the_array(index: Any) -> None:
    """An index that does not pick whole rows, or many, sends the array as ever."""
    L = table()
    weighted(L[index]).backward()
    assert L.grad_rows.__class__ is np.ndarray
    assert np.array_equal(L.grad, by_hand(index))


@given(first=by_rows | others, second=by_rows | others, third=by_rows)
def test_several_look_ups_of_one_table(first: Any, second: Any, third: Any) -> None:
    """Rows and arrays add up in any order, in one pass and in a second one, bit for bit."""
    L = table()
    output = weighted(L[first]) + (weighted(L[second]) + weighted(L[third]))
    output.backward()
    once = np.array(L.grad)
    assert np.allclose(once, by_hand(first, second, third), rtol=1e-15, atol=1e-15)
    assert np.array_equal(once, backpropagate(output)[L])
    assert np.array_equal(once, ad.gradients(output, [L])[0])
    L.grad = None
    output.backward()
    output.backward()
    assert np.array_equal(L.grad, once + once)


PROGRAMS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "take": lambda L, ids: weighted(np.take(L, ids, axis=0)),
    "take of elements": lambda L, ids: weighted(L.take(ids)),
    "along an axis": lambda L, ids: weighted(np.take_along_axis(L, ids[:, None], axis=0)),
    "a slice of a look-up": lambda L, ids: weighted(L[ids][1:, ::-1]),
    "two look-ups": lambda L, ids: weighted(L[ids]) * weighted(L[ids + 1]),
    "a look-up of a look-up": lambda L, ids: weighted(L[ids][[0, 0, 2]]),
    "a look-up and the whole": lambda L, ids: weighted(L[ids]) + ad.sum(L * L),
    "the whole and a look-up": lambda L, ids: ad.sum(np.exp(L)) + weighted(L[ids]),
    "tied tables": lambda L, ids: ad.sum(np.tanh(L[ids] @ L.T)),
    "one word after the other": lambda L, ids: sum((weighted(L[int(k)]) ** 2 for k in ids), ad.sum(L[3])),
    "windows": lambda L, ids: ad.sum(np.tanh(L[np.stack([ids, ids[::-1]])].reshape(2, -1))),
}
each = pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
IDS: Final = np.array([4, 0, 4, 17, 4])


@each
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_the_gradients_of_a_small_table(program: Callable[[Any, Any], Any], kind: Any) -> None:
    """The first rows of a large table get the gradients that a table of these rows alone gets."""
    few = 40
    data = TABLE.copy()
    data[few:] = 0.0
    L, small = table(data.astype(kind)), table(data[:few].astype(kind))
    assert small.size < LARGE < L.size
    for leaf in (L, small):
        program(leaf, IDS).backward()
    assert L.grad.dtype == kind
    assert np.allclose(L.grad[:few], small.grad, rtol=1e-12 if kind is np.float64 else 1e-5)


@each
def test_checks_and_other_modes_agree(program: Callable[[Any, Any], Any]) -> None:
    """Forward mode and gradients that are graphs know no rows, and give the same numbers."""
    L = table()
    program(L, IDS).backward()
    direction = np.cos(np.arange(V * D)).reshape(V, D)
    _, along = ad.jvp(lambda table: program(table, IDS), [TABLE], [direction])
    assert np.isclose(np.vdot(L.grad, direction), along, rtol=1e-11)
    (graph,) = ad.gradients(program(L, IDS), [L], create_graph=True)
    assert np.allclose(L.grad, graph.data, rtol=1e-13)


def looked_up() -> tuple[Tensor, Any]:
    """A table and an output that looks up rows of it."""
    L = table()
    return L, ad.sum(np.tanh(L[IDS]))


def test_a_checked_gradient() -> None:
    """Gradient checks hand in plain arrays and get arrays."""
    check_gradients(lambda L: ad.sum(np.tanh(L[IDS])), TABLE, directions=2).raise_if_failed()


def test_error_sharing_over_a_large_table() -> None:
    """Flows and pictures ask for arrays."""
    L, output = looked_up()
    flow = ad.error_flow(output, L)
    assert np.array_equal(flow.gradient, backpropagate(output)[L])
    output.backward()
    assert "L" in see(output).svg()


def test_hessian_of_a_table() -> None:
    """Second derivatives are arrays too."""
    L = Tensor(np.zeros(LARGE + 1))
    (first,) = ad.gradients(ad.sum(L[[3, 3, 5]] ** 2), [L], create_graph=True)
    (second,) = ad.gradients(ad.sum(first[[3, 5]]), [L])
    assert second[[3, 5, 4]].tolist() == [4.0, 2.0, 0.0]


def test_many_look_ups() -> None:
    """Hundreds of words looked up one by one stay rows, and add up in the order of an array's sums."""
    L = table()
    words = [k * k % 50 for k in range(300)]
    weights = np.cos(np.arange(300))
    sum((ad.sum(L[word]) * weight for word, weight in zip(words, weights, strict=True)), ad.sum(L[0])).backward()
    assert L.grad_rows.indices.tolist() == sorted({*words})
    expected = np.zeros(V)
    for word, weight in reversed([(0, 1.0), *zip(words, weights, strict=True)]):
        expected[word] += weight
    assert np.allclose(L.grad, expected[:, None], rtol=1e-13)


def test_look_ups_of_many_rows_become_an_array() -> None:
    """Rows that together cover a quarter of the table are added up as an array."""
    L = table()
    (ad.sum(L[np.arange(1000)]) + ad.sum(L[np.arange(1000)])).backward()
    assert L.grad_rows.__class__ is Rows
    (ad.sum(L[np.arange(1000, 2000)])).backward()
    assert isinstance(L.grad_rows, np.ndarray)
    assert [L.grad[k, 0] for k in (0, 999, 1000, 1999, 2000)] == [2.0, 2.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (([0.5], [[1.0]], (3, 1)), TypeError), (([True], [[1.0]], (3, 1)), TypeError),
        (([0], [["a"]], (3, 1)), TypeError), (([3], [[1.0]], (3, 1)), IndexError), (([0], [1.0], 3), ValueError),
        (([[0]], [[1.0]], (3, 1)), ValueError), (([0], [[1.0]], ()), ValueError),
    ],
)  # fmt: skip
def test_what_rows_refuse(given: Any, kind: type[Exception]) -> None:
    """Indices that are none, numbers that are none, shapes that do not fit."""
    with pytest.raises(kind):
        Rows(*given)
    rows = Rows([0], [[1.0]], (3, 1))
    for wrong in (lambda: rows + 1.0, lambda: rows * np.ones((3, 1)), lambda: rows / True):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(ValueError, match="cannot be added"):
        rows + Rows([0], [[1.0]], (4, 1))
    with pytest.raises(ValueError, match="a function of rows"):
        rows.map(np.sum)


def test_a_vector_is_a_table_of_numbers() -> None:
    """The rows of an array with one axis are numbers."""
    b = Tensor(np.zeros(LARGE + 1))
    (3.0 * b[7] + b[[7, -1]].sum()).backward()
    assert (b.grad_rows.indices.tolist(), b.grad_rows.rows.tolist()) == ([7, LARGE], [4.0, 1.0])


def test_the_array_is_writable_and_remembered() -> None:
    """``.grad`` makes the array once; what is written into it counts, and a later pass adds to it."""
    L, output = looked_up()
    output.backward()
    once = np.array(L.grad)
    L.grad[1] = 5.0
    assert L.grad[1].tolist() == L.grad_rows[1].tolist() == [5.0] * D
    held = L.grad
    output.backward()
    assert held[4].tolist() == once[4].tolist()
    assert L.grad[1].tolist() == [5.0] * D
    assert np.array_equal(L.grad[2:], 2 * once[2:])


def test_rows_share_no_memory_with_other_gradients() -> None:
    """The error signal of a look-up's result is also its ``.grad``, which may be written to."""
    L = table()
    x = L[[3, 5]]
    ad.sum(x * x).backward()
    x.grad[...] = 0.0
    assert np.array_equal(L.grad_rows.rows, 2 * TABLE[[3, 5]])


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_keep_rows(way: Callable[[Any], Any]) -> None:
    """Copies and pickles of a leaf keep its rows; those of an output, its leaf's."""
    L, output = looked_up()
    output.backward()
    other = way(L)
    assert other.grad_rows.__class__ is Rows
    assert np.array_equal(other.grad, L.grad)
    assert np.array_equal(way(output).data, output.data)


def test_assigned_rows() -> None:
    """Rows can be assigned to ``.grad``, in the leaf's type, if they fit."""
    L = Tensor(TABLE, name="L")
    L.grad = Rows([1], np.ones((1, D), np.float32), (V, D))
    assert L.grad_rows.dtype == np.float64
    assert L.grad.sum() == D
    with pytest.raises(ValueError, match="gradient of shape"):
        L.grad = Rows([1], np.ones((1, D)), (V + 1, D))
    with pytest.raises((TypeError, ValueError)):
        ad.Value(1.0).grad = Rows([0], [1.0], (1,))
    L.grad = None
    assert L.grad_rows is None


def test_infinite_signals() -> None:
    """A nan that reaches a table starts the second pass, in which closed gates block; then arrays add up."""
    L = table()
    ad.sum(np.sqrt(ad.relu(L[[0, 1]] - 1e3))).backward()
    assert not np.any(L.grad)
    L.grad = None
    with np.errstate(invalid="ignore"):  # relu′ · ∞ = nan, which no singular rule announces
        ad.relu(L[[0, 1]] - 1e3).backward(np.full((2, D), np.inf))
    assert not np.any(L.grad)
    L.grad = None
    weighted(L[[0, 1]] * np.array([[np.nan], [1.0]])).backward()
    assert np.isnan(L.grad[0]).all()
    assert np.isfinite(L.grad[1:]).all()


def test_a_graph_keeps_no_old_table() -> None:
    """The result of a look-up is not a view, and its node holds no reference to the table's array."""
    L = table()
    for x in (L[3], L[2:5], L[[1, 2]]):
        assert not np.shares_memory(x._data, L._data)
        assert not np.shares_memory(x.b[0], L._data)


# ---- moving a table in place -----------------------------------------------------------------------------------------


def step(L: Tensor, *, rate: float = 0.5) -> np.ndarray[Any, Any]:
    """Move three rows downhill; returns what their rows must be afterwards."""
    L.grad = None
    weighted(L[[3, 5, 3]]).backward()
    after: np.ndarray[Any, Any] = L._data - rate * by_hand([3, 5, 3])
    ad.move([(L, -rate * L.grad_rows)])
    return after


def test_rows_move_in_place() -> None:
    """Only rows are written; the array stays the same object, and read-only."""
    L = table()
    before = id(L._data)
    after = step(L)
    assert id(L._data) == before
    assert np.array_equal(L.data, after)
    assert not L.data.flags.writeable


HOLDERS: Final[dict[str, Callable[[Tensor], Any]]] = {
    "data": lambda L: L.data,
    "a part of data": lambda L: L.data[3],
    "the array under data": lambda L: np.asarray(L.data)[2:6].T,
    "a memoryview": lambda L: memoryview(np.asarray(L.data)),  # type: ignore[arg-type]
    "a copy": copy.copy,
    "a detached leaf": lambda L: L.detach(),
    "a transpose": lambda L: L.T,
    "a product": lambda L: L * 2.0,
    "a slice of most": lambda L: L[1:],
}


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_what_others_hold_does_not_change(hold: Callable[[Tensor], Any]) -> None:
    """Whoever took the data of a leaf keeps the old numbers, as if a step made a new array; then it does so once."""
    L = table()
    held = hold(L)
    known = np.array(held._data if isinstance(held, ad.Node) else held)
    step(L)
    assert np.array_equal(np.asarray(held._data if isinstance(held, ad.Node) else held), known)
    kept = id(L._data)
    step(L)
    assert id(L._data) == kept


def test_graphs_become_stale() -> None:
    """A step by rows stamps the leaf as any assignment does."""
    L, output = looked_up()
    output.backward()
    ad.move([(L, -0.1 * L.grad_rows)])
    with pytest.raises(StaleGraphError):
        output.backward()


def test_several_changes_of_a_leaf_add_up() -> None:
    """Rows, arrays and rows again, in their order, of a float32 leaf too."""
    for kind in (np.float64, np.float32):
        L = table(TABLE.astype(kind))
        whole, rows = np.full((V, D), 0.25), Rows([1, 1, 4], np.ones((3, D)), (V, D))
        ad.move([(L, rows), (L, whole), (L, rows), (L, rows)])
        expected = ((TABLE.astype(kind) + rows.dense() + whole).astype(kind) + rows.dense()) + rows.dense()
        assert L.dtype == kind
        assert np.allclose(L.data, expected, rtol=1e-6)


def test_rows_that_do_not_fit_move_nothing() -> None:
    """As for arrays: another shape, a computed node, a Value."""
    L, output = looked_up()
    rows = Rows([0], np.ones((1, D)), (V, D))
    for leaf, change in ((L, Rows([0], np.ones((1, D)), (V + 1, D))), (L * 1.0, rows), (ad.Value(1.0), rows)):
        with pytest.raises(ValueError, match="move changes a leaf by an array of its shape"):
            ad.move([(L, rows), (leaf, change)])
        assert np.array_equal(L.data, TABLE)
    output.backward()  # not stale
