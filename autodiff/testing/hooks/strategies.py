"""Hypothesis strategies: numbers, shapes, arrays, points of a domain, programs, nodes, names.

All shrink to the fewest nodes and the simplest numbers. Where autodiff is installed, ``st.from_type`` knows `Value`,
`Tensor`, `Program` and `Name`; otherwise, call `autodiff.testing.register` once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from string import ascii_letters
from typing import Any, Final

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes
from hypothesis.extra.numpy import arrays as numpy_arrays

from autodiff.primitives.domain import ANY, Domain, Shape
from autodiff.primitives.namespace import is_plain_number
from autodiff.primitives.operands import describe, whole_number
from autodiff.primitives.primitive import Primitive
from autodiff.testing.random_programs.operations import Kind, Operation, Vocabulary, chosen, named
from autodiff.testing.random_programs.program import Instruction, Kinks, Program, resolve
from autodiff.testing.random_programs.sampling import SHAPES
from autodiff.values.tensor import Tensor
from autodiff.values.value import Value
from autodiff.words.notation import MATRICES, Name

__all__ = [
    "arrays", "broadcastable_shapes", "coordinates", "numbers", "parameter_names", "points", "programs",
    "programs_of_either_kind", "register_profiles", "shapes", "tensors", "values",
]  # fmt: skip

Arrays = st.SearchStrategy[np.ndarray[Any, Any]]

_AWAY: Final = 0.05  # from kinks, as `Domain.draw`
_MOST_KINDS: Final = 4
_OWN: Final = 4  # of six calls


def numbers(low: float = -3.0, high: float = 3.0) -> st.SearchStrategy[float]:
    """Finite floats in [low, high], small integers first: ties, kinks and repeated values are there.

    The square of a non-zero number never underflows.

    Raises TypeError for bounds that are not numbers, ValueError unless both are finite and low ≤ high.

    >>> from hypothesis import find
    >>> find(numbers(), lambda x: x < 0)
    -1.0
    """
    if not is_plain_number(low) or not is_plain_number(high):
        raise TypeError(f"low and high must be numbers, and got {describe(low)} and {describe(high)}")
    if not -math.inf < low <= high < math.inf:
        raise ValueError(f"low and high must be finite with low ≤ high, and got {low} and {high}")
    whole = [float(x) for x in (1, 2, 3, 0, -1, -2, -3) if low <= x <= high]
    least = 1e-4 * max(abs(low), abs(high))
    # no filter and no map: hypothesis would vary these numbers, and leave out 6 to 15 of 135 operations in 200 programs
    sides = ((max(low, least), high), (low, min(high, -least))) if low <= 0 <= high else ((low, high),)
    spread = [st.floats(*side, allow_subnormal=False) for side in sides if side[0] <= side[1]]
    return st.one_of(*(st.sampled_from(whole) for _ in spread if whole), *spread)


def coordinates(domain: Domain, *, kinks: bool = False) -> st.SearchStrategy[float]:
    """Numbers in the interval of a domain from which tests draw, at least 0.05 away from its kinks unless ``kinks``.

    >>> from hypothesis import find
    >>> find(coordinates(Domain(0.0, 2.0, "0 < x < 2")), lambda x: x > 1)
    2.0
    """
    if not isinstance(domain, Domain):
        raise TypeError(f"coordinates takes a Domain, and got {describe(domain)}")
    found = numbers(domain.low, domain.high)
    return found if kinks else found.filter(lambda x: all(abs(x - kink) >= _AWAY for kink in domain.kinks))


def shapes(*, max_dims: int = 3, max_side: int = 3) -> st.SearchStrategy[Shape]:
    """Shapes of arrays with up to ``max_dims`` axes, none first.

    >>> from hypothesis import find
    >>> find(shapes(), lambda shape: len(shape) == 2)
    (1, 1)
    """
    return array_shapes(min_dims=0, max_dims=max_dims, max_side=max_side)


def broadcastable_shapes(count: int, *, min_side: int = 0) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Shapes of ``count`` operands that broadcast together, empty axes, axes of 1 and no axes among them.

    >>> from hypothesis import find
    >>> sorted(find(broadcastable_shapes(2, min_side=1), lambda both: both[0] != both[1]))
    [(), (1,)]
    """
    found = mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=min_side, max_side=3)
    return found.map(lambda result: result.input_shapes)


