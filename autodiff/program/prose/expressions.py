"""Typed expressions: NumPy source as trees that know their shapes, and where they need brackets.

A dimension −n is n times the number of examples ``N``. Example: ``infix("@", x, transposed(W))`` has the shape of its
result, and reads ``x @ W.T``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

__all__ = [
    "ATOM", "Array", "Expr", "NotPlainError", "Shape", "arrays_in", "broadcast", "call", "dims_text", "elementwise",
    "filled", "index", "is_view", "literal", "matmul", "number", "ref", "repeated", "reshaped", "size_of", "suffix",
    "total", "transposed",
]  # fmt: skip

Shape = tuple[int, ...]

ATOM: Final = 9
_NEGATIVE: Final = 6
_SIGNS: Final = {
    "add": ("+", 4), "subtract": ("-", 4), "multiply": ("*", 5), "divide": ("/", 5), "floor_divide": ("//", 5),
    "greater": (">", 3), "greater_equal": (">=", 3), "less": ("<", 3), "less_equal": ("<=", 3), "equal": ("==", 3),
    "not_equal": ("!=", 3),
}  # fmt: skip
_ANSWERS: Final = {"logical_and", "logical_or", "logical_not", "isfinite", "isnan", "signbit"}


class NotPlainError(TypeError):
    """A program uses an operation that NumPy alone does not have."""


@dataclass(eq=False)
class Array:
    """One version of a named array: what a whole write made, or an argument or a constant, which is never written.

    ``changed`` holds the numbers of the statements that write to some of its elements.
    """

    hint: str
    shape: Shape
    fixed: bool = False
    changed: list[int] = field(default_factory=list)
    name: str = ""
    answer: bool = False

    def __post_init__(self) -> None:
        self.name = self.name or self.hint


@dataclass(frozen=True, eq=False, slots=True)
class Expr:
    """A node: a template with a place for each part, the binding of the whole and the one that each part needs."""

    template: str
    shape: Shape
    parts: tuple[Expr, ...] = ()
    binding: int = ATOM
    needs: tuple[int, ...] = ()
    answer: bool = False  # true or false, not a number
    value: float | None = None  # of a literal number
    array: Array | None = None
    kind: str = ""

    def text(self, inlined: Any = None) -> str:
        """The source; ``inlined`` maps arrays to the expressions that stand for them."""
        if self.array is not None:
            stands = inlined.get(self.array) if inlined else None
            return self.array.name if stands is None else stands.text(inlined)
        texts = []
        for part, need in zip(self.parts, self.needs, strict=True):
            real = part.real(inlined)
            loose = real.binding >= need or (self.kind in ("+", "*") and real.kind == self.kind)
            text = real.text(inlined)
            texts.append(text if loose else f"({text})")
        return self.template.format(*texts) if texts else self.template

    def real(self, inlined: Any) -> Expr:
        """What stands here in the source."""
        found = self
        while inlined and found.array is not None and found.array in inlined:
            found = inlined[found.array]
        return found


def arrays_in(expression: Expr) -> Iterator[Array]:
    """The arrays that an expression reads, each as often as it does."""
    if expression.array is not None:
        yield expression.array
    for part in expression.parts:
        yield from arrays_in(part)


def is_view(expression: Expr) -> Array | None:
    """The array whose memory the result of an expression may share."""
    while expression.array is None:
        if expression.kind != "view":
            return None
        expression = expression.parts[0]
    return expression.array


def ref(array: Array) -> Expr:
    """An array by its name."""
    return Expr("", array.shape, answer=array.answer, array=array)


def number(value: float) -> Expr:
    """A number."""
    value = float(value)
    text = repr(value) if math.isfinite(value) else f"np.{value}".replace("-", "")
    negative = value < 0 or (value == 0.0 and math.copysign(1.0, value) < 0.0)
    text = f"-{text}" if negative and not text.startswith("-") else text
    return Expr(text, (), binding=_NEGATIVE if negative else ATOM, value=value)


def literal(text: str, shape: Shape = ()) -> Expr:
    """A name of the source."""
    return Expr(text, shape)


def size_of(shape: Sequence[int]) -> int:
    """The number of elements, of one example where there are some."""
    return abs(math.prod(shape))


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape of an operation element by element."""
    found: list[int] = []
    for shape in shapes:
        found = [1] * (len(shape) - len(found)) + found
        for k, dim in enumerate(reversed(shape), 1):
            if found[-k] == 1:
                found[-k] = dim
            elif dim not in (1, found[-k]):
                raise NotPlainError(f"operands of shapes {shape} and {tuple(found)} do not fit")
    return tuple(found)


def elementwise(function: str, parts: Sequence[Expr]) -> Expr:
    """``function`` of operands that broadcast against each other."""
    if all(part.value is not None for part in parts):
        with np.errstate(all="ignore"):
            return number(getattr(np, function)(*[np.float64(part.value or 0.0) for part in parts]))
    if (simple := _simple(function, parts)) is not None:
        return simple
    if function in ("add", "subtract") and all(part.answer for part in parts):  # NumPy's own sum of answers is "or"
        parts = [Expr("1.0 * {}", parts[0].shape, (parts[0],), 5, (6,)), *parts[1:]]
    shape = broadcast(part.shape for part in parts)
    answer = function in _ANSWERS or (function == "multiply" and all(part.answer for part in parts))
    if function in _SIGNS:
        sign, own = _SIGNS[function]
        return Expr(f"{{}} {sign} {{}}", shape, tuple(parts), own, (own + (own == 3), own + 1), answer or own == 3,
                    kind=sign)  # fmt: skip
    if function == "negative":
        return Expr("-{}", shape, tuple(parts), _NEGATIVE, (_NEGATIVE,))
    if function in ("square", "power"):
        parts = [*parts, number(2.0)][:2] if function == "square" else parts
        text = "{}**2" if function == "square" else "{}**{}"
        return Expr(text, shape, tuple(parts), 7, (8, 8))
    if function == "reciprocal":
        return elementwise("divide", [number(1.0), *parts])
    return call(f"np.{function}", parts, shape, answer=answer)


