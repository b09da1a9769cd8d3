"""Calls of programs: what is recorded as what, what is left to the graph, and gradients that add up."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from autodiff import Tensor, Value, gradients, program

COUNT = 40
RANDOM = np.random.default_rng(0)
POINTS, LABELS = RANDOM.normal(size=(COUNT, 2)), RANDOM.choice([-1.0, 1.0], COUNT)
WEIGHTS = [[Value(x) for x in row] for row in RANDOM.normal(size=(4, 2)).tolist()]
LEAVES = [w for row in WEIGHTS for w in row]


def hinge(x: Any, y: Any) -> Any:
    scores = [sum(w * each for w, each in zip(row, x, strict=True)).relu() for row in WEIGHTS]
    return (1.0 - sum(scores) * y).relu() + sum(w * w for w in LEAVES) * 0.1


def total(points: Any, labels: Any) -> Any:
    return sum(hinge(x, y) for x, y in zip(points, labels, strict=True))


def slopes_of(output: Any) -> Any:
    return np.array(gradients(output, LEAVES))


def test_gradients_of_tensors_add_up() -> None:
    """Arrays in ``.grad`` are added to, as numbers are."""
    W = Tensor([[1.0, -2.0], [0.5, 3.0]])
    step = program(lambda x: ((x @ W) ** 2).sum())
    for count in (1, 2, 3):
        step(POINTS[:3]).backward()
        np.testing.assert_allclose(W.grad, count * 2.0 * POINTS[:3].T @ (POINTS[:3] @ W.data))


def test_elements_of_arrays_become_layers() -> None:
    """A function that works with the elements of arrays is recorded in Values, as its eager call computes."""
    step = program(total)
    for points in (POINTS, POINTS[::-1]):
        J, found = step.value_and_grad(points, LABELS)
        expected = total(points, LABELS)
        assert pytest.approx(expected.data, rel=1e-12) == J
        np.testing.assert_allclose([found[w] for w in LEAVES], slopes_of(expected), rtol=1e-11)
    (plan,) = step.programs
    assert plan.run is not plan.exact
    assert len(plan.run.compiled.form.statements) < 15


def test_examples_share_what_no_input_changes() -> None:
    """A penalty is the same in all examples, and a float for each example has a gradient for each."""
    step = program(hinge, batch=("x", "y"))
    J, found = step.value_and_grad(POINTS, LABELS)
    each = [hinge(x, y) for x, y in zip(POINTS.tolist(), LABELS.tolist(), strict=True)]
    assert pytest.approx(np.mean([one.data for one in each]), rel=1e-12) == J
    np.testing.assert_allclose([found[w] for w in LEAVES], np.mean([slopes_of(one) for one in each], axis=0))
    y = [Value(label) for label in LABELS.tolist()]
    by_label = [gradients(hinge(x, label), [label])[0] for x, label in zip(POINTS.tolist(), y, strict=True)]
    np.testing.assert_allclose(found.inputs[1], np.array(by_label) / COUNT)


def test_code_that_would_be_too_long_is_left_to_the_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """Straight code without repetition is not worth compiling beyond a length."""
    monkeypatch.setattr(import_module("autodiff.program.compiled"), "_MOST_STATEMENTS", 3)
    step = program(lambda x: (LEAVES[0] * x).sin().exp().tanh().sin())
    assert step(0.5).data == pytest.approx(np.sin(np.tanh(np.exp(np.sin(LEAVES[0].data * 0.5)))))
    (plan,) = step.programs
    assert plan.run is plan.exact


def test_an_irregular_graph_is_never_wrong() -> None:
    """What gathers from all segments at once is computed by its graph, which gives the same numbers."""
    draw = np.random.default_rng(1)
    picks = [tuple(draw.integers(0, 1000, 2).tolist()) for _ in range(600)]

    def irregular(x: Any) -> Any:
        nodes: list[Any] = [*LEAVES, x]
        for k, (i, j) in enumerate(picks):
            left, right = nodes[i % len(nodes)], nodes[-1 - j % min(len(nodes), 2)]
            nodes.append((left * right).tanh() if k % 2 else (left + right).sin())
        return sum(nodes[-3:])

    step = program(irregular)
    J, found = step.value_and_grad(0.3)
    expected = irregular(0.3)
    assert pytest.approx(expected.data, rel=1e-10) == J
    np.testing.assert_allclose([found[w] for w in LEAVES], slopes_of(expected), rtol=1e-8, atol=1e-12)


def test_gradients_that_are_lent_or_kept_by_rows_are_added_to() -> None:
    """The first signal of a result that a larger graph lends, and rows of a table to which someone has written."""
    w = Tensor([1.0, 2.0])
    y = program(lambda x: w * x)(3.0)
    (y * 2.0).sum().backward()
    y.backward(np.array([1.0, 10.0]))
    assert y.grad.tolist() == [3.0, 12.0]
    assert w.grad.tolist() == [9.0, 36.0]
    table = Tensor(np.ones((2000, 2)))
    table[[7, 7]].sum().backward()
    table.grad[0, 0] = 5.0
    program(lambda x: (table * x).sum())(0.5).backward()
    assert table.grad[[0, 7]].tolist() == [[5.5, 0.5], [2.5, 2.5]]
