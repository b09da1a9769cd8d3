"""The stages in order: a recording becomes a `Form`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.program.compiling.form import Form, Segment, View
from autodiff.program.compiling.groups import grouped
from autodiff.program.compiling.layout import LEAVES, Layout, laid_out
from autodiff.program.compiling.linear import merged
from autodiff.program.compiling.names import stem
from autodiff.program.compiling.operands import Operands
from autodiff.program.compiling.ragged import padded
from autodiff.program.compiling.reading import read
from autodiff.program.compiling.statements import state
from autodiff.program.recording.recording import Recording

__all__ = ["rolled"]

_FEW = 3  # numbers a statement, in the mean


def rolled(recording: Recording) -> Form:
    """The recorded graph as statements over segments: repeated scalars become the units of layers.

    Args:
        recording: one run of a function on Values.

    Raises:
        NotScalarError: a TypeError, if a node of the graph is not a Value.

    >>> from autodiff import Value
    >>> w, x = Value(2.0, name="w"), Value(3.0, name="x")
    >>> print(rolled(Recording(inputs=(x,), parameters=(w,), outputs=((w * x).tanh(),))))
    v1 = x[0; 0]·p[0; 0]
    J = tanh(v1[0])
    """
    graph = read(recording)
    groups = padded(grouped(graph, merged(graph)))
    layout = laid_out(graph, groups)
    nodes = list(graph.index)
    leaves = _leaves(layout, nodes)
    operands = Operands(graph, layout, groups.batched, list(leaves))
    state(graph, groups, operands)
    if leaves[1].size:
        operands.constants.append(leaves[1])
    number = {node: k for k, node in enumerate(graph.inputs)}
    return Form(
        parameters={leaves[0]: tuple(nodes[k] for k in layout.members[0].tolist())},
        inputs={
            leaves[k]: tuple(number[node] for node in layout.members[k].tolist()) for k in (2, 3) if leaves[k].size
        },
        statements=tuple(operands.statements),
        outputs=tuple(
            View(operands.segments[layout.segment[k]], int(layout.place[k]), (), ()) for k in graph.outputs.tolist()
        ),
        places=Places(graph.index, layout, tuple(operands.segments)),
        constants=tuple(operands.constants),
        pool={} if operands.pool is None else dict(zip(operands.segments, operands.starts.tolist(), strict=True)),
        straight=sum(map(len, layout.members[LEAVES:])) < _FEW * (len(layout.members) - LEAVES),
    )


def _leaves(layout: Layout, nodes: list[Any]) -> tuple[Segment, ...]:
    """The segments of leaves."""
    sizes = [len(layout.members[k]) for k in range(LEAVES)]
    data = np.array([nodes[k]._data for k in layout.members[1].tolist()], float)
    return (
        Segment("parameters", (sizes[0],), "p"),
        Segment("constant", (sizes[1],), "c", data=data),
        *(
            Segment("input", (sizes[k],), stem(nodes[j] for j in layout.members[k].tolist()) or "x", batched=k == 3)
            for k in (2, 3)
        ),
    )


@dataclass(frozen=True, eq=False, slots=True)
class Places(Mapping[Any, tuple[Segment, int]]):
    """The segment and the place of each node that was not merged into another, looked up when asked for."""

    index: Mapping[Any, int]
    layout: Layout
    segments: tuple[Segment, ...]

    def __getitem__(self, node: Any) -> tuple[Segment, int]:
        k = self.index[node]
        if self.layout.segment[k] < 0:
            raise KeyError(node)
        return self.segments[self.layout.segment[k]], int(self.layout.place[k])

    def __iter__(self) -> Iterator[Any]:
        segment = self.layout.segment
        return (node for node, k in self.index.items() if segment[k] >= 0)

    def __len__(self) -> int:
        return int((self.layout.segment >= 0).sum())
