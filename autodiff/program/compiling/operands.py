"""Fifth stage: where a statement finds its numbers, as views if places are affine, else as gathers.

Example: the parameters at (0, 1, 2, 3) of a layer of 2 units and 2 inputs, used by 3 examples, are
``View(p, 0, (3, 2, 2), (0, 2, 1))``. Operands from several segments are copied into one first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodiff.primitives.registry import TABLE
from autodiff.program.compiling.affine import repeated, shape_of, strides_of
from autodiff.program.compiling.form import Apply, Gather, Joined, Operand, Segment, Statement, View
from autodiff.program.compiling.layout import Layout
from autodiff.program.compiling.reading import Graph, Ints

__all__ = ["MANY", "Found", "Operands", "common_shape"]

MANY = 500  # segments of an irregular graph
_DENSE = 16  # numbers that are read of each segment, in the mean, if joining them is worth a copy
_SPARSE = 4  # a segment is copied whole into a joined one unless so many times as many numbers would be copied as read


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """Numbers of one segment at places, one row for each member of a group; or constants, in the same rows."""

    segment: Any
    places: Any

    @property
    def base(self) -> Any:
        """The first place of each row if all rows are alike and regular, else None."""
        if self.segment is None:
            return None
        places = self.places
        if places.shape[1] > 1:
            steps = np.diff(places, axis=1)
            if (steps != steps[0, 0]).any():
                return None
        return places[:, 0]


def common_shape(found: Sequence[Found]) -> tuple[int, ...]:
    """The shape in which the most, or the largest, of several operands are affine; () for a single row."""
    rows = len(found[0].places) if found else 1
    if rows == 1:
        return ()
    bases = [(item.places.shape[1], item.base) for item in found]
    usable = sorted((x for x in bases if x[1] is not None), key=lambda x: -x[0])
    largest = [base for width, base in usable if width == usable[0][0]]
    for chosen in ([base for _, base in usable], largest, *([base] for _, base in usable)):
        shape = shape_of(np.stack(chosen)) if chosen else None
        if shape is not None:
            return shape
    return (rows,)


@dataclass(eq=False)
class Operands:
    """The operands of a program under construction, and the statements that copy some of them into one segment."""

    graph: Graph
    layout: Layout
    batched: Any
    segments: list[Segment]
    statements: list[Statement] = field(default_factory=list)
    constants: list[Segment] = field(default_factory=list)
    starts: Any = None
    pool: Segment | None = None
    joined: dict[tuple[int, ...], tuple[Segment, Any]] = field(default_factory=dict)

    def find(self, refs: Ints) -> Found:
        """The numbers of nodes, or constants: a matrix of references."""
        constant = refs < 0
        if constant.all():
            return Found(None, self.graph.numbers[-1 - refs])
        if constant.any():
            return self._mixed(refs, constant)
        segments = self.layout.segment[refs]
        if (segments == segments[0, 0]).all():
            return Found(self.segments[segments[0, 0]], self.layout.place[refs])
        return self._joined(refs, segments)

    def operand(self, found: Found, shape: tuple[int, ...], *, summed: bool = True) -> Operand:
        """The operand in the shape of the target, with one axis more if it is summed over."""
        shape = (*shape, found.places.shape[1]) if summed else shape
        values = found.places.reshape(shape)
        if found.segment is None:
            kept, strides = repeated(values)
            return View(self.constant(kept), 0, shape, strides)
        regular = strides_of(values)
        if regular is None:
            return Gather(found.segment, values)
        return View(found.segment, regular[0], shape, regular[1])

    def scalar(self, ref: int, shape: tuple[int, ...]) -> Any:
        """A single number of a node, or a constant."""
        if ref < 0:
            return float(self.graph.numbers[-1 - ref])
        segment = self.segments[self.layout.segment[ref]]
        return View(segment, int(self.layout.place[ref]), shape, (0,) * len(shape))

    def constant(self, data: Any) -> Segment:
        """A new segment of constants."""
        segment = Segment("constant", data.shape, "c", data=data)
        self.constants.append(segment)
        return segment

    def whole(self, k: int) -> View:
        """All numbers of a segment."""
        segment = self.segments[k]
        return View(segment, 0, (segment.size,), (1,))

    def copied(self, parts: Sequence[Operand], name: str) -> Segment:
        """A new segment with the numbers of several operands, one after the other."""
        size = int(sum(np.prod(part.shape, dtype=np.intp) for part in parts))
        batched = any(part.segment.batched for part in parts if not isinstance(part, Joined))
        target = Segment("computed", (size,), name, batched)
        operand = parts[0] if len(parts) == 1 else Joined(tuple(parts), (size,))
        self.statements.append(Apply(target, TABLE["identity"], (operand,)))
        return target

    def __post_init__(self) -> None:
        sizes = np.array([len(members) for members in self.layout.members], np.intp)
        self.starts = np.cumsum(sizes) - sizes
        if len(sizes) > MANY and not self.batched.any():
            self.pool = Segment("pool", (int(sizes.sum()),), "all")

    def _joined(self, refs: Ints, segments: Ints) -> Found:
        used = np.unique(segments)
        if self.pool is not None and refs.size < _DENSE * len(used):
            return Found(self.pool, self.starts[segments] + self.layout.place[refs])
        sizes = np.array([self.segments[k].size for k in used.tolist()])
        if sizes.sum() > _SPARSE * refs.size:
            return self._joined_sparsely(refs)
        key = tuple(used.tolist())
        if key not in self.joined:
            target = self.copied([self.whole(k) for k in key], "joined")
            self.joined[key] = target, np.cumsum(sizes) - sizes
        target, starts = self.joined[key]
        return Found(target, starts[np.searchsorted(used, segments)] + self.layout.place[refs])

    def _joined_sparsely(self, refs: Ints) -> Found:
        """The same where few numbers of the segments are used: only these are copied."""
        nodes, inverse = np.unique(refs, return_inverse=True)
        order = np.lexsort((self.layout.place[nodes], self.layout.segment[nodes]))
        nodes = nodes[order]
        place = np.empty(len(order), np.intp)
        place[order] = np.arange(len(order))
        cuts = np.flatnonzero(np.diff(self.layout.segment[nodes])) + 1
        parts = []
        for part in np.split(nodes, cuts):
            found = Found(self.segments[self.layout.segment[part[0]]], self.layout.place[part][:, None])
            parts.append(self.operand(found, (len(part),), summed=False))
        return Found(self.copied(parts, "joined"), place[inverse.reshape(refs.shape)])

    def _mixed(self, refs: Ints, constant: Any) -> Found:
        """Numbers of nodes among constants: the constants are a part of the joined segment."""
        found = self.find(refs[~constant][None, :])
        numbers = self.constant(self.graph.numbers[-1 - refs[constant]])
        count = int((~constant).sum())
        parts = [self.operand(found, (), summed=True), View(numbers, 0, (numbers.size,), (1,))]
        places = np.empty(refs.shape, np.intp)
        places[~constant] = np.arange(count)
        places[constant] = count + np.arange(numbers.size)
        return Found(self.copied(parts, "joined"), places)
