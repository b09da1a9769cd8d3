"""`Tensor` works where an array does: it agrees with NumPy, and its gradients agree with differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import basic_indices, integer_array_indices, mutually_broadcastable_shapes

import autodiff as ad
from autodiff import Tensor, gradients
from tests.support.differences import assert_close, slopes

SEEDS = st.integers(0, 2**16)


def check(f: Callable[..., Any], *points: np.ndarray) -> None:
    """f on Tensors has the value of f on arrays, and the gradient of a random cotangent that differences find.

    The products and sums here are smooth and of order 1: rounding of float64 differences is the error that counts.
    """
    leaves = [Tensor(point) for point in points]
    output, expected = f(*leaves), f(*points)
    assert output.shape == np.shape(expected)
    np.testing.assert_allclose(output.data, expected, rtol=1e-14, atol=1e-14)
    cotangent = np.random.default_rng(3).normal(size=output.shape)
    found = gradients(output, leaves, seed=cotangent)
    wide = slopes(lambda *x: np.sum(cotangent * f(*x)), [point.astype(np.longdouble) for point in points])
    for ours, theirs in zip(found, wide, strict=True):
        assert_close(np.zeros_like(theirs[0]) if ours is None else ours, theirs)


def array(*shape: int, seed: int = 0) -> np.ndarray:
    """Random numbers between 0.5 and 1.5."""
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape)


METHODS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(axis=0), "mean": lambda x: x.mean(axis=1, keepdims=True), "prod": lambda x: x.prod(axis=-1),
    "max": lambda x: x.max(axis=0), "min": lambda x: x.min(), "var": lambda x: x.var(axis=0),
    "sample variance": lambda x: x.var(axis=1, ddof=1), "std": lambda x: x.std(axis=1, keepdims=True),
    "std of all": lambda x: x.std(ddof=1), "cumsum": lambda x: x.cumsum(axis=1), "cumsum of all": lambda x: x.cumsum(),
    "dot": lambda x: x.dot(x.T), "reshape": lambda x: x.reshape(3, -1), "reshape to a tuple": lambda x: x.reshape((6,)),
    "ravel": lambda x: x.ravel(), "flatten": lambda x: x.flatten(), "transpose": lambda x: x.transpose(),
    "transpose in order": lambda x: x.transpose(1, 0), "transpose in a tuple": lambda x: x.transpose((-1, 0)),
    "transpose with None": lambda x: x.transpose(None), "T": lambda x: x.T, "swapaxes": lambda x: x.swapaxes(0, -1),
    "list @": lambda x: [1.0, 2.0] @ x, "@ list": lambda x: x @ [1.0, 2.0, 3.0],
    "squeeze": lambda x: x.reshape(1, 2, 1, 3).squeeze(axis=2), "clip": lambda x: x.clip(0.8, 1.2),
    "clip above": lambda x: x.clip(None, 1.2), "take": lambda x: x.take([2, 0, 2], axis=1),
    "take of all": lambda x: x.take(np.array([[5, 0], [5, 1]])), "iteration": lambda x: sum(row * row for row in x),
    "unpacking": lambda x: (lambda a, b: a * b)(*x), "power": lambda x: x**2.5, "matrix power": lambda x: x @ x.T @ x,
}  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_method_agrees_with_numpy(name: str) -> None:
    """A method behaves like the method of ndarray with that name."""
    check(METHODS[name], array(2, 3))


@pytest.mark.parametrize("f", [
    lambda x: ad.split(x, 3, axis=1)[1], lambda x: ad.split(x, [1, 2], axis=-1)[2], lambda x: sum(ad.split(x, 2)),
    lambda x: ad.pad(x, 1), lambda x: ad.pad(x, ((0, 1), (2, 0))), lambda x: ad.pad(x, (1, 2), constant_values=7.0),
    lambda x: ad.diag(x[0]), lambda x: ad.diag(x[0], -1), lambda x: ad.diag(x, 1), lambda x: ad.diag(x, -1),
    lambda x: ad.diag(x, 5), lambda x: ad.diag(x[0], 2), lambda x: ad.trace(x), lambda x: ad.softmax(x, axis=0),
    lambda x: ad.log_softmax(x), lambda x: ad.outer(x[0], x), lambda x: ad.expand_dims(x, (0, -1)),
    lambda x: ad.norm(x, axis=(0, 1)), lambda x: ad.concatenate([x, x * 2.0], axis=1), lambda x: ad.stack([x, x], 1),
    lambda x: ad.where(np.array([True, False, True]), x, 2.0 * x), lambda x: ad.flip(x, axis=(0, 1)),
    lambda x: ad.cumsum(x, axis=0), lambda x: ad.scatter(x, index=(slice(1, 3),), shape=(4, 3)), lambda x: ad.erfc(x),
    lambda x: ad.split(x[:, :0], 2, axis=1)[0],
])  # fmt: skip
def test_function_agrees_with_differences(f: Callable[[Any], Any]) -> None:
    """Functions made of primitives are right on arrays and on Tensors, and leave float32 what it is."""
    check(f, array(2, 3))
    assert f(Tensor(array(2, 3).astype(np.float32))).dtype == np.float32


@pytest.mark.parametrize(("f", "function"), [
    (lambda x: ad.split(x, [1, 2], axis=-1)[2], lambda x: np.split(x, [1, 2], axis=-1)[2]),
    (lambda x: ad.pad(x, ((0, 1), (2, 0))), lambda x: np.pad(x, ((0, 1), (2, 0)))),
    (lambda x: ad.pad(x, 1, constant_values=7.0), lambda x: np.pad(x, 1, constant_values=7.0)),
    (lambda x: ad.diag(x, 1), lambda x: np.diag(x, 1)), (lambda x: ad.diag(x[0], -2), lambda x: np.diag(x[0], -2)),
    (ad.trace, np.trace), (lambda x: ad.take(x, [1, 1], 0), lambda x: np.take(x, [1, 1], 0)),
    (lambda x: ad.var(x, 0, True, ddof=1), lambda x: np.var(x, 0, ddof=1, keepdims=True)), (ad.std, np.std),
    (lambda x: ad.outer(x, x[0]), lambda x: np.outer(x, x[0])), (lambda x: ad.dot(x, x.T), lambda x: np.dot(x, x.T)),
    (lambda x: ad.tensordot(x, x), lambda x: np.tensordot(x, x)),
    (lambda x: ad.clip(x, 0.9), lambda x: np.clip(x, 0.9, None)),
    (lambda x: ad.norm(x, axis=1), lambda x: np.linalg.norm(x, axis=1)), (ad.norm, np.linalg.norm),
    (lambda x: ad.softmax(x), lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    (lambda x: ad.logsumexp(x, axis=1), lambda x: np.log(np.exp(x).sum(1))),
    (lambda x: ad.dot(2.0, x), lambda x: 2.0 * x), (lambda x: ad.dot(2, [1.0, 2.0]), lambda x: [2.0, 4.0]),
    (lambda x: ad.matmul([1.0, 2.0], x), lambda x: [1.0, 2.0] @ x),
    (lambda x: ad.einsum("i->", [1.0, 2.0]), lambda x: 3.0),
])  # fmt: skip
def test_function_agrees_with_numpy(f: Callable[[Any], Any], function: Callable[[Any], Any]) -> None:
    """Functions that NumPy has too have its values, on plain arrays and nested lists as well."""
    x = array(2, 3)
    for given_x in (Tensor(x), x):
        found = f(given_x)
        np.testing.assert_allclose(found.data if isinstance(found, Tensor) else found, function(x), rtol=1e-14)


@given(data=st.data(), seed=SEEDS)
def test_matmul_of_any_shapes(data: st.DataObject, seed: int) -> None:
    """@ has NumPy's values and shapes for vectors, matrices and stacks that broadcast, and the right gradients."""
    signature = "(m?,n),(n,p?)->(m?,p?)"
    shapes = data.draw(mutually_broadcastable_shapes(signature=signature, max_dims=2, min_side=1, max_side=3))
    check(lambda a, b: a @ b, *(array(*shape, seed=seed) for shape in shapes.input_shapes))


