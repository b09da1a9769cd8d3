"""The inner loop: programs against dual numbers, planted faults found and cut short, the shrinker by itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

import autodiff as ad
from autodiff.testing.random_programs.judging import Undecided, dual_fault
from autodiff.testing.random_programs.operations import vocabulary
from autodiff.testing.random_programs.program import Program
from autodiff.testing.random_programs.sampling import random_program
from autodiff.testing.random_programs.search import Search, search
from autodiff.testing.random_programs.shrinking import shortest
from autodiff.testing.relations.metamorphic import relation_fault
from tests.support.strategies import VOCABULARY

_THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


@pytest.mark.slow
def test_programs_agree_with_dual_numbers() -> None:
    """Reverse mode against forward mode in dual numbers, which share no rule: a million programs when thorough."""
    every = VOCABULARY[ad.Value]
    done = search(dual_fault, 1_000_000 if _THOROUGH else 10_000, seed=20, operations=every)
    assert done.found is None, done
    assert done.never_passed(every) == []
    assert done.undecided < 0.2 * done.tried  # many stand on the boundaries of gates


def test_the_same_seed_draws_the_same_programs() -> None:
    """All choices come from the generator, none from addresses or hashes."""
    for kind, every in VOCABULARY.items():
        first, second = ([random_program(Random(7), kind, operations=every) for _ in range(3)] for _ in range(2))
        assert first == second


# ---- planted faults of rules; those of the engine are in test_planted_faults -----------------------------------------


@pytest.mark.parametrize("spoil", [lambda share: 1.001 * share, lambda share: -share, lambda share: 0.0 * share])
def test_a_wrong_rule_is_found_and_cut_to_one_step(
    spoil: Callable[[Any], Any], define: Callable[..., ad.Primitive]
) -> None:
    """A share that is scaled, flipped or dropped: the program shrinks to the one wrong primitive."""
    define("mist", lambda xp, x: xp.sin(x), [lambda g, z, x: spoil(g * ad.cos(x))])
    done = search(dual_fault, 200, operations=vocabulary(ad.Value, of=["add", "multiply", "exp", "mist"]), seed=2)
    assert done.found is not None
    assert str(done.found.program) == "Value 1.0; mist 0"
    assert "in dual numbers" in done.found.reason
    assert done.found.program.python() in str(done)


# ---- the shrinker ----------------------------------------------------------------------------------------------------


def test_shrinks_to_what_is_needed() -> None:
    """Steps, inputs, numbers and distances go, as long as the program fails."""
    long = Program.parse("Value -1.5 2.5 0.25; sin 0; add 1 3; negative 0; multiply 1 2; cos 0; add 5 1")
    assert str(shortest(long, lambda program: "multiply" in str(program))) == "Value 1.0; multiply 0 0"
    assert str(shortest(long, lambda program: len(program.inputs) == 2)) == "Value 1.0 1.0"
    two = shortest(long, lambda program: len(program.steps) >= 2)
    assert (len(two.steps), two.inputs) == (2, (1.0,))


def test_an_idle_input_goes_and_the_operands_stay() -> None:
    """A step that is wrong at 0.0 alone keeps that operand when inputs before and behind it are left out."""
    crowded = Program.parse("Value 1.0 0.0 2.0 3.0; sin 2")
    least = shortest(crowded, lambda program: any(program.inputs[k] == 0.0 for _, used in program.steps for k in used))
    assert str(least) == "Value 0.0; add 0 0"  # add comes first in the table


def test_shrinks_arrays() -> None:
    """Fewer axes and elements, then simple numbers."""
    program = Program.parse("Tensor [[0.25,-1.5],[2.0,0.5]] [1.5,0.5]; add 0 1; sin 2")
    assert str(shortest(program, lambda p: "sin" in str(p))) == "Tensor 1.0; sin 0"
    one = shortest(program, lambda p: p.inputs[0].ndim == 2 and p.inputs[0].min() < 0)
    assert str(one) == "Tensor [[-1.0]]"


def test_what_a_judge_raises_is_a_fault() -> None:
    """A crash is found and shrunk like a wrong number; what cannot be decided is counted, and no pass."""

    def crash(program: Program) -> str | None:
        if "exp" in str(program):
            raise KeyError("lost")
        raise Undecided

    done = search(crash, 500, operations=VOCABULARY[ad.Value])
    assert done.found is not None
    assert str(done.found.program).startswith("Value 1.0; exp")
    assert done.found.reason == "KeyError: 'lost'"
    assert done.undecided == done.tried - 1
    assert not done.passed


def test_dual_numbers_judge_programs_over_values_only() -> None:
    """Programs over Tensors are no counterexamples: whoever asks for them is told at once."""
    judge = pytest.raises(
        TypeError, match=r"^dual_fault judges programs over Values, and got one over Tensors; use relation"
    )
    with judge:
        search(dual_fault, 10, kind=ad.Tensor)
    done = search(relation_fault, 3, kind=ad.Tensor, operations=vocabulary(ad.Tensor, of=["add", "exp", "sum"]))
    assert (done.tried, done.found) == (3, None)


def test_programs_cannot_be_made_of_anything() -> None:
    """Another kind, no operations, an operation that is not among them: one clear sentence each."""
    with pytest.raises(TypeError, match="the class Value or the class Tensor, and got 'Value'"):
        search(dual_fault, 10, kind="Value")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a program needs at least one operation, and got none"):
        random_program(Random(0), operations={})
    with pytest.raises(ValueError, match="must_include names the unknown operation 'exq'; the operations are add, "):
        random_program(Random(0), must_include="exq")


def test_a_search_that_finds_nothing_says_what_it_did() -> None:
    """The numbers of programs, of those undecided, and what never passed."""
    done = search(lambda program: None, 50, operations=vocabulary(ad.Value, of=["add", "exp"]))
    assert str(done) == "50 programs, 0 undecided: no fault found"
    assert done.never_passed(["add", "exp", "log"]) == ["log"]
    assert Search().never_passed(["add"]) == ["add"]
