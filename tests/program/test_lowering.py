"""Graphs of Tensors as forms: views for what rearranges, and results and gradients as the graph gives them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor
from autodiff.program.compiled import Compiled, NotFiniteError
from autodiff.program.compiling.form import Call
from autodiff.program.recording.recording import Recording
from autodiff.testing import random_program
from tests.support.cases import each

_RNG = np.random.default_rng(1)
_X = _RNG.normal(size=(6, 4))


def _t(*shape: int) -> Tensor:
    return Tensor(_RNG.normal(size=shape))


def _recurrent(w: Any, u: Any, b: Any, h: Any) -> Any:
    for x in _X[:4]:
        h = ad.tanh(w @ h + u @ x + b)
    return h.sum()


#: A name, the function, shapes of its leaves, the numbers of statements and of calls of whole primitives.
PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[tuple[int, ...], ...], int, int]] = {
    "chain": (lambda x: (x * x).exp().sum(), ((4,),), 3, 0),
    "matrix times vector": (lambda a, x: a @ x, ((3, 4), (4,)), 1, 0),
    "transposed product": (lambda a, b: (a @ b).T.sum(axis=1), ((3, 4), (4, 5)), 2, 0),
    "broadcast": (lambda a, x, v: a * x + v, ((3, 4), (4,), (3, 1)), 2, 0),
    "slices": (lambda x: (x[1:] * x[:-1]).sum(), ((5,),), 2, 0),
    "reversed": (lambda x: (x[::-1] * x).sum(), ((5,),), 2, 0),
    "rows by number": (lambda a: a[np.array([0, 2, 0])].sum(axis=0), ((3, 4),), 2, 0),
    "softmax": (lambda a: ad.softmax(a, axis=1), ((3, 4),), 4, 0),
    "logsumexp": (lambda a: ad.logsumexp(a, axis=1), ((3, 4),), 1, 1),
    "mean of columns": (lambda a: a.mean(axis=0), ((3, 4),), 1, 0),
    "sum of outer axes": (lambda a: a.reshape(3, 2, 2).sum(axis=(0, 2)), ((3, 4),), 1, 1),
    "joined": (lambda a, v: np.concatenate([a, v], axis=1).tanh().sum(), ((3, 4), (3, 1)), 3, 0),
    "outer": (lambda x, y: np.outer(x, y), ((4,), (3,)), 1, 0),
    "convolution": (lambda x: sum(x[i : i + 2] * (i + 1.0) for i in range(3)), ((5,),), 5, 0),
    "stacks": (lambda s, u: (s @ u).sum(axis=2), ((2, 3, 4), (2, 4, 5)), 2, 0),
    "stack by matrix": (lambda s, b: s @ b, ((2, 3, 4), (4, 5)), 1, 0),
    "einsum of stacks": (lambda s, u: np.einsum("bik,bkj->bij", s, u), ((2, 3, 4), (2, 4, 5)), 1, 0),
    "einsum, exchanged": (lambda a, b: np.einsum("ik,kj->ji", a, b), ((3, 4), (4, 5)), 1, 0),
    "attention": (lambda q, k, v: ad.softmax(q @ k.T / 2.0, axis=1) @ v, ((5, 4), (5, 4), (5, 3)), 7, 0),
    "layer norm": (
        lambda a: (a - a.mean(axis=1, keepdims=True)) / np.sqrt(a.var(axis=1, keepdims=True) + 1e-5), ((3, 4),), 10, 0,
    ),
    "two layers": (
        lambda w, b, u, c: ad.affine(u, ad.sigmoid(ad.affine(w, _X, b)), c).sum(), ((8, 4), (8,), (3, 8), (3,)), 4, 0,
    ),
    "recurrent net": (_recurrent, ((5, 5), (5, 4), (5,), (5,)), 21, 0),
    "determinant": (lambda m: np.linalg.det(m) + np.linalg.inv(m).sum(), ((3, 3),), 4, 2),
    "quadratic form": (lambda x, m: x @ m @ x, ((4,), (4, 4)), 2, 0),
    "diagonal": (lambda m: np.diag(m) * np.trace(m), ((4, 4),), 2, 0),
    "nothing": (lambda x: x[0:0].sum() + x.sum(), ((4,),), 4, 0),
}  # fmt: skip


def _compare(output: Any, leaves: list[Tensor]) -> Compiled:
    """Results to 1e-12 and gradients to 1e-11 of the largest, since sums run in another order."""
    compiled = Compiled(Recording((), tuple(leaves), (output,)))
    seed = np.random.default_rng(0).normal(size=output.shape)
    run = compiled(())
    np.testing.assert_allclose(run.outputs[0], output.data, rtol=1e-12, atol=1e-14)
    gradients, _ = run.pull((seed,))
    found = {leaf: gradient for (leaf,), gradient in zip(compiled.leaves, gradients, strict=True)}
    for leaf in leaves:
        leaf.grad = None
    output.backward(seed)
    scale = max(1.0, *(np.abs(leaf.grad).max(initial=0.0) for leaf in leaves if leaf.grad is not None))
    for leaf in leaves:
        gradient = found.get(leaf)
        expected = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
        gradient = np.zeros(leaf.shape) if gradient is None else gradient
        np.testing.assert_allclose(gradient.reshape(leaf.shape), expected, rtol=1e-11, atol=1e-11 * scale)
    return compiled


@each("name", PROGRAMS)
def test_results_and_gradients_are_those_of_the_graph(name: str) -> None:
    """With so many statements: a slice, a transpose or a reshape is none, and products are no calls."""
    function, shapes, count, calls = PROGRAMS[name]
    leaves = [_t(*shape) for shape in shapes]
    form = _compare(function(*leaves), leaves).form
    assert len(form.statements) == count
    assert sum(isinstance(statement, Call) for statement in form.statements) == calls


def test_random_programs_on_arrays() -> None:
    """The whole table, on arrays of any shape; programs that meet inf or nan are refused, never answered wrongly."""
    compared = 0
    with np.errstate(all="ignore"):
        for seed in range(60):
            program = random_program(Random(seed), Tensor, length=10)
            leaves = [Tensor(x) for x in program.inputs]
            output = program(*leaves)
            if isinstance(output, Tensor) and np.isfinite(output.data).all():
                try:
                    _compare(output, leaves)
                    compared += 1
                except NotFiniteError:
                    pass
    assert compared > 40


def test_single_precision_stays() -> None:
    x = Tensor(np.array([1.5, -2.0], dtype=np.float32))
    compiled = _compare((x * x).exp(), [x])
    assert compiled(()).outputs[0].dtype == np.float32


def test_the_data_of_a_tensor_are_read_where_they_are() -> None:
    """A replay sees new data that were assigned, without a copy of a large table."""
    w = Tensor(np.ones((3, 2)))
    compiled = Compiled(Recording((), (w,), ((w @ np.array([1.0, 2.0])).sum(),)))
    w.data = np.full((3, 2), 2.0)
    assert compiled(()).outputs == [18.0]
    assert all(segment in compiled.written.bound for segment in compiled.form.parameters)


def test_a_program_that_meets_inf_is_refused() -> None:
    x = Tensor(np.array([1.0, 2.0]))
    compiled = Compiled(Recording((), (x,), (np.log(x).sum(),)))
    x.data = np.array([0.0, 2.0])
    with pytest.raises(NotFiniteError, match="not finite"):
        compiled(())
