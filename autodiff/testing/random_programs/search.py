"""The search: random programs, a judge, and the first program that fails, shrunk.

It serves continuous integration and tables of planted faults; `autodiff.testing.hooks.strategies` draws the same
programs with hypothesis, which keeps a database and explains failures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Final

from autodiff.primitives.namespace import WholeNumber
from autodiff.primitives.operands import describe, whole_number
from autodiff.testing.random_programs.judging import Judge, OtherKindError, Undecided
from autodiff.testing.random_programs.operations import Kind, Vocabulary, chosen
from autodiff.testing.random_programs.program import Kinks, Program
from autodiff.testing.random_programs.sampling import dealt, random_program
from autodiff.testing.random_programs.shrinking import shortest
from autodiff.values.value import Value

__all__ = ["Counterexample", "Search", "search"]

_HEADS: Final = 2  # operations that each program of a search begins with


@dataclass(frozen=True)
class Counterexample:
    """A program with a fault: the shortest found, the reason, the program as drawn, and its number (from 1)."""

    program: Program
    reason: str
    drawn: Program
    number: int

    def __str__(self) -> str:
        return f"{self.reason}\nprogram {self.number}: {self.program!r}\n\n{self.program.python()}"


@dataclass
class Search:
    """The result of a search: programs ``tried``, those ``undecided``, and the first counterexample ``found``.

    ``passed`` counts, for every operation, the programs with it that were found right: a skip is not a pass.
    """

    tried: int = 0
    undecided: int = 0
    found: Counterexample | None = None
    passed: Counter[str] = field(default_factory=Counter)

    def never_passed(self, operations: Iterable[str]) -> list[str]:
        """The operations that occur in no program found right."""
        return [name for name in operations if not self.passed[name]]

    def __str__(self) -> str:
        end = "no fault found" if self.found is None else str(self.found)
        return f"{self.tried:,} programs, {self.undecided:,} undecided: {end}"


def search(
    judge: Judge,
    count: WholeNumber,
    *,
    kind: Kind = Value,
    seed: WholeNumber = 0,
    operations: Vocabulary | None = None,
    length: WholeNumber = 12,
    kinks: Kinks = "anywhere",
) -> Search:
    """Try up to ``count`` random programs until one has a fault, and shrink it.

    Args:
        judge: `dual_fault` or `autodiff.testing.relation_fault`, or any function that returns what is wrong with a
            program, None if it is right; it raises `Undecided` if it cannot decide. Any other exception is a fault.
        count: the largest number of programs to try; at least 0.
        seed: a whole number of at least 0; the same seed draws the same programs.
        kind, operations, length, kinks: as in `random_program`.

    Raises:
        TypeError: if an argument is of another type; `OtherKindError` if the judge cannot judge programs over ``kind``.
        ValueError: if ``count`` or ``seed`` is below 0, ``length`` is below 1, or there are no operations.

    >>> done = search(lambda p: "it has a product" if "multiply" in str(p) else None, 1000)
    >>> done.found.program
    Program.parse('Value 1.0; multiply 0 0')
    """
    if not callable(judge):
        raise TypeError(f"judge must be a function that returns the fault of a program, and got {describe(judge)}")
    whole_number(count, "the number of programs")
    length = whole_number(length, "the length of a program", least=1)
    random, done = Random(whole_number(seed, "the seed")), Search()
    known = chosen(kind, operations)
    deck = dealt(random, list(known))
    while done.tried < count and done.found is None:
        heads = list(islice(deck, min(_HEADS, length)))
        program = random_program(random, kind, operations=known, length=length, kinks=kinks, must_include=heads)
        done.tried += 1
        try:
            reason = _reason(judge, program)
        except Undecided:
            done.undecided += 1
            continue
        if reason is None:
            done.passed.update({name for name, _ in program.steps})
        else:
            done.found = _least(judge, program, done.tried, kinks)
    return done


def _reason(judge: Judge, program: Program) -> str | None:
    try:
        return judge(program)
    except (Undecided, OtherKindError):
        raise
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _least(judge: Judge, program: Program, number: int, kinks: Kinks) -> Counterexample:
    def fails(candidate: Program) -> bool:
        try:
            return _reason(judge, candidate) is not None
        except Undecided:
            return False

    least = shortest(program, fails, kinks=kinks)
    return Counterexample(least, str(_reason(judge, least)), program, number)
