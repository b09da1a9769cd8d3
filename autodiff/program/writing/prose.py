"""The NumPy that a person could have written: the kernels of a program as expressions, without windows and buffers.

Example: ``dot(x, W', z1); add(z1, b, z1); maximum(z1, 0.0, a1)`` reads ``z1 = x @ W1.T + b1`` and
``a1 = np.maximum(z1, 0.0)``. Intermediate results that are used once stand where they are used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from autodiff.program.compiling.form import Form, Segment
from autodiff.program.writing.memory import Buffer, Window, merged
from autodiff.program.writing.written import Written, write

__all__ = ["NotPlainError", "prose"]

_SIGNS: Final = {
    "add": ("+", 4), "subtract": ("-", 4), "multiply": ("*", 5), "divide": ("/", 5), "power": ("**", 7),
    "floor_divide": ("//", 5), "greater": (">", 3), "greater_equal": (">=", 3), "less": ("<", 3),
    "less_equal": ("<=", 3), "equal": ("==", 3), "not_equal": ("!=", 3),
}  # fmt: skip
_NEGATIVE: Final = 6
_ATOM: Final = 9
_LONGEST: Final = 96  # characters of an expression


class NotPlainError(TypeError):
    """A program uses an operation that NumPy alone does not have."""


@dataclass(eq=False)
class _Value:
    """One content of a buffer: its expression until it is written down, and how often it is read."""

    name: str
    dims: tuple[int, ...]
    text: str = ""
    binding: int = _ATOM
    reads: list[_Value] = field(default_factory=list)
    uses: int = 0
    steady: bool = False  # changed in place, or a result: it needs a name
    written: bool = False


def prose(form: Form, name: str = "step") -> str:
    """The source of one function of NumPy that computes the results and the gradients of a form.

    Raises:
        NotPlainError: if the program calls an operation that NumPy alone does not have.
    """
    return _Prose(write(form, plain=True), name).text()


class _Prose:
    """The statements of the function, in order."""

    def __init__(self, written: Written, name: str) -> None:
        self.written, self.name, self.form = written, name, written.form
        self.current: dict[Buffer, _Value] = {}
        self.blocks: dict[Buffer, list[tuple[int, int, str]]] = {}
        self.statements: list[tuple[str, Any]] = []
        self.constants: list[str] = []
        self.taken: set[str] = {"np", "seed", name}
        #: The shape in which an operation element by element is computed, if not that of its window.
        self.natural: tuple[int, ...] | None = None

    def text(self) -> str:
        """The whole source."""
        self._begin()
        for item in self.written.items:
            if item[0] == "backward":
                self.statements.append(("remark", "# error signals"))
            else:
                self._item(*item)
        self._end()
        return self._spelled()

    # ---- arguments and results ---------------------------------------------------------------------------------------

    def _begin(self) -> None:
        memory = self.written.memory
        for segment in (*self.form.parameters, *self.form.inputs):
            buffer = memory.of(segment)
            dims = (-1, *segment.shape) if segment.batched else segment.shape
            self.current[buffer] = _Value(self._unique(buffer.name), dims, written=True)
        for segment, buffer in memory.data.items():
            if segment.data is not None:
                value = _Value(self._unique(buffer.name), segment.shape, written=True)
                self.current[buffer] = value
                self.constants.append(f"{value.name} = {_array(segment.data)}")
        for segment in self.form.parameters:
            if segment not in self.form.arrays:
                self._divide(segment)

    def _divide(self, segment: Segment) -> None:
        """The matrices and vectors of which the segment of all numbers consists, if the windows on it say so."""
        memory = self.written.memory
        buffer = memory.of(segment)
        signal = next((w.buffer for w in self.written.gradients.values() if w and w.buffer.size == buffer.size), None)
        ranges: dict[tuple[int, int], Window] = {}
        for window in memory.windows:
            window = _bare(window)
            if window.buffer in (buffer, signal) and (span := _span(window)):
                known = ranges.get(span)
                if known is None or (len(window.dims) == 2 and window.contiguous) or len(known.dims) < len(window.dims):
                    ranges[span] = window
        multiplied = {
            _span(_bare(item))
            for kind, _, operands, _ in (each for each in self.written.items if len(each) == 4)
            for item in operands
            if kind in ("product", "rows") and isinstance(item, Window) and item.buffer is buffer
        }
        whole = ranges.pop((0, buffer.size), None)
        ends = sorted(ranges)
        if len(ends) < 2 and whole is not None:
            return
        if not ends or any(b > c for (_, b), (c, _) in pairwise(ends)):
            return
        blocks, place = [], 0
        for start, stop in ends:
            if start > place:
                blocks.append((place, start, "rest"))
            blocks.append((start, stop, "W" if (start, stop) in multiplied else "b"))
            place = stop
        if place < buffer.size:
            blocks.append((place, buffer.size, "rest"))
        counts: dict[str, int] = {}
        named = []
        for start, stop, stem in blocks:
            counts[stem] = counts.get(stem, 0) + 1
            named.append((start, stop, self._unique(f"{stem}{counts[stem]}")))
        self.blocks[buffer] = named
        if signal is not None:
            self.blocks[signal] = [(start, stop, self._unique(f"d{text}")) for start, stop, text in named]
        parent = self.current[buffer]
        for start, stop, text in named:
            dims = self._natural(ranges.get((start, stop)), stop - start)
            shape = f".reshape{dims}" if len(dims) > 1 else ""
            range_of = f"{start}:{stop}" if dims else f"{start}"
            piece = _Value(text, dims, f"{parent.name}[{range_of}]{shape}", written=False, steady=True)
            self.statements.append(("value", piece))
            self.current[self._piece(buffer, start, stop)] = piece

    def _natural(self, window: Window | None, size: int) -> tuple[int, ...]:
        """The shape of a block in row-major order."""
        if window is None:
            return (size,)
        axes = sorted((k for k, dim in enumerate(window.dims) if dim > 1), key=lambda k: -window.strides[k])
        return tuple(window.dims[k] for k in axes)

    def _piece(self, buffer: Buffer, start: int, stop: int) -> Any:
        return (buffer, start, stop)

    def _end(self) -> None:
        outputs = [self._read(window) for window in self.written.outputs]
        gradients = []
        for segment, window in self.written.gradients.items():
            if window is None:
                gradients.append(f"np.zeros({segment.shape})")
            elif window.buffer in self.blocks and window.buffer not in self.current:
                parts = [self._piece_text(window.buffer, span) for span in self.blocks[window.buffer]]
                gradients.append(f"np.concatenate([{', '.join(parts)}])")
            else:
                gradients.append(self._read(window)[0])
        texts = [text for text, _ in outputs]
        self.statements.append(("return", f"return {', '.join([*texts, *gradients])}"))

    def _piece_text(self, buffer: Buffer, span: tuple[int, int, str]) -> str:
        value = self.current.get(self._piece(buffer, span[0], span[1]))
        if value is None:
            return f"np.zeros({span[1] - span[0]})"
        value.uses += 1
        value.steady = True
        return f"{value.name}.ravel()" if len(value.dims) > 1 else value.name if value.dims else f"[{value.name}]"

    # ---- statements --------------------------------------------------------------------------------------------------

    def _item(self, kind: str, what: Any, operands: Sequence[Any], out: Any) -> None:
        if kind == "assign":
            raise NotPlainError(f"the program calls {what}, which NumPy alone does not have")
        if kind == "fill":
            self._write(out, "0.0", _ATOM, [], fill=True)
        elif kind in ("copy", "ufunc"):
            kept = [k for k, dim in enumerate(out.dims) if dim != 1]
            operands = [item.arranged(kept) if _is_like(item, out) else item for item in operands]
            out = out.arranged(kept)
            self._write(out, *self._expression(kind, what, operands, out))
        elif kind == "scatter":
            places, shares = operands
            text, reads = self._read(shares)
            target = self._mutable(out.buffer)
            self.statements.append(
                ("line", (f"np.add.at({self._flat(target)}, {self._places(places)}, {text})", reads))
            )
        else:
            self._write(out, *self._expression(kind, what, operands, out))
        self.natural = None

    def _expression(self, kind: str, what: Any, operands: Sequence[Any], out: Window) -> tuple[str, int, list[_Value]]:
        if kind == "gather":
            text, reads = self._read(operands[0], flat=True)
            return f"{text}[{self._places(operands[1])}]", _ATOM, reads
        parts = self._elements(operands, out) if kind == "ufunc" else None
        parts = parts or [self._operand(item, out.dims if kind == "ufunc" else None) for item in operands]
        reads = [value for _, _, values in parts for value in values]
        if kind == "ufunc" and what == "multiply" and "1.0" in (parts[0][0], parts[1][0]):
            return parts[1] if parts[0][0] == "1.0" else parts[0]
        if kind == "copy":
            of = operands[0]
            if isinstance(of, Window) and any(
                dim != 1 and not step for dim, step in zip(of.dims, of.strides, strict=True)
            ):
                return f"np.broadcast_to({parts[0][0]}, {_shape(out.dims)})", _ATOM, reads
            if not isinstance(of, Window) and out.dims:
                return f"np.full({_shape(out.dims)}, {parts[0][0]})", _ATOM, reads
            return parts[0][0], parts[0][1], reads
        if kind == "total":
            axis = what[0] if len(what) == 1 else what
            inside = "" if len(what) == len(operands[0].dims) else f"axis={axis}"
            return f"{_bracketed(parts[0], _ATOM)}.sum({inside})", _ATOM, reads
        if kind == "rows":
            return f"({_bracketed(parts[0], 5)} * {_bracketed(parts[1], 6)}).sum(axis=-1)", _ATOM, reads
        if kind == "product":
            return f"{_bracketed(parts[0], 5)} @ {_bracketed(parts[1], 6)}", 5, reads
        if what == "negative":
            return f"-{_bracketed(parts[0], _NEGATIVE)}", _NEGATIVE, reads
        if what in _SIGNS:
            sign, binding = _SIGNS[what]
            left = _bracketed(parts[0], binding + (sign == "**"))
            right = _bracketed(parts[1], binding + (sign not in "+*"))
            return f"{left} {sign} {right}" if sign != "**" else f"{left}**{right}", binding, reads
        return f"np.{what}({', '.join(text for text, _, _ in parts)})", _ATOM, reads

    def _elements(self, operands: Sequence[Any], out: Window) -> list[tuple[str, int, list[_Value]]] | None:
        """The operands of an operation element by element in one natural shape, if they lie in memory alike."""
        windows = [item for item in operands if isinstance(item, Window)]
        size = abs(math.prod(out.dims))
        if not windows or any(item.buffer not in self.current for item in windows):
            return None
        values = [self.current[item.buffer] for item in windows]
        alike = all(
            item.contiguous and item.start == 0 and abs(math.prod(item.dims)) == abs(math.prod(value.dims)) == size
            for item, value in zip(windows, values, strict=True)
        )
        if not alike or len({value.dims for value in values}) > 1 or not out.contiguous:
            return None
        self.natural = values[0].dims
        parts = []
        for item in operands:
            if isinstance(item, Window) and self.current[item.buffer].text != "1.0":
                value = self.current[item.buffer]
                value.uses += 1
                parts.append((value.name, _ATOM, [value]))
            else:
                parts.append(self._operand(item, None))
        return parts

    def _operand(self, item: Any, dims: Any) -> tuple[str, int, list[_Value]]:
        if isinstance(item, Window):
            if (known := self.current.get(item.buffer)) is not None and known.text == "1.0":
                return "1.0", _ATOM, []
            text, reads = self._read(item, broadcast=dims)
            return text, _ATOM, reads
        if isinstance(item, str):
            if item.startswith("seeds"):
                return "1.0", _ATOM, []
            return self._held(item), _ATOM, []
        return _number(item), _ATOM if item >= 0 else _NEGATIVE, []

    def _held(self, name: str) -> str:
        thing = self.written.scope[name]
        if isinstance(thing, np.ndarray | float):
            line = f"{name} = {_array(thing) if isinstance(thing, np.ndarray) else _number(thing)}"
            if line not in self.constants:
                self.constants.append(line)
        return name

    def _places(self, places: Any) -> str:
        return self._held(places)

    def _write(self, out: Window, text: str, binding: int, reads: list[_Value], *, fill: bool = False) -> None:
        """Assign to a buffer, to a block of it, or to some of its elements."""
        buffer, span = out.buffer, _span(out)
        pieces = self.blocks.get(buffer)
        key: Any = buffer
        if pieces is not None and span is not None:
            if (span[0], span[1]) in {(a, b) for a, b, _ in pieces}:
                key = self._piece(buffer, *span)
                if buffer in self.current and key not in self.current:
                    target = self._mutable(buffer)
                    self._set(target, out, text, reads)
                    return
                name = next(text for a, b, text in pieces if (a, b) == span)
                self._assign(key, name, self._in_rows(out), text, binding, reads)
                return
            if (
                span == (0, buffer.size)
                and not fill
                and buffer not in self.current
                and any(self._piece(buffer, a, b) in self.current for a, b, _ in pieces)
            ):
                self._join(buffer)
        whole = span is not None and span[1] - span[0] == buffer.size
        if whole:
            dims = self.natural or out.dims
            self._assign(buffer, None, dims, f"np.zeros({_shape(dims)})" if fill else text, binding, reads, zeros=fill)
            return
        self._set(self._mutable(buffer), out, text, reads)

    def _set(self, target: _Value, out: Window, text: str, reads: list[_Value]) -> None:
        """Assign to some elements of an array."""
        bare, span = _bare(out), _span(_bare(out))
        flat = self._flat(target)
        if span is not None and bare.contiguous:
            where = f"{flat}[{span[0]}:{span[1]}]" if bare.dims else f"{flat}[{span[0]}]"
            text = f"np.ravel({text})" if len(bare.dims) > 1 else text
        else:
            where = self._part(target, out)
            if not where.endswith("]"):
                raise NotPlainError("a part of an array that no index can express")
        self.statements.append(("line", (f"{where} = {text}", reads)))

    def _in_rows(self, out: Window) -> tuple[int, ...]:
        return self._natural(out, out.buffer.size)

    def _join(self, buffer: Buffer) -> None:
        """The blocks of a gradient as one array, for what touches all of them."""
        parts = [self._piece_text(buffer, span) for span in self.blocks[buffer]]
        value = _Value(self._unique(buffer.name), (buffer.size,), f"np.concatenate([{', '.join(parts)}])", steady=True)
        value.reads = [
            self.current[key] for a, b, _ in self.blocks[buffer] if (key := self._piece(buffer, a, b)) in self.current
        ]
        self.statements.append(("value", value))
        self.current[buffer] = value

    def _assign(
        self, key: Any, name: str | None, dims: tuple[int, ...], text: str, binding: int, reads: list[_Value], *,
        zeros: bool = False,
    ) -> None:  # fmt: skip
        known = self.current.get(key)
        name = name or (known.name if known else self._unique(key.name))
        value = _Value(name, dims, text, binding, reads, steady=zeros)
        self.current[key] = value
        self.statements.append(("value", value))

    def _mutable(self, buffer: Buffer) -> _Value:
        """The content of a buffer that is changed in place."""
        if buffer not in self.current:
            if buffer in self.blocks:
                self._join(buffer)
            else:
                dims = (-buffer.size if buffer.batched else buffer.size,)
                self._assign(buffer, None, dims, f"np.empty({_shape(dims)})", _ATOM, [])
        value = self.current[buffer]
        value.steady = True
        return value

    # ---- windows -----------------------------------------------------------------------------------------------------

    def _read(self, window: Window, *, flat: bool = False, broadcast: Any = None) -> tuple[str, list[_Value]]:
        """The text of a window on the current content of its buffer."""
        span, key = _span(_bare(window)), window.buffer
        if window.buffer in self.blocks and span is not None:
            for a, b, _ in self.blocks[window.buffer]:
                if a <= span[0] and span[1] <= b and (piece := self._piece(window.buffer, a, b)) in self.current:
                    value = self.current[piece]
                    value.uses += 1
                    moved = Window(window.buffer, window.start - a, window.dims, window.strides)
                    return self._part(value, moved, broadcast=broadcast), [value]
        if window.buffer not in self.current and window.buffer in self.blocks:
            self._join(window.buffer)
        if key not in self.current and key.fill is not None:
            value = _Value(f"np.ones({_shape(window.dims)})", window.dims, written=True)
            return value.name, [value]
        value = self.current[key]
        value.uses += 1
        if flat:
            return self._flat(value), [value]
        return self._part(value, window, broadcast=broadcast), [value]

    def _flat(self, value: _Value) -> str:
        return value.name if len(value.dims) == 1 else f"{value.name}.ravel()"

    def _part(self, value: _Value, window: Window, *, broadcast: Any = None) -> str:
        """The elements of a window, as NumPy expressions on an array of the value's shape."""
        axes = [k for k, step in enumerate(window.strides) if step and window.dims[k] != 1]
        bare = tuple(window.dims[k] for k in axes)
        steps = tuple(window.strides[k] for k in axes)
        text = _picked(value, window.start, bare, steps)
        kept = [k for k, dim in enumerate(window.dims) if dim != 1 or broadcast is None]
        if len(axes) == len(kept) and bare == tuple(window.dims[k] for k in kept) and len(kept) == len(window.dims):
            return text
        lead = next((k for k in range(len(window.dims)) if k in axes), len(window.dims))
        if broadcast is None and any(dim != 1 and k not in axes for k, dim in enumerate(window.dims)):
            return f"np.broadcast_to({_widened(text, window.dims, axes, 0)}, {_shape(window.dims)})"
        return _widened(text, window.dims, axes, lead if broadcast is not None else 0)

    def _unique(self, name: str) -> str:
        found, k = name, 1
        while found in self.taken:
            k += 1
            found = f"{name}_{k}"
        self.taken.add(found)
        return found

    # ---- text --------------------------------------------------------------------------------------------------------

    def _spelled(self) -> str:
        arguments = ", ".join(
            self.current[self.written.memory.of(segment)].name for segment in (*self.form.parameters, *self.form.inputs)
        )
        lines = _lines(self.statements)
        head = ["import numpy as np", "", *(self.constants and [*self.constants, ""]), ""]
        return "\n".join([*head, f"def {self.name}({arguments}):", *(f"    {line}" for line in lines)]) + "\n"


