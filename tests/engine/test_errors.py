"""Errors of the engine: the class of each error, and a sentence that says what to do."""

# Nearly every row passes a wrong kind on purpose.
# mypy: disable-error-code="arg-type, dict-item, list-item"

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Domain, Tensor, Value, gradients

V, T = Value(2.0), Tensor([1.0, 2.0])
M = np.ones((2, 3))


def check(call: Callable[[], Any], kind: type[Exception], words: str) -> None:
    """The call raises exactly this class of error, in one line that contains the words; each … matches anything."""
    with pytest.raises(kind) as error:
        call()
    assert type(error.value) is kind
    text, place = str(error.value), 0
    assert "\n" not in text
    for part in words.split("…"):
        assert part in text[place:], text
        place = text.index(part, place) + len(part)


def table(*rows: tuple[Callable[[], Any], type[Exception], str]) -> pytest.MarkDecorator:
    """The rows as parameters of a test, named for their words."""
    params = [pytest.param(*row, id=row[2][:40]) for row in rows]
    return pytest.mark.parametrize(("call", "kind", "words"), params)


@table(
    (lambda: Value("3"), TypeError, "a Value takes one real number, and got '3' (str)"),
    (lambda: Value(True), TypeError, "a Value takes one real number, and got True (bool)"),
    (lambda: Value([1.0]), TypeError, "got [1.0] (list); for an array use Tensor"),
    (lambda: Value(np.ones(2)), TypeError, "array of shape (2,) and type float64; for an array use Tensor"),
    (lambda: Value(V), TypeError, "it is already a node"),
    (lambda: Value(None), TypeError, "got None (NoneType)"),
    (lambda: Tensor("abc"), TypeError, "a Tensor takes real numbers (float64, float32 or integers), and got 'abc'"),
    (lambda: Tensor([True]), TypeError, "takes real numbers"),
    (lambda: Tensor(np.ones(2, np.float16)), TypeError, "array of shape (2,) and type float16"),
    (lambda: Tensor(1j), TypeError, "takes real numbers"),
    (lambda: Tensor(V), TypeError, "a Tensor takes plain numbers, and got Value(data=2, grad=–) (Value); use"),
    (lambda: Tensor([V]), TypeError, "got nodes; join nodes with autodiff.stack"),
    (lambda: Tensor(np.array([V])), TypeError, "got objects; join nodes with autodiff.stack"),
    (lambda: Tensor([[1.0], [1.0, 2.0]]), ValueError, "a sequence whose rows have different lengths"),
    (lambda: Value(1.0, name=3), TypeError, "a name must be a string, got 3 (int)"),
    (lambda: setattr(Tensor(1.0), "name", b"x"), TypeError, "a name must be a string, got b'x' (bytes)"),
)
def test_making_nodes(call: Any, kind: Any, words: str) -> None:
    """Data and names that are not numbers and strings."""
    check(call, kind, words)


