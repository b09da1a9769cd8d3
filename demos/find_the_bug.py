"""Three wrong gradients that everybody writes once: each is found, shrunk to its smallest program, named and drawn.

Run it with ``python demos/find_the_bug.py [FOLDER]``; the pictures go to FOLDER (the current one if left out).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import autodiff as ad
from autodiff.system.console import readable_output
from autodiff.testing.check.gradients import check_gradients
from autodiff.testing.check.picture import drawing
from autodiff.testing.check.report import Blame, Report
from autodiff.testing.random_programs.operations import vocabulary
from autodiff.testing.random_programs.program import Program
from autodiff.testing.random_programs.search import search


@dataclass(frozen=True)
class Bug:
    """A wrong gradient: the wrong text, the right text, the check of a program, and the operations of programs."""

    name: str
    wrong: str
    right: str
    check: Callable[[Program, int | None], Report]
    operations: tuple[str, ...]
    kind: type = ad.Value


# ---- the first: `=` instead of `+=` ----------------------------------------------------------------------------------


class Number:
    """A float with a gradient, in the twenty lines that everybody writes; one `+` is missing."""

    def __init__(self, data: float, edges: tuple[tuple[Number, float], ...] = ()) -> None:
        self.data, self.edges, self.grad = data, edges, 0.0

    def __add__(self, other: Number) -> Number:
        return Number(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Number | float) -> Number:
        other = other if isinstance(other, Number) else Number(other)
        return Number(self.data * other.data, ((self, other.data), (other, self.data)))

    def backward(self) -> None:
        """Compute the error signals of all numbers from which this one was computed, consumers first."""
        self.grad = 1.0
        for number in reversed(list(_ordered(self, set()))):
            for item, local in number.edges:
                item.grad = number.grad * local  # the bug: it should be +=


def _ordered(number: Number, seen: set[Number]) -> Iterator[Number]:
    if number not in seen:
        seen.add(number)
        for item, _ in number.edges:
            yield from _ordered(item, seen)
        yield number


ENGINE: dict[str, Callable[..., Any]] = {"add": lambda x, y: x + y, "multiply": lambda x, y: x * y}


def check_number(program: Program, directions: int | None = None) -> Report:
    """The gradient of a program by `Number`, as a pair of functions of floats."""

    def gradient(*inputs: float) -> list[float]:
        numbers = [Number(x) for x in inputs]
        program.output(ENGINE, numbers).backward()
        return [number.grad for number in numbers]

    report = check_gradients(
        program, *program.inputs, gradient=lambda *inputs: tuple(gradient(*inputs)), directions=directions
    )
    if not report.failed:
        return report
    return replace(report, blame=blame_of_number(program))


def blame_of_number(program: Program) -> Blame | None:
    """The diagnosis: is an operation wrong by itself? If none is, which number has less than the sum of its shares?"""
    values = list(program.inputs)
    for name, operands in program.steps:
        inputs = [values[k] for k in operands]
        if not is_right_by_itself(name, inputs):
            return Blame("rule", f"the edges of {name} are wrong at {inputs}", program.python())
        values.append(ENGINE[name](*map(Number, inputs)).data)
    numbers = [Number(x) for x in program.inputs]
    output = program.output(ENGINE, numbers)
    output.backward()
    leaves = [ad.Value(x, name=f"x{k}") for k, x in enumerate(program.inputs)]
    for leaf, number in zip(leaves, numbers, strict=True):
        shares = [one.grad * local for one in _ordered(output, set()) for item, local in one.edges if item is number]
        if number.grad != sum(shares):
            kept = "only one was kept" if number.grad in shares else "the sum is wrong"
            sentence = (
                f"each edge is right by itself; {leaf.name} got {number.grad:g} instead of {sum(shares):g}: "
                f"of its {len(shares)} shares, {kept}"
            )
            return Blame("accumulation", sentence, program.python(), program(*leaves), None)
    return None


def is_right_by_itself(name: str, inputs: list[float]) -> bool:
    """Whether an operation on new numbers, which nothing else uses, has the right gradient."""

    def gradient(*given: float) -> tuple[float, ...]:
        numbers = [Number(x) for x in given]
        ENGINE[name](*numbers).backward()
        return tuple(number.grad for number in numbers)

    return check_gradients(lambda *given: ENGINE[name](*map(Number, given)).data, *inputs, gradient=gradient).passed


# ---- the second and the third: wrong rules ---------------------------------------------------------------------------


def check_own(program: Program, directions: int | None = None) -> Report:
    """The check of a program of primitives, one of which has a wrong rule."""
    return check_gradients(program, *program.inputs, directions=directions)


def define_wrong_rules() -> None:
    """Two primitives with the right forward and a wrong rule."""
    ad.primitive(
        "sigmoid_unit", lambda xp, z: xp.logistic(z),
        [lambda g, a, z: g * (ad.sigmoid(a) * (1.0 - ad.sigmoid(a)))],  # the bug: f′(a); it should be f′(z)
        symbol="σ",
    )  # fmt: skip
    ad.primitive(
        "dense", lambda xp, W, x: W @ x,
        [lambda g, z, W, x: ad.outer(g, x), lambda g, z, W, x: W @ g],  # the bug: it should be W.T @ g
        symbol="W·x", elementwise=False, examples=[ad.Example(((2, 2), (2,)))],
    )  # fmt: skip


BUGS = (
    Bug("a missing +=", "item.grad = share", "item.grad += share", check_number, ("add", "multiply")),
    Bug("f′(a) instead of f′(z)", "g·f′(a)", "g·f′(z)", check_own, ("add", "multiply", "tanh", "sigmoid_unit")),
    Bug("a transposed weight", "δ⁽ᵏ⁾ = W δ⁽ᵏ⁺¹⁾", "δ⁽ᵏ⁾ = Wᵀ δ⁽ᵏ⁺¹⁾", check_own, ("add", "tanh", "dense"), ad.Tensor),
)


@readable_output()
def main(folder: Path) -> None:
    """Find the bugs one after the other, and save a picture of each."""
    define_wrong_rules()
    for k, bug in enumerate(BUGS, 1):
        known = vocabulary(bug.kind, of=bug.operations)

        def fault(program: Program, bug: Bug = bug) -> str | None:
            report = bug.check(program, 1)  # one random direction finds a wrong entry; the second check names it
            return str(report) if report.failed else None

        done = search(fault, 1000, kind=bug.kind, operations=known)
        if done.found is None:
            raise SystemExit(f"{bug.name} was not found in {done.tried} programs")
        report = bug.check(done.found.program, None)
        saved = drawing(report).save(folder / f"bug-{k}.svg")
        steps = len(done.found.program.steps)
        print(f"Bug {k}: {bug.name}: {bug.wrong!r} instead of {bug.right!r}.")
        drawn = len(done.found.drawn.steps)
        print(f"Found in program {done.found.number} ({drawn} steps); shrunk to {steps}.")
        print(f"\n{report}\n\nThe picture is {saved.path}.\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
