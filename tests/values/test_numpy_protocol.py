"""NumPy's functions on nodes: mapped functions compute, queries return plain answers, others say what to use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from autodiff import Tensor, Value, gradients
from autodiff.values.numpy_protocol import QUESTIONS
from tests.support.present import present
from tests.support.strategies import PRIMITIVES, plain

X = np.array([[0.3, 0.7, 0.2], [0.9, 0.4, 0.6]])
V = np.array([0.5, 0.25, 0.75])
S = X @ X.T

#: A call for each mapped NumPy function whose operands are not simply those of a primitive's example.
CALLS: dict[Any, list[tuple[Any, ...]]] = {
    np.power: [(X, 2), (X, V), (2.0, X), (X, -0.5)], np.float_power: [(X, 3), (X, V)],
    np.matmul: [(X, V), (V, X.T), (X, X.T)], np.dot: [(X, V), (V, V), (2.0, V), (X, X.T)],
    np.outer: [(V, V), (X, V)], np.inner: [(V, V), (X, V), (X, X), (V, X), (2.0, V)], np.vdot: [(X, X), (V, V)],
    np.tensordot: [(X, X), (X, X.T, 1), (X, V, ((1,), (0,)))], np.einsum: [("ij,j->i", X, V)],
    np.where: [(X > 0.5, X, 0.0), (X > 0.5, 1.0, X)], np.clip: [(X, 0.3, 0.6), (X, None, 0.5)], np.split: [(X, 3, 1)],
    np.take: [(X, [1, 1, 0]), (X, np.array([2, 0]), 1)], np.pad: [(X, 1), (X, ((0, 1), (1, 0)))], np.ravel: [(X,)],
    np.diag: [(V,), (X,), (V, 1), (X, -1)], np.trace: [(S,)], np.var: [(X,), (X, 0)],
    np.ptp: [(X,), (X, 1)], np.std: [(X,), (X, 1)],
    np.cumsum: [(X,), (X, 1)], np.linalg.norm: [(X,), (V,), (X, None, 1), (V, 2), (X, "fro")],
    np.transpose: [(X,), (X, (1, 0))],
    np.reshape: [(X, (3, 2)), (X, -1)], np.swapaxes: [(X, 0, 1)], np.expand_dims: [(X, 1), (X, (0, 2))],
    np.squeeze: [(X[:, :1],), (X[:, :1], 1)], np.broadcast_to: [(V, (2, 3))], np.flip: [(X,), (X, 1)],
    np.concatenate: [([X, X],), ([X, S], 1)], np.stack: [([X, X],), ([V, V], 1)],
    np.sum: [(X,), (X, 0), (X, (0, 1))], np.mean: [(X,), (X, 1)], np.prod: [(X,), (X, 0)], np.max: [(X,), (X, 1)],
    np.fix: [(4.0 * X,)], np.min: [(X,), (X, 0)], np.amax: [(X, 0)], np.amin: [(X, 0)],
}  # fmt: skip
MAPPED = {function for entry in PRIMITIVES for function in entry.numpy} | {*CALLS}


def name_of(function: Any) -> str:
    """The function's name."""
    return str(function.__name__)


def calls(function: Any) -> list[tuple[Any, ...]]:
    """The calls to try: those listed, or the function of one or two arrays that a ufunc is."""
    entry = next((entry for entry in PRIMITIVES if function in entry.numpy), None)
    listed: list[tuple[Any, ...]] | None = CALLS.get(function)
    return listed or [tuple(domain.draw(np.random.default_rng(0), (3,)) for domain in present(entry).domain)]


def on_tensors(operands: Any) -> Any:
    """The operands, with each float array replaced by a Tensor."""
    if isinstance(operands, tuple | list):
        return type(operands)(map(on_tensors, operands))
    return Tensor(operands) if isinstance(operands, np.ndarray) and operands.dtype == float else operands


