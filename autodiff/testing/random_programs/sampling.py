"""Random programs from a plain generator, thousands a second, on operands drawn for their operations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, floor
from random import Random
from typing import Any, Final

import numpy as np

from autodiff.primitives.domain import ANY, Domain, Shape
from autodiff.primitives.namespace import WholeNumber
from autodiff.primitives.operands import describe, whole_number
from autodiff.testing.random_programs.operations import Kind, Operand, Operation, Vocabulary, chosen
from autodiff.testing.random_programs.program import Instruction, Kinks, Program, resolve
from autodiff.values.value import Value

__all__ = ["SHAPES", "dealt", "random_program"]

SHAPES: Final[tuple[Shape, ...]] = ((), (1,), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (3, 3), (2, 2, 3), (2, 1, 3))
_MOST_OPERANDS: Final = 5
_AT_ZERO: Final = 0.4  # fraction of the operands of gates, whose boundaries are at 0
_TRIES: Final = 8  # draws of inputs, since the result of an operation may be too large


def random_program(
    random: Random,
    kind: Kind = Value,
    *,
    operations: Vocabulary | None = None,
    length: WholeNumber = 12,
    kinks: Kinks = "anywhere",
    must_include: str | Sequence[str] = (),
) -> Program:
    """A program of up to ``length`` steps made of one to four operations: fewer operations meet more often.

    Args:
        random: the generator; the same state gives the same program.
        kind: Value or Tensor.
        operations: the operations it may use; the table's `vocabulary` of ``kind`` if left out.
        length: the largest number of steps; at least 1.
        kinks: see `resolve`.
        must_include: names of operations to call first, each on inputs drawn for it; any if left out.

    Raises:
        TypeError: if an argument is of another type.
        ValueError: if there are no operations, or none of a name in ``must_include``, or ``length`` is below 1.

    >>> from autodiff.testing import vocabulary
    >>> random_program(Random(5), operations=vocabulary(Value, of=["add", "exp"]), length=3)
    Program.parse('Value -1.5056840636294535 1.0; exp 0')
    """
    if not isinstance(random, Random):
        raise TypeError(f"random must be a random.Random, such as Random(0), and got {describe(random)}")
    known = chosen(kind, operations)
    length = whole_number(length, "the length of a program", least=1)
    if not isinstance(must_include, str | list | tuple):
        came = describe(must_include)
        raise TypeError(f"must_include must be the name of an operation or a list of names, and got {came}")
    heads = (must_include,) if isinstance(must_include, str) else tuple(must_include)
    if unknown := [name for name in heads if name not in known]:
        raise ValueError(
            f"must_include names the unknown operation {unknown[0]!r}; the operations are {', '.join(known)}"
        )
    names = list(known)
    kinds = random.sample(names, min(random.randint(1, 4), len(names)))
    if heads:
        return _including(random, kind, known, heads, [name for name in kinds[1:] if name not in heads], length, kinks)
    inputs = _numbers(random) if kind is Value else _arrays(random, known, kinds)
    instructions = [_call(random, kinds[int(random.random() * len(kinds))]) for _ in range(random.randint(1, length))]
    if kind is not Value:  # few arrays fit a product by chance: the first call takes the inputs drawn for it
        instructions[0] = (kinds[0], *range(len(inputs))[::-1])
    return resolve(instructions, inputs, known, kinks=kinks)


def _including(
    random: Random, kind: Kind, known: Vocabulary, heads: Sequence[str], others: Sequence[str], length: int,
    kinks: Kinks,
) -> Program:  # fmt: skip
    """A program that begins with ``heads``, if inputs for them are found, and continues with ``others``.

    No head is repeated if there are others: a fault that occurs twice may cancel itself.
    """
    calls = [(name, known[name].arity) for name in (others or heads)]
    rest = [
        _call(random, *calls[int(random.random() * len(calls))]) for _ in range(random.randint(0, length - len(heads)))
    ]
    for _ in range(_TRIES):
        inputs: list[Operand] = []
        operands: list[range] = []
        for name in heads:
            fresh = _operands(random, kind, known[name])
            operands.append(range(len(inputs), len(inputs) + len(fresh)))
            inputs += fresh
        newest = len(inputs) - 1
        first = [(name, *(newest + k - j for j in operands[k])) for k, name in enumerate(heads)]
        program = resolve([*first, *rest], inputs, known, kinks=kinks)
        if [name for name, _ in program.steps[: len(heads)]] == list(heads):
            break
    return program


def dealt(random: Random, names: Sequence[str]) -> Iterator[str]:
    """The names in a random order, then in another, and so on: no name is repeated before all others have appeared.

    >>> deck = dealt(Random(0), ["add", "exp", "sin"])
    >>> sorted(next(deck) for _ in range(3))
    ['add', 'exp', 'sin']
    """
    while names:
        yield from random.sample(names, len(names))


def _operands(random: Random, kind: Kind, operation: Operation) -> list[Operand]:
    """Operands inside the domain, of shapes that fit."""
    domains = operation.domains
    if kind is Value:
        return [_operand(random, domain, 0.0 if operation.primitive else _AT_ZERO) for domain in domains]
    shapes = _broadcastable(random, operation.arity) if operation.broadcasts else operation.shapes
    return [_array(random, shape, domain) for shape, domain in zip(shapes, domains, strict=True)]


def _operand(random: Random, domain: Domain, at_zero: float) -> float:
    if at_zero and random.random() < at_zero:
        return 0.0
    return _near_zero(random, domain) if random.random() < 0.5 else _number(random, domain)


def _broadcastable(random: Random, count: int) -> list[Shape]:
    """Shapes that broadcast to the shape of one of them."""
    whole = random.choice(SHAPES)
    shapes = [whole, *(random.choice((whole, whole[1:], (1,) * len(whole))) for _ in range(count - 1))]
    return random.sample(shapes, count)


def _call(random: Random, name: str, arity: int = _MOST_OPERANDS) -> Instruction:
    return (name, *[int(random.random() * 8) for _ in range(arity)])


def _numbers(random: Random) -> list[float]:
    return [_number(random) for _ in range(random.randint(1, 3))]


def _number(random: Random, domain: Domain = ANY) -> float:
    """A random number, mostly a small integer: ties, kinks and repeated values are there."""
    way = random.random()
    x = float(random.randint(1, 3) if way < 0.4 else random.randint(-3, 3)) if way < 0.7 else random.uniform(-3, 3)
    return x if domain.text == ANY.text or domain.low <= x <= domain.high else random.uniform(domain.low, domain.high)


def _near_zero(random: Random, domain: Domain) -> float:
    """A number in [−1, 1], as far as the domain reaches, where hard functions are neither flat nor at their kinks."""
    low, high = max(domain.low, -1.0), min(domain.high, 1.0)
    return random.uniform(low, high) if low < high else random.uniform(domain.low, domain.high)


def _arrays(random: Random, known: Vocabulary, kinds: Sequence[str]) -> list[np.ndarray[Any, Any]]:
    """Arrays of quarters, with ties and zeros; half the time, their shapes are those that an operation needs."""
    needed = [shape for name in kinds for shape in known[name].shapes]
    chosen = [*needed, random.choice(SHAPES)][:3] if random.random() < 0.5 else []
    shapes = chosen or [random.choice(SHAPES) for _ in range(random.randint(1, 3))]
    return [_array(random, shape) for shape in shapes]


def _array(random: Random, shape: Shape, domain: Domain = ANY) -> np.ndarray[Any, Any]:
    """An array of quarters, or of random numbers if the domain contains no quarter."""
    largest = random.choice((12, 4, 2))  # sums of products of small numbers stay within the limit
    count, low, high = int(np.prod(shape)), -largest, largest
    if domain.text != ANY.text:
        low, high = max(low, ceil(4 * domain.low)), min(high, floor(4 * domain.high))
    if low > high:
        return domain.arranged(np.array([random.uniform(domain.low, domain.high) for _ in range(count)]).reshape(shape))
    return domain.arranged((np.array(random.choices(range(low, high + 1), k=count)) / 4.0).reshape(shape))