def _lines(statements: list[tuple[str, Any]]) -> list[str]:
    """Every statement as a line, except intermediate results that are used once and not changed in between."""
    lines: list[str] = []
    pending: list[_Value] = []

    def flush(keep: Sequence[_Value] = ()) -> None:
        for value in [each for each in pending if each not in keep]:
            pending.remove(value)
            lines.append(f"{value.name} = {value.text}")
            value.written = True

    for k, (kind, thing) in enumerate(statements):
        if kind == "value":
            text, binding = thing.text, thing.binding
            for read in thing.reads:
                if read in pending and _fits(read, text):
                    text = _substituted(text, read, binding)
                    pending.remove(read)
            thing.text = text
            flush([each for each in pending if each.uses == 1 and not each.steady and each.name != thing.name])
            later = statements[k + 1 : k + 4]
            near = any(_reads(item, thing) for item in later)
            if thing.uses == 1 and not thing.steady and near:
                pending.append(thing)
            else:
                flush([each for each in pending if not _stale(each, thing)])
                lines.append(f"{thing.name} = {thing.text}")
                thing.written = True
        else:
            text = thing[0] if kind == "line" else thing
            if kind == "line":
                for read in thing[1]:
                    if read in pending and _fits(read, text):
                        text = _substituted(text, read, 0)
                        pending.remove(read)
            flush()
            lines.append(text)
    return lines


