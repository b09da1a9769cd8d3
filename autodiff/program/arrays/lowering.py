"""Graphs with Tensors as a form: a Tensor that rearranges elements of another is a view, and costs nothing.

Example: ``(W @ x[1:] + b).sum()`` has one product, whose right operand is a view of x from its second element on, one
sum with b, which repeats nothing here, and one sum over the result; the slice is no statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node, post_order
from autodiff.primitives.namespace import arrays
from autodiff.program.compiling.affine import strides_of
from autodiff.program.compiling.form import (
    Apply,
    Call,
    Form,
    Gather,
    Joined,
    Operand,
    Product,
    Segment,
    Statement,
    Sum,
    Term,
    View,
    places_in,
    whole,
)
from autodiff.program.compiling.reading import NotScalarError
from autodiff.program.compiling.rolling import rolled
from autodiff.program.recording.recording import Recording

__all__ = ["form_of", "lowered"]

#: Primitives that pick and arrange elements: run on the places of their operand, they give the places of the result.
_ARRANGING: Final = frozenset({
    "identity", "reshape", "transpose", "swapaxes", "expand_dims", "squeeze", "broadcast_to", "flip", "getitem",
    "concatenate", "stack",
})  # fmt: skip

#: Primitives that are sums of products, in Einstein's notation; a third operand is added.
_PRODUCTS: Final = {
    "inner": "k,k->", "matvec": "ik,k->i", "vecmat": "k,kj->j", "matmul": "ik,kj->ij", "outer": "i,j->ij",
    "affine": "ik,k->i", "affine_rows": "nk,ik->in",
}  # fmt: skip


def form_of(recording: Recording) -> Form:
    """The form of a recording: re-rolled, if all its nodes are Values."""
    try:
        return rolled(recording)
    except NotScalarError:
        return lowered(recording)


def lowered(recording: Recording) -> Form:
    """The form of a recording with Tensors, and Values among them."""
    return _Lowering(recording).form()


class _Lowering:
    """The operand that stands for each node, and the statements so far."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.statements: list[Statement] = []
        self.operands: dict[Any, Operand] = {}
        self.parameters: dict[Segment, tuple[Any, ...]] = {}
        self.inputs: dict[Segment, tuple[int, ...]] = {}
        self.constants: dict[int, tuple[Segment, Any]] = {}
        self.counts: dict[str, int] = {}

    def form(self) -> Form:
        recording = self.recording
        for k, leaf in enumerate(recording.inputs):
            segment = self._segment("input", leaf, leaf.name or "x", batched=k in recording.batched)
            self.inputs[segment] = (k,)
            self.operands[leaf] = whole(segment)
        for leaf in recording.parameters:
            segment = self._segment("parameters", leaf, leaf.name or "w")
            self.parameters[segment] = (leaf,)
            self.operands[leaf] = whole(segment)
        for output in recording.outputs:
            for node in post_order(output, self._before):
                if node not in self.operands:
                    self.operands[node] = self._lower(node)
        outputs = tuple(self._output(self.operands[output]) for output in recording.outputs)
        places = {
            node: (operand.segment, operand.start)
            for node, operand in self.operands.items()
            if isinstance(operand, View)
        }
        held = tuple(segment for segment, _ in self.constants.values())
        arrays = frozenset(segment for segment in (*self.parameters, *self.inputs) if segment.shape)
        return Form(self.parameters, self.inputs, tuple(self.statements), outputs, places, held, arrays=arrays)

    def _before(self, node: Node) -> Sequence[Node]:
        return [] if node in self.operands else [item for item in node.inputs if isinstance(item, Node)]

    def _segment(self, kind: str, node: Node, name: str, *, batched: bool = False) -> Segment:
        return Segment(kind, np.shape(node._data), name, batched, np.asarray(node._data).dtype)

    # ---- nodes -------------------------------------------------------------------------------------------------------

    def _lower(self, node: Node) -> Operand:
        entry = node.origin.primitive
        if entry is None:
            return self._constant(node._data)
        if entry.name in _ARRANGING and not any(isinstance(x, float | int) for x in node.inputs):
            return self._arranged(node)
        target = self._target(node)
        statement = self._statement(node, target)
        self.statements.append(statement)
        return whole(target)

    def _target(self, node: Node) -> Segment:
        batched = any(self._is_batched(item) for item in node.inputs if isinstance(item, Node))
        entry: Any = node.origin.primitive
        name = node.name or entry.name[0]
        self.counts[name] = self.counts.get(name, 0) + 1
        return self._segment("computed", node, name if node.name else f"{name}{self.counts[name]}", batched=batched)

    def _is_batched(self, node: Node) -> bool:
        return any(segment.batched for segment in _segments(self.operands[node]))

    def _statement(self, node: Node, target: Segment) -> Statement:
        entry: Any = node.origin.primitive
        params = node.origin.params
        if entry.elementwise and not any(isinstance(item, np.ndarray) for item in params.values()):
            return Apply(target, entry, tuple(self._spread(item, target.shape) for item in node.inputs), params)
        found: Statement | None = None
        if entry.name in ("sum", "mean"):
            found = self._sum(node, target)
        elif entry.name in _PRODUCTS and entry.built_in:
            found = self._products(_PRODUCTS[entry.name], node.inputs, target)
        elif entry.name == "stacked_matmul" and entry.built_in:
            found = self._products(_stacked(node.inputs), node.inputs, target)
        elif entry.name == "einsum" and entry.built_in and len(node.inputs) == 2:
            found = self._products(params["subscripts"], node.inputs, target)
        return found or Call(target, entry, tuple(self._argument(item) for item in node.inputs), params)

    def _argument(self, item: Any) -> Any:
        return self.operands[item] if isinstance(item, Node) else item

    def _view(self, item: Any) -> View:
        return self._as_view(self.operands[item] if isinstance(item, Node) else self._constant(item))

    def _as_view(self, operand: Operand) -> View:
        """An operand as a view: other operands are copied into a segment of their own."""
        return operand if isinstance(operand, View) else self._copied(operand)

    def _output(self, operand: Operand) -> View:
        """A view that a run may read: the user's arrays are not in its memory."""
        view = self._as_view(operand)
        leaf = view.segment in self.parameters or view.segment in self.inputs
        return self._copied(view) if leaf and view.segment.shape else view

    def _copied(self, operand: Operand) -> View:
        """An operand in a segment of its own."""
        segments = list(_segments(operand))
        batched, dtype = any(each.batched for each in segments), np.result_type(*(each.dtype for each in segments))
        target = Segment("computed", operand.shape, "t", batched, dtype)
        self.statements.append(Sum(target, terms=(Term(_deeper(operand)),)))
        return whole(target)

    def _spread(self, item: Any, shape: tuple[int, ...]) -> Operand | float:
        """An operand of an elementwise operation in the shape of its result."""
        if isinstance(item, int | float):
            return float(item)
        operand = self.operands[item] if isinstance(item, Node) else self._constant(item)
        if operand.shape == shape:
            return operand
        return _broadcast(self._as_view(operand), shape)

    def _constant(self, data: Any) -> Operand:
        if id(data) not in self.constants:
            array = np.array(data, dtype=np.result_type(np.asarray(data).dtype, np.float32))
            segment = Segment("constant", array.shape, "constant", False, array.dtype, array)
            self.constants[id(data)] = segment, data
        return whole(self.constants[id(data)][0])

    def _arranged(self, node: Node) -> Operand:
        """The places of a result that only picks and arranges elements."""
        entry: Any = node.origin.primitive
        operands = [self.operands[x] if isinstance(x, Node) else self._constant(x) for x in node.inputs]
        if len(operands) > 1:
            sizes = [int(np.prod(operand.shape, dtype=int)) for operand in operands]
            joined = self._as_view(Joined(tuple(operands), (sum(sizes),)))
            ends = np.cumsum(sizes)
            given = [
                np.arange(end - size, end).reshape(operand.shape)
                for end, size, operand in zip(ends, sizes, operands, strict=True)
            ]
            return viewed(joined.segment, np.asarray(entry.forward(arrays, *given, **node.origin.params)))
        operand = operands[0] if isinstance(operands[0], View | Gather) else self._as_view(operands[0])
        places = operand.places if isinstance(operand, Gather) else places_in(operand)
        params = node.origin.params
        return viewed(operand.segment, np.asarray(entry.forward(arrays, places, **params)))

    # ---- sums --------------------------------------------------------------------------------------------------------

    def _sum(self, node: Node, target: Segment) -> Statement | None:
        """A sum or a mean along axes that can be read as one."""
        view, params = self._view(node.inputs[0]), node.origin.params
        axis, count = params.get("axis"), len(view.shape)
        counted = np.lib.array_utils.normalize_axis_tuple
        axes = tuple(range(count)) if axis is None or not count else counted(axis, count)
        summed = _joined_axes([(view.shape[k], view.strides[k]) for k in sorted(axes)])
        if summed is None:
            return None
        kept = [(view.shape[k], view.strides[k]) for k in range(len(view.shape)) if k not in axes]
        if params.get("keepdims"):
            kept = [
                (1, 0) if k in axes else (view.shape[k], view.strides[k]) for k in range(len(view.shape))
            ]  # fmt: skip
        shape, strides = tuple(dim for dim, _ in kept), tuple(step for _, step in kept)
        operand = View(view.segment, view.start, (*shape, summed[0]), (*strides, summed[1]))
        entry: Any = node.origin.primitive
        return Sum(target, terms=(Term(operand, 1.0 / summed[0] if entry.name == "mean" else 1.0),))

    def _products(self, subscripts: str, inputs: Sequence[Any], target: Segment) -> Statement | None:
        """A sum of products along axes that can be read as one."""
        (left, right), result = subscripts.split("->")[0].split(","), subscripts.split("->")[1]
        views = [self._view(item) for item in inputs]
        if any(len({*part}) < len(part) for part in (left, right)):
            return None
        strides: list[dict[str, int]] = []
        lengths: dict[str, int] = {}
        for part, view in zip((left, right), views, strict=False):
            strides.append({x: 0 if n == 1 else s for x, n, s in zip(part, view.shape, view.strides, strict=True)})
            lengths |= {x: max(n, lengths.get(x, 1)) for x, n in zip(part, view.shape, strict=True)}
        summed = [x for x in left if x not in result and x in right]
        if any(x not in result and x not in summed for x in left + right):
            return None
        sides = []
        for steps, view in zip(strides, views, strict=False):
            inner = _joined_axes([(lengths[x], steps[x]) for x in summed])
            if inner is None:
                return None
            outer = tuple(steps.get(x, 0) for x in result)
            shape = tuple(lengths[x] for x in result)
            sides.append(View(view.segment, view.start, (*shape, inner[0]), (*outer, inner[1])))
        terms = tuple(Term(_deeper(_broadcast(each, target.shape))) for each in views[2:])
        return Sum(target, (Product(sides[0], sides[1]),), terms)