@table(
    (lambda: float(V), TypeError, "float() of a Value would silently leave the graph and lose the gradient…or .item()"),
    (lambda: float(T), TypeError, "float() of a Tensor would silently leave the graph"),
    (lambda: np.asarray(T), TypeError, "an array of a Tensor would silently leave the graph; use .data"),
    (lambda: T.__setitem__(0, 1.0), TypeError, "a Tensor cannot be changed in place; make a new one with where(...)"),
    (lambda: len(Tensor(1.0)), TypeError, "a Tensor with no axes has no length"),
    (lambda: iter(Tensor(1.0)), TypeError, "a Tensor with no axes has no length"),
    (lambda: bool(T), ValueError, "a Tensor of shape (2,) is neither true nor false; use .data.any() or .data.all()"),
    (lambda: T.value(), ValueError, "a Value holds one number, but this Tensor has shape (2,)"),
    (lambda: T.item(), ValueError, "size 1"),
    (lambda: [1, 2][V], TypeError, "an int or an index made of a Value would…; write int(x.data)"),
    (lambda: int(T), TypeError, "an int or an index made of a Tensor would silently leave the graph"),
    (lambda: T[T], TypeError, "an index must be integers, slices or a mask, got Tensor of shape (2,)…as an int"),
    (lambda: T[0, V], TypeError, "an index must be integers, slices or a mask, got Value(data=2, grad=–)"),
    (lambda: T[2], IndexError, "getitem(array of shape (2,)…index=2) is not defined: index 2 is out of bounds"),
    (lambda: T[0.5], IndexError, "getitem("), (lambda: T["a"], IndexError, "getitem("),
    (lambda: setattr(V * 2.0, "data", 1.0), ValueError, "multiply was computed (<primitive multiply>)…take .detach()"),
    (lambda: setattr(T, "data", [1.0]), ValueError, "Tensor has shape (2,), and got data of shape (1,)"),
    (lambda: ad.move([(T, np.ones(3))]), ValueError, "(2,)"),
    (lambda: ad.move([(V * 1.0, 1.0)]), ValueError, "move changes a leaf by an array of its shape; multiply has shape"),
    (lambda: ad.move(3), TypeError, "move takes pairs of a leaf and its change, as in move([(x, 0.5)]), and got 3"),
    (lambda: ad.move(T), TypeError, "move takes pairs of a leaf and its change…and got Tensor of shape (2,)"),
    (lambda: ad.move({V: 1.0}), TypeError, "and got Value(data=2, grad=–) (Value) among them"),
    (lambda: ad.move([(V,)]), TypeError, "move takes pairs of a leaf and its change…and got (Value(data=2, grad=–),)"),
    (lambda: ad.move([(2.0, 1.0)]), TypeError, "move takes pairs of a leaf and its change…and got (2.0, 1.0)"),
    (lambda: ad.move([(V, "a")]), TypeError, "move takes real numbers (float64, float32 or integers), and got 'a'"),
    (lambda: ad.move([(V, 1j)]), TypeError, "move takes real numbers"),
    (lambda: ad.move([(T, np.array([1j, 1j]))]), TypeError, "move takes real numbers"),
    (lambda: ad.move([(V, V)]), TypeError, "the change of Value must be plain numbers, got nodes; use"),
    (lambda: ad.move([(V, [1.0])]), ValueError, "Value has shape () and is a leaf, and the change has shape (1,)"),
    (lambda: setattr(V, "grad", "x"), TypeError, "the gradient of Value must be one real number, got 'x' (str)"),
    (lambda: setattr(V, "grad", True), TypeError, "the gradient of Value must be one real number, got True (bool)"),
    (lambda: setattr(V, "grad", np.ones(1)), TypeError, "the gradient of Value must be one real number, got array of"),
    (lambda: setattr(V, "grad", V * 1.0), TypeError, "must be plain numbers, to which backward passes add, got Value"),
    (lambda: setattr(T, "grad", "x"), TypeError, "the gradient of Tensor takes real numbers…and got 'x' (str)"),
    (lambda: setattr(T, "grad", np.ones((3, 2))), ValueError, "has shape (2,), and got a gradient of shape (3, 2)"),
    (lambda: setattr(T, "grad", 1.0), ValueError, "has shape (2,), and got a gradient of shape ()"),
    (lambda: setattr(T, "grad", [1j, 2.0]), TypeError, "takes real numbers"),
    (lambda: setattr(T, "grad", T * 1.0), TypeError, "must be plain numbers…keep a gradient that you want to"),
    (lambda: setattr(T, "grad", [V, V]), TypeError, "must be plain numbers, to which backward passes add, got [Value("),
    (lambda: T < "a", TypeError, "Tensor of shape (2,) and type float64 cannot be compared with 'a' (str)"),
    (lambda: T >= None, TypeError, "cannot be compared with None (NoneType)"),
    (lambda: T == [1.0, 2.0, 3.0], ValueError, "cannot be compared with [1.0, 2.0, 3.0] (list)"),
    (lambda: T > 10**400, ValueError, "cannot be compared with 1000"),
    (lambda: T.transpose(np.ones(2)), TypeError, "transpose(array of shape (2,)"),
    (lambda: T @ "a", TypeError, "matmul takes real numbers (float64, float32 or integers), and got 'a' (str)"),
    (lambda: "a" @ T, TypeError, "matmul takes real numbers"), (lambda: T @ None, TypeError, "matmul takes real"),
    (lambda: T @ 2.0, ValueError, "matmul needs vectors or matrices, and got shapes (2,) and (); to scale, use *"),
    (lambda: V < "a", TypeError, "not supported between instances of 'Value' and 'str'"),
)  # fmt: skip
def test_using_nodes(call: Any, kind: Any, words: str) -> None:
    """Conversions, indices and assignments that would leave or spoil the graph."""
    check(call, kind, words)


