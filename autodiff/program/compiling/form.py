"""The intermediate form: a program as statements over segments of numbers, with operands as affine views or gathers.

A *segment* is an array of equal nodes: the units of a layer, over all examples that were recorded. An *operand* says
where a statement finds its numbers: a `View` of one segment by start and strides (stride 0 repeats a number), a
`Gather` by places, a `Chosen` place that integer inputs of the run decide, or a `Joined` row of several of these. A
*statement* computes one segment. Everything is counted in elements of the flattened segment, 0-based.

Example: the layer z = W a + b of 3 units and 2 inputs, for 5 recorded examples, is one `Sum` of shape (5, 3) with one
product of depth 2: ``View(a, 0, (5, 3, 2), (2, 0, 1))`` times ``View(p, 0, (5, 3, 2), (0, 2, 1))``, and one term
``View(p, 6, (5, 3, 1), (0, 1, 0))``. The left operand does not vary along the units, the right one not along the
examples; so the sum is a matrix product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodiff.primitives.primitive import Primitive

__all__ = [
    "Apply", "Call", "Chosen", "Form", "Gather", "Joined", "Operand", "Product", "Segment", "Statement", "Sum", "Term",
    "View", "places_in", "row_major", "whole",
]  # fmt: skip

Places = np.ndarray[tuple[int, ...], np.dtype[np.intp]]


@dataclass(frozen=True, eq=False, slots=True)
class Segment:
    """An array of the program.

    Args:
        kind: ``parameters`` (leaves whose data are read at each run), ``input`` (an argument of the run), ``constant``,
            ``computed``, or ``pool``: a buffer in which other segments lie; see `Form`.
        shape: without the axis of examples.
        name: a hint for the source, such as ``W1`` or ``z2``; need not be unique.
        batched: whether the array has a leading axis of examples, whose length is known at the run only.
        data: the numbers of a constant.
    """

    kind: str
    shape: tuple[int, ...]
    name: str = ""
    batched: bool = False
    dtype: Any = np.float64
    data: np.ndarray[Any, Any] | None = None

    @property
    def size(self) -> int:
        """The number of elements, for one example."""
        return int(np.prod(self.shape, dtype=np.intp))


@dataclass(frozen=True, slots=True)
class View:
    """The elements ``start + Σ index·stride`` of a segment, for all indices of ``shape``."""

    segment: Segment
    start: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Gather:
    """The elements at ``places`` of a segment, in the shape of ``places``."""

    segment: Segment
    places: Places

    @property
    def shape(self) -> tuple[int, ...]:
        return self.places.shape


@dataclass(frozen=True, eq=False, slots=True)
class Chosen:
    """The elements ``base + step·integers[which]`` of a segment, where ``integers`` are inputs of the run.

    ``limit`` is the number of candidates for each integer; an integer outside −limit … limit − 1 raises IndexError, as
    in the list that the user indexed, and a negative one counts from the end.
    """

    segment: Segment
    base: Places
    step: Places
    which: Places
    limit: Places

    @property
    def shape(self) -> tuple[int, ...]:
        return self.base.shape


@dataclass(frozen=True, slots=True)
class Joined:
    """The elements of several operands, flattened and one after the other, in ``shape``."""

    parts: tuple[Operand, ...]
    shape: tuple[int, ...]


Operand = View | Gather | Chosen | Joined


@dataclass(frozen=True, slots=True)
class Apply:
    """``target = primitive(*operands, **params)``, element by element; each operand has the target's shape.

    An operand that is a float or an int is a constant, the same for all elements. Params are the same for all elements.
    """

    target: Segment
    primitive: Primitive
    operands: tuple[Operand | float, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """``Σ_k factor · left[…, k] · right[…, k]``; both operands have the target's shape and one more axis."""

    left: Operand
    right: Operand
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Term:
    """``Σ_k factors[k] · operand[…, k]``; the operand has the target's shape and one more axis."""

    operand: Operand
    factors: tuple[float, ...] | float = 1.0


@dataclass(frozen=True, slots=True)
class Sum:
    """``target = constant + Σ products + Σ terms``, element by element; a matrix product where the strides say so."""

    target: Segment
    products: tuple[Product, ...] = ()
    terms: tuple[Term, ...] = ()
    constant: float = 0.0


@dataclass(frozen=True, slots=True)
class Call:
    """``target = primitive(*operands, **params)`` on whole arrays: what a Tensor's node recorded.

    An operand is a segment, whole, an `Operand` of any shape, or a constant number or array, as the table's forward
    takes it. A reduction over n Values is a call on an operand with one axis more than the target, and ``axis=-1``.
    """

    target: Segment
    primitive: Primitive
    operands: tuple[Any, ...]
    params: Mapping[str, Any] = field(default_factory=dict)