def _stacked(inputs: Sequence[Any]) -> str:
    """Stacks of matrices in Einstein's notation; stacks that broadcast are aligned at the end."""
    count = max(len(np.shape(getattr(x, "_data", x))) for x in inputs) - 2
    letters = "abcdefgh"[:count]
    left, right = (letters[count + 2 - len(np.shape(getattr(x, "_data", x))) :] for x in inputs)
    return f"{left}ik,{right}kj->{letters}ij"


def _joined_axes(axes: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Several axes, as (length, stride), read as one; None if that is not possible."""
    length, stride = 1, 0
    for dim, step in reversed(axes):
        if dim == 1:
            continue
        if length == 1:
            length, stride = dim, step
        elif step == stride * length or step == stride == 0:
            length *= dim
        else:
            return None
    return length, stride


def _segments(operand: Operand) -> Sequence[Segment]:
    if isinstance(operand, Joined):
        return [segment for part in operand.parts for segment in _segments(part)]
    return [operand.segment]


def _deeper(operand: Operand) -> Operand:
    """An operand with one more axis of length 1 at the end."""
    if isinstance(operand, View):
        return View(operand.segment, operand.start, (*operand.shape, 1), (*operand.strides, 0))
    if isinstance(operand, Gather):
        return Gather(operand.segment, operand.places[..., None])
    if isinstance(operand, Joined):
        return Joined(operand.parts, (*operand.shape, 1))
    raise NotImplementedError(type(operand).__name__)


def _broadcast(view: View, shape: tuple[int, ...]) -> View:
    """A view in a larger shape, as NumPy aligns it."""
    more = len(shape) - len(view.shape)
    old = zip(view.shape, view.strides, shape[more:], strict=True)
    strides = (0,) * more + tuple(0 if dim == 1 != wide else step for dim, step, wide in old)
    return View(view.segment, view.start, shape, strides)


def viewed(segment: Segment, places: np.ndarray[Any, Any]) -> Operand:
    """Places of a segment as a view, if they are regular, else as a gather."""
    regular = strides_of(places) if places.size else None
    if regular is None:
        return Gather(segment, places.astype(np.intp))
    start, strides = regular
    return View(segment, start, places.shape, strides)
