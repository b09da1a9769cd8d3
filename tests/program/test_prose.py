"""A program's source: what a person could have written, with the numbers of the compiled program, or a refusal."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.program.checking import ProgramError
from autodiff.program.compiled import Compiled, NotFiniteError
from autodiff.program.prose.contents import Assign, Change
from autodiff.program.prose.expressions import Array, Expr, elementwise, number, ref
from autodiff.program.prose.printing import lines_of
from autodiff.program.prose.source import NotPlainError, prose
from autodiff.program.recording.recording import Recording
from autodiff.testing import random_program


def _agrees(kind: Any, seed: int) -> str:
    """Compare the source of a random program with the compiled one; "right", or why it was not compared."""
    program = random_program(Random(seed), kind, length=12)
    leaves = [kind(x) for x in program.inputs]
    output = program(*leaves)
    if not isinstance(output, kind) or not np.isfinite(output.data).all():
        return "not finite"
    compiled = Compiled(Recording((), tuple(leaves), (output,)))
    try:
        run = compiled(())
        found, _ = run.pull((np.ones(output.data.shape) if kind is Tensor else 1.0,))
    except (NotFiniteError, IndexError):
        return "not finite"
    try:
        told = prose(compiled.form)
    except NotPlainError:
        return "refused"
    if told.calls:
        return "calls"
    segments = compiled.form.parameters
    given = [np.array([leaf.data for leaf in each]).reshape(segment.shape) for segment, each in segments.items()]
    results = _run(told.text, *given)
    gradients = [np.zeros(s.shape) if each is None else each for s, each in zip(segments, found, strict=True)]
    for got, expected in zip(results, [run.outputs[0], *gradients], strict=True):
        scale = max(1e-9, float(np.abs(expected).max(initial=0.0)))
        assert np.shape(got) == np.shape(expected), told.text
        assert np.allclose(got, expected, rtol=1e-9, atol=1e-9 * scale), told.text
    return "right"


def _run(text: str, *given: Any) -> Any:
    scope: dict[str, Any] = {}
    exec(text, scope)
    with np.errstate(all="ignore"):
        return scope["step"](*given)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_random_programs(kind: Any) -> None:
    """The whole table; none is wrong, and half or more are told without a call that NumPy does not have."""
    found = [_agrees(kind, seed) for seed in range(12)]
    assert found.count("right") >= 6


@pytest.mark.slow
@pytest.mark.parametrize("kind", [Value, Tensor])
def test_many_random_programs(kind: Any) -> None:
    """As above, for 300 of each kind."""
    found = [_agrees(kind, seed) for seed in range(300)]
    assert found.count("right") >= 150


def _layer() -> Any:
    random = Random(0)
    W = [[Value(random.gauss(0.0, 1.0)) for _ in range(3)] for _ in range(4)]
    b, U = [Value(random.gauss(0.0, 1.0)) for _ in range(4)], [Value(random.gauss(0.0, 1.0)) for _ in range(4)]

    def step(x: list[Any]) -> Any:
        layer = [sum((w * v for w, v in zip(row, x, strict=True)), each) for row, each in zip(W, b, strict=True)]
        return sum(u * z.relu() for u, z in zip(U, layer, strict=True))

    return step


def test_source_reads_as_the_notes_do() -> None:
    """The layers are matrix products, and the error signals have the notes' names."""
    step = _layer()
    program = ad.program(step)
    program([1.0, 2.0, 3.0])
    assert "a1 = np.maximum(W1 @ x + b1, 0.0)" in program.source
    assert "delta1 = W2 * np.sign(a1)" in program.source
    assert "dW1 = delta1[:, None] * x" in program.source


def test_formula() -> None:
    """The notes' letters, in Unicode and LaTeX."""
    program = ad.program(_layer())
    program([1.0, 2.0, 3.0])
    assert "a⁽¹⁾ = max(W⁽¹⁾ x + b⁽¹⁾, 0.0)" in program.formula
    assert "δ⁽¹⁾ = W⁽²⁾ ∘ sign(a⁽¹⁾)" in program.formula
    assert "∂W⁽¹⁾ = δ⁽¹⁾ xᵀ" in program.formula
    assert r"\delta ^{(1)} &= W^{(2)} \circ sign(a^{(1)})" in program.formula.latex


def test_source_of_a_batch_averages() -> None:
    """Results and gradients are those of the batched program."""
    step = _layer()
    program = ad.program(step, batch="x")
    x = np.random.default_rng(0).normal(size=(5, 3))
    J, gradients = program.value_and_grad(x)
    groups = Compiled(program.programs[-1].recording).leaves
    found, *slopes = _run(program.source, *_data(program), x)
    assert np.isclose(found, J)
    for group, each in zip(groups, slopes, strict=True):
        assert np.allclose(np.ravel(each), [gradients[leaf] for leaf in group])


