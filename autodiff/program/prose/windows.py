"""Windows on arrays as NumPy expressions: slices, transposes, reshapes, and new axes where elements repeat.

Example: the window with start 2, dimensions (3, 2) and strides (1, 4) on an array of shape (5, 4) is ``W[:2, 2:].T``
with as many rows and columns as it needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from autodiff.program.compiling.form import row_major
from autodiff.program.prose.expressions import (
    Expr,
    NotPlainError,
    Shape,
    index,
    repeated,
    reshaped,
    size_of,
    suffix,
    transposed,
)
from autodiff.program.writing.memory import EXAMPLES, Window, merged

__all__ = ["Axes", "axes_of", "forward", "picked", "place_of", "span_of", "split", "turned", "window_on"]

#: Of the axes along which a window varies: number, dimension, stride.
Axes = list[tuple[int, int, int]]


def axes_of(window: Window) -> Axes:
    """The axes along which a window varies, the outermost in memory first."""
    axes = [
        (k, dim, step)
        for k, (dim, step) in enumerate(zip(window.dims, window.strides, strict=True))
        if step and dim != 1
    ]
    return sorted(axes, key=lambda axis: -axis[2])


def forward(window: Window) -> tuple[Window, list[int]]:
    """A window without negative strides, and the axes along which the given one runs backward through it."""
    back = [k for k, (dim, step) in enumerate(zip(window.dims, window.strides, strict=True)) if step < 0 and dim > 1]
    start = window.start + sum((window.dims[k] - 1) * window.strides[k] for k in back)
    return Window(window.buffer, start, window.dims, tuple(map(abs, window.strides))), back


def turned(of: Expr, back: Sequence[int], count: int) -> Expr:
    """An expression, the last of ``count`` axes of a window, turned along those axes that run backward."""
    if not back or not of.shape:
        return of
    marks = ["::-1" if k in back else ":" for k in range(count - len(of.shape), count)]
    return index(of, marks, of.shape)


def span_of(window: Window) -> tuple[int, int] | None:
    """The range of elements, in each example, that a window covers, each once; None if it skips or repeats some."""
    window = forward(window)[0]
    axes = axes_of(window)
    if window.buffer.batched:
        if not axes or axes[0][1] != EXAMPLES or axes[0][2] != window.buffer.size:
            return None
        axes = axes[1:]
    inner = merged([dim for _, dim, _ in axes], [step for _, _, step in axes])
    if inner is None or (inner and inner[0] != 1) or any(dim < 0 for _, dim, _ in axes):
        return None
    return window.start, window.start + size_of([dim for _, dim, _ in axes])


def split(window: Window) -> Window:
    """A window on the examples of a buffer with an axis of its own for them."""
    if not window.buffer.batched:
        return window
    dims: list[int] = []
    strides: list[int] = []
    for dim, step in zip(window.dims, window.strides, strict=True):
        if dim < -1 and step * -dim == window.buffer.size:
            dims += [EXAMPLES, -dim]
            strides += [window.buffer.size, step]
        else:
            dims.append(dim)
            strides.append(step)
    return Window(window.buffer, window.start, tuple(dims), tuple(strides))


def picked(of: Expr, start: int, axes: Axes) -> tuple[Expr, list[int]]:
    """Elements of an array in row-major order, and the axes of the window for the axes of the expression."""
    order = [k for k, _, _ in axes]
    if (sliced := _sliced(of, start, axes)) is not None:
        return sliced
    dims = tuple(dim for _, dim, _ in axes)
    shape = of.shape
    lead = bool(shape) and shape[0] < 0
    inside = [axis for axis in axes if not (lead and axis[1] == EXAMPLES and axis[2] == size_of(shape[1:]))]
    if (lead and (len(inside) == len(axes) or axes[0] in inside)) or any(dim < 0 for _, dim, _ in inside):
        raise NotPlainError("a window over examples that no slice can express")
    rows = merged([dim for _, dim, _ in inside], [step for _, _, step in inside])
    count = size_of([dim for _, dim, _ in inside])
    if rows in ((), (1,)) and count == size_of(shape):
        return reshaped(of, dims), order
    flat = reshaped(of, (EXAMPLES, size_of(shape[1:])) if lead else (size_of(shape),))
    every = [":"] if lead else []
    if rows in ((), (1,)):
        stop = start + count
        whole = index(flat, [*every, f"{start}:{stop}"], (*flat.shape[:-1], count))
        return reshaped(whole, dims), order
    numbers = " + ".join([*([str(start)] if start else []), *(_range(k, inside) for k in range(len(inside)))])
    return suffix(flat, f"[{', '.join([*every, numbers])}]", dims), order


def _range(k: int, axes: Axes) -> str:
    """The places along one axis, shaped to broadcast against the others."""
    _, dim, step = axes[k]
    text = f"{step} * np.arange({dim})" if step != 1 else f"np.arange({dim})"
    return text if k == len(axes) - 1 else f"{text}[:{', None' * (len(axes) - 1 - k)}]"


def place_of(shape: Shape, start: int, axes: Axes) -> tuple[list[str], list[int]] | None:
    """The basic index for a window on an array, and the window's axes in its order; None if there is none.

    Each axis of the window steps along one axis of the array.
    """
    steps = row_major(shape)
    first, rest = [], start
    for dim, step in zip(shape, steps, strict=True):
        first.append(0 if dim < 0 else rest // step if step else 0)
        rest -= first[-1] * step
    if rest:
        return None
    where = [str(k) for k in first]
    order: list[int | None] = [None] * len(shape)
    for number, dim, step in axes:
        found = next((j for j, of in enumerate(shape) if of != 1 and step % steps[j] == 0 and _fits(
            of, first[j], dim, step // steps[j]) and order[j] is None), None)  # fmt: skip
        if found is None:
            return None
        order[found] = number
        where[found] = _slice(shape[found], first[found], dim, step // steps[found])
    if any(of < 0 and order[j] is None for j, of in enumerate(shape)):
        return None
    return where, [number for number in order if number is not None]


def _fits(of: int, first: int, dim: int, step: int) -> bool:
    return (of == dim and step == 1) if of < 0 or dim < 0 else 0 < first + (dim - 1) * step + 1 <= of


def _slice(of: int, first: int, dim: int, step: int) -> str:
    if dim == of and step == 1:
        return ":"
    stop = first + (dim - 1) * step + 1
    return f"{first or ''}:{stop if stop < of else ''}{f':{step}' if step != 1 else ''}"


def _sliced(of: Expr, start: int, axes: Axes) -> tuple[Expr, list[int]] | None:
    found = place_of(of.shape, start, axes)
    if found is None:
        return None
    where, order = found
    while where and where[-1] == ":":
        where.pop()
    dims = {k: dim for k, dim, _ in axes}
    shape = tuple(dims[k] for k in order)
    return (index(of, where, shape) if where else of), order


def window_on(of: Expr, window: Window, *, exact: bool) -> Expr:
    """The elements of a window on an array whose first element is the window's place 0.

    With ``exact`` the result has the window's dimensions; else axes along which it does not vary have length 1, and
    leading ones are left out.
    """
    parts = split(window)
    expression, order = picked(of, parts.start, axes_of(parts))
    inner = sorted(order)
    expression = transposed(expression, [order.index(k) for k in inner])
    lead = 0 if exact or not inner else inner[0]
    lead = len(parts.dims) if not inner and not exact else lead
    if len(inner) != len(parts.dims) - lead:
        marks = [":" if k in inner else "None" for k in range(lead, len(parts.dims))]
        shape = tuple(parts.dims[k] if k in inner else 1 for k in range(lead, len(parts.dims)))
        expression = index(expression, marks, shape) if expression.shape else reshaped(expression, shape)
    if parts.dims != window.dims:
        axes = zip(window.dims, window.strides, strict=True)
        expression = repeated(expression, parts.dims[lead:])
        expression = reshaped(expression, tuple(dim for dim, _ in axes)[lead:])
    return repeated(expression, window.dims) if exact else expression