def arrays(
    shape: Shape | st.SearchStrategy[Shape] | None = None, elements: st.SearchStrategy[float] | None = None
) -> Arrays:
    """Float64 arrays of a shape (any of `shapes` if left out) with the given elements (`numbers` if left out).

    >>> from hypothesis import find
    >>> find(arrays((2,)), lambda x: x.sum() < 0)
    array([-1., -1.])
    """
    of_shape = shapes() if shape is None else shape
    return numpy_arrays(np.float64, of_shape, elements=numbers() if elements is None else elements)


def values() -> st.SearchStrategy[Value]:
    """Leaves that hold a number.

    >>> from hypothesis import find
    >>> find(values(), lambda x: x.data < 0)
    Value(data=-1, grad=–)
    """
    return st.builds(Value, numbers())


def tensors(shape: Shape | st.SearchStrategy[Shape] | None = None) -> st.SearchStrategy[Tensor]:
    """Leaves that hold an array.

    >>> from hypothesis import find
    >>> find(tensors((2,)), lambda x: x.shape == (2,)).data
    array([1., 1.])
    """
    return st.builds(Tensor, arrays(shape))


def points(
    entry: Primitive | str, *, shapes: Sequence[Shape] | None = None, kinks: bool = False
) -> st.SearchStrategy[tuple[Any, ...]]:
    """Inputs of a primitive inside its domain: floats for shape (), else arrays.

    Args:
        entry: the primitive, or its name in the table.
        shapes: of the inputs; those of one of its examples if left out.
        kinks: whether inputs may be at a kink.

    Raises:
        TypeError: if ``entry`` is neither a primitive nor a name.
        ValueError: if the name is not in the table.

    >>> from hypothesis import find
    >>> find(points("log"), lambda inputs: True)
    (1.0,)
    """
    if isinstance(entry, str):
        entry = named(entry)
    if not isinstance(entry, Primitive):
        raise TypeError(f"points takes a primitive or its name, and got {describe(entry)}")
    if shapes is not None:
        return _points(entry, shapes, kinks)
    known = [example.shapes for example in entry.examples] or [((),) * (entry.arity or 1)]
    return st.sampled_from(known).flatmap(cache(lambda some: _points(entry, some, kinks)))


def _points(entry: Primitive, shapes: Sequence[Shape], kinks: bool) -> st.SearchStrategy[tuple[Any, ...]]:
    domains = entry.domain if entry.arity else entry.domain * len(shapes)
    items = [(domain, coordinates(domain, kinks=kinks), shape) for domain, shape in zip(domains, shapes, strict=True)]
    return st.tuples(*(arrays(shape, x).map(domain.arranged) if shape else x for domain, x, shape in items))


