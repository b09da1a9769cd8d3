"""A small greedy shrinker: it looks for the shortest program that still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, combinations
from typing import Final

import numpy as np

from autodiff.primitives.operands import describe
from autodiff.testing.random_programs.operations import Operand
from autodiff.testing.random_programs.program import Instruction, Kinks, Program, check_program, resolve
from autodiff.testing.random_programs.sampling import SHAPES
from autodiff.values.value import Value

__all__ = ["shortest"]

_Parts = tuple[list[Instruction], list[Operand]]  # the instructions and inputs from which a program is resolved

#: Numbers to try instead of others, the simplest first.
_SIMPLE: Final = (1.0, 2.0, 3.0, 0.0, -1.0, -2.0, -3.0, 0.5)
_FRONT: Final = 3  # operations to try instead of others


def shortest(
    program: Program, fails: Callable[[Program], bool], *, kinks: Kinks = "anywhere", most: int = 5000
) -> Program:
    """The smallest program that still fails, greedily: fewer steps, fewer inputs, simpler numbers, nearer operands.

    Args:
        program: a program that fails.
        fails: returns whether a program has the fault; it is called at most ``most`` times.
        kinks: where the shrunk programs may have kinks; see `resolve`.
        most: the largest number of programs to try.

    Raises TypeError if ``program`` is not a Program, or ``fails`` not a function.

    >>> shortest(Program.parse("Value 1.5; cos 0; sin 1; square 0"), lambda p: "sin" in str(p))
    Program.parse('Value 1.0; sin 0')
    """
    check_program(program, "shortest")
    if not callable(fails):
        raise TypeError(f"fails must be a function of a program, and got {describe(fails)}")
    smaller: Iterator[Program] = _smaller(program, kinks)
    right: set[str] = set()  # ways to make programs smaller often meet
    for _ in range(most):
        candidate = next((each for each in smaller if str(each) not in right), None)
        if candidate is None:
            break
        if fails(candidate):
            program, smaller = candidate, _smaller(candidate, kinks)
        else:
            right.add(str(candidate))
    return program


def _smaller(program: Program, kinks: Kinks) -> Iterator[Program]:
    """Programs with something left out or simplified, the boldest changes first."""
    size, simpler = _size(program), _simpler(program.instructions, list(program.inputs))
    ways = _cut_open(program), _without_idle_inputs(program), _of_simpler_steps(program), simpler
    for instructions, inputs in chain(*ways):
        candidate = resolve(instructions, inputs, program.operations, kinks=kinks)
        if _size(candidate) < size:
            yield candidate


def _simpler(instructions: list[Instruction], inputs: list[Operand]) -> Iterator[_Parts]:
    places = range(len(instructions))
    for cut in [*((k,) for k in reversed(places)), *combinations(reversed(places), 2)]:
        yield [instruction for k, instruction in enumerate(instructions) if k not in cut], inputs
    for shorter in _bypassed(instructions, len(inputs)):
        yield shorter, inputs
    for k in range(len(inputs) if len(inputs) > 1 else 0):
        yield instructions, inputs[:k] + inputs[k + 1 :]
    for k, x in enumerate(inputs):
        for simple in _simpler_inputs(x):
            yield instructions, [*inputs[:k], simple, *inputs[k + 1 :]]
    for k, (name, *back) in enumerate(instructions):
        for j, steps in enumerate(back):
            for fewer in range(steps):
                yield [*instructions[:k], (name, *back[:j], fewer, *back[j + 1 :]), *instructions[k + 1 :]], inputs


def _bypassed(instructions: list[Instruction], count: int) -> Iterator[list[Instruction]]:
    """Each step replaced in turn by one of its operands wherever it was used; the first ``count`` values are inputs."""
    operands = [[count + k - 1 - steps for steps in back] for k, (_, *back) in enumerate(instructions)]
    for k in reversed(range(len(instructions))):
        for instead in sorted(set(operands[k])):
            shorter = list(instructions[:k])
            for (name, *_), places in zip(instructions[k + 1 :], operands[k + 1 :], strict=True):
                newest = count + len(shorter) - 1
                moved = (instead if place == count + k else place - (place > count + k) for place in places)
                shorter.append((name, *(newest - place for place in moved)))
            yield shorter


def _cut_open(program: Program) -> Iterator[_Parts]:
    """Each step replaced in turn by an input that holds its value."""
    count, values = len(program.inputs), list(program.inputs)
    for name, operands in program.steps:
        values.append(program.operations[name](*(values[operand] for operand in operands)))
    for k in reversed(range(len(program.steps))):
        places = [*range(count), *range(count + 1, count + 1 + k), count, *range(count + 1 + k, len(values))]
        steps = [
            (name, tuple(places[operand] for operand in operands))
            for j, (name, operands) in enumerate(program.steps)
            if j != k
        ]
        value = values[count + k] if program.kind is Value else np.array(values[count + k], dtype=float)
        inputs = (*program.inputs, value)
        yield Program(inputs, tuple(steps), (), program.operations).instructions, list(inputs)


def _without_idle_inputs(program: Program) -> Iterator[_Parts]:
    """Each input that no step uses left out in turn; the steps keep their other operands."""
    used = {operand for _, operands in program.steps for operand in operands}
    for k in [k for k in range(len(program.inputs)) if k not in used and len(program.inputs) > 1]:
        steps = tuple((name, tuple(j - (j > k) for j in operands)) for name, operands in program.steps)
        inputs = (*program.inputs[:k], *program.inputs[k + 1 :])
        yield Program(inputs, steps, (), program.operations).instructions, list(inputs)


def _of_simpler_steps(program: Program) -> Iterator[_Parts]:
    """Each step replaced in turn by one of the first operations of the vocabulary, on the same operands."""
    instructions, names = program.instructions, list(program.operations)
    for k, (name, *back) in enumerate(instructions):
        for other in names[: min(names.index(name), _FRONT)]:
            arity = program.operations[other].arity
            yield [*instructions[:k], (other, *(back * arity)[:arity]), *instructions[k + 1 :]], list(program.inputs)


def _simpler_inputs(x: Operand) -> Iterator[Operand]:
    if not isinstance(x, np.ndarray):
        yield from _SIMPLE
        return
    for shape in (*SHAPES, (1,) * x.ndim):
        if len(shape) <= x.ndim and np.prod(shape) < x.size:
            yield np.resize(x, shape)
            yield np.resize(np.flip(x), shape)
    for number in _SIMPLE:
        yield np.full(x.shape, number)
    for place in np.ndindex(x.shape):
        for number in _SIMPLE:
            moved = x.copy()
            moved[place] = number
            yield moved


def _size(program: Program) -> tuple[int, ...]:
    ranks = {name: rank for rank, name in enumerate(program.operations)}
    numbers = [float(x) for item in program.inputs for x in np.ravel(item)]
    backs = sum(sum(back) for _, *back in program.instructions)
    rank = sum(ranks[name] for name, _ in program.steps)
    return len(program.steps), len(program.inputs), rank, len(numbers), sum(map(_complexity, numbers)), backs


def _complexity(x: float) -> int:
    return _SIMPLE.index(x) if x in _SIMPLE else len(_SIMPLE) + len(repr(x))