@pytest.mark.parametrize(("subscripts", "shapes"), [
    ("ij,jk->ik", ((2, 3), (3, 2))), ("ij,jk", ((2, 3), (3, 2))), ("ij->ji", ((2, 3),)), ("ij->", ((2, 3),)),
    ("ii->i", ((3, 3),)), ("ii", ((3, 3),)), ("iii->i", ((2, 2, 2),)), ("iij->j", ((2, 2, 3),)),
    ("ij,ij->i", ((2, 3), (2, 3))),
    ("i,j->ij", ((2,), (3,))), ("i,i,i->", ((3,), (3,), (3,))), ("bij,bjk->bik", ((2, 2, 3), (2, 3, 2))),
    ("...ij,...jk->...ik", ((2, 2, 3), (3, 2))), ("...i,i->...", ((2, 3), (3,))), ("...i,...i", ((2, 3), (2, 3))),
    ("...i->i...", ((2, 2, 3),)), ("i...,i...->...", ((2, 3), (2, 1))), ("ij,k->i", ((2, 3), (2,))), ("ba", ((2, 3),)),
    ("i j , j -> i", ((2, 3), (3,))), ("ij,jk,kl->il", ((2, 3), (3, 2), (2, 2))), ("i,->i", ((2,), ())),
    ("ij,ij->", ((2, 1), (2, 3))),
])  # fmt: skip
def test_einsum_agrees_with_numpy(subscripts: str, shapes: Any) -> None:
    """einsum reads letters, repeated letters, dots and the implied result as NumPy does, with the right gradients."""
    points = [array(*shape, seed=k) for k, shape in enumerate(shapes)]
    np.testing.assert_allclose(ad.einsum(subscripts, *points), np.einsum(subscripts, *points), rtol=1e-14)
    check(lambda *x: ad.einsum(subscripts, *x), *points)