@table(
    (lambda: V + "a", TypeError, "add takes Values and real numbers, and got 'a' (str)"),
    (lambda: V * True, TypeError, "multiply takes Values and real numbers, and got True (bool)"),
    (lambda: None - V, TypeError, "subtract takes Values and real numbers, and got None (NoneType)"),
    (lambda: V**1j, TypeError, "pow takes Values and real numbers, and got 1j (complex)"),
    (lambda: T + "a", TypeError, "add takes real numbers (float64, float32 or integers), and got 'a' (str)"),
    (lambda: T * [1j, 2.0], TypeError, "multiply takes real numbers"),
    (lambda: T * np.array([V, V]), TypeError, "multiply got an object array beside a Tensor; join its Values with"),
    (lambda: T + np.ones(3), ValueError, "add(array of shape (2,)…array of shape (3,)…) is not defined:"),
    (lambda: ad.exp("a"), TypeError, "exp takes real numbers (float64, float32 or integers), and got 'a' (str)"),
    (lambda: ad.exp(True), TypeError, "exp takes real numbers"),
    (lambda: ad.exp([object()]), TypeError, "exp takes real numbers"),
    (lambda: ad.exp(["x" * 100]), TypeError, "... (list)"),
    (lambda: ad.sum([[1.0], [1.0, 2.0]]), ValueError, "sum got a sequence whose rows have different lengths"),
    (lambda: ad.exp(), TypeError, "exp takes 1 input; it got 0 positional arguments"),
    (lambda: ad.maximum(V), TypeError, "maximum takes 2 inputs; it got 1 positional argument"),
    (lambda: ad.sum(T, 0, True, 3), TypeError, "sum takes 1 input and the keywords axis, keepdims; it got 4"),
    (lambda: ad.sum(T, 0, axis=1), TypeError, "sum got axis twice, by position and by keyword"),
    (lambda: ad.exp(1.0, base=2), TypeError, "exp() has no keyword 'base'; it takes none"),
    (lambda: ad.sum([1.0], axes=0), TypeError, "sum() has no keyword 'axes'; its keywords are axis and keepdims"),
    (lambda: ad.reshape(np.ones(2)), TypeError, "reshape takes the keyword shape, and got none"),
    (lambda: ad.reshape(T), TypeError, "reshape() missing 1 required keyword-only argument: 'shape'"),
    (lambda: ad.exp(V, base=2), TypeError, "exp() has no keyword 'base'; it takes none"),
    (lambda: ad.sum(T, dim=0), TypeError, "sum() has no keyword 'dim'; its keywords are axis and keepdims"),
    (lambda: T.sum(dim=0), TypeError, "sum() has no keyword 'dim'; its keywords are axis, keepdims, dtype, initial"),
    (lambda: ad.leaky_relu(T, a=1), TypeError, "leaky_relu() has no keyword 'a'; its keyword is slope"),
    (lambda: ad.reshape(T, shape=(3,)), ValueError, "reshape(array of shape (2,) and type float64, shape=(3,)) is not"),
    (lambda: ad.sum(T, axis=1), ValueError, "sum(array of shape (2,) and type float64, axis=1…) is not defined: axis"),
    (lambda: ad.max(np.ones((0, 2)), axis=0), ValueError, "max(array of shape (0, 2)…) is not defined: zero-size"),
    (lambda: ad.transpose(T, axes="a"), TypeError, "transpose("),
    (lambda: ad.concatenate(), TypeError, "concatenate takes one sequence of inputs, as in concatenate([x, y]), and"),
    (lambda: ad.stack(5.0), TypeError, "stack takes one sequence of inputs, as in stack([x, y]), and got 5.0"),
    (lambda: ad.concatenate([]), ValueError, "concatenate needs at least one input, and got an empty sequence"),
    (lambda: ad.concatenate([T, M]), ValueError, "concatenate(array of shape (2,)…array of shape (2, 3)…) is not"),
    (lambda: ad.stack([V, T]), ValueError, "stack(2.0, array of shape (2,)…) is not defined"),
)
def test_calling_primitives(call: Any, kind: Any, words: str) -> None:
    """Operands, shapes and keywords that an operation does not take: the message names them and the operation."""
    check(call, kind, words)


