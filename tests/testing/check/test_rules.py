"""The check is itself checked: a rule of every primitive is spoiled, and must be found and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import TABLE
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.report import Report
from tests.support.present import present

#: The derivative of sign is 0 everywhere, as that of a slope in its point is, and 1.001 · 0 is 0.
SLOTS = [
    (entry, slot)
    for entry in TABLE.values()
    if entry.name not in ("sign", "floor", "ceil", "trunc", "rint", "floor_divide")  # of derivative 0
    for slot in range(entry.arity or (1 if entry.packed else 2))
    if (entry.name, slot) != ("by_convention", 1)
]


def twin(define: Any, entry: Primitive, slot: int, factor: float) -> Primitive:
    """A primitive that computes the same, whose rule for one input gives ``factor`` times as much."""

    def spoiled(k: int) -> Any:
        rule = entry.rule(k)
        return (lambda *given, **params: rule(*given, **params) * factor) if k == slot else rule

    rules = (lambda k, *given, **params: spoiled(k)(*given, **params)) if entry.arity is None else (
        [spoiled(k) for k in range(entry.arity)]
    )  # fmt: skip
    made: Primitive = define(
        f"spoiled_{entry.name}", entry.forward, rules, domain=entry.domain[0], elementwise=entry.elementwise,
        reduces=entry.reduces, singular=entry.singular, gate=entry.gate, multilinear=entry.multilinear,
        packed=entry.packed,
    )  # fmt: skip
    return made


def points_of(entry: Primitive) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Arrays in the domain, of each example's shapes (four numbers where that has no axes), largest first; params."""
    examples = entry.examples or [ad.Example(((),) * (entry.arity or 2))]
    random = np.random.default_rng(12)
    for example in sorted(examples, key=lambda each: -sum(map(len, each.shapes))):
        domains = (entry.domain * len(example.shapes))[: len(example.shapes)]
        points = [
            domain.draw(random, shape or (4,) * entry.elementwise)
            for domain, shape in zip(domains, example.shapes, strict=True)
        ]
        yield points, dict(example.params)


@pytest.mark.slow
@pytest.mark.parametrize(("entry", "slot"), SLOTS, ids=[f"{entry.name}-{slot}" for entry, slot in SLOTS])
def test_a_spoiled_rule_is_found_and_named(define: Callable[..., Primitive], entry: Primitive, slot: int) -> None:
    """0.1 % too much for one input of one primitive in the middle of a program."""
    wrong = twin(define, entry, slot, 1.001)

    def report_at(points: list[Any], params: dict[str, Any]) -> Report:
        def f(*xs: Any) -> Any:
            copies = [x * 1.0 for x in xs]
            return ad.sin(wrong(copies, **params) if entry.packed else wrong(*copies, **params))

        return check_gradients(f, *points)

    reports = (report_at(*point) for point in points_of(entry))  # at some, such as x⁰, there is nothing to spoil
    report = next((report for report in reports if report.failed), None)
    assert report is not None
    blame = present(report.blame)
    assert blame.kind == "rule"
    assert blame.slot in (slot, None)
    assert f"the rule of {wrong.name}" in blame.sentence