def _simple(function: str, parts: Sequence[Expr]) -> Expr | None:
    """Sums with 0 and products with 1, which a person would not write."""
    for one, other in zip(parts, reversed(parts), strict=True):
        plain = not other.answer
        if function == "multiply" and one.value == 1.0 and plain:
            return other
        if function == "multiply" and one.value == -1.0 and plain:
            return elementwise("negative", [other])
        if function == "add" and one.value == 0.0 and plain:
            return other
    if function in ("subtract", "divide") and parts[1].value == (function == "divide") and not parts[0].answer:
        return parts[0]
    if function == "subtract" and parts[0].value == 0.0 and not parts[1].answer:
        return elementwise("negative", [parts[1]])
    return None


def call(name: str, parts: Sequence[Expr], shape: Shape, *, answer: bool = False, after: str = "") -> Expr:
    """A call of a function."""
    places = ", ".join(["{}"] * len(parts))
    return Expr(f"{name}({places}{after})", shape, tuple(parts), ATOM, (0,) * len(parts), answer)


def suffix(of: Expr, text: str, shape: Shape, *parts: Expr, view: bool = False) -> Expr:
    """An attribute, a method or an index."""
    needs = (ATOM, *(0 for _ in parts))
    return Expr(f"{{}}{text}", shape, (of, *parts), ATOM, needs, of.answer, kind="view" if view else "")


def index(of: Expr, where: Sequence[str], shape: Shape) -> Expr:
    """A basic index, a view."""
    return suffix(of, f"[{', '.join(where)}]", shape, view=True)


def dims_text(shape: Sequence[int], *, one: bool = False) -> str:
    """A shape in the source; with ``one`` −1 stands for the only dimension that counts examples."""
    short = one and sum(dim < 0 for dim in shape) == 1

    def told(dim: int) -> str:
        return str(dim) if dim >= 0 else "-1" if short else "N" if dim == -1 else f"{-dim} * N"

    inside = ", ".join(map(told, shape))
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def reshaped(of: Expr, shape: Shape) -> Expr:
    """The same elements in another shape."""
    if of.shape == shape:
        return of
    if not shape:
        return index(of, ["0"] * len(of.shape), ()) if of.shape else of
    if not of.shape or of.value is not None:
        if shape == (1,):
            return Expr("np.array([{}])", shape, (of,), needs=(0,))
        return call("np.reshape", [of], shape, after=f", {dims_text(shape)}")
    inner = dims_text(shape, one=True)
    inner = inner if len(shape) > 1 else f"({inner[1:-2]})"
    return suffix(of, f".reshape{inner}", shape, view=True)


def transposed(of: Expr, order: Sequence[int]) -> Expr:
    """The axes of an expression in another order."""
    if list(order) == list(range(len(order))):
        return of
    shape = tuple(of.shape[k] for k in order)
    if list(order) == list(reversed(range(len(order)))):
        return suffix(of, ".T", shape, view=True)
    return suffix(of, f".transpose({', '.join(map(str, order))})", shape, view=True)


def repeated(of: Expr, shape: Shape) -> Expr:
    """An expression in the shape to which it broadcasts."""
    if of.shape == shape:
        return of
    if of.value is not None:
        return filled(shape, of.value)
    return suffix(call("np.broadcast_to", [of], shape, after=f", {dims_text(shape)}"), "", shape)


def filled(shape: Shape, value: float, dtype: Any = np.float64) -> Expr:
    """An array of equal numbers."""
    if not shape:
        return number(value)
    of_type = "" if np.dtype(dtype) == np.float64 else f", np.{np.dtype(dtype).name}"
    inside = dims_text(shape) if len(shape) > 1 else dims_text(shape)[1:-2]
    if value == 0.0:
        return literal(f"np.zeros({inside}{of_type})", shape)
    if value == 1.0:
        return literal(f"np.ones({inside}{of_type})", shape)
    return call("np.full", [literal(inside), number(value)], shape, after=of_type)


def total(of: Expr, axes: Sequence[int]) -> Expr:
    """The sum along some axes."""
    shape = tuple(dim for k, dim in enumerate(of.shape) if k not in axes)
    if not axes:
        return of
    axis = "" if not shape else f"axis={axes[0] if len(axes) == 1 else tuple(axes)}"
    return Expr(f"{{}}.sum({axis})", shape, (of,), ATOM, (ATOM,))


def matmul(left: Expr, right: Expr) -> Expr:
    """A matrix product."""
    a, b = left.shape, right.shape
    rows = a[:-1] if len(a) == 1 else a[-2:-1]
    columns = () if len(b) == 1 else b[-1:]
    stack = broadcast([a[:-2], b[:-2]])
    return Expr("{} @ {}", (*stack, *rows, *columns), (left, right), 5, (5, 6), kind="@")