@table(
    (lambda: ad.where(1, T, 0.0), TypeError, "where needs a bool or a bool array as condition, and got type int64"),
    (lambda: ad.clip(T, 10**400), ValueError, "beyond the largest float"),
    (lambda: ad.pad(T, 1, constant_values=10**400), ValueError, "beyond the largest float"),
    (lambda: ad.pad(T, 1, np.ones(2)), ValueError, "pad takes non-negative integer widths and mode 'constant'"),
    (lambda: ad.var(T, ddof=10**400), ValueError, "beyond the largest float"),
    (lambda: ad.std(T, 10**400), ValueError, "of shape (2,) is not defined"),
    (lambda: ad.sum(T, axis=10**400), ValueError, "sum(array of shape (2,)"),
    (lambda: ad.sum(np.ones(2), axis=10**400), ValueError, "sum(array of shape (2,)"),
    (lambda: ad.diag(T, True), TypeError, "the offset of a diagonal must be an integer, got True"),
    (lambda: ad.diag(T, 10**400), ValueError, "the offset of a diagonal is out of range: 1000"),
    (lambda: ad.split(T, True), TypeError, "split takes a number of parts or a list of positions, and got True"),
    (lambda: ad.topological(3), TypeError, "topological takes a Value or Tensor, and got 3"),
    (lambda: ad.topological([V]), TypeError, "topological takes a Value or Tensor"),
    (lambda: ad.where(T, T, 0.0), TypeError, "an array of a Tensor"),
    (lambda: ad.clip(T, V, 1.0), TypeError, "clip takes plain numbers as bounds…for other bounds use maximum and"),
    (lambda: ad.clip(T, 1.0, 0.0), ValueError, "clip needs low ≤ high, and got 1.0 and 0.0"),
    (lambda: ad.split(T, 3), ValueError, "split cannot cut length 2 (axis 0) into 3 equal parts"),
    (lambda: ad.split(T, 0), ValueError, "into 0 equal parts"),
    (lambda: ad.split(T, 2, axis=1), ValueError, "axis 1 is out of range for shape (2,)"),
    (lambda: ad.take(T, [0.5]), TypeError, "take needs integer indices, and got type float64"),
    (lambda: ad.take(T, [0], axis=3), ValueError, "axis 3 is out of range for shape (2,)"),
    (lambda: ad.take(T, [5]), IndexError, "out of bounds"),
    (lambda: ad.pad(T, -1), ValueError, "pad takes non-negative integer widths and mode 'constant', and got -1"),
    (lambda: ad.pad(T, 1, "edge"), ValueError, "and got 1 and 'edge'"),
    (lambda: ad.diag(Tensor(1.0)), ValueError, "diag takes a vector or a matrix, and got shape ()"),
    (lambda: ad.trace(T), ValueError, "trace takes a matrix, and got shape (2,)"),
    (lambda: ad.var(T, ddof=2), ValueError, "a variance needs more than ddof=2 elements, and got shape (2,) with"),
    (lambda: ad.std(np.ones((0, 3)), 0), ValueError, "needs more than ddof=0 elements, and got shape (0, 3) with"),
    (lambda: ad.weighted_sum([V], []), ValueError, "as many inputs as weights, at least one; it got 1 weights and 0"),
    (lambda: ad.weighted_sum([], []), ValueError, "it got 0 weights and 0 inputs"),
    (lambda: ad.weighted_sum([True], [V]), TypeError, "weighted_sum takes Values and real numbers, and got True"),
    (lambda: ad.weighted_sum([T], [np.ones(3)]), ValueError, "weighted_sum(array of shape (2,)…is not defined"),
    (lambda: ad.affine(T, T, T), ValueError, "affine needs W of shape (m, n)…it got W (2,), x (2,), b (2,)"),
    (lambda: ad.affine(M, np.ones(2), np.ones(2)), ValueError, "it got W (2, 3), x (2,), b (2,)"),
    (lambda: ad.matmul(T, 2.0), ValueError, "matmul needs vectors or matrices, and got shapes (2,) and (); to scale"),
    (lambda: T @ Tensor(np.ones(3)), ValueError, "inner(array of shape (2,)…array of shape (3,)…is not defined"),
    (lambda: Tensor(M) @ T, ValueError, "matvec("), (lambda: np.ones(3) @ Tensor(M), ValueError, "vecmat("),
    (lambda: Tensor(M) @ M, ValueError, "matmul("),
    (lambda: ad.tensordot(M, M, 1), ValueError, "tensordot cannot pair axes (1,) of shape (2, 3) with axes (0,)"),
    (lambda: ad.einsum(T, "i->"), TypeError, "einsum needs its subscripts first, as a string like 'ij,jk->ik'"),
    (lambda: ad.einsum("i,j", T), ValueError, "einsum 'i,j' names 2 operands, and got 1"),
    (lambda: ad.einsum("ij", T), ValueError, "einsum 'ij': the part 'ij' does not fit an operand with ndim=1"),
    (lambda: ad.einsum("i", M), ValueError, "the part 'i' does not fit an operand with ndim=2"),
    (lambda: ad.einsum("ii", M), ValueError, "einsum: letter 'i' has lengths 2 and 3"),
    (lambda: ad.einsum("i->j", T), ValueError, "einsum(array of shape (2,)"),
    (lambda: ad.hinge_sum(Tensor(np.ones(3))), ValueError, "hinge_sum("),
)  # fmt: skip
def test_calling_functions(call: Any, kind: Any, words: str) -> None:
    """Functions composed of primitives check their arguments and raise their own messages."""
    check(call, kind, words)


