"""Random programs meet closed gates beside infinite slopes, and are right there; a correct engine gets no red test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import autodiff as ad
from autodiff import Tensor, Value, gradients
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.random_programs.judging import dual_fault
from autodiff.testing.random_programs.operations import GATES, vocabulary
from autodiff.testing.random_programs.program import Program, resolve
from autodiff.testing.random_programs.search import search
from autodiff.testing.relations.metamorphic import relation_fault
from tests.support.strategies import VOCABULARY

KINDS = pytest.mark.parametrize("kind", [Value, Tensor], ids=["Value", "Tensor"])
ORDERS = pytest.mark.parametrize("order", [1, 2])
#: Ten with the profile ``thorough``: that many times as many programs are drawn. Every operation is checked alone in
#: `tests.primitives.test_every_primitive`.
TIMES = max(1, settings().max_examples // 100)
OF_NUMBERS = [name for name in GATES if name in VOCABULARY[Value]]
#: What is smooth at 0, where a slope inside is infinite, with its slope there.
SMOOTH_AT_0 = {
    "clipped_length": 0.0, "length_of_1_or_more": 0.0, "reciprocal_of_4_or_less": 0.0, "difference_beyond_1": 0.0,
    "length_times_0": 1.0,
}  # fmt: skip


def at(kind: type, name: str, x: float) -> Program:
    """One gate whose operands are all ``x``."""
    operation = vocabulary(kind)[name]
    inputs = [x if kind is Value else np.full(shape, x) for shape in operation.shapes]
    program = resolve([(name, *range(operation.arity)[::-1])], inputs)
    assert len(program.steps) == 1
    return program


@KINDS
@ORDERS
@pytest.mark.parametrize("name", GATES)
def test_every_gate_is_right_on_either_side(name: str, order: int, kind: type) -> None:
    """Most are open at ¾ and shut at −1¼: the gradient is that of differences, at both orders."""
    for x in (0.75, -1.25):
        if name in VOCABULARY[kind] and VOCABULARY[kind][name].fits(*(x,) * VOCABULARY[kind][name].arity):
            program = at(kind, name, x)
            report = check_gradients(program, *program.inputs, order=order)
            assert report.passed if order == 1 else report, report  # the second derivative 0 of √x² is hard to tell


@KINDS
@pytest.mark.parametrize(("name", "slope"), SMOOTH_AT_0.items())
def test_a_gate_is_right_where_the_slope_inside_is_infinite(name: str, slope: float, kind: type) -> None:
    """At 0 itself, where f is smooth: dual numbers and differences say the same."""
    program = at(kind, name, 0.0)
    leaves = program.leaves()
    found = gradients(program(*leaves), leaves)
    weight: Any = program.weights[0][1]
    np.testing.assert_array_equal(found, np.reshape([slope * weight, 0.0][: len(leaves)], np.shape(found)))
    assert check_gradients(program, *program.inputs).passed
    if kind is Value:
        assert dual_fault(program) is None


@pytest.mark.parametrize("name", GATES)
def test_a_gate_prints_as_python_that_does_not_warn(name: str) -> None:
    """Also where NumPy would warn of what the gate hides; the line is read back, and the values are the same."""
    for x in (0.0, -1.0):
        if vocabulary(Tensor)[name].fits(*(np.full(shape, x) for shape in vocabulary(Tensor)[name].shapes)):
            program = at(Tensor, name, x)
            scope: dict[str, Any] = {}
            exec(program.python(), scope)
            assert scope["output"].data == program(*program.leaves()).data
            assert Program.parse(str(program)) == program


@pytest.mark.slow
@KINDS
def test_programs_of_gates_hold_all_relations(kind: type) -> None:
    """Before and behind each other, at their boundaries and not."""
    known = vocabulary(kind, of=["add", "multiply", "exp", *GATES])
    done = search(relation_fault, TIMES * (25 if kind is Value else 12), kind=kind, operations=known)
    assert done.found is None, done


def test_programs_stand_on_the_boundaries_of_gates() -> None:
    """Of the calls of gates in a few hundred programs over the whole table, a fifth have an operand 0."""
    on, calls = 0, 0

    def judge(program: Program) -> None:
        nonlocal on, calls
        values = program.values(program.operations, program.inputs)
        operands = [[values[k] for k in used] for name, used in program.steps if name in GATES]
        calls, on = calls + len(operands), on + sum(0.0 in each for each in operands)

    search(judge, 400, operations=VOCABULARY[Value])
    assert calls > 200
    assert on > calls / 5


@pytest.mark.slow
@KINDS
@ORDERS
def test_a_correct_engine_gets_no_red_test(order: int, kind: type) -> None:
    """Away from kinks, as `programs` draws them, every report of a random program is true."""

    def judge(program: Program) -> str | None:
        report = check_gradients(program, *program.inputs, order=order)
        return None if report else str(report)

    count = TIMES * (50 if kind is Value else 12)
    done = search(judge, count, kind=kind, operations=VOCABULARY[kind], length=6, kinks="nowhere")
    assert done.found is None, done


def test_kinks_that_do_not_fit_together_are_left_out() -> None:
    """relu(x) − relu(−x) at 0 is isolated at order 1, elu(x) + elu(−x) at order 2: neither is drawn away from kinks."""
    for name, join, order in (("relu", "subtract", 1), ("elu", "add", 2)):
        steps = [(name, 0), ("negative", 1), (name, 0), (join, 2, 0)]
        assert not check_gradients(resolve(steps, [0.0]), 0.0, order=order)
        assert name not in str(resolve(steps, [0.0], kinks="nowhere"))
        assert str(resolve(steps, [0.5], kinks="nowhere")).count(name) == 2


def test_a_second_derivative_beside_a_constant_0_does_not_raise() -> None:
    """x/0 behind a closed gate, with 0 a plain number: 0 at both orders, as for x/y with a Value 0."""
    for zero in (0.0, Value(0.0)):
        x = Value(0.5)
        slope = gradients(ad.where(False, ad.divide(x, zero), x * x), x, create_graph=True)
        assert slope.data == 1.0
        assert gradients(slope, x) == 2.0
