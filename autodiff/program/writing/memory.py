"""The memory of a program: buffers, the strided windows through which kernels see them, and their names.

A `Window` is static: its buffer, start, dimensions and strides are known when the program is written, except the number
of examples. So every window is built once for a workspace, and a run makes no slices, transposes or temporary arrays.

Example: for the layer of `autodiff.program.compiling.form`, the weights are the window ``W`` of buffer ``p`` with start
0, dimensions (3, 2) and strides (2, 1); the product needs ``W`` with its dimensions exchanged, which is another window.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any, Final

import numpy as np
from numpy.lib.stride_tricks import as_strided

from autodiff.program.compiling.form import Segment, View, row_major

__all__ = ["EXAMPLES", "Buffer", "Memory", "Window", "merged", "seen", "window_of"]

#: The dimension that is known at the run only. A dimension −n means n times the number of examples.
EXAMPLES: Final = -1


@dataclass(frozen=True, eq=False, slots=True)
class Buffer:
    """Memory for ``size`` elements, or for so many in each example."""

    name: str
    size: int
    batched: bool
    dtype: Any
    fill: float | None = None

    @property
    def flat(self) -> Window:
        """All elements, one after the other."""
        return Window(self, 0, (-self.size if self.batched else self.size,), (1,))

    def allocated(self, examples: int) -> np.ndarray[Any, Any]:
        """New memory for a number of examples."""
        count = self.size * (examples if self.batched else 1)
        return np.empty(count, self.dtype) if self.fill is None else np.full(count, self.fill, self.dtype)


@dataclass(frozen=True, slots=True)
class Window:
    """The elements ``start + Σ index·stride`` of a buffer; a dimension below 0 counts examples."""

    buffer: Buffer
    start: int
    dims: tuple[int, ...]
    strides: tuple[int, ...]

    def on(self, memory: np.ndarray[Any, Any], examples: int) -> np.ndarray[Any, Any]:
        """This window as a view of the buffer's memory."""
        dims = [-dim * examples if dim < 0 else dim for dim in self.dims]
        return as_strided(memory[self.start :], dims, [stride * memory.itemsize for stride in self.strides])

    def arranged(self, axes: Sequence[int]) -> Window:
        """The window with its axes in another order; an axis of −1 is a new one of length 1."""
        dims = tuple(1 if k < 0 else self.dims[k] for k in axes)
        return Window(self.buffer, self.start, dims, tuple(0 if k < 0 else self.strides[k] for k in axes))

    @property
    def contiguous(self) -> bool:
        """Whether the elements lie one after the other, in the order of the axes."""
        return merged(self.dims, self.strides) in ((), (1,))


def merged(dims: Sequence[int], strides: Sequence[int]) -> tuple[int, ...] | None:
    """The stride of several axes as one, as a tuple of one number; () if there are no elements to step over.

    None if they cannot be read as one axis. Only the first axis may be that of the examples.

    >>> merged((3, 4), (4, 1)), merged((3, 4), (1, 3)), merged((1, 1), (7, 7))
    ((1,), None, ())
    """
    inner: int | None = None
    reach = 0
    for dim, stride in reversed([(d, s) for d, s in zip(dims, strides, strict=True) if d != 1]):
        if inner is None:
            inner = stride
        elif stride != reach:
            return None
        reach = -1 if dim < 0 else stride * dim  # no axis lies outside of that of the examples
    return () if inner is None else (inner,)


#: Names that the source uses otherwise.
_RESERVED: Final = {
    *dir(np), *dir(builtins), "arrays", "backward", "bind", "chosen", "examples", "forward", "function", "integers",
    "N", "np", "seeds",
}  # fmt: skip