@table(
    (lambda: gradients(3.0, V), TypeError, "a gradient needs an output computed from Values or Tensors, and got"),
    (lambda: gradients(V, 3.0), TypeError, "the inputs of gradients must be Values or Tensors, got 3.0"),
    (lambda: gradients(V, [V, "a"]), TypeError, "must be Values or Tensors, got 'a' (str)"),
    (lambda: T.backward(), ValueError, "the output has shape (2,), but a gradient needs one number; reduce the output"),
    (lambda: T.backward(np.ones(3)), ValueError, "the seed has shape (3,), but the output has shape (2,); they must"),
    (lambda: T.backward(1.0), ValueError, "the seed has shape (), but the output has shape (2,)"),
    (lambda: V.backward([1.0]), ValueError, "the seed has shape (1,), but the output has shape ()"),
    (lambda: V.backward(V), TypeError, "the seed is a node, which needs create_graph=True; without it, pass"),
    (lambda: V.backward("a"), TypeError, "the seed must be a number or an array of the output's shape, got 'a' (str)"),
    (lambda: V.backward(True), TypeError, "got True (bool)"),
    (lambda: V.backward(1j), TypeError, "got 1j (complex)"),
    (lambda: T.backward([None, 1.0]), TypeError, "the seed must be a number or an array"),
    (lambda: ad.backpropagate(np.ones(2)), TypeError, "the computation left the graph, for example through .data or"),
    (lambda: gradients(T, T, seed=Tensor(np.ones(3)), create_graph=True), ValueError, "the seed has shape (3,)"),
)
def test_differentiating_graphs(call: Any, kind: Any, words: str) -> None:
    """Outputs, inputs and seeds that do not fit."""
    check(call, kind, words)