@pytest.mark.parametrize(("shapes", "axes"), [
    (((2, 3), (3, 2)), 1), (((2, 3), (2, 3)), 2), (((2,), (3,)), 0), (((2, 3, 4), (4, 3, 2)), ([1, 2], [1, 0])),
    (((2, 3), (3, 2)), ((0,), (1,))), (((2, 3), (3, 4)), (1, 0)), (((2, 3), (3, 4)), (-1, -2)),
])  # fmt: skip
def test_tensordot_agrees_with_numpy(shapes: Any, axes: Any) -> None:
    """tensordot pairs the axes that NumPy's pairs."""
    a, b = (array(*shape, seed=k) for k, shape in enumerate(shapes))
    np.testing.assert_allclose(ad.tensordot(a, b, axes), np.tensordot(a, b, axes), rtol=1e-14)
    check(lambda a, b: ad.tensordot(a, b, axes), a, b)


@pytest.mark.parametrize("shapes", [((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((3,), (1, 3, 2)), ((2, 1, 2, 3), (4, 3, 2))])
def test_matmul_of_vectors_and_stacks(shapes: Any) -> None:
    """A vector meets each matrix of a stack, on either side, and stacks broadcast."""
    check(lambda a, b: a @ b, *(array(*shape, seed=k) for k, shape in enumerate(shapes)))


def test_expanded_axes() -> None:
    """expand_dims is a method too."""
    x = Tensor([1.0, 2.0])
    assert x.expand_dims((0, 2)).shape == (1, 2, 1)
    assert gradients(x.expand_dims(1).sum(), x).tolist() == [1.0, 1.0]


def test_dot_of_stacks_is_numpys() -> None:
    """dot of arrays with more than two axes is a tensordot over the last and second-to-last axes, not a matmul."""
    a, b = array(2, 3, seed=1), array(4, 3, 2, seed=2)
    assert ad.dot(Tensor(a), b).shape == np.dot(a, b).shape == (2, 4, 2)
    check(lambda a, b: ad.dot(a, b), a, b)
    check(lambda a, b: ad.dot(b, a), array(3), b.swapaxes(1, 2).copy())


@given(data=st.data())
def test_basic_index(data: st.DataObject) -> None:
    """Ints, slices, None and ... pick what they pick from an array, and the gradient is 1 where they picked."""
    x = array(2, 3, 2)
    index = data.draw(basic_indices(x.shape, allow_newaxis=True, allow_ellipsis=True))
    leaf = Tensor(x)
    assert np.array_equal(leaf[index].data, x[index])
    mask = np.zeros_like(x)
    mask[index] = 1.0
    assert np.array_equal(gradients(leaf[index].sum(), leaf), mask)


@given(data=st.data())
def test_integer_index_with_repeats(data: st.DataObject) -> None:
    """An element picked n times, as a word's vector is, gets n shares."""
    x = array(3, 2)
    index = data.draw(integer_array_indices(x.shape))
    leaf = Tensor(x)
    assert np.array_equal(leaf[index].data, x[index])
    counts = np.zeros_like(x)
    np.add.at(counts, index, 1.0)
    assert np.array_equal(gradients(leaf[index].sum(), leaf), counts)


@pytest.mark.parametrize("index", [
    np.array([True, False]), [1, 1, 0], (slice(None), [0, 0]), (np.array([0, 1]), np.array([2, 2])), np.array(1),
    (Ellipsis, np.array([[True, False, True], [False, True, True]])), [True, False], True, np.int64(1), (0, [1, 1]),
])  # fmt: skip
def test_masks_and_lists_as_index(index: Any) -> None:
    """Masks, lists, 0-d arrays and mixtures are indices as NumPy reads them."""
    check(lambda x: x[index], array(2, 3))


def seen_through(array: np.ndarray) -> np.ndarray:
    """A view that cannot be written to, of an array that can."""
    view = array.view()
    view.setflags(write=False)
    return view


OWN_OR_SEEN = pytest.mark.parametrize("seen", [lambda array: array, seen_through], ids=["array", "view"])


@OWN_OR_SEEN
@pytest.mark.parametrize("pick", [
    lambda x, i: x[i], lambda x, i: ad.take(x, i), lambda x, i: x[i, i - i], lambda x, i: ad.where(i > 0, x[0], 0.0),
], ids=["index", "take", "tuple", "where"])  # fmt: skip
def test_index_may_be_reused_for_the_next_batch(pick: Callable[[Any, Any], Any], seen: Callable[[Any], Any]) -> None:
    """The graph keeps its own copy of an index array: writing to it after the forward pass changes no gradient."""
    index, x = np.array([0, 1]), Tensor(array(2, 2))
    expected = gradients(pick(x, np.array([0, 1])).sum(), x)
    y = pick(x, seen(index))
    index[:] = 0
    assert np.array_equal(gradients(y.sum(), x), expected)


@OWN_OR_SEEN
def test_condition_array_may_be_reused(seen: Callable[[Any], Any]) -> None:
    """The graph keeps its own copy of a condition too."""
    mask, x = np.array([True, False]), Tensor([1.0, 2.0])
    y = ad.where(seen(mask), x, 0.0).sum()
    mask[:] = False
    assert gradients(y, x).tolist() == [1.0, 0.0]


def test_data_given_and_data_held_are_apart() -> None:
    """A Tensor copies what it is given, and hands out a view that cannot be written to; constants are copied too."""
    given_data, constant = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    x = Tensor(given_data)
    y = (x * constant).sum()
    given_data[:] = constant[:] = 9.0
    assert y.inputs[0].inputs[1].tolist() == [3.0, 4.0]
    assert x.data.tolist() == [1.0, 2.0]
    assert gradients(y, x).tolist() == [3.0, 4.0]
    for held in (x.data, y.data, y.inputs[0].inputs[1], (x + 1.0).data, x.T.data):
        with pytest.raises(ValueError, match="read-only"):
            held[...] = 0.0


def test_constant_that_nobody_can_write_to_is_not_copied() -> None:
    """A read-only array that owns its memory, as a data set may be, is kept by reference."""
    data = np.ones((100, 3))
    data.setflags(write=False)
    assert (Tensor(np.ones(3)) * data).inputs[1] is data
    assert (Tensor(np.ones(3)) * data[:2]).inputs[1] is not data


def test_assigned_data_keeps_shape_and_type() -> None:
    """New data of a leaf has its shape and takes its type."""
    x = Tensor(np.ones(2, np.float32), name="w")
    x.data = [1, 2]
    assert (x.data.dtype, x.data.tolist()) == (np.float32, [1.0, 2.0])
    with pytest.raises(ValueError, match=r"w has shape \(2,\), and got data of shape \(3,\)"):
        x.data = np.ones(3)
    with pytest.raises(ValueError, match="was computed"):
        (x * 2.0).data = np.ones(2)


def test_a_tensor_describes_itself() -> None:
    """Shape, axes, size, type, text, length and plain data are those of its array."""
    x = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), name="w")
    assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((2, 2), 2, 4, np.dtype(np.float32), 2)
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert repr(Tensor([1.0, 2.0])) == str(Tensor([1.0, 2.0])) == "Tensor([1., 2.])"
    assert repr(x) == "Tensor([[1., 2.],\n        [3., 4.]], dtype=float32, name='w')"
    x.sum().backward()
    assert "grad=[[1. 1.]" in repr(x)
    assert f"{Tensor(2.0):.2f}" == "2.00"
    assert f"{Tensor([2.0])}" == "Tensor([2.])"
    assert Tensor([[2.0]]).item() == 2.0
    assert [row.shape for row in x] == [(2,), (2,)]
    assert len(repr(Tensor(np.zeros(1000)))) < 80