@pytest.mark.parametrize("function", sorted(MAPPED, key=name_of), ids=name_of)
def test_mapped_function_gives_numpys_values(function: Any) -> None:
    """Every NumPy function that the table maps has NumPy's shape and values on Tensors, as a node with a gradient."""
    for operands in calls(function):
        expected, found = function(*operands), function(*on_tensors(operands))
        if isinstance(found, list):
            expected, found = np.concatenate(expected, 1), np.concatenate(found, 1)
        assert type(found) is Tensor
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found.data, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "function", [np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.linalg.norm], ids=name_of
)
def test_reductions_take_numpys_keywords(function: Any) -> None:
    """axis and keepdims by keyword, and what is left at NumPy's default, are read as NumPy reads them."""
    for keywords in ({"axis": 0}, {"axis": 1, "keepdims": True}, {"axis": None, "keepdims": False}):
        expected = function(X, **keywords)
        found = function(Tensor(X), **keywords)
        assert found.shape == np.shape(expected)
        np.testing.assert_allclose(found.data, expected, rtol=1e-14)


#: Calls that NumPy 2.0 does not have, on arrays either.
SINCE_2_1 = [lambda x: np.clip(x, min=0.3, max=0.5), lambda x: np.reshape(x, shape=(6,))]


@pytest.mark.parametrize("call", [
    *(SINCE_2_1 if np.lib.NumpyVersion(np.__version__) >= "2.1.0" else []),
    lambda x: np.var(x, ddof=1), lambda x: np.linalg.norm(x, ord=2, axis=1),
    lambda x: np.add.reduce(x), lambda x: np.add.reduce(x, axis=None),
    lambda x: np.maximum.reduce(x, axis=1, keepdims=True),
    lambda x: np.minimum.reduce(x), lambda x: np.multiply.reduce(x, axis=1),
    lambda x: np.reshape(x, (6,)), lambda x: np.swapaxes(x, axis1=0, axis2=1), lambda x: np.true_divide(1.0, x),
    lambda x: np.pad(x, 1, mode="constant"), lambda x: np.pad(x, 1, constant_values=3.0), lambda x: x.T @ X,
    lambda x: np.stack((x, x), axis=-1), lambda x: np.abs(-x),
    lambda x: np.squeeze(x[None], axis=0), lambda x: np.take(x, 4), lambda x: np.sum(x, axis=0, out=None, dtype=None),
])  # fmt: skip
def test_call_in_any_spelling(call: Callable[[Any], Any]) -> None:
    """Keywords, reduce methods of ufuncs and NumPy's second names for a function mean what they mean in NumPy."""
    expected, found = call(X), call(Tensor(X))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.data, expected, rtol=1e-14)


@pytest.mark.parametrize(
    "function", [np.exp, np.sin, np.negative, np.sum, np.square, np.linalg.norm, np.var, np.mean], ids=name_of
)
def test_functions_take_values(function: Any) -> None:
    """NumPy's functions of one number work on a Value, and give one."""
    x = Value(0.5)
    y = function(x)
    assert type(y) is Value
    assert y.data == pytest.approx(float(function(0.5)), rel=1e-15)
    assert gradients(y, x) == pytest.approx(float(gradients(function(t := Tensor(0.5)), t)), rel=1e-15, abs=0.0)


def test_gradient_flows_through_mixed_calls() -> None:
    """An ndarray first, a Tensor second, a Value among them: the call is one node each time."""
    x, v = Tensor(V), cast(Any, Value(2.0))
    y = np.sum(np.multiply(X, np.exp(x) * v))
    expected = (X * np.exp(V)).sum(axis=0)
    np.testing.assert_allclose(gradients(y, x), 2.0 * expected, rtol=1e-14)
    assert gradients(y, v) == pytest.approx(expected.sum(), rel=1e-14)
    assert np.maximum(v, 3.0).data == 3.0
    assert type(np.float64(3.0) * v) is Value
    assert gradients(np.dot(V, x), x).tolist() == V.tolist()


