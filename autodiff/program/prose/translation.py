"""The kernels of a program as assignments of expressions to versions of arrays.

Example: ``dot(x, W', z1); add(z1, b, z1); maximum(z1, 0.0, a1)`` becomes ``z1 = x @ W1.T``, ``z1 = z1 + b1`` and
``a1 = np.maximum(z1, 0.0)``, three assignments to three versions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autodiff.program.compiling.form import Form, Segment
from autodiff.program.prose.blocks import blocks_of
from autodiff.program.prose.contents import Contents, Piece, Remark
from autodiff.program.prose.expressions import (
    Array,
    Expr,
    NotPlainError,
    broadcast,
    call,
    elementwise,
    index,
    literal,
    matmul,
    number,
    ref,
    repeated,
    reshaped,
    size_of,
    suffix,
    total,
)
from autodiff.program.writing.kernels import Told
from autodiff.program.writing.memory import Window
from autodiff.program.writing.written import Written

__all__ = ["Translation"]


class Translation:
    """The statements of a form's two passes.

    Args:
        written: the form, written plainly.
        results: how many of its outputs are results.
        mean: for examples, whether results and gradients are averaged over them; summed if false.
    """

    def __init__(self, written: Written, results: int | None = None, *, mean: bool | None = None) -> None:
        self.written, self.form = written, written.form
        self.outputs, self.mean = written.outputs[:results], mean
        self.contents = Contents()
        self.arguments: list[Array] = []
        self.constants: dict[str, Any] = {}
        self.calls: list[str] = []
        self.returned: list[Expr] = []
        self._held: dict[str, Expr] = {}
        self._begin(self.form)
        for item in written.items:
            if item[0] == "backward":
                self.contents.statements.append(Remark("error signals"))
            else:
                getattr(self, f"_{item[0]}")(*item[1:])
        self.returned += [self._result(window) for window in self.outputs]
        self.returned += [self._gradient(segment, window) for segment, window in written.gradients.items()]

    @property
    def batched(self) -> bool:
        """Whether there is an axis of examples."""
        return any(segment.batched for segment in self.form.inputs)

    # ---- arguments and results ---------------------------------------------------------------------------------------

    def _begin(self, form: Form) -> None:
        memory, contents = self.written.memory, self.contents
        for segment in (*form.parameters, *form.inputs):
            buffer = memory.of(segment)
            shape = (-1, *segment.shape) if segment.batched else segment.shape
            array = Array(buffer.name, shape, fixed=True)
            self.arguments.append(array)
            contents.pieces[buffer] = [Piece(0, buffer.size, ref(array))]
        for segment, buffer in memory.data.items():
            if segment.data is not None:
                contents.pieces[buffer] = [Piece(0, buffer.size, self._constant(buffer.name, np.asarray(segment.data)))]
        for segment in form.parameters:
            if segment not in form.arrays:
                self._divide(segment)

    def _divide(self, segment: Segment) -> None:
        """Name the matrices and vectors in the segment of all numbers, and their gradients."""
        contents, buffer = self.contents, self.written.memory.of(segment)
        whole = contents.pieces[buffer][0].content
        signal = self.written.gradients.get(segment)
        for block in blocks_of(self.written, buffer, None if signal is None else signal.buffer):
            place = f"{block.start}:{block.stop}" if block.shape else str(block.start)
            flat = index(whole, [place], (block.stop - block.start,) if block.shape else ())
            content = contents.assign(block.name, reshaped(flat, block.shape))
            contents.pieces[buffer].append(Piece(block.start, block.stop, content))
            if signal is not None:
                contents.names.setdefault(signal.buffer, {})[block.start, block.stop] = f"d{block.name}"

    def _result(self, window: Window) -> Expr:
        if not self.batched or self.mean is None:
            return self.contents.read(window, exact=True)
        found = self.contents.read(window, exact=True)
        if window.buffer.batched:
            return suffix(found, f".{'mean' if self.mean else 'sum'}(axis=0)", window.dims[1:])
        return found if self.mean else elementwise("multiply", [literal("N"), found])

    def _gradient(self, segment: Segment, window: Window | None) -> Expr:
        if window is None:
            return repeated(number(0.0), segment.shape)
        pieces = self.contents.pieces[window.buffer]
        if len(window.dims) == 1 and len(pieces) > 1 and not window.buffer.batched:
            return self.contents.joined(window.buffer)
        return self.contents.read(window, exact=True)

    def _constant(self, name: str, thing: Any) -> Expr:
        """A constant array by its name, a number as it is."""
        if isinstance(thing, float | int | np.floating):
            return number(float(thing))
        if not isinstance(thing, np.ndarray) or thing.dtype == object:
            raise NotPlainError(f"the program holds {name}, which NumPy's source cannot spell")
        self.constants[name] = thing
        return literal(name, thing.shape)

    # ---- kernels -----------------------------------------------------------------------------------------------------

    def _fill(self, _: Any, __: Any, out: Window) -> None:
        self.contents.fill(out)

    def _ufunc(self, function: str, operands: Sequence[Any], out: Window) -> None:
        if (natural := self._natural(operands, out)) is not None:
            value = self._typed(elementwise(function, natural), out)
            shape = broadcast(part.shape for part in natural)
            self.contents.natural(out, value if value.value is not None else repeated(value, shape))
            return
        operands, out = self._short(operands, out)
        value = elementwise(function, [self._operand(item) for item in operands])
        self.contents.write(out, self._typed(value, out))

    @staticmethod
    def _typed(value: Expr, out: Window) -> Expr:
        """A comparison that is stored as a number."""
        if value.answer and out.buffer.dtype != np.bool:
            return Expr("np.where({}, 1.0, 0.0)", value.shape, (value,), needs=(0,))
        return value

    def _natural(self, operands: Sequence[Any], out: Window) -> list[Expr] | None:
        """The operands in the shape that they have, if all windows see whole arrays of one shape in their order."""
        windows = [item for item in operands if isinstance(item, Window)]
        if not windows or any(isinstance(item, str) for item in operands) or not _is_whole(out):
            return None
        found: list[Expr] = []
        for item in operands:
            if not isinstance(item, Window):
                found.append(number(float(item)))
                continue
            pieces = self.contents.pieces.get(item.buffer, [])
            whole = [piece for piece in pieces if (piece.start, piece.stop) == (0, item.buffer.size)]
            if not _is_whole(item) or not whole or item.buffer.batched != out.buffer.batched:
                return None
            found.append(whole[0].content)
            if item.buffer.size != out.buffer.size:
                return None
        shapes = {part.shape for part in found if part.shape}
        return found if len(shapes) == 1 else None

    def _short(self, operands: Sequence[Any], out: Window) -> tuple[list[Any], Window]:
        """Windows without the axes of length 1 that all have."""
        named = any(isinstance(item, str) and item in self._held for item in operands)
        if named or any(isinstance(item, Window) and len(item.dims) != len(out.dims) for item in operands):
            return list(operands), out
        kept = [k for k, dim in enumerate(out.dims) if dim != 1]
        short = [item.arranged(kept) if isinstance(item, Window) else item for item in operands]
        return short, out.arranged(kept)

    def _operand(self, item: Any) -> Expr:
        if isinstance(item, Window):
            return self.contents.read(item)
        if not isinstance(item, str):
            return number(float(item))
        if item in self._held:
            return self._held[item]
        if item.startswith("seeds["):
            return elementwise("divide", [number(1.0), literal("N")]) if self.batched and self.mean else number(1.0)
        if item in self.written.told:
            return self._called(self.written.told[item])
        return self._constant(item, self.written.scope[item])

    def _copy(self, _: Any, operands: Sequence[Any], out: Window) -> None:
        (of,) = operands
        if isinstance(of, str) and of.startswith("seeds[") and self.batched and self.mean and not out.buffer.batched:
            self.contents.write(out, number(1.0))  # an output without examples
            return
        operands, out = self._short(operands, out)
        value = self._operand(operands[0])
        if isinstance(of, str) and value.shape and of in self.written.told:
            value = reshaped(value, out.dims) if size_of(value.shape) == size_of(out.dims) else value
        self.contents.write(out, self._typed(value, out))

    def _product(self, _: Any, operands: Sequence[Window], out: Window) -> None:
        left, right = (self.contents.read(item, exact=True) for item in operands)
        self._store(out, matmul(left, right))

    def _rows(self, _: Any, operands: Sequence[Window], out: Window) -> None:
        left, right = (self.contents.read(item, exact=True) for item in operands)
        if len(left.shape) == len(right.shape) == 1:
            self._store(out, matmul(left, right))
        else:
            product = elementwise("multiply", [left, right])
            self._store(out, total(product, [len(product.shape) - 1]))

    def _total(self, axes: tuple[int, ...], operands: Sequence[Window], out: Window) -> None:
        (of,) = operands
        kept = [k for k, dim in enumerate(of.dims) if dim != 1]
        value = self.contents.read(of.arranged(kept), exact=True)
        self._store(out, total(value, [kept.index(k) for k in axes if k in kept]))

    def _store(self, out: Window, value: Expr) -> None:
        """Write a result whose shape may lack or have axes of length 1."""
        short = out.arranged([k for k, dim in enumerate(out.dims) if dim != 1])
        if size_of(value.shape) != size_of(short.dims):
            raise NotPlainError(f"a result of shape {value.shape} for {out.dims}")
        self.contents.write(short, reshaped(value, short.dims))

    # ---- elements by number ------------------------------------------------------------------------------------------

    def _gather(self, _: Any, operands: Sequence[Any], out: Window) -> None:
        of, places = operands
        where = self._places(places, batched=of.buffer.batched)
        flat = self.contents.flat(of)
        value = suffix(flat, f"[{':, ' * of.buffer.batched}{{}}]", (*flat.shape[:-1], *where.shape), where)
        self._store(out, value)

    def _scatter(self, _: Any, operands: Sequence[Any], out: Window) -> None:
        places, shares = operands
        where = self._places(places, batched=out.buffer.batched)
        share = self.contents.read(shares, exact=True)
        array = self.contents.owned(out.buffer)
        lead = "(slice(None), {})" if out.buffer.batched else "{}"
        self.contents.change(
            array, Expr(f"np.add.at({{}}, {lead}, {{}})", (), (ref(array), where, share), 0, (0, 0, 0))
        )

    def _places(self, name: str, *, batched: bool) -> Expr:
        told = self.written.told.get(name)
        if told is None:
            if batched:
                raise NotPlainError("a choice among the examples")
            return self._constant(name, self.written.scope[name])
        if told.kind == "rows":
            return self._constant(told.name, self.written.scope[told.name])
        if told.kind != "chosen" or batched:
            raise NotPlainError("integers of each example choose")
        return self._chosen(told.name)

    def _chosen(self, name: str) -> Expr:
        """The places that the integers of a run choose; an index out of range raises, negative ones count back."""
        if name not in self._held:
            base, step, which, limit = (np.asarray(item) for item in self.written.scope[name])
            if not limit.size or (limit != limit.flat[0]).any():
                raise NotPlainError("integers choose from lists of several lengths")
            b, s, w = (
                self._constant(f"{name}_{each}", x) for each, x in (("base", base), ("step", step), ("which", which))
            )
            picked = suffix(literal("np.asarray(integers)"), "[{}]", which.shape, w)
            inside = suffix(literal(f"np.arange({limit.flat[0]})"), "[{}]", which.shape, picked)
            value = elementwise("add", [b, elementwise("multiply", [s, inside])])
            self._held[name] = self.contents.assign("places", value)
        return self._held[name]

    @property
    def chooses(self) -> bool:
        """Whether integers of the run are an argument."""
        return bool(self._held) and any(told.kind == "chosen" for told in self.written.told.values())

    # ---- calls -------------------------------------------------------------------------------------------------------

    def _assign(self, text: str, _: Any, name: str) -> None:
        told = self.written.told.get(name) or self.written.told.get(text)
        if told is not None and told.kind in ("rows", "chosen"):
            return
        if told is None:
            if not text.startswith("np_arange("):
                raise NotPlainError(f"the program calls {text}, which NumPy alone does not have")
            return
        self._held[name] = self.contents.assign("t", self._called(told))

    def _called(self, told: Told) -> Expr:
        """A call of a function of NumPy, or by its name of what NumPy does not have."""
        parts = [self.contents.read(x, exact=told.kind != "np") if isinstance(x, Window) else self._operand(x)
                 for x in told.operands]  # fmt: skip
        if told.kind == "np" and told.name == "where":
            return call("np.where", parts, broadcast(part.shape for part in parts))
        name = told.name if told.kind != "rule" else f"{told.name}_share_{told.slot}"
        if name not in self.calls:
            self.calls.append(name)
        after = "".join(f", {key}={item!r}" for key, item in told.params.items())
        return call(name, parts, told.shape, after=after)


def _is_whole(window: Window) -> bool:
    """Whether a window sees all of its buffer in order."""
    size = size_of(window.dims)
    return window.start == 0 and window.contiguous and size == window.buffer.size and size > 1