@table(
    (lambda: ad.grad(3.0), TypeError, "a derivative needs a function, and got 3.0; for a computed output use"),
    (lambda: ad.jacobian(V), TypeError, "a derivative needs a function"),
    (lambda: ad.vjp(None), TypeError, "a derivative needs a function"),
    (lambda: ad.jvp("f", (1.0,), (1.0,)), TypeError, "a derivative needs a function"),
    (lambda: ad.value_and_grad([]), TypeError, "a derivative needs a function"),
    (lambda: ad.grad(abs, argnum="x")(1.0), TypeError, "argnum must be an int or a sequence of ints, got 'x'"),
    (lambda: ad.grad(abs, argnum=(True,))(1.0), TypeError, "argnum must be an int or a sequence of ints, got (True,)"),
    (lambda: ad.grad(abs, argnum=1)(1.0), ValueError, "argnum=1 is out of range for a call with 1 positional argument"),
    (lambda: ad.grad(abs)(), ValueError, "argnum=0 is out of range for a call with 0 positional arguments"),
    (lambda: ad.grad(abs, (0, -1))(1.0), ValueError, "argnum=(0, -1) names an argument twice in a call with 1"),
    (lambda: ad.grad(abs)([]), TypeError, "there is nothing to differentiate with respect to: the argument holds no"),
    (lambda: ad.grad(abs)("x"), TypeError, "a Tensor takes real numbers"),
    (lambda: ad.grad(abs)(True), TypeError, "a Tensor takes real numbers"),
    (lambda: ad.grad(abs)({"a": None}), TypeError, "a Tensor takes real numbers"),
    (lambda: ad.grad(lambda x: x * 2.0)(M), ValueError, "the function returned shape (2, 3), but a gradient needs one"),
    (lambda: ad.grad(lambda x: [x])(1.0), TypeError, "a gradient needs one number, but the function returned ["),
    (lambda: ad.grad(lambda x: None)(1.0), TypeError, "the function must return a number, a Value or a Tensor, and"),
    (lambda: ad.grad(lambda x: x > 0)(1.0), TypeError, "and returned True (bool)"),
    (lambda: ad.jacobian(lambda x: "no")(1.0), TypeError, "and returned 'no' (str)"),
    (lambda: ad.jacobian(lambda x: np.array([x]))(1.0), TypeError, "an array of shape (1,)…; join Values into a"),
    (lambda: ad.jvp(lambda x: x, 1.0, (1.0,)), TypeError, "jvp needs a list or tuple of primals, one for each"),
    (lambda: ad.jvp(lambda x: x, (1.0,), 1.0), TypeError, "jvp needs a list or tuple of tangents"),
    (lambda: ad.jvp(lambda x: x, (M,), (1.0,)), ValueError, "jvp needs tangents with the primals' shapes [(2, 3)]"),
    (lambda: ad.jvp(abs, (1.0,), ()), ValueError, "tangents must have the structure of [1.0], of length 1, got []"),
    (lambda: ad.jvp(lambda p: p["a"], ({"a": 1.0},), ({"b": 1.0},)), ValueError, "with the same keys, got {'b': 1.0}"),
    (lambda: ad.hvp(abs, 1.0, M), ValueError, "hvp needs v with the shapes of x, [()], and got [(2, 3)]"),
    (lambda: ad.hvp(abs, [1.0], {"a": 1.0}), ValueError, "v must have the structure of [1.0], with the same keys"),
    (lambda: ad.vjp(lambda x: [x, x], 1.0)[1](1.0), ValueError, "the cotangent must have the structure of [Value"),
    (lambda: ad.vjp(lambda x: x, M)[1](1.0), ValueError, "the seed has shape (), but the output has shape (2, 3)"),
    (lambda: ad.vjp(lambda: 1.0), TypeError, "there is nothing to differentiate with respect to"),
)
def test_differentiating_functions(call: Any, kind: Any, words: str) -> None:
    """Functions, arguments, results and directions that do not fit."""
    check(call, kind, words)


FORWARD, RULE = lambda xp, x: x * 1.0, [lambda g, z, x: g]


