"""Compiled graphs of Values: results and gradients as the graph gives them, on one example and on many."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Value
from autodiff.program.compiled import Compiled, NotFiniteError
from autodiff.program.recording.recording import Recording, Selection
from autodiff.testing import random_program


def _gradients(compiled: Compiled, run: Any, seed: Any) -> tuple[dict[Any, float], dict[int, Any]]:
    gradients, back = run.pull((seed,))
    return {
        leaf: number
        for leaves, each in zip(compiled.leaves, gradients, strict=True)
        for leaf, number in zip(leaves, [0.0] * len(leaves) if each is None else each.ravel().tolist(), strict=True)
    }, back


def _is_close(got: Any, expected: Any) -> bool:
    """To 1e-10 of the largest, since sums run in another order and terms may cancel."""
    scale = max(1e-9, float(np.abs(expected).max(initial=0.0)))
    return np.allclose(got, expected, rtol=1e-10, atol=1e-10 * scale)


def test_random_programs_on_numbers() -> None:
    """The whole table; programs that meet inf or nan are refused, never answered wrongly."""
    compared = 0
    for seed in range(150):
        program = random_program(Random(seed), Value, length=12)
        leaves = [Value(x) for x in program.inputs]
        output = program(*leaves)
        if not isinstance(output, Value) or not np.isfinite(output.data):
            continue
        compiled = Compiled(Recording((), tuple(leaves), (output,)))
        try:
            run = compiled(())
            found, _ = _gradients(compiled, run, 1.0)
        except NotFiniteError:
            continue
        output.backward()
        expected = [leaf.grad or 0.0 for leaf in leaves]
        if np.isfinite(expected).all():
            assert _is_close(run.outputs[0], output.data), program
            assert _is_close([found.get(leaf, 0.0) for leaf in leaves], expected), program
            compared += 1
    assert compared > 100


_BRANCHING = {"branch", "choice"}


def test_random_programs_on_examples() -> None:
    """One example is recorded and three are run; each has its signal, and the parameters' gradients are summed."""
    compared = 0
    for seed in range(120):
        program = random_program(Random(seed), Value, length=10)
        if any(name.split("[")[0] in _BRANCHING for name, _ in program.steps):
            continue  # another example is then another program
        generator = np.random.default_rng(seed)
        which = [k for k in range(len(program.inputs)) if generator.random() < 0.5]
        examples = {k: np.array([program.inputs[k], *generator.normal(size=2)]) for k in which}
        signals = generator.normal(size=3)
        runs = [_run_eagerly(program, examples, b, signals[b]) for b in range(3)] if which else []
        if not runs or not np.isfinite([number for run in runs for part in run for number in part]).all():
            continue
        leaves = [Value(x) for x in program.inputs]
        output = program(*leaves)
        parameters = [leaf for k, leaf in enumerate(leaves) if k not in examples]
        inputs = tuple(leaves[k] for k in which)
        compiled = Compiled(
            Recording(inputs, tuple(parameters), (output,), batched=frozenset(range(len(which)))),
            wanted=range(len(which)),
        )
        try:
            run = compiled([examples[k] for k in which])
            batched = compiled.form.outputs[0].segment.batched
            found, back = _gradients(compiled, run, signals if batched else signals.sum())
        except NotFiniteError:
            continue
        assert _is_close(np.broadcast_to(run.outputs[0], 3), [result for (result,), _, _ in runs]), program
        total = np.sum([given for _, given, _ in runs], axis=0)
        assert _is_close([found.get(leaf, 0.0) for leaf in parameters], total), program
        for k in range(len(which)):
            gradient = np.zeros(3) if back.get(k) is None else back[k]
            assert _is_close(gradient, [each[k] for _, _, each in runs]), program
        compared += 1
    assert compared > 40


def _run_eagerly(program: Any, examples: dict[int, Any], b: int, signal: float) -> tuple[list[float], ...]:
    """The result, the parameters' gradients and the inputs' gradients of one example; nan where it is a constant."""
    leaves = [Value(float(examples[k][b]) if k in examples else x) for k, x in enumerate(program.inputs)]
    output = program(*leaves)
    if not isinstance(output, Value):
        return [np.nan], [], []
    output.backward(signal)
    grads = [leaf.grad or 0.0 for leaf in leaves]
    inputs = [grads[k] for k in examples]
    return [output.data], [grads[k] for k in range(len(grads)) if k not in examples], inputs


def test_an_integer_chooses_among_leaves_and_results() -> None:
    """Another integer chooses other candidates, its gradient goes there, and negative ones count from the end."""
    table = [Value(float(k)) for k in range(5)]
    w = Value(2.0)
    computed = [w * leaf for leaf in table]
    first, second = Value(table[1].data), Value(computed[3].data)
    output = first * second
    selections: dict[Any, Selection] = {first: Selection(0, tuple(table)), second: Selection(1, tuple(computed))}
    compiled = Compiled(Recording((), (*table, w), (output,), selections))
    for a, b in ((1, 3), (4, 4), (0, -1)):
        run = compiled((), (a, b))
        expected = table[a] * (w * table[b])
        for leaf in (*table, w):
            leaf.grad = None
        expected.backward()
        found, _ = _gradients(compiled, run, 1.0)
        assert run.outputs == [expected.data]
        assert [found.get(leaf, 0.0) for leaf in (*table, w)] == [leaf.grad or 0.0 for leaf in (*table, w)]
    with pytest.raises(IndexError, match="place 5 of a list of 5"):
        compiled((), (5, 0))


def test_runs_in_progress_do_not_share_memory() -> None:
    """Two runs are pulled back in any order; memory is used again only after a run is gone."""
    x = Value(3.0)
    compiled = Compiled(Recording((x,), (), (x * x,)), wanted=[0])
    first, second = compiled((2.0,)), compiled((5.0,))
    assert second.pull((1.0,))[1][0] == 10.0
    assert first.pull((1.0,))[1][0] == 4.0
    assert first.pull((3.0,))[1][0] == 12.0
    del first, second
    compiled((1.0,))
    assert sum(map(len, compiled._idle.values())) == 2


def test_inf_and_closed_gates_are_left_to_the_graph() -> None:
    """relu(−1)^0.5 has gradient 0 by the convention of closed gates; the formulas alone give 0 · inf = nan."""
    x = Value(2.0)
    compiled = Compiled(Recording((), (x,), (ad.sqrt(ad.relu(x)),)))
    x.data = -1.0
    run = compiled(())
    with pytest.raises(NotFiniteError, match="a gradient is not finite"):
        run.pull((1.0,))


def test_a_penalty_adds_to_what_the_layers_send() -> None:
    """Its shares go to every parameter, after all others; a parameter that it alone reaches gets them too."""
    w = [Value(0.5 * k - 1.0) for k in range(7)]
    neighbours = [a * b for a, b in pairwise(w[:6])]
    output: Any = sum(neighbours[1:], neighbours[0]) + 0.1 * sum(a * a for a in w)
    compiled = Compiled(Recording((), tuple(w), (output,)))
    found, _ = _gradients(compiled, compiled(()), 1.0)
    output.backward()
    assert [found[leaf] for leaf in w] == pytest.approx([leaf.grad for leaf in w], rel=1e-12)