Statement = Apply | Sum | Call


@dataclass(frozen=True)
class Form:
    """A program: its segments in the order of the statements that compute them, and where each node's number lies.

    Args:
        parameters: the segment of all scalar leaves and those of array leaves, with the leaves in order.
        inputs: of each segment of inputs the numbers of the inputs of the run that it holds, in order: all floats
            without an axis of examples are in one segment, all with one in another.
        statements: in an order in which each reads only what was computed before.
        outputs: where the results are, in their order.
        places: the segment and the flat place of each node of the graph that still exists.
        constants: the segments of kind ``constant``.
        arrays: the segments that are arrays of the user's: an input, or the data of a Tensor.
        pool: where each segment starts in the segment of kind ``pool`` from which irregular graphs gather; usually
            empty. Only segments without an axis of examples are read through it.
        straight: whether most statements compute a few numbers, so that straight-line code of scalars is faster.
    """

    parameters: Mapping[Segment, tuple[Any, ...]]
    inputs: Mapping[Segment, tuple[int, ...]]
    statements: tuple[Statement, ...]
    outputs: tuple[View, ...]
    places: Mapping[Any, tuple[Segment, int]]
    constants: tuple[Segment, ...] = ()
    pool: Mapping[Segment, int] = field(default_factory=dict)
    straight: bool = False
    arrays: frozenset[Segment] = frozenset()

    def __str__(self) -> str:
        """A line for each statement, where x[s; i, j] is the operand that starts at s and has strides i, j."""
        return "\n".join(f"{_called(s.target)} = {_right_side(s)}" for s in self.statements)


def _called(segment: Segment) -> str:
    return f"{segment.name}{[*(['batch'] if segment.batched else []), *segment.shape] or ''}".replace("'", "")


def _right_side(statement: Statement) -> str:
    if isinstance(statement, Sum):
        parts = [f"{_factor(p.factor)}{_sum(p.left)}{_read(p.left)}·{_read(p.right)}" for p in statement.products]
        parts += [f"{_factor(t.factors)}{_sum(t.operand)}{_read(t.operand)}" for t in statement.terms]
        return " + ".join([*parts, *([f"{statement.constant:g}"] if statement.constant or not parts else [])])
    operands = [
        _read(x) if isinstance(x, View | Gather | Chosen | Joined) else f"{x!r:.20}" for x in statement.operands
    ]
    params = [f"{key}={item!r:.20}" for key, item in statement.params.items()]
    return f"{statement.primitive.name}({', '.join([*operands, *params])})"


def _factor(factors: tuple[float, ...] | float) -> str:
    if isinstance(factors, tuple):
        return f"({', '.join(f'{x:g}' for x in factors[:4])}{', …' if len(factors) > 4 else ''})·"
    return "" if factors == 1.0 else f"{factors:g}·"


def _sum(operand: Operand) -> str:
    return f"Σ{operand.shape[-1]} " if operand.shape[-1] > 1 else ""


def _read(operand: Operand) -> str:
    if isinstance(operand, Joined):
        return f"[{', '.join(map(_read, operand.parts[:6]))}{', …' if len(operand.parts) > 6 else ''}]"
    if isinstance(operand, View):
        strides = ", ".join(map(str, operand.strides))
        return f"{operand.segment.name}[{operand.start}{'; ' if strides else ''}{strides}]"
    return f"{operand.segment.name}[{'which' if isinstance(operand, Chosen) else 'places'} {operand.shape}]"


def whole(segment: Segment) -> View:
    """All elements of a segment, in its shape."""
    return View(segment, 0, segment.shape, row_major(segment.shape))


def row_major(dims: Sequence[int]) -> tuple[int, ...]:
    """The strides of a contiguous array; a length below 0 counts examples, −n of them n elements each.

    >>> row_major((2, 3, 4)), row_major((-1, 3))
    ((12, 4, 1), (3, 1))
    """
    strides, reach = [], 1
    for dim in reversed(dims):
        strides.append(reach)
        reach *= abs(dim)
    return tuple(reversed(strides))


def places_in(view: View) -> np.ndarray[Any, Any]:
    """The flat place of each element of a view."""
    places = np.full(view.shape, view.start, dtype=np.intp)
    for axis, (dim, stride) in enumerate(zip(view.shape, view.strides, strict=True)):
        places += (stride * np.arange(dim)).reshape([-1 if k == axis else 1 for k in range(len(view.shape))])
    return places
