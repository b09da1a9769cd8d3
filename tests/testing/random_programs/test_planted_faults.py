"""Faults planted in the rules and in the engine are found by random programs over the whole table, and cut short.

Every fault, each from several seeds: ``python -m tests.programs.planted``.
"""

from __future__ import annotations

from typing import Any

import pytest

import autodiff as ad
from autodiff.testing.random_programs.judging import Judge
from autodiff.testing.random_programs.program import Program
from autodiff.testing.random_programs.search import Counterexample, Search, search
from tests.faults.fault import change
from tests.programs.planted import (
    ENGINE,
    MOST_EXAMPLES,
    MOST_STEPS,
    RULES,
    Planted,
    by_hypothesis,
    in_the_engine,
    in_the_table,
    spoiled,
)
from tests.support.strategies import PRIMITIVES

#: One in thirty: inputs and changes in turn.
SOME_RULES = [fault for fault in RULES if not fault.equivalent][::31]


def first(fault: Planted) -> Counterexample | None:
    """What a search finds in programs of either kind: in a few of each, in some, in all; many have the fault in one."""
    right: set[tuple[type, str]] = set()  # each search begins with the programs of the one before

    def once(judge: Judge, most: int, **asked: Any) -> Search:
        def judged(program: Program) -> str | None:
            line = program.kind, str(program)
            wrong = None if line in right else judge(program)
            if wrong is None:
                right.add(line)
            return wrong

        return search(judged, most, **asked)

    runs = (fault.search(kind, 4, most, once) for most in (6, 36, MOST_EXAMPLES) for kind in fault.kinds)
    return next((done.found for done in runs if done.found), None)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [*ENGINE, *SOME_RULES], ids=lambda fault: fault.name)
def test_planted_faults_are_found_and_cut_short(fault: Planted) -> None:
    """Found within 200 programs over the whole table, and shrunk to at most three steps."""
    found = first(fault)
    assert found is not None
    assert found.number <= MOST_EXAMPLES
    assert len(found.program.steps) <= MOST_STEPS, found


@pytest.mark.slow
@pytest.mark.parametrize("fault", SOME_RULES[::4], ids=lambda fault: fault.name)
def test_hypothesis_finds_planted_rules_too(fault: Planted) -> None:
    """Within as many programs, and shrunk to one step on ones, or to one more.

    Hypothesis's shrinker at times keeps a step that makes a number which it could also have drawn: elu(1 + 1), with two
    seeds of five.
    """
    for kind in fault.kinds:
        found = fault.search(kind, 4, driver=by_hypothesis).found
        assert found is not None
        assert found.number <= MOST_EXAMPLES
        assert len(found.program.steps) <= 2, found


def test_every_input_of_every_rule_has_its_faults() -> None:
    """What is planted nowhere would be found by nobody."""
    inputs = {fault.name.rpartition(":")[0] for fault in RULES}
    assert {f"{entry.name}, input {k + 1}" for entry in PRIMITIVES for k in range(entry.arity or 1)} <= inputs
    assert len(RULES) == 3 * len(inputs)
    assert len(ENGINE) >= 43


def test_a_planted_fault_is_gone_afterwards() -> None:
    """The functions that differ run the fault inside the block alone, and those written from the table too."""
    fault = change(
        "shares of a first input overwritten", "autodiff/engine/slot_pass.py", "a.delta += signal", "a.delta = signal"
    )
    with in_the_engine(fault):
        assert slope() == 1.0
    assert slope() == 2.0


def test_a_planted_rule_is_gone_afterwards() -> None:
    """The table has the spoiled primitive inside the block alone."""
    right = ad.TABLE["exp"]
    with in_the_table(spoiled(right, 0, lambda share: 2.0 * share)):
        assert ad.grad(ad.TABLE["exp"])(0.0) == 2.0
    assert ad.TABLE["exp"] is right


def slope() -> float:
    """∂(−x − x)/∂x, less its sign: two shares by first inputs."""
    x = ad.Value(2.0)
    (-x - x).backward()
    return -float(x.grad)


def test_a_fault_that_fits_no_function_is_refused() -> None:
    """A fault whose text has moved would be planted nowhere."""
    gone = in_the_engine(change("gone", "autodiff/engine/backward.py", "no such text", ""))
    with pytest.raises(ValueError, match=r"'gone' changes no function of .*backward.py; its text has moved"):
        gone.__enter__()
