"""Hypothesis strategies: numbers, shapes, arrays, points of a domain, programs, nodes, names.

All shrink to the fewest nodes and the simplest numbers. Importing this module makes ``st.from_type`` know `Value`,
`Tensor`, `Program` and `Name`; where autodiff is installed, hypothesis knows them from the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from string import ascii_letters
from typing import Any, Final, cast

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes
from hypothesis.extra.numpy import arrays as numpy_arrays

from autodiff.node import Tensor, Value
from autodiff.notation import MATRICES, Name
from autodiff.primitive import Domain, Primitive
from autodiff.testing.entry import register
from autodiff.testing.loop import SHAPES
from autodiff.testing.operations import Operation, Vocabulary, vocabulary
from autodiff.testing.program import Instruction, Kinks, Program, resolve

__all__ = [
    "arrays", "broadcastable_shapes", "coordinates", "instructions", "numbers", "parameter_names", "points",
    "programs", "register_profiles", "shapes", "tensors", "values",
]  # fmt: skip

Shape = tuple[int, ...]
Arrays = st.SearchStrategy[np.ndarray[Any, Any]]

_AWAY: Final = 0.05  # from kinks, as `Domain.draw`
_MOST_KINDS: Final = 4


def numbers(low: float = -3.0, high: float = 3.0) -> st.SearchStrategy[float]:
    """Finite floats in [low, high], small integers first: there lie ties, kinks and repeated values.

    >>> from hypothesis import find
    >>> find(numbers(), lambda x: x < 0)
    -1.0
    """
    whole = [float(x) for x in (1, 2, 3, 0, -1, -2, -3) if low <= x <= high]
    spread = st.floats(low, high, allow_subnormal=False)
    return st.sampled_from(whole) | spread if whole else spread


def coordinates(domain: Domain, *, kinks: bool = False) -> st.SearchStrategy[float]:
    """Numbers of the interval in which tests draw, at least 0.05 away from its kinks unless ``kinks`` allows them."""
    found = numbers(domain.low, domain.high)
    return found if kinks else found.filter(lambda x: all(abs(x - kink) >= _AWAY for kink in domain.kinks))


def shapes(*, max_dims: int = 3, max_side: int = 3) -> st.SearchStrategy[Shape]:
    """Shapes of arrays with up to ``max_dims`` axes, none first."""
    return array_shapes(min_dims=0, max_dims=max_dims, max_side=max_side)


def broadcastable_shapes(count: int, *, min_side: int = 0) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Shapes of ``count`` operands that broadcast together, empty axes, axes of 1 and no axes among them."""
    found = mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=min_side, max_side=3)
    return found.map(lambda result: result.input_shapes)


def arrays(
    shape: Shape | st.SearchStrategy[Shape] | None = None, elements: st.SearchStrategy[float] | None = None
) -> Arrays:
    """Float64 arrays of a shape (any of `shapes` if left out) with the given elements (`numbers` if left out)."""
    of_shape = shapes() if shape is None else shape
    return numpy_arrays(np.float64, of_shape, elements=numbers() if elements is None else elements)


def values() -> st.SearchStrategy[Value]:
    """Leaves that hold a number."""
    return st.builds(Value, numbers())


def tensors(shape: Shape | st.SearchStrategy[Shape] | None = None) -> st.SearchStrategy[Tensor]:
    """Leaves that hold an array."""
    return st.builds(Tensor, arrays(shape))


@st.composite
def points(
    draw: st.DrawFn, entry: Primitive, *, shapes: Sequence[Shape] | None = None, kinks: bool = False
) -> tuple[Any, ...]:
    """Inputs of a primitive inside its domain: floats for shape (), else arrays.

    Args:
        shapes: of the inputs; those of one of its examples if left out.
        kinks: whether they may stand on a kink.
    """
    if shapes is None:
        shapes = draw(st.sampled_from([example.shapes for example in entry.examples] or [((),) * (entry.arity or 1)]))
    domains = entry.domain if entry.arity else entry.domain * len(shapes)
    items = [coordinates(domain, kinks=kinks) for domain in domains]
    return tuple(draw(arrays(shape, x) if shape else x) for x, shape in zip(items, shapes, strict=True))


@st.composite
def instructions(draw: st.DrawFn, operations: Sequence[Operation], *, most: int = 24) -> list[Instruction]:
    """A list of instructions made of one to four of the operations: few kinds meet more often."""
    kinds = draw(st.lists(st.sampled_from(operations), min_size=1, max_size=_MOST_KINDS, unique_by=lambda x: x.name))
    return draw(st.lists(st.one_of([_call(kind.name, kind.arity) for kind in kinds]), max_size=most))


@cache
def _call(name: str, arity: int) -> st.SearchStrategy[Instruction]:
    return st.tuples(st.just(name), *[st.integers(0, 7)] * arity)


@st.composite
def programs(
    draw: st.DrawFn,
    kind: type = Value,
    *,
    operations: Vocabulary | None = None,
    kinks: Kinks = "anywhere",
    most: int = 24,
) -> Program:
    """Random programs over Values or Tensors that shrink to the fewest steps and the simplest numbers.

    Args:
        kind: Value or Tensor.
        operations: what they are made of; the table's `vocabulary` of ``kind`` if left out.
        kinks, most: where a step may stand on a kink (see `resolve`); the largest number of instructions.

    >>> from hypothesis import find
    >>> some = vocabulary(Value, of=["add", "multiply"])
    >>> find(programs(operations=some), lambda program: "multiply" in str(program))
    Program.parse('Value 1.0; multiply 0 0')
    """
    known = vocabulary(kind) if operations is None else operations
    steps = draw(instructions(list(known.values()), most=most))
    needed = {name: shape for name, *_ in steps for shape in known[name].shapes}
    shape = st.sampled_from(SHAPES) | st.sampled_from(list(needed.values()) or [()])
    item = numbers() if kind is Value else arrays(shape)
    return resolve(steps, draw(st.lists(cast(Any, item), min_size=1, max_size=3)), known, kinks=kinks)


_COUNTS: Final = st.integers(1, 30) | st.integers(1, 999_999_999)
_LETTERS: Final = st.sampled_from([*sorted(MATRICES), *ascii_letters, *"αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", "s_c"])


def parameter_names() -> st.SearchStrategy[Name]:
    """Names of quantities of a network: every letter, indices that fit it, with and without a layer."""
    return (st.sampled_from(sorted(MATRICES)) | _LETTERS).flatmap(
        lambda letter: st.builds(Name, st.just(letter), _indices_of(letter), st.none() | _COUNTS)
    )


def _indices_of(letter: str) -> st.SearchStrategy[tuple[int, ...]]:
    """None or two for a matrix, any few for another letter."""
    if letter in MATRICES:
        return st.just(()) | st.tuples(_COUNTS, _COUNTS)
    return st.lists(_COUNTS, max_size=3).map(tuple)


def register_profiles() -> None:
    """Make the profiles ``ci``, ``dev`` and ``thorough`` known, for ``settings.load_profile`` or
    ``pytest --hypothesis-profile``.

    ci: the same examples in every run, whatever the machine's speed. dev: a fifth as many, new ones each time.
    thorough: ten times as many as ci, new ones each time.
    """
    slow = [HealthCheck.too_slow]
    settings.register_profile("ci", deadline=None, derandomize=True, database=None, suppress_health_check=slow)
    settings.register_profile("dev", deadline=None, max_examples=20, suppress_health_check=slow)
    settings.register_profile("thorough", deadline=None, max_examples=1000, suppress_health_check=slow)


register()