@table(
    (lambda: ad.primitive("exp", abs, RULE), ValueError, "the primitive 'exp' is built in and cannot be"),
    (lambda: ad.primitive("exp", FORWARD, RULE, replace=True), ValueError, "'exp' is built in and cannot be replaced,"),
    (lambda: ad.primitive("", abs, RULE), TypeError, "the name of a primitive must be a non-empty string, got"),
    (lambda: ad.primitive(3, abs, RULE), TypeError, "a non-empty string, got 3 (int)"),
    (lambda: ad.primitive("p", None, RULE), TypeError, "primitive 'p' needs a function forward(xp, *inputs) and a"),
    (lambda: ad.primitive("p", abs, []), TypeError, "and a rule for each input"),
    (lambda: ad.primitive("p", abs, 5), TypeError, "and a rule for each input"),
    (lambda: ad.primitive("p", abs, [None]), TypeError, "and a rule for each input"),
    (lambda: ad.primitive("p", abs, RULE, domain=[Domain(0, 1, "")] * 3), ValueError, "has 1 input and 3 domains"),
    (lambda: ad.primitive("p", abs, RULE, symbol=3), TypeError, "primitive 'p': symbol must be a string, got 3"),
    (lambda: ad.primitive("p", abs, RULE, doc=None), TypeError, "primitive 'p': doc must be a string, got None"),
    (lambda: ad.primitive("p", abs, RULE, examples=3), TypeError, "primitive 'p': examples must be a list of"),
    (lambda: ad.primitive("p", abs, RULE, examples=[3]), TypeError, "primitive 'p': examples must be Examples, got 3"),
    (lambda: ad.primitive("p", abs, RULE, numpy="sin"), TypeError, "numpy must be a function or a list of them, got"),
    (lambda: ad.primitive("p", abs, RULE, numpy=[None]), TypeError, "primitive 'p': numpy must hold functions, got"),
    (lambda: Domain("a", 1.0, ""), TypeError, "a Domain takes real numbers as low, high and kinks…and got 'a' (str)"),
    (lambda: Domain(0.0, 1.0, None), TypeError, "and a string as text, as in Domain(0.0, 1.0, '0 < x < 1'), and got"),
    (lambda: Domain(0.0, 1.0, "", ("a",)), TypeError, "a Domain takes real numbers as low, high and kinks"),
    (lambda: Domain(1.0, 0.0, ""), ValueError, "a Domain needs finite bounds with low < high, and got 1.0 and 0.0"),
    (lambda: Domain(0.0, np.inf, ""), ValueError, "a Domain needs finite bounds with low < high, and got 0.0 and inf"),
    (lambda: ad.Example(3), TypeError, "an Example takes a tuple of shapes…and got 3 (int) and {} (dict)"),
    (lambda: ad.Example((2, 3)), TypeError, "an Example takes a tuple of shapes and a dict of params"),
    (lambda: ad.Example((("a",),)), TypeError, "the length of an axis must be a whole number, got 'a' (str)"),
    (lambda: ad.Example(((-1,),)), ValueError, "the length of an axis must be at least 0, got -1 (int)"),
    (lambda: ad.Example(((1,),), [0]), TypeError, "an Example takes a tuple of shapes and a dict of params"),
)
def test_defining_primitives(call: Any, kind: Any, words: str) -> None:
    """A definition that is refused leaves nothing in the table."""
    before = dict(ad.TABLE)
    check(call, kind, words)
    assert before == ad.TABLE


def test_name_is_free_again_after_a_refusal(define: Callable[..., Any]) -> None:
    """After a refusal, a correct definition may use the same name."""
    with pytest.raises(TypeError):
        define("p", abs, [])
    assert define("p", lambda xp, x: x * 1.0, RULE)(2.0) == 2.0
    with pytest.raises(ValueError, match="already exists"):
        define("p", lambda xp, x: x * 1.0, RULE)


def test_an_error_in_a_rule_is_noted_with_its_operands(define: Callable[..., Any]) -> None:
    """The traceback of a failing rule, which is a lambda, names its primitive and its operands."""
    bad = define("bad", lambda xp, x: x * 1.0, [lambda g, z, x: g @ x @ x])
    x = Tensor(np.ones((2, 3)))
    runs: list[Callable[[Any], Any]] = [
        lambda y: y.backward(), lambda y: gradients(y, x), lambda y: gradients(y, x, create_graph=True),
    ]  # fmt: skip
    for run in runs:
        with pytest.raises((ValueError, TypeError)) as error:
            run(bad(x).sum())
        (note,) = error.value.__notes__
        assert note.startswith("in the rule of <primitive bad>, with error signal ")
        assert note.endswith("and inputs Tensor of shape (2, 3) and type float64")


def test_internal_errors_stay_inside() -> None:
    """Internal exceptions of the code generator never reach users; a user's exception passes unchanged."""

    def forward(xp: Any, x: Any) -> Any:
        raise KeyError("mine")

    entry = ad.Primitive(
        "free", forward, (RULE[0],), "", "", (), (), True, False, False, False, False, False, False, (),
    )  # fmt: skip
    with pytest.raises(KeyError, match="mine"):
        entry(Value(1.0))
    with pytest.raises(KeyError, match="mine"):
        entry(Tensor(1.0))
    with pytest.raises(KeyError, match="mine"):
        entry(1.0)