@pytest.mark.parametrize("call", [
    lambda x, v: np.median(a=x, axis=1), lambda x, v: np.kron(a=v, b=v), lambda x, v: np.sum(a=x, axis=0),
    lambda x, v: np.average(a=x, weights=v, axis=1), lambda x, v: np.expand_dims(a=v, axis=0),
    lambda x, v: np.flip(m=x), lambda x, v: np.flip(m=x, axis=1), lambda x, v: np.dot(x, b=v),
    lambda x, v: np.convolve(a=v, v=v),
    lambda x, v: np.pad(array=v, pad_width=1), lambda x, v: np.delete(arr=v, obj=0), lambda x, v: np.cumsum(a=v),
])  # fmt: skip
def test_arguments_by_numpys_names(call: Callable[[Any, Any], Any]) -> None:
    """As NumPy calls them, in any order."""
    np.testing.assert_allclose(call(Tensor(X), Tensor(V)).data, call(X, V), rtol=1e-14)


QUESTION_CALLS: dict[Any, Callable[[Any], tuple[Any, ...]]] = {
    np.full_like: lambda x: (x, 3.0), np.array_equal: lambda x: (x, X), np.allclose: lambda x: (x, X),
    np.isclose: lambda x: (x, X), np.result_type: lambda x: (x, np.float32), np.shares_memory: lambda x: (x, V),
    np.may_share_memory: lambda x: (x, V), np.argpartition: lambda x: (x, 1), np.array_equiv: lambda x: (x, X),
    np.can_cast: lambda x: (x.dtype, float), np.diag_indices_from: lambda x: (x[:, :2],),
    np.digitize: lambda x: (x, [0.25, 0.5]), np.einsum_path: lambda x: ("ij->j", x), np.isin: lambda x: (x, [0.3, 0.4]),
    np.ix_: lambda x: (x[0] > 0.25,), np.searchsorted: lambda x: (x[0], 0.5),
}  # fmt: skip


@pytest.mark.parametrize("function", sorted(QUESTIONS, key=name_of), ids=name_of)
def test_question_is_answered_from_the_data(function: Any) -> None:
    """A query returns the answer for the plain array, outside the graph."""
    arguments = QUESTION_CALLS.get(function, lambda x: (x, 0.5) if getattr(function, "nin", 1) == 2 else (x,))
    expected, found = function(*arguments(X)), function(*arguments(Tensor(X)))
    assert type(found) is type(expected)
    if "empty" not in name_of(function):
        np.testing.assert_equal(found, expected)


def test_question_about_a_list_of_nodes() -> None:
    """Nodes inside lists are looked into as well."""
    nodes: list[Any] = [Value(1.0), Value(3.0)]
    assert np.isclose(Tensor([1.0, 2.0]), nodes).tolist() == [True, False]


@pytest.mark.parametrize("function", [np.fft.fft, np.i0, np.angle, np.roots, np.linalg.lstsq], ids=name_of)
def test_function_without_a_rule_raises(function: Any) -> None:
    """It never returns an array that has silently left the graph, and it suggests nothing that is spelled alike."""
    operands = [Tensor(S[0])] * (2 if function is np.linalg.lstsq else 1)
    with pytest.raises(TypeError, match=rf"^np\.\S*{name_of(function)} has no rule on nodes: ") as error:
        function(*operands)
    text = str(error.value)
    assert "nearest" not in text
    assert ("use " in text) or ("define a primitive" in text)


def test_user_defined_primitive_maps_its_numpy_function(define: Callable[..., Any]) -> None:
    """A user's primitive is found by its NumPy functions as a built-in one is: on Tensors, Values and arrays."""
    with pytest.raises(TypeError, match=r"np\.i0 has no rule"):
        np.i0(Tensor(V))
    define("i0", lambda xp, x: np.i0(x), [lambda g, z, x: g * (0.5 * x)], numpy=np.i0)  # to first order in x
    x = Tensor(V)
    np.testing.assert_allclose(gradients(np.i0(x).sum(), x), 0.5 * V, rtol=1e-15)
    v: Any = Value(0.5)
    made: Any = np.i0(v)
    assert (made.data, gradients(made, v)) == (float(np.i0(0.5)), 0.25)


