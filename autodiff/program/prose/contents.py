"""What the buffers of a program hold, as versions of named arrays: each whole write makes a new version.

Example: after the share of W1 was written to elements 0–31 of the gradient's buffer and that of b1 to elements 32–47,
the buffer consists of two arrays, ``dW1`` of shape (16, 2) and ``db1``; who reads all of it sees them joined.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from autodiff.program.prose.expressions import (
    Array,
    Expr,
    NotPlainError,
    Shape,
    call,
    filled,
    index,
    number,
    ref,
    repeated,
    reshaped,
    size_of,
    suffix,
    transposed,
)
from autodiff.program.prose.windows import axes_of, forward, picked, span_of, split, turned, window_on
from autodiff.program.writing.memory import EXAMPLES, Buffer, Window

__all__ = ["Assign", "Change", "Contents", "Piece", "Remark"]

_MOST_PIECES: Final = 24  # more are one array whose elements are written


@dataclass(eq=False)
class Assign:
    """``array = expression``."""

    array: Array
    expression: Expr


@dataclass(eq=False)
class Change:
    """Some elements of an array are written; the template has a place for the array and one for each part."""

    array: Array
    expression: Expr


@dataclass(eq=False)
class Remark:
    """A comment."""

    text: str


@dataclass(frozen=True)
class Piece:
    """The content of elements ``start`` to ``stop`` of a buffer, in each example.

    ``content`` has the shape of those elements in row-major order, or is one number for all if ``equal``.
    """

    start: int
    stop: int
    content: Expr
    equal: bool = False


class Contents:
    """The pieces of each buffer, and the statements that made them so far."""

    def __init__(self) -> None:
        self.pieces: dict[Buffer, list[Piece]] = {}
        self.names: dict[Buffer, dict[tuple[int, int], str]] = {}  # of known ranges, such as dW1
        self.statements: list[Any] = []

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self, window: Window, *, exact: bool = False) -> Expr:
        """The elements of a window; see `autodiff.program.prose.windows.window_on`."""
        if any(dim == 0 for dim in window.dims):
            raise NotPlainError("an array without elements")
        window, back = forward(window)
        return turned(self._read(window, exact), back, len(window.dims))

    def _read(self, window: Window, exact: bool) -> Expr:
        if window.buffer.fill is not None:
            return self._equal(number(window.buffer.fill), window, exact)
        piece = self._holding(window)
        if piece.equal:
            return self._equal(piece.content, window, exact)
        moved = Window(window.buffer, window.start - piece.start, window.dims, window.strides)
        if window.buffer.batched:
            size = piece.stop - piece.start
            steps = tuple(size if d == EXAMPLES else step for d, step in zip(moved.dims, moved.strides, strict=True))
            if any(dim < -1 for dim in moved.dims) and size != window.buffer.size:
                raise NotPlainError("a window over examples that no slice can express")
            moved = Window(Buffer("", size, True, window.buffer.dtype), moved.start, moved.dims, steps)
            if not any(dim < 0 for dim in moved.dims):
                raise NotPlainError("a window on one of the examples")
        return window_on(piece.content, moved, exact=exact)

    @staticmethod
    def _equal(content: Expr, window: Window, exact: bool) -> Expr:
        return repeated(content, window.dims) if exact else content

    def flat(self, window: Window) -> Expr:
        """A whole buffer as one axis, behind that of its examples."""
        buffer = window.buffer
        piece = self._whole(buffer)
        shape = _flat_shape(buffer)
        return repeated(piece.content, shape) if piece.equal else reshaped(piece.content, shape)

    def _holding(self, window: Window) -> Piece:
        """The smallest piece with all elements of a window."""
        low, high = window.start, window.start + 1
        for _, dim, step in axes_of(split(window)):
            if dim >= 0:
                high += (dim - 1) * step
        found = [piece for piece in self.pieces.get(window.buffer, ()) if piece.start <= low and high <= piece.stop]
        return min(found, key=lambda p: p.stop - p.start) if found else self._whole(window.buffer)

    def _whole(self, buffer: Buffer) -> Piece:
        """The buffer as one piece, joined if need be."""
        parts = self.pieces.get(buffer, [])
        for piece in parts:
            if (piece.start, piece.stop) == (0, buffer.size):
                return piece
        if not parts:
            return self._begun(buffer)
        content = self.assign(buffer.name, self.joined(buffer))
        piece = Piece(0, buffer.size, content)
        self.pieces[buffer] = [piece]
        return piece

    def _begun(self, buffer: Buffer) -> Piece:
        piece = Piece(0, buffer.size, number(0.0), equal=True)
        self.pieces[buffer] = [piece]
        return piece

    def joined(self, buffer: Buffer) -> Expr:
        """All pieces of a buffer, one after the other; zeros where nothing was written."""
        rows: list[Expr] = []
        place = 0
        end = Piece(buffer.size, buffer.size, number(0.0))
        for piece in [*sorted(self.pieces[buffer], key=lambda each: each.start), end]:
            if piece.start > place:
                rows.append(filled(_run(buffer, piece.start - place), 0.0, buffer.dtype))
            if piece.stop > piece.start:
                rows.append(_row(buffer, piece))
            place = piece.stop
        return call("np.concatenate", [_list(rows)], _flat_shape(buffer), after=", axis=1" if buffer.batched else "")

    # ---- writing -----------------------------------------------------------------------------------------------------

    def assign(self, hint: str, expression: Expr) -> Expr:
        """A new version of an array."""
        array = Array(hint, expression.shape, answer=expression.answer)
        self.statements.append(Assign(array, expression))
        return ref(array)

    def fill(self, window: Window, value: float = 0.0) -> None:
        """Set all elements of a window to one number."""
        self.write(window, number(value))

    def write(self, window: Window, value: Expr) -> None:
        """Set the elements of a window; the value has its dimensions, or broadcasts to them."""
        if any(dim == 0 for dim in window.dims):
            raise NotPlainError("an array without elements")
        window, back = forward(window)
        value = turned(value, back, len(window.dims))
        parts = split(window)
        span = span_of(parts)
        if span is None or self._is_part(window.buffer, span):
            self._change(window, value)
            return
        hint = self.names.get(window.buffer, {}).get(span) or window.buffer.name
        axes = [k for k, _, _ in axes_of(parts)]
        dims = tuple(parts.dims[k] for k in sorted(axes))
        if not value.shape and (dims or value.value is not None):
            content = value if value.value is not None else self.assign(hint, value)
            self._put(window.buffer, Piece(*span, content, equal=True))
            return
        if size_of(value.shape) != size_of(dims) or sum(d < 0 for d in value.shape) != sum(d < 0 for d in dims):
            value = repeated(value, window.dims)
        rows = reshaped(value, dims)
        inner = sorted(axes)
        rows = transposed(rows, [inner.index(k) for k in axes])
        self._put(window.buffer, Piece(*span, self.assign(hint, rows)))

    def natural(self, window: Window, value: Expr) -> None:
        """Set all elements of a window that lie one after the other, by an array of any shape in their order."""
        if value.shape and value.shape[0] < EXAMPLES:
            value = reshaped(value, (EXAMPLES, -value.shape[0], *value.shape[1:]))
        content = value if value.value is not None else self.assign(window.buffer.name, value)
        self._put(window.buffer, Piece(0, window.buffer.size, content, equal=not value.shape))

    def _is_part(self, buffer: Buffer, span: tuple[int, int]) -> bool:
        """Whether a range covers only a part of a piece that is not equal numbers."""
        return any(
            not piece.equal and piece.start < span[1] and span[0] < piece.stop
            and not (span[0] <= piece.start and piece.stop <= span[1])
            for piece in self.pieces.get(buffer, ())
        )  # fmt: skip

    def _put(self, buffer: Buffer, new: Piece) -> None:
        """Replace what lies in the range of a piece; equal numbers around it are split."""
        kept: list[Piece] = []
        for piece in self.pieces.get(buffer, []):
            if piece.stop <= new.start or new.stop <= piece.start:
                kept.append(piece)
            elif new.start <= piece.start and piece.stop <= new.stop:
                continue
            else:
                for start, stop in ((piece.start, new.start), (new.stop, piece.stop)):
                    if start < stop:
                        kept.append(Piece(start, stop, piece.content, equal=True))
        self.pieces[buffer] = [*kept, new]
        if len(kept) >= _MOST_PIECES:
            self._own(buffer)

    def _own(self, buffer: Buffer) -> Array:
        """The whole buffer as a flat array that may be changed."""
        piece = self._whole(buffer)
        array = piece.content.array
        shape = _flat_shape(buffer)
        if piece.equal:
            content = piece.content
            made = filled(shape, content.value, buffer.dtype) if content.value is not None else None
            made = made or suffix(repeated(content, shape), ".copy()", shape)
        elif array is not None and array.changed:
            return array
        elif len(shape) == 1:
            made = suffix(piece.content, ".flatten()" if piece.content.shape else ".reshape(1).copy()", shape)
        else:
            made = suffix(reshaped(piece.content, shape), ".copy()", shape)
        owned = Array(buffer.name, shape)
        self.statements.append(Assign(owned, made))
        owned.changed.append(len(self.statements) - 1)
        self.pieces[buffer] = [Piece(0, buffer.size, ref(owned))]
        return owned

    def _change(self, window: Window, value: Expr) -> None:
        """Write to some elements of a buffer."""
        array = self._own(window.buffer)
        parts = split(window)
        axes = axes_of(parts)
        if parts.dims != window.dims:
            value = reshaped(repeated(value, window.dims), parts.dims)
        inner = sorted(k for k, _, _ in axes)
        dims = tuple(parts.dims[k] for k in inner)
        if value.shape and value.shape != dims:
            value = reshaped(repeated(value, parts.dims), dims)
        target, order = picked(ref(array), parts.start, axes)
        target = _assignable(target, array, parts)
        if value.shape:
            value = transposed(value, [inner.index(k) for k in order])
        if value.shape and target.shape != value.shape:
            value = reshaped(value, target.shape)
        self.change(array, Expr("{} = {}", (), (target, value), 0, (0, 0)))

    def change(self, array: Array, expression: Expr) -> None:
        """Write to some elements of an array that `owned` gave."""
        array.changed.append(len(self.statements))
        self.statements.append(Change(array, expression))

    def owned(self, buffer: Buffer) -> Array:
        """The array of a whole buffer, flat, for changes in place."""
        return self._own(buffer)


def _assignable(target: Expr, array: Array, window: Window) -> Expr:
    """The target of an assignment; elements that a view reshapes are written in flat order instead."""
    if target.template.endswith("]") or target.array is not None:
        return target
    span = span_of(window)
    if span is None:
        raise NotPlainError("a part of an array that no index can express")
    where = [*([":"] if window.buffer.batched else []), f"{span[0]}:{span[1]}"]
    return index(ref(array), where, (*array.shape[:-1], span[1] - span[0]))


def _flat_shape(buffer: Buffer) -> Shape:
    return (EXAMPLES, buffer.size) if buffer.batched else (buffer.size,)


def _run(buffer: Buffer, count: int) -> Shape:
    return (EXAMPLES, count) if buffer.batched else (count,)


def _row(buffer: Buffer, piece: Piece) -> Expr:
    """A piece as one axis, behind that of the examples."""
    shape = _run(buffer, piece.stop - piece.start)
    if piece.equal:
        value = piece.content.value
        return repeated(piece.content, shape) if value is None else filled(shape, value, buffer.dtype)
    if not piece.content.shape:
        return Expr("[{}]", shape, (piece.content,), needs=(0,))
    if piece.content.shape != shape and len(shape) == 1:
        return suffix(piece.content, ".ravel()", shape)
    return reshaped(piece.content, shape)


def _list(rows: list[Expr]) -> Expr:
    places = ", ".join(["{}"] * len(rows))
    return Expr(f"[{places}]", (), tuple(rows), needs=(0,) * len(rows))