class Memory:
    """The buffers and windows of a program, with the names by which its source refers to them."""

    def __init__(self) -> None:
        self.taken: set[str] = set(_RESERVED)
        self._counts: dict[str, int] = {}  # the last number behind each hint
        self.windows: dict[Window, str] = {}
        self._whole: set[Buffer] = set()  # those that a variable of their own name holds
        self.data: dict[Segment, Buffer] = {}
        self.spare: dict[tuple[int, bool, Any], list[Buffer]] = {}
        self.loose: set[Buffer] = set()
        self.held: dict[int, tuple[str, Any]] = {}  # names of objects, by id
        self.one: dict[tuple[int, Any], Buffer] = {}

    def buffer(self, name: str, size: int, batched: bool, dtype: Any) -> Buffer:
        """A new buffer with a name that no other has."""
        return Buffer(self.unique(name), size, batched, np.dtype(dtype))

    def unique(self, name: str) -> str:
        """A name for the source, made from a hint."""
        name = re.sub(r"\W", "_", name, flags=re.ASCII) or "t"
        name = f"_{name}" if name[0].isdigit() or iskeyword(name) else name
        found, k = name, self._counts.get(name, 1)
        while found in self.taken:
            k += 1
            found = f"{name}_{k}"
        self._counts[name] = k
        self.taken.add(found)
        return found

    def of(self, segment: Segment) -> Buffer:
        """The buffer with the numbers of a segment."""
        if segment not in self.data:
            self.data[segment] = self.buffer(segment.name or "t", segment.size, segment.batched, segment.dtype)
        return self.data[segment]

    def named(self, window: Window) -> str:
        """The variable that holds a window."""
        if window not in self.windows:
            whole = window.start == 0 and window.contiguous and _size(window) == window.buffer.size
            first = whole and window.buffer not in self._whole
            if first:
                self._whole.add(window.buffer)
            self.windows[window] = window.buffer.name if first else self.unique(window.buffer.name)
        return self.windows[window]

    def temporary(self, dims: tuple[int, ...], dtype: Any = np.float64) -> Window:
        """A contiguous window for an intermediate result; `release` returns its memory."""
        batched, size = any(dim < 0 for dim in dims), abs(int(np.prod(dims, dtype=int)))
        spare = self.spare.get((size, batched, np.dtype(dtype)))
        buffer = spare.pop() if spare else self.buffer("t", size, batched, dtype)
        self.loose.add(buffer)
        return Window(buffer, 0, dims, row_major(dims))

    def ones(self, count: int, dtype: Any) -> Window:
        """A vector of ones, made once for a workspace."""
        key = count, np.dtype(dtype)
        if key not in self.one:
            self.one[key] = Buffer(self.unique("ones"), abs(count), count < 0, key[1], 1.0)
        return Window(self.one[key], 0, (count,), (1,))

    def release(self, *windows: Any) -> None:
        """Let later temporaries use the memory of these; nothing happens for windows that are not temporary."""
        for window in windows:
            if isinstance(window, Window) and window.buffer in self.loose:
                self.loose.remove(window.buffer)
                key = window.buffer.size, window.buffer.batched, window.buffer.dtype
                self.spare.setdefault(key, []).append(window.buffer)

    def keep(self, window: Window) -> Window:
        """The window, whose memory no temporary may use from now on."""
        self.loose.discard(window.buffer)
        return window


def _size(window: Window) -> int:
    return abs(int(np.prod(window.dims, dtype=int)))


def window_of(memory: Memory, view: View, *, lead: bool) -> Window:
    """The window of a view; with ``lead`` it has an axis of examples in front, of stride 0 if the segment has none."""
    buffer = memory.of(view.segment)
    return seen(buffer, view, lead=lead)


def seen(buffer: Buffer, view: View, *, lead: bool) -> Window:
    """A view's elements in a buffer as long as its segment: the segment's own, or that of its error signal."""
    strides = tuple(0 if dim == 1 else stride for dim, stride in zip(view.shape, view.strides, strict=True))
    if not lead:
        return Window(buffer, view.start, view.shape, strides)
    return Window(buffer, view.start, (EXAMPLES, *view.shape), (buffer.size if buffer.batched else 0, *strides))