def _reads(statement: tuple[str, Any], value: _Value) -> bool:
    kind, thing = statement
    reads = thing.reads if kind == "value" else thing[1] if kind == "line" else ()
    return any(read is value for read in reads)


def _stale(pending: _Value, changed: _Value) -> bool:
    return any(read.name == changed.name for read in pending.reads)


def _fits(read: _Value, text: str) -> bool:
    return len(read.text) + len(text) < _LONGEST and _count(text, read.name) == 1


def _count(text: str, name: str) -> int:
    return sum(1 for _ in _places_of(text, name))


def _places_of(text: str, name: str) -> Any:

    return re.finditer(rf"(?<![\w.]){re.escape(name)}(?!\w)", text)


def _substituted(text: str, read: _Value, binding: int) -> str:
    (match,) = _places_of(text, read.name)
    start, stop = match.span()
    after, before = text[stop:], text[:start]
    alone = (before == "" or before.endswith(("(", ", "))) and (after == "" or after.startswith((")", ", ")))
    ends = after == "" or after.startswith((")", " +", " -"))
    summand = read.binding >= 5 and ends and (before == "" or before.endswith(("+ ", "(")))
    loose = (
        read.binding >= _ATOM
        or alone
        or summand
        or (before == "" and after.startswith(" ") and read.binding >= binding)
    )
    return f"{before}{read.text if loose else f'({read.text})'}{after}"


