"""Sums of products along axes: which call of NumPy computes Σ left·right, judged by the axes along which each varies.

Axes are letters: ``b`` is that of the examples, ``k`` the one summed in a `Sum`, and one more for each axis of the
result. Example: for z = W a over examples, the left operand a varies along (b, k), the right one W along (i, k), and
the result along (b, i). No letter is in all three, so it is a matrix product. For the share of W, the signal varies
along (b, i), a along (b, k), and the result along (i, k): a product again, with b summed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autodiff.program.writing.kernels import Kernels
from autodiff.program.writing.memory import EXAMPLES, Window, merged

__all__ = ["Lettered", "contract", "lettered"]


@dataclass(frozen=True, slots=True)
class Lettered:
    """A window whose axes have letters; it has no axis along which it does not vary."""

    window: Window
    letters: str

    def along(self, letters: Sequence[str]) -> Window:
        """The window with its axes in this order; an axis along which it does not vary has length 1."""
        return self.window.arranged([self.letters.find(letter) for letter in letters])


def lettered(window: Window, letters: str) -> Lettered:
    """The axes along which a window varies, with their letters."""
    kept = [k for k, (dim, stride) in enumerate(zip(window.dims, window.strides, strict=True)) if stride and dim != 1]
    return Lettered(window.arranged(kept), "".join(letters[k] for k in kept))


def contract(
    kernels: Kernels, left: Lettered, right: Lettered, out: Lettered, dims: Mapping[str, int], dtype: Any
) -> None:  # fmt: skip
    """``out = Σ left·right`` over the letters that ``out`` lacks; each of its letters is in ``left`` or ``right``.

    A letter that only one operand has and the result lacks is summed first.
    """
    left, right = (_summed(kernels, one, other, out, dims, dtype) for one, other in ((left, right), (right, left)))
    shared = [x for x in left.letters if x in right.letters]
    inner = [x for x in shared if x not in out.letters]
    stack = [x for x in out.letters if x in shared]
    rows = [x for x in out.letters if x in left.letters and x not in shared]
    columns = [x for x in out.letters if x in right.letters and x not in shared]
    if not inner:
        kernels.ufunc("multiply", left.along(out.letters), right.along(out.letters), out=out.along(out.letters))
    elif stack:
        _stacked(kernels, left, right, out, (stack, rows, columns, inner), dims, dtype)
    else:
        _matrix(kernels, left, right, out, (rows, columns, inner), dims, dtype)


def _summed(kernels: Kernels, one: Lettered, other: Lettered, out: Lettered, dims: Any, dtype: Any) -> Lettered:
    """An operand without the letters that neither the other operand nor the result has: they are summed."""
    alone = [x for x in one.letters if x not in other.letters and x not in out.letters]
    if not alone:
        return one
    kept = [x for x in one.letters if x not in alone]
    target = kernels.memory.temporary(_in_order([dims[x] for x in kept]), dtype)
    kernels.total(one.window, tuple(one.letters.index(x) for x in alone), target)
    return Lettered(target, "".join(kept))


def _in_order(dims: list[int]) -> tuple[int, ...]:
    if EXAMPLES in dims[1:]:
        raise ValueError("the axis of the examples comes first in memory")
    return tuple(dims)


def _matrix(
    kernels: Kernels, left: Lettered, right: Lettered, out: Lettered, parts: tuple[list[str], ...], dims: Any,
    dtype: Any,
) -> None:  # fmt: skip
    """A matrix product, whose axes may consist of several; exchanged, if the result lies in memory the other way."""
    rows, columns, inner = parts
    if out.letters and out.letters[0] in columns:
        left, right, rows, columns = right, left, columns, rows
    inner = _order_of(inner, left, right)
    a = _plane(kernels, left, rows, inner, dims, dtype)
    b = _plane(kernels, right, inner, columns, dims, dtype)
    c = _flat(out.along([*rows, *columns]), len(rows), len(columns))
    if c is not None and c.contiguous:
        kernels.dot(a, b, c)
        return
    target = kernels.memory.temporary(tuple(dims[x] for x in [*rows, *columns]), dtype)
    flat = _flat(target, len(rows), len(columns))
    kernels.dot(a, b, flat if flat is not None else target)
    kernels.copy(target, out.along([*rows, *columns]))
    kernels.memory.release(target)


def _order_of(letters: list[str], *operands: Lettered) -> list[str]:
    """Letters in the order of the operand in which they lie contiguously; that of the examples comes first."""
    for operand in operands:
        order = [x for x in operand.letters if x in letters]
        window = operand.along(order)
        if merged(window.dims, window.strides) is not None:
            return order
    return sorted(letters, key=lambda x: x != "b")


def _plane(kernels: Kernels, operand: Lettered, rows: list[str], columns: list[str], dims: Any, dtype: Any) -> Window:
    """An operand as a matrix (or a vector, if it lacks rows or columns), copied if its axes cannot be joined."""
    window = operand.along([*rows, *columns])
    flat = _flat(window, len(rows), len(columns))
    if flat is not None:
        return flat
    first = sorted([*rows, *columns], key=lambda x: x != "b")  # the examples lead in memory
    target = Lettered(kernels.memory.temporary(tuple(dims[x] for x in first), dtype), "".join(first))
    kernels.copy(operand.along(first), target.window)
    flat = _flat(target.along([*rows, *columns]), len(rows), len(columns))
    if flat is None:
        raise NotImplementedError("examples inside of another axis")
    return flat


def _flat(window: Window, rows: int, columns: int) -> Window | None:
    """A window with its first ``rows`` axes joined, and the others; None if their strides do not allow it."""
    dims, strides = [], []
    for part in (slice(0, rows), slice(rows, rows + columns)):
        if part.start == part.stop:
            continue
        stride = merged(window.dims[part], window.strides[part])
        if stride is None:
            return None
        dims.append(_length(window.dims[part]))
        strides.append(stride[0] if stride else 0)
    return Window(window.buffer, window.start, tuple(dims), tuple(strides))


def _length(dims: Sequence[int]) -> int:
    """The number of elements of several axes; with an axis of examples, −that of one example (see `EXAMPLES`)."""
    count = 1
    for dim in dims:
        count *= dim
    return count


def _stacked(
    kernels: Kernels, left: Lettered, right: Lettered, out: Lettered, parts: tuple[list[str], ...], dims: Any,
    dtype: Any,
) -> None:  # fmt: skip
    """One matrix product for each index of the axes that all three share."""
    stack, rows, columns, inner = parts
    inner = _order_of(inner, left, right)
    if not rows and not columns and len(inner) == 1:
        kernels.vecdot(left.along([*stack, *inner]), right.along([*stack, *inner]), out.along(stack))
        return
    a = _stack(kernels, left, stack, rows, inner, dims, dtype)
    b = _stack(kernels, right, stack, inner, columns, dims, dtype)
    order = [*stack, *rows, *columns]
    whole = out.along(order)
    n = len(stack)
    flat = _flat(Window(whole.buffer, whole.start, whole.dims[n:], whole.strides[n:]), len(rows), len(columns))
    if flat is None:
        raise NotImplementedError("a result of a stacked product with axes that cannot be joined")
    places = iter(range(n, n + 2))
    matrix = [n if rows else -1, (n + bool(rows)) if columns else -1]
    del places
    joined = Window(whole.buffer, whole.start, (*whole.dims[:n], *flat.dims), (*whole.strides[:n], *flat.strides))
    kernels.matmul(a, b, joined.arranged([*range(n), *matrix]))


def _stack(
    kernels: Kernels, operand: Lettered, stack: list[str], rows: list[str], columns: list[str], dims: Any, dtype: Any
) -> Window:  # fmt: skip
    """An operand as a stack of matrices, copied if its axes cannot be joined."""
    window, n = operand.along([*stack, *rows, *columns]), len(stack)
    flat = _flat(Window(window.buffer, window.start, window.dims[n:], window.strides[n:]), len(rows), len(columns))
    if flat is None:
        order = sorted([*stack, *rows, *columns], key=lambda x: x != "b")
        target = Lettered(kernels.memory.temporary(tuple(dims[x] for x in order), dtype), "".join(order))
        kernels.copy(operand.along(order), target.window)
        return _stack(kernels, target, stack, rows, columns, dims, dtype)
    joined = Window(window.buffer, window.start, (*window.dims[:n], *flat.dims), (*window.strides[:n], *flat.strides))
    return joined.arranged([*range(n), n if rows else -1, (n + bool(rows)) if columns else -1])