@pytest.mark.parametrize(("call", "word"), [
    (lambda x: np.exp(x, out=np.empty((2, 3))), "takes no keywords, and got out; use np.where"),
    (lambda x: np.exp(x, where=X > 0.5), r"instead of where=, the result instead of out=, .* instead of dtype="),
    (lambda x: np.union1d(x, x), "the equality of elements has no derivative"),
    (lambda x: np.trim_zeros(x[0]), "the positions of zeros have no derivative"),
    (lambda x: np.polyfit(x[0], x[0], 1), r"for polynomials, nodes support np\.polyval\(p, x\), and np\.convolve"),
    (lambda x: np.add(x, 1.0, dtype=np.float32), "dtype"), (lambda x: np.sum(x, out=np.empty(())), "out"),
    (lambda x: np.concatenate([x, x], out=X), "out"), (lambda x: np.maximum.accumulate(x), "accumulate has no rule"),
    (lambda x: np.arctan2.outer(x, x), "outer has no rule"),
    (lambda x: np.add.at(x, 0, 1.0), "at has no rule"),
    (lambda x: np.subtract.reduce(x), "reduce has no rule"),
    (lambda x: np.sum(x, dtype=int), "must be float64 or float32"),
    (lambda x: np.max(x, where=X > 0.5), "needs initial="),
    (lambda x: np.var(x, 0, float), "takes x, axis, ddof, keepdims"),
    (lambda x: np.where(x), "takes condition, x, y"), (lambda x: np.reshape(x, (6,), order="F"), "order"),
    (lambda x: np.concatenate([x, x], casting="no"), "casting"), (lambda x: np.einsum("ij->", x, order="C"), "order"),
])  # fmt: skip
def test_writing_casting_and_masking_are_refused(call: Callable[[Any], Any], word: str) -> None:
    """out=, where=, dtype=, initial= and anything else without a rule are refused by name, in every spelling."""
    with pytest.raises((TypeError, ValueError), match=word):
        call(Tensor(X))


def test_array_of_nodes_is_refused() -> None:
    """np.array(tensor) would leave the graph; of a Value it is an object array, which stays on it."""
    with pytest.raises(TypeError, match=r"silently leave the graph; use \.data .* autodiff\.stack"):
        np.asarray(Tensor(V))
    with pytest.raises(TypeError, match="silently leave the graph"):
        np.array([Tensor(V), Tensor(V)])
    v = Value(1.0)
    assert np.array([v, v])[0] is v


def test_operators_of_arrays_hand_over_to_nodes() -> None:
    """ndarray op Tensor is the Tensor's: comparisons give masks, arithmetic gives nodes."""
    x = Tensor(V)
    assert (np.full(3, 0.3) > x).tolist() == (V < 0.3).tolist()
    assert np.equal(V, x).all()
    results: list[Any] = [V + x, V - x, V * x, V / x, V**x, X @ x]
    for result in results:
        assert type(result) is Tensor
    with pytest.raises(TypeError, match="stack"):
        np.array([Value(1.0)] * 3) * x
    assert plain(np.equal(x, V)).all()


@pytest.mark.parametrize("function", [np.mean, np.var, np.std, lambda x: np.std(x, ddof=1)])
def test_statistics_of_a_list_of_values_are_those_of_a_tensor(function: Callable[[Any], Any]) -> None:
    """NumPy runs its own lines on Values there; values and gradients are the same."""
    numbers = [1.0, 2.5, -0.5, 4.0]
    values, tensor = [Value(x) for x in numbers], Tensor(numbers)
    found, expected = function(values), function(tensor)
    np.testing.assert_allclose(found.data, expected.data, rtol=1e-15)
    np.testing.assert_allclose(gradients(found, values), gradients(expected, tensor), rtol=1e-13, atol=1e-16)


def test_the_idioms_that_leave_the_graph_say_what_to_write() -> None:
    """X.dot(W) of an array and a Tensor is X @ W; np.dot(X, W) works."""
    W = Tensor(X.T)
    with pytest.raises(TypeError, match=r"X @ W instead of X\.dot\(W\)"):
        X.dot(W)
    np.testing.assert_array_equal((X @ W).data, np.dot(X, W).data)
    with pytest.raises(TypeError, match=r"np\.sort on nodes takes x, axis, kind: got an unexpected keyword argument"):
        np.sort(W, order="a")
