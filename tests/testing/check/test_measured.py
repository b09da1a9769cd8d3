"""What `tests.programs.checkers` measures at length, in short: no false alarm, next to no miss, peers far behind."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from autodiff import Value
from tests.programs.checkers import SPOILED, Case, cases, measured, ours


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["smooth", "wide", "kinked"])
def test_no_false_alarm_and_next_to_no_miss(kind: str) -> None:
    """Fifteen programs of each kind, each with its right gradient and six spoiled ones."""
    tallies, lost = measured(kind, 15, 3, {"ours": ours})
    assert tallies["ours"].right["wrong"] == 0
    for size in SPOILED:
        allowed = 3 if size == "1e−6" else 1
        assert tallies["ours"].missed[size] - lost[size] <= allowed, size


def test_a_spoiled_edge_is_what_it_says() -> None:
    """The gradient with one edge spoiled differs, with a factor of 1 it does not, and it is the engine's without."""
    for case in cases("smooth", 20, 1):
        x = case.point
        leaves = [Value(a) for a in x]
        case.program(*leaves).backward()
        right = case.gradient(x)
        assert right.tolist() == pytest.approx([leaf.grad or 0.0 for leaf in leaves], rel=1e-12)
        edge = case.edge(Random(0))
        assert np.array_equal(case.gradient(x, edge, 1.0), right)
        assert not np.array_equal(case.gradient(x, edge, 0.5), right)


def test_scales_are_undone() -> None:
    """A wide case is the smooth one in other units."""
    case = next(cases("wide", 1, 2))
    plain = Case(case.program, np.ones(len(case.scales)), 1.0)
    assert case.value(case.point) == pytest.approx(plain.value(plain.point) * case.unit, rel=1e-12)
    assert case.gradient(case.point) == pytest.approx(plain.gradient(plain.point) * case.unit / case.scales, rel=1e-12)