def _data(program: Any) -> list[Any]:
    """The parameters as the source takes them."""
    groups = Compiled(program.programs[-1].recording).form.parameters
    return [np.array([leaf.data for leaf in group]).reshape(segment.shape) for segment, group in groups.items()]


def test_an_integer_is_an_argument() -> None:
    """Another integer chooses another element, and one out of range raises."""
    table = [Value(float(k)) for k in range(5)]
    program = ad.program(lambda k: table[k] * table[k])
    program(1)
    data = np.arange(5.0)
    J, slopes = _run(program.source, data, [3])
    assert J == 9.0
    assert slopes.tolist() == [0.0, 0.0, 0.0, 6.0, 0.0]
    assert _run(program.source, data, [-1])[0] == 16.0
    with pytest.raises(IndexError):
        _run(program.source, data, [5])


def test_save(tmp_path: Path) -> None:
    """The file runs by itself; what NumPy does not have is refused by name, and shown by name in the source."""
    step = _layer()
    program = ad.program(step)
    J = program([1.0, 2.0, 3.0])
    program.save(tmp_path / "step.py")
    found, _ = _run((tmp_path / "step.py").read_text(), *_data(program), np.array([1.0, 2.0, 3.0]))
    assert np.isclose(found, J.data)
    x = Value(0.5)
    special = ad.program(lambda: ad.sinc(x))
    special()
    assert "sinc(" in special.source
    with pytest.raises(NotPlainError, match="sinc"):
        special.save(tmp_path / "sinc.py")
    assert not (tmp_path / "sinc.py").exists()


def test_names_that_the_source_uses_itself() -> None:
    """A function or a leaf may have any name, such as that of the module or of a constant."""
    w, N = Tensor([1.0, 2.0], name="np"), Tensor([3.0, 4.0], name="N")

    def c(x: Any) -> Any:
        return (w * N * x * np.array([5.0, 6.0])).sum()

    for name in ("c", "np", "lambda", "constant", "<lambda>"):
        c.__name__ = name
        program = ad.program(c, batch="x")
        x = np.array([[1.0, 2.0], [3.0, 5.0]])
        J = program(x)
        scope: dict[str, Any] = {}
        exec(program.source, scope)
        function = next(item for item in scope.values() if hasattr(item, "__code__"))
        given = {"N": N.data, "np": w.data, "x": x}
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        assert np.isclose(function(*[given[each.split("_")[0]] for each in names])[0], J.data)


def test_report_and_what_was_not_recorded() -> None:
    """Guards with their lines, what was recorded again, and an error before the first call."""
    w = Value(2.0)
    program = ad.program(lambda x: w * x if x > 0.0 else w - x)
    with pytest.raises(ProgramError, match="call it first"):
        _ = program.source
    program(1.0)
    assert "guard at" in program.report()
    assert "test_prose.py" in program.report()
    program(-1.0)
    assert "recorded again 1 x: >" in program.report()
    assert "2 recorded" in program.report()


def test_elements_in_reverse() -> None:
    """A slice that runs backward."""
    w = Tensor([1.0, 2.0, 4.0])
    program = ad.program(lambda: (w[::-1] * np.array([1.0, 10.0, 100.0])).sum())
    J = program()
    found, slopes = _run_named(program, w.data)
    assert found == J.data == 124.0
    assert slopes.tolist() == [100.0, 10.0, 1.0]


def _run_named(program: Any, *given: Any) -> Any:
    scope: dict[str, Any] = {}
    exec(program.source, scope)
    return next(item for item in scope.values() if hasattr(item, "__code__"))(*given)


def test_a_sum_of_answers_counts_them() -> None:
    """NumPy's own sum of two truths is one truth."""
    x, y = ref(Array("x", (3,))), ref(Array("y", (3,)))
    answers = [elementwise("greater", [x, y]), elementwise("greater_equal", [x, y])]
    assert elementwise("add", answers).text() == "1.0 * (x > y) + (x >= y)"


def test_a_version_that_is_read_later_keeps_its_name() -> None:
    """Versions of one array share its name only one after the other; what changes in between is not moved."""
    x, t, u = Array("x", (3,), fixed=True), Array("t", (3,)), Array("t", (3,))
    twice = elementwise("multiply", [ref(x), number(2.0)])
    statements = [Assign(t, twice), Assign(u, elementwise("add", [ref(x), number(1.0)]))]
    both = lines_of(statements, [ref(t), ref(u)], {"x"})
    assert both == ["t = x * 2.0", "t_2 = x + 1.0", "return t, t_2"]
    copied = [Assign(t, twice), Assign(u, ref(t)), Change(t, Expr("{}[0] = 5.0", (), (ref(t),), 0, (0,)))]
    assert lines_of(copied, [ref(t), ref(u)], {"x"})[1] == "t_2 = t.copy()"