@pytest.mark.parametrize("change", [
    lambda x: x.__setitem__(0, 1.0), lambda x: np.add(x.data, 1.0, out=x.data), lambda x: x.data.fill(0.0),
    lambda x: x.data.sort(),
])  # fmt: skip
def test_no_tensor_changes_in_place(change: Callable[[Any], Any]) -> None:
    """What a graph was computed from stays what it was."""
    x = Tensor([2.0, 1.0])
    with pytest.raises((TypeError, ValueError), match=r"in place|read-only"):
        change(x)
    assert x.tolist() == [2.0, 1.0]


def test_augmented_assignment_makes_a_new_node() -> None:
    """x += 1 binds the name to a new Tensor; an array is not turned into one behind its owner's back."""
    x = y = Tensor([1.0, 2.0])
    y += 1.0
    assert y is not x
    assert y.inputs == (x, 1.0)
    plain = np.array([1.0, 2.0])
    with pytest.raises(TypeError, match=r"write x = x \+ y"):
        plain += x


def test_affine_is_one_node_for_vectors_and_rows() -> None:
    """Wx + b of one input or of rows of inputs, to any number of leading axes."""
    w, b = array(2, 3, seed=1), array(2, seed=2)
    for shape in ((3,), (4, 3), (2, 4, 3)):
        x = array(*shape, seed=3)
        check(lambda w, x, b: ad.affine(w, x, b), w, x, b)
        np.testing.assert_allclose(ad.affine(w, x, b), x @ w.T + b, rtol=1e-14)
    assert ad.affine(Tensor(w), x[0, 0], b).inputs[1].tolist() == x[0, 0].tolist()


@pytest.mark.parametrize("kind", ["C", "F", "strided", "reversed"])
def test_memory_order_of_data_does_not_matter(kind: str) -> None:
    """Fortran order, strides and negative strides of what is given leave values and gradients the same."""
    x = array(4, 6)
    flipped = x[::-1].copy()[::-1]
    laid = {"C": x, "F": np.asfortranarray(x), "strided": np.repeat(x, 2, axis=1)[:, ::2], "reversed": flipped}[kind]
    leaf = Tensor(laid)
    ((leaf @ leaf.T) * laid[:, :4]).sum().backward()
    other = Tensor(x)
    ((other @ other.T) * x[:, :4]).sum().backward()
    np.testing.assert_array_equal(leaf.grad, other.grad)


def test_detached_tensor_passes_no_error() -> None:
    """detach gives a leaf with the same data and name."""
    x = Tensor([1.0, 2.0], name="x")
    assert gradients((x * x.detach()).sum(), x).tolist() == [1.0, 2.0]
    assert x.detach().name == "x"
    assert ad.detach(np.ones(2)).tolist() == [1.0, 1.0]
