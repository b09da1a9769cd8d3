"""The inner loop: thousands of random programs a second from a plain generator, and a small greedy shrinker.

For continuous integration and for tables of planted faults; `autodiff.testing.strategies` draws the same programs with
hypothesis, which keeps a database and explains.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import numpy as np

from autodiff.graph import Node
from autodiff.node import Value
from autodiff.testing.operations import Vocabulary, vocabulary
from autodiff.testing.program import Instruction, Kinks, Program, resolve

__all__ = ["SHAPES", "Counterexample", "Fault", "random_program", "search", "shortest"]

Fault = Callable[[Program], str | None]

SHAPES: Final = ((), (1,), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (3, 3), (2, 2, 3), (2, 1, 3))
#: Numbers to try in place of others, the simplest first.
_SIMPLE: Final = (1.0, 2.0, 3.0, 0.0, -1.0, -2.0, -3.0, 0.5)
_MOST_OPERANDS: Final = 5


@dataclass(frozen=True)
class Counterexample:
    """A program with a fault: the shortest found, what is wrong with it, the program drawn, and its number."""

    program: Program
    reason: str
    drawn: Program
    number: int

    def __str__(self) -> str:
        return f"{self.reason}\nprogram {self.number}: {self.program!r}\n\n{self.program.python()}"


def random_program(
    random: Random,
    kind: type[Node] = Value,
    *,
    operations: Vocabulary | None = None,
    length: int = 12,
    kinks: Kinks = "anywhere",
) -> Program:
    """A program of up to ``length`` steps made of one to four operations: few kinds meet more often.

    Args:
        random: where all choices come from: the same state gives the same program.
        kind: over Values or Tensors.
        operations: what it may be made of; the table's `vocabulary` of ``kind`` if left out.
        kinks: see `resolve`.

    >>> random_program(Random(5), operations=vocabulary(Value, of=["add", "exp"]), length=3)
    Program.parse('Value -1.5056840636294535 1.0; exp 0')
    """
    known = vocabulary(kind) if operations is None else operations
    names = list(known)
    kinds = random.sample(names, min(random.randint(1, 4), len(names)))
    inputs = _numbers(random) if kind is Value else _arrays(random, known, kinds)
    instructions = [_instruction(random, kinds) for _ in range(random.randint(1, length))]
    return resolve(instructions, inputs, known, kinks=kinks)


def _instruction(random: Random, kinds: Sequence[str]) -> Instruction:
    return (kinds[int(random.random() * len(kinds))], *(int(random.random() * 8) for _ in range(_MOST_OPERANDS)))


def _numbers(random: Random) -> list[float]:
    return [_number(random) for _ in range(random.randint(1, 3))]


def _number(random: Random) -> float:
    """Mostly small integers: ties, kinks and repeated values lie there."""
    way = random.random()
    return float(random.randint(1, 3) if way < 0.4 else random.randint(-3, 3)) if way < 0.7 else random.uniform(-3, 3)


def _arrays(random: Random, known: Vocabulary, kinds: Sequence[str]) -> list[Any]:
    """Arrays of quarters, with ties and zeros among them; half of the shapes are those that an operation needs."""
    needed = [shape for name in kinds for shape in known[name].shapes]
    chosen = [*needed[:2], random.choice(SHAPES)] if random.random() < 0.5 else []
    shapes = chosen or [random.choice(SHAPES) for _ in range(random.randint(1, 3))]
    return [_array(random, shape) for shape in shapes]


def _array(random: Random, shape: tuple[int, ...]) -> Any:
    count = int(np.prod(shape))
    return np.array([random.randint(-12, 12) / 4.0 for _ in range(count)]).reshape(shape)


def search(
    fault: Fault,
    count: int,
    *,
    kind: type[Node] = Value,
    seed: int = 0,
    operations: Vocabulary | None = None,
    length: int = 12,
    kinks: Kinks = "anywhere",
) -> Counterexample | None:
    """The first of ``count`` random programs with a fault, made as short as it can be; None if all are right.

    Args:
        fault: says what is wrong with a program, None if nothing; what it raises counts as a fault.
        seed: the same seed draws the same programs.

    The rest as in `random_program`.

    >>> found = search(lambda p: "it has a product" if "multiply" in str(p) else None, 1000)
    >>> found.program
    Program.parse('Value 1.0; multiply 0 0')
    """
    random = Random(seed)
    known = vocabulary(kind) if operations is None else operations
    for number in range(1, count + 1):
        program = random_program(random, kind, operations=known, length=length, kinks=kinks)
        if _account(fault, program) is not None:
            least = shortest(program, lambda candidate: _account(fault, candidate) is not None)
            return Counterexample(least, _account(fault, least) or "", program, number)
    return None


def _account(fault: Fault, program: Program) -> str | None:
    try:
        return fault(program)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def shortest(
    program: Program, fails: Callable[[Program], bool], *, kinks: Kinks = "anywhere", most: int = 5000
) -> Program:
    """The smallest program that still fails, greedily: fewer steps, fewer inputs, simpler numbers, nearer operands.

    Args:
        fails: whether a program has the fault; it is asked ``most`` times at the most.

    >>> shortest(Program.parse("Value 1.5; cos 0; sin 1; square 0"), lambda p: "sin" in str(p))
    Program.parse('Value 1.0; sin 0')
    """
    smaller: Iterator[Program] = _smaller(program, kinks)
    for _ in range(most):
        candidate = next(smaller, None)
        if candidate is None:
            break
        if fails(candidate):
            program, smaller = candidate, _smaller(candidate, kinks)
    return program


def _smaller(program: Program, kinks: Kinks) -> Iterator[Program]:
    """Programs with something left out or made simpler, the boldest first."""
    size = _size(program)
    for instructions, inputs in _simpler(program.instructions, list(program.inputs)):
        candidate = resolve(instructions, inputs, program.operations, kinks=kinks)
        if _size(candidate) < size:
            yield candidate


def _simpler(instructions: list[Instruction], inputs: list[Any]) -> Iterator[tuple[list[Instruction], list[Any]]]:
    for k in reversed(range(len(instructions))):
        yield instructions[:k] + instructions[k + 1 :], inputs
    for k in range(len(inputs) if len(inputs) > 1 else 0):
        yield instructions, inputs[:k] + inputs[k + 1 :]
    for k, x in enumerate(inputs):
        for simple in _simpler_inputs(x):
            yield instructions, [*inputs[:k], simple, *inputs[k + 1 :]]
    for k, (name, *back) in enumerate(instructions):
        for j, steps in enumerate(back):
            for fewer in range(steps):
                yield [*instructions[:k], (name, *back[:j], fewer, *back[j + 1 :]), *instructions[k + 1 :]], inputs


def _simpler_inputs(x: Any) -> Iterator[Any]:
    if not isinstance(x, np.ndarray):
        yield from _SIMPLE
        return
    for shape in SHAPES:
        if len(shape) <= x.ndim and np.prod(shape) < x.size:
            yield np.resize(x, shape)
    for number in _SIMPLE:
        yield np.full(x.shape, number)
    for place in np.ndindex(x.shape):
        for number in _SIMPLE:
            moved = x.copy()
            moved[place] = number
            yield moved


def _size(program: Program) -> tuple[int, ...]:
    numbers = [float(x) for item in program.inputs for x in np.ravel(item)]
    backs = sum(sum(back) for _, *back in program.instructions)
    return len(program.steps), len(program.inputs), len(numbers), sum(map(_complexity, numbers)), backs


def _complexity(x: float) -> int:
    return _SIMPLE.index(x) if x in _SIMPLE else len(_SIMPLE) + len(repr(x))
