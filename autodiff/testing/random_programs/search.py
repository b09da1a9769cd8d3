"""The inner loop: thousands of random programs a second from a plain generator, and a small greedy shrinker.

For continuous integration and for tables of planted faults; `autodiff.testing.hooks.strategies` draws the same programs
with hypothesis, which keeps a database and explains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, combinations, islice
from math import ceil, floor, isfinite
from random import Random
from typing import Any, Final

import numpy as np

from autodiff.primitives.domain import ANY, Domain
from autodiff.primitives.operands import describe, whole_number
from autodiff.testing.oracles.dual import Dual, TieError, duals
from autodiff.testing.random_programs.operations import Kind, Operation, Vocabulary, chosen
from autodiff.testing.random_programs.program import Instruction, Kinks, Program, check_program, resolve
from autodiff.testing.random_programs.rounding import NUDGE, reach, tolerances
from autodiff.testing.subject import as_node
from autodiff.transforms.functional import gradients
from autodiff.values.value import Value

__all__ = [
    "SHAPES", "Counterexample", "Judge", "OtherKindError", "Search", "Undecided", "dealt", "dual_fault",
    "random_program", "search", "shortest",
]  # fmt: skip

#: Says what is wrong with a program, None if nothing; raises `Undecided` if it cannot tell.
Judge = Callable[[Program], str | None]

SHAPES: Final = ((), (1,), (3,), (2, 3), (3, 2), (1, 3), (2, 1), (3, 3), (2, 2, 3), (2, 1, 3))
#: Numbers to try in place of others, the simplest first.
_SIMPLE: Final = (1.0, 2.0, 3.0, 0.0, -1.0, -2.0, -3.0, 0.5)
_MOST_OPERANDS: Final = 5
_HEADS: Final = 2  # operations that each program of a search begins with
_FRONT: Final = 3  # operations that are tried in place of others
_AT_ZERO: Final = 0.4  # of the operands of gates, whose boundaries lie there
_TRIES: Final = 8  # of inputs for one operation, whose result may be too large


class Undecided(Exception):  # noqa: N818 - it is no error
    """A judge cannot tell whether a program is right: no pass and no fault."""


class OtherKindError(TypeError):
    """A judge was asked about programs of a kind that it cannot judge: a mistake of whoever asked, and no fault."""


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
    kind: Kind = Value,
    *,
    operations: Vocabulary | None = None,
    length: int = 12,
    kinks: Kinks = "anywhere",
    about: str | Sequence[str] = (),
) -> Program:
    """A program of up to ``length`` steps made of one to four operations: few kinds meet more often.

    Args:
        random: where all choices come from: the same state gives the same program.
        kind: over Values or Tensors.
        operations: what it may be made of; the table's `vocabulary` of ``kind`` if left out.
        kinks: see `resolve`.
        about: operations to be among them, called first, each on inputs that are made for it; any if left out.

    Raises TypeError for another kind of anything, ValueError if there are no operations, or none of a name in
    ``about``, and for a length below 1.

    >>> from autodiff.testing import vocabulary
    >>> random_program(Random(5), operations=vocabulary(Value, of=["add", "exp"]), length=3)
    Program.parse('Value -1.5056840636294535 1.0; exp 0')
    """
    if not isinstance(random, Random):
        raise TypeError(f"a program is drawn from a random.Random, such as Random(0), and got {describe(random)}")
    known = chosen(kind, operations)
    whole_number(length, "the length of a program", least=1)
    if not isinstance(about, str | list | tuple):
        raise TypeError(f"about is a name of an operation or a list of names, and got {describe(about)}")
    heads = (about,) if isinstance(about, str) else tuple(about)
    if unknown := [name for name in heads if name not in known]:
        raise ValueError(f"a program is to be made with the operation {unknown[0]!r}; there are {', '.join(known)}")
    names = list(known)
    kinds = random.sample(names, min(random.randint(1, 4), len(names)))
    if heads:
        return _about(random, kind, known, heads, [name for name in kinds[1:] if name not in heads], length, kinks)
    inputs = _numbers(random) if kind is Value else _arrays(random, known, kinds)
    instructions = [_call(random, kinds[int(random.random() * len(kinds))]) for _ in range(random.randint(1, length))]
    if kind is not Value:  # few arrays fit a product by chance: the first call takes the inputs that are made for it
        instructions[0] = (kinds[0], *range(len(inputs))[::-1])
    return resolve(instructions, inputs, known, kinks=kinks)


def _about(
    random: Random, kind: Kind, known: Vocabulary, heads: Sequence[str], others: Sequence[str], length: int,
    kinks: Kinks,
) -> Program:  # fmt: skip
    """A program that begins with ``heads``, wherever some inputs let it, and goes on with others.

    No head comes again where there are others: a fault that comes twice may cancel itself.
    """
    calls = [(name, known[name].arity) for name in (others or heads)]
    rest = [
        _call(random, *calls[int(random.random() * len(calls))]) for _ in range(random.randint(0, length - len(heads)))
    ]
    for _ in range(_TRIES):
        inputs: list[Any] = []
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
    """The names in a random order, again in another, and so on: none comes again before all others have come.

    >>> deck = dealt(Random(0), ["add", "exp", "sin"])
    >>> sorted(next(deck) for _ in range(3))
    ['add', 'exp', 'sin']
    """
    while names:
        yield from random.sample(names, len(names))


def _operands(random: Random, kind: Kind, operation: Operation) -> list[Any]:
    """Operands of shapes that fit, inside the domain."""
    domains = operation.domains
    if kind is Value:
        return [_operand(random, domain, 0.0 if operation.primitive else _AT_ZERO) for domain in domains]
    shapes = _broadcastable(random, operation.arity) if operation.broadcasts else operation.shapes
    return [_array(random, shape, domain) for shape, domain in zip(shapes, domains, strict=True)]


def _operand(random: Random, domain: Domain, at_zero: float) -> float:
    if at_zero and random.random() < at_zero:
        return 0.0
    return _near_zero(random, domain) if random.random() < 0.5 else _number(random, domain)


def _broadcastable(random: Random, count: int) -> list[tuple[int, ...]]:
    """Shapes that broadcast together to that of one of them."""
    whole = random.choice(SHAPES)
    shapes = [whole, *(random.choice((whole, whole[1:], (1,) * len(whole))) for _ in range(count - 1))]
    return random.sample(shapes, count)


def _call(random: Random, name: str, arity: int = _MOST_OPERANDS) -> Instruction:
    return (name, *[int(random.random() * 8) for _ in range(arity)])


def _numbers(random: Random) -> list[float]:
    return [_number(random) for _ in range(random.randint(1, 3))]


def _number(random: Random, domain: Domain = ANY) -> float:
    """Mostly small integers: ties, kinks and repeated values lie there."""
    way = random.random()
    x = float(random.randint(1, 3) if way < 0.4 else random.randint(-3, 3)) if way < 0.7 else random.uniform(-3, 3)
    return x if domain.text == ANY.text or domain.low <= x <= domain.high else random.uniform(domain.low, domain.high)


def _near_zero(random: Random, domain: Domain) -> float:
    """Where hard functions are neither flat nor at their kinks, as far as the domain reaches there."""
    low, high = max(domain.low, -1.0), min(domain.high, 1.0)
    return random.uniform(low, high) if low < high else random.uniform(domain.low, domain.high)


def _arrays(random: Random, known: Vocabulary, kinds: Sequence[str]) -> list[Any]:
    """Arrays of quarters, with ties and zeros among them; half of the shapes are those that an operation needs."""
    needed = [shape for name in kinds for shape in known[name].shapes]
    chosen = [*needed, random.choice(SHAPES)][:3] if random.random() < 0.5 else []
    shapes = chosen or [random.choice(SHAPES) for _ in range(random.randint(1, 3))]
    return [_array(random, shape) for shape in shapes]


def _array(random: Random, shape: tuple[int, ...], domain: Domain = ANY) -> Any:
    """Quarters, as far as a domain has any."""
    largest = random.choice((12, 4, 2))  # of small numbers, sums of products stay within the limit
    count, low, high = int(np.prod(shape)), -largest, largest
    if domain.text != ANY.text:
        low, high = max(low, ceil(4 * domain.low)), min(high, floor(4 * domain.high))
    if low > high:
        return domain.arranged(np.array([random.uniform(domain.low, domain.high) for _ in range(count)]).reshape(shape))
    return domain.arranged((np.array(random.choices(range(low, high + 1), k=count)) / 4.0).reshape(shape))


@dataclass
class Search:
    """What a run of the loop came to: programs ``tried``, those ``undecided``, and the first counterexample ``found``.

    ``passed`` counts for every operation the programs that were found right with it: a skip is not a pass.
    """

    tried: int = 0
    undecided: int = 0
    found: Counterexample | None = None
    passed: Counter[str] = field(default_factory=Counter)

    def never_passed(self, operations: Iterable[str]) -> list[str]:
        """The operations that no program found right has had."""
        return [name for name in operations if not self.passed[name]]

    def __str__(self) -> str:
        end = "no fault found" if self.found is None else str(self.found)
        return f"{self.tried:,} programs, {self.undecided:,} undecided: {end}"


def search(
    judge: Judge,
    count: int,
    *,
    kind: Kind = Value,
    seed: int = 0,
    operations: Vocabulary | None = None,
    length: int = 12,
    kinks: Kinks = "anywhere",
) -> Search:
    """Up to ``count`` random programs until one has a fault, which is then made as short as it can be.

    Args:
        judge: `dual_fault` or `autodiff.testing.relation_fault`, or any function that says what is wrong with a
            program, None if nothing; it raises `Undecided` if it cannot tell. What else it raises counts as a fault.
        seed: the same seed draws the same programs.

    The rest, and what it raises, as in `random_program`, also for a judge that cannot be called and a count or seed
    below 0; `OtherKindError` if the judge cannot judge programs over ``kind``.

    >>> done = search(lambda p: "it has a product" if "multiply" in str(p) else None, 1000)
    >>> done.found.program
    Program.parse('Value 1.0; multiply 0 0')
    """
    if not callable(judge):
        raise TypeError(f"a judge is a function that says what is wrong with a program, and got {describe(judge)}")
    whole_number(count, "the number of programs")
    whole_number(length, "the length of a program", least=1)
    random, done = Random(whole_number(seed, "the seed")), Search()
    known = chosen(kind, operations)
    deck = dealt(random, list(known))
    while done.tried < count and done.found is None:
        about = list(islice(deck, min(_HEADS, length)))
        program = random_program(random, kind, operations=known, length=length, kinks=kinks, about=about)
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


def dual_fault(program: Program) -> str | None:
    """What is wrong with the gradient of a program over Values beside its slope in dual numbers, which know no rule.

    One backward pass against one forward pass along a direction. Raises `Undecided` where there is no finite slope,
    as at a tie, and `OtherKindError`, a TypeError, for a program over Tensors.

    >>> dual_fault(Program.parse("Value 1.5; sin 0; multiply 1 0"))
    """
    check_program(program, "dual_fault")
    if program.kind is not Value:
        raise OtherKindError(
            "dual_fault judges programs over Values, and got one over Tensors; relation_fault judges those of both"
        )
    leaves, directions = program.leaves(), _direction(len(program.inputs))
    output = as_node(program(*leaves))
    output.backward()
    points = [Dual(x, v) for x, v in zip(program.inputs, directions, strict=True)]
    try:
        moved = program.output(program.engine(duals), points)
    except TieError:
        raise Undecided from None
    pushed = moved.tangent if isinstance(moved, Dual) else 0.0
    if not isfinite(pushed):
        raise Undecided
    shares = [v * (leaf.grad or 0.0) for v, leaf in zip(directions, leaves, strict=True)]
    pulled = sum(shares)
    if abs(pulled - pushed) <= _ROUNDING * sum(map(abs, shares)):
        return None
    allowed = _allowed(program, directions)
    if abs(pulled - pushed) <= allowed:
        return None
    return f"⟨∇f, v⟩ is {pulled!r}, in dual numbers {pushed!r} ± {allowed:.1g}"


@cache
def _direction(count: int) -> tuple[float, ...]:
    """Numbers of either sign, all of different size."""
    return tuple((1.0, 1.3125, -0.71875)[k % 3] * (1.0 + 0.4375 * (k // 3)) for k in range(count))


_ROUNDING: Final = 1e-13


def _allowed(program: Program, directions: Sequence[float]) -> float:
    """How far ⟨∇f, v⟩ of two correct engines may be apart."""

    def moved(k: int) -> list[Any]:
        leaves = program.leaves()
        output = as_node(program.output(program.operations, leaves, k, NUDGE))
        return [0.0 if slope is None else slope for slope in gradients(output, leaves)]

    leaves = program.leaves()
    bounds = tolerances(program, reach(as_node(program(*leaves)), leaves), moved)
    return float(sum(abs(v) * bound for v, bound in zip(directions, bounds, strict=True)))


def shortest(
    program: Program, fails: Callable[[Program], bool], *, kinks: Kinks = "anywhere", most: int = 5000
) -> Program:
    """The smallest program that still fails, greedily: fewer steps, fewer inputs, simpler numbers, nearer operands.

    Args:
        fails: whether a program has the fault; it is asked ``most`` times at the most.

    >>> shortest(Program.parse("Value 1.5; cos 0; sin 1; square 0"), lambda p: "sin" in str(p))
    Program.parse('Value 1.0; sin 0')
    """
    check_program(program, "shortest")
    if not callable(fails):
        raise TypeError(f"shortest asks a function whether a program fails, and got {describe(fails)}")
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
    """Programs with something left out or made simpler, the boldest first."""
    size, simpler = _size(program), _simpler(program.instructions, list(program.inputs))
    ways = _cut_open(program), _without_idle_inputs(program), _of_simpler_steps(program), simpler
    for instructions, inputs in chain(*ways):
        candidate = resolve(instructions, inputs, program.operations, kinks=kinks)
        if _size(candidate) < size:
            yield candidate


def _simpler(instructions: list[Instruction], inputs: list[Any]) -> Iterator[tuple[list[Instruction], list[Any]]]:
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
    """Each step left out in turn, with one of its operands wherever it was used; ``count`` inputs come first."""
    operands = [[count + k - 1 - steps for steps in back] for k, (_, *back) in enumerate(instructions)]
    for k in reversed(range(len(instructions))):
        for instead in sorted(set(operands[k])):
            shorter = list(instructions[:k])
            for (name, *_), places in zip(instructions[k + 1 :], operands[k + 1 :], strict=True):
                newest = count + len(shorter) - 1
                moved = (instead if place == count + k else place - (place > count + k) for place in places)
                shorter.append((name, *(newest - place for place in moved)))
            yield shorter


def _cut_open(program: Program) -> Iterator[tuple[list[Instruction], list[Any]]]:
    """Each step in turn made an input that holds its value."""
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


def _without_idle_inputs(program: Program) -> Iterator[tuple[list[Instruction], list[Any]]]:
    """Each input that no step uses left out in turn; all others keep their places in the steps."""
    used = {operand for _, operands in program.steps for operand in operands}
    for k in [k for k in range(len(program.inputs)) if k not in used and len(program.inputs) > 1]:
        steps = tuple((name, tuple(j - (j > k) for j in operands)) for name, operands in program.steps)
        inputs = (*program.inputs[:k], *program.inputs[k + 1 :])
        yield Program(inputs, steps, (), program.operations).instructions, list(inputs)


def _of_simpler_steps(program: Program) -> Iterator[tuple[list[Instruction], list[Any]]]:
    """Each step in turn by an operation that stands at the front of the vocabulary, on the same operands."""
    instructions, names = program.instructions, list(program.operations)
    for k, (name, *back) in enumerate(instructions):
        for other in names[: min(names.index(name), _FRONT)]:
            arity = program.operations[other].arity
            yield [*instructions[:k], (other, *(back * arity)[:arity]), *instructions[k + 1 :]], list(program.inputs)


def _simpler_inputs(x: Any) -> Iterator[Any]:
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