def programs(
    kind: Kind = Value, *, operations: Vocabulary | None = None, kinks: Kinks = "nowhere", most: int = 48
) -> st.SearchStrategy[Program]:
    """Random programs over Values or Tensors that shrink to the fewest steps and the simplest numbers.

    Some operations are called once each, mostly on inputs drawn for them, so that even a large table is covered soon;
    then the first of them are called repeatedly on existing values.

    Args:
        kind: Value or Tensor.
        operations: the operations to use; the table's `vocabulary` of ``kind`` if left out.
        kinks: where a step may be at a kink (see `resolve`). With "nowhere", `check_gradients` finds every correct
            gradient right; allow kinks for relations and other judges that can handle them.
        most: the largest number of instructions.

    >>> from hypothesis import find
    >>> from autodiff.testing import vocabulary
    >>> some = vocabulary(Value, of=["add", "multiply"])
    >>> find(programs(operations=some), lambda program: "multiply" in str(program))
    Program.parse('Value 1.0; multiply 0 0')
    """
    chosen(kind, operations)
    whole_number(most, "the largest number of instructions")
    return st.deferred(lambda: _programs(kind, chosen(kind, operations), kinks, most // 4))


def programs_of_either_kind() -> st.SearchStrategy[Program]:
    """Random programs over Values, and over Tensors."""
    return programs(Value) | programs(Tensor)


Call = tuple[Operation, Sequence[int], Sequence[Any]]  #: with the places of its operands, or with new inputs


def _programs(kind: Kind, known: Vocabulary, kinks: Kinks, most: int) -> st.SearchStrategy[Program]:
    calls = {name: _calls(kind, operation) for name, operation in known.items()}
    some = st.lists(st.sampled_from(list(known)).flatmap(calls.__getitem__), max_size=most)
    number = _operand(ANY, None if kind is Value else ())

    @st.composite
    def program(draw: st.DrawFn) -> Program:
        first: list[Call] = draw(some) + draw(some) + draw(some)  # hypothesis makes lists of five on average
        inputs: list[Any] = []
        steps: list[Instruction] = []
        for operation, back, brought in first:
            own = [-1 - len(inputs) - k % len(brought) for k in range(operation.arity)] if brought else back
            steps.append((operation.name, *own))
            inputs += brought
        if first:
            again = [_call(operation.name, operation.arity) for operation, _, _ in first[:_MOST_KINDS]]
            steps += draw(st.lists(st.one_of(again), max_size=most))
        return resolve(steps, inputs or [draw(number)], known, kinks=kinks)

    return program()


def _calls(kind: Kind, operation: Operation) -> st.SearchStrategy[Call]:
    """Calls of an operation on existing values, on one new input several times, and, more often, on new inputs."""
    earlier = st.tuples(*[st.integers(0, 7)] * operation.arity).map(lambda back: (operation, back, ()))
    own = [_inputs(kind, operation).map(lambda inputs: (operation, (), inputs)) for _ in range(_OWN)]
    once = _inputs(kind, operation, 1).map(lambda inputs: (operation, (), inputs))
    return st.one_of(earlier, once, *own)


def _inputs(kind: Kind, operation: Operation, most: int | None = None) -> st.SearchStrategy[tuple[Any, ...]]:
    """At most ``most`` operands inside the domain, of shapes that fit: any that broadcast, if that is allowed."""
    domains = operation.domains[:most]
    if kind is Value:
        return st.tuples(*[_operand(domain, None) for domain in domains])
    known = st.just(operation.shapes or ((),) * operation.arity)
    shapes = _broadcasting(operation.arity) if operation.broadcasts else known
    return shapes.flatmap(lambda some: _of_shapes(domains, some))


@cache  # here and below: a strategy that is made anew for every draw is also validated anew
def _of_shapes(domains: tuple[Domain, ...], shapes: tuple[Shape, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(*map(_operand, domains, shapes))


@cache
def _broadcasting(count: int) -> st.SearchStrategy[tuple[Shape, ...]]:
    return st.sampled_from(SHAPES).flatmap(lambda whole: _alike(whole, count))


@cache
def _alike(whole: Shape, count: int) -> st.SearchStrategy[tuple[Shape, ...]]:
    return st.tuples(*[st.sampled_from((whole, whole[1:], (1,) * len(whole)))] * count)


@cache
def _operand(domain: Domain, shape: Shape | None) -> st.SearchStrategy[Any]:
    """A number, or an array of a shape, half of them at most 1, so that sums of products stay within the limit."""
    low, high = (-3.0, 3.0) if domain.text == ANY.text else (domain.low, domain.high)
    wide = numbers(low, high)
    near = numbers(max(low, -1.0), min(high, 1.0)) if low <= 1.0 else wide
    return near | wide if shape is None else (arrays(shape, near) | arrays(shape, wide)).map(domain.arranged)


@cache
def _call(name: str, arity: int) -> st.SearchStrategy[Instruction]:
    return st.tuples(st.just(name), *[st.integers(0, 7)] * arity)


_COUNTS: Final = st.integers(1, 30) | st.integers(1, 999_999_999)
_LETTERS: Final = st.sampled_from([*sorted(MATRICES), *ascii_letters, *"αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", "s_c"])


def parameter_names() -> st.SearchStrategy[Name]:
    """Names of quantities of a network: any letter, with indices that fit it, with and without a layer."""
    return (st.sampled_from(sorted(MATRICES)) | _LETTERS).flatmap(
        lambda letter: st.builds(Name, st.just(letter), _indices_of(letter), st.none() | _COUNTS)
    )


def _indices_of(letter: str) -> st.SearchStrategy[tuple[int, ...]]:
    """No index or two for a matrix, up to three for any other letter."""
    if letter in MATRICES:
        return st.just(()) | st.tuples(_COUNTS, _COUNTS)
    return st.lists(_COUNTS, max_size=3).map(tuple)


def register_profiles() -> None:
    """Register the profiles ``ci``, ``dev`` and ``thorough`` for ``settings.load_profile`` or
    ``pytest --hypothesis-profile``.

    ci: the same examples in every run, whatever the machine's speed. dev: a fifth as many, new ones each time.
    thorough: ten times as many as ci, new ones each time.
    """
    slow = [HealthCheck.too_slow]
    settings.register_profile("ci", deadline=None, derandomize=True, database=None, suppress_health_check=slow)
    settings.register_profile("dev", deadline=None, max_examples=20, suppress_health_check=slow)
    settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=slow)
