"""Every primitive, with each of its params, is in a check that passes: a skip is not a pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.report import Report
from autodiff.testing.check.verdicts import Verdict
from autodiff.testing.random_programs.operations import GATES, Operation
from autodiff.testing.random_programs.program import Program, resolve
from tests.support.cases import each
from tests.support.strategies import PRIMITIVES, VOCABULARY

KINDS = {"Value": VOCABULARY[ad.Value], "Tensor": VOCABULARY[ad.Tensor]}
EACH = [
    pytest.param(kind, name, id=f"{kind} {name}") for kind, known in KINDS.items() for name in known
    if name not in GATES
]  # fmt: skip
ORDERS = each("order", [1, 2])


def inputs_of(operation: Operation, shapes: Any, kind: str) -> list[Any]:
    """Points of the domain, away from its kinks: floats for Values."""
    random = np.random.default_rng(3)
    drawn = [np.asarray(domain.draw(random, shape)) for domain, shape in zip(operation.domains, shapes, strict=True)]
    return [float(x) for x in drawn] if kind == "Value" else drawn


def one_step(operation: Operation, inputs: list[Any]) -> Program:
    """The program that calls one operation on its inputs, in their order."""
    call = (operation.name, *range(operation.arity)[::-1])
    program = resolve([call], inputs, {operation.name: operation}, limit=50.0)
    assert len(program.steps) == 1
    return program


def passes(report: Report) -> None:
    """Assert that every entry passed: a verdict that decides nothing is a failure here."""
    assert set(report.counts) == {Verdict.PASS}, report


@pytest.mark.parametrize(("kind", "name"), EACH)
@ORDERS
def test_passes(kind: str, name: str, order: int) -> None:
    """The gradient is right at a point of the domain, to first and to second order."""
    operation = KINDS[kind][name]
    program = one_step(operation, inputs_of(operation, operation.shapes, kind))
    passes(check_gradients(program, *program.inputs, order=order))


@ORDERS
@pytest.mark.parametrize("name", [name for name, item in KINDS["Value"].items() if item.arity > 1 and item.primitive])
def test_passes_with_broadcasting(name: str, order: int) -> None:
    """Also where every operand has another shape, and shares are summed over what was repeated."""
    operation = KINDS["Value"][name]
    shapes = [((2, 3), (3,), (2, 1), (), (1, 3))[k] for k in range(operation.arity)]
    program = one_step(operation, inputs_of(operation, shapes, "Tensor"))
    passes(check_gradients(program, *program.inputs, order=order))


@pytest.mark.parametrize(
    "name", ["add", "subtract", "multiply", "divide", "negative", "square", "reciprocal", "identity"]
)
def test_arithmetic_is_exact_in_fractions(name: str) -> None:
    """Polynomials and quotients over Fractions: equal to the last digit, with no tolerance."""
    operation = KINDS["Value"][name]
    program = one_step(operation, [0.5, 2.0][: operation.arity])
    report = check_gradients(program, *program.inputs, oracle="exact")
    passes(report)
    assert {finding.oracle for finding in report.findings} == {"exact"}


def test_every_primitive_is_asked_for() -> None:
    """Each test above fails unless all its entries pass; together they cover every primitive of the table."""
    asked = {kind: {str(item.primitive) for item in known.values() if item.primitive} for kind, known in KINDS.items()}
    assert asked["Tensor"] == {str(entry) for entry in PRIMITIVES}
    assert asked["Value"] == {str(entry) for entry in PRIMITIVES if entry.elementwise}