def _span(window: Window) -> tuple[int, int] | None:
    """The range of elements that a window covers, each once; None if it skips or repeats some."""
    axes = sorted((k for k, dim in enumerate(window.dims) if dim != 1), key=lambda k: -window.strides[k])
    ordered = window.arranged(axes)
    inner = merged(ordered.dims, ordered.strides)
    if inner is None or (inner and inner[0] != 1):
        return None
    size = abs(math.prod(window.dims))
    return window.start, window.start + size


def _is_like(item: Any, out: Window) -> bool:
    return isinstance(item, Window) and len(item.dims) == len(out.dims)


def _bare(window: Window) -> Window:
    """A window without the axes along which it repeats its elements."""
    return window.arranged([k for k, step in enumerate(window.strides) if step and window.dims[k] != 1])


def _picked(value: _Value, start: int, dims: tuple[int, ...], steps: tuple[int, ...]) -> str:
    """Elements of an array by start and strides, without axes of length 1."""
    name, shape = value.name, value.dims
    natural = [d for d in shape if d != 1]
    size = abs(math.prod(shape))
    order = sorted(range(len(dims)), key=lambda k: -steps[k])
    rows = merged([dims[k] for k in order], [steps[k] for k in order])
    count = abs(math.prod(dims))
    if rows is not None and (not rows or rows[0] == 1) and count == size and start == 0:
        back = tuple(dims[k] for k in order)
        text = name if back == shape else f"{name}.reshape{_shape(back)}" if back else f"{name}.item()"
        if list(back) == natural and len(natural) != len(shape):
            text = f"{name}.reshape{_shape(back)}"
        if order == list(range(len(dims))):
            return text
        return f"{text}.T" if order[::-1] == list(range(len(dims))) else f"{text}.transpose{_inverse(order)}"
    flat = name if len(shape) == 1 else f"{name}.ravel()"
    if not dims:
        return f"{flat}[{start}]"
    if any(dim < 0 for dim in dims) or any(dim < 0 for dim in shape):
        width = size
        if dims and dims[0] < 0 and steps[0] == width and len(dims) <= 2 and len(shape) <= 2:
            rest = "" if len(dims) == 1 else f"{start}:{start + (dims[1] - 1) * steps[1] + 1}"
            rest = f"{start}" if len(dims) == 1 else rest + (f":{steps[1]}" if steps[1] != 1 else "")
            return f"{name}[:, {rest}]"
        raise NotPlainError("a window over examples that no slice can express")
    if len(dims) == 1:
        stop = start + (dims[0] - 1) * steps[0] + 1
        return f"{flat}[{start}:{stop}{f':{steps[0]}' if steps[0] != 1 else ''}]"
    if rows is not None and rows[0] == 1:
        back = tuple(dims[k] for k in order)
        text = f"{flat}[{start}:{start + count}].reshape{_shape(back)}"
        return text if order == list(range(len(dims))) else f"{text}.transpose{_inverse(order)}"
    numbers = " + ".join(
        f"{step} * np.arange({dim}){'[' + ', '.join(':' if j == k else 'None' for j in range(len(dims))) + ']'}"
        for k, (dim, step) in enumerate(zip(dims, steps, strict=True))
    )
    return f"{flat}[{f'{start} + ' if start else ''}{numbers}]"


def _inverse(order: list[int]) -> str:
    return _shape(tuple(order.index(k) for k in range(len(order))))


def _widened(text: str, dims: tuple[int, ...], axes: list[int], lead: int) -> str:
    """Text with new axes where the window repeats its elements; leading ones are left to broadcasting."""
    marks = [":" if k in axes else "None" for k in range(lead, len(dims))]
    while marks and marks[-1] == ":" and "None" not in marks:
        return text
    return text if not marks or all(mark == ":" for mark in marks) else f"{text}[{', '.join(marks)}]"


def _bracketed(part: tuple[str, int, Any], binding: int) -> str:
    text, own, _ = part
    return text if own >= binding else f"({text})"


def _shape(dims: tuple[int, ...]) -> str:
    inside = ", ".join("-1" if dim < 0 else str(dim) for dim in dims)
    return f"({inside},)" if len(dims) == 1 else f"({inside})"


def _number(value: float) -> str:
    text = repr(float(value))
    return text if math.isfinite(value) else f"float({text!r})"


def _array(data: Any) -> str:
    return f"np.array({np.asarray(data).tolist()!r})"
