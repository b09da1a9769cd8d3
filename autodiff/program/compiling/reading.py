"""First stage: the recorded graph as arrays of integers.

Example: for w·x + b the nodes are numbered in the order of a search from the outputs, inputs before consumers::

    nodes      w  x  w·x  b  sum          kinds     parameter input multiply parameter add
    first      0  0  0    2  2  4         refs      0 1 2 3

The operands of node k are ``refs[first[k]:first[k + 1]]``; a reference below 0 is the constant ``numbers[-1 - ref]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Never

import numpy as np

from autodiff.engine.graph import Node
from autodiff.primitives.operands import describe
from autodiff.primitives.origin import Origin
from autodiff.primitives.primitive import Primitive
from autodiff.program.recording.recording import Recording, Selection
from autodiff.values.value import Value

__all__ = [
    "BATCHED", "CONSTANT", "FIRST_KIND", "INPUT", "PARAMETER", "SELECTED", "Graph", "Ints", "Kind", "NotScalarError",
    "read",
]  # fmt: skip

Ints = np.ndarray[tuple[int, ...], np.dtype[np.intp]]

#: The kinds of leaves; a kind from `FIRST_KIND` on is that of a primitive with its params.
PARAMETER, CONSTANT, INPUT, BATCHED, SELECTED, FIRST_KIND = range(6)


class NotScalarError(TypeError):
    """Raised if a graph to be re-rolled has a node that is not a Value."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A primitive with the params of a call."""

    primitive: Primitive
    params: dict[str, Any]


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph of Values; see the module.

    Args:
        index: the number of each node.
        kinds: one number a node: the kind of leaf, or `FIRST_KIND` plus the place in ``table``.
        selections: for each stand-in leaf, by its number, what it stands for.
        inputs: the number of the node of each input of the run.
    """

    index: dict[Any, int]
    kinds: Ints
    first: Ints
    refs: Ints
    numbers: np.ndarray[Any, Any]
    table: tuple[Kind, ...]
    selections: dict[int, Selection]
    inputs: tuple[int, ...]
    outputs: Ints


def read(recording: Recording) -> Graph:
    """The graph of a recording as arrays.

    Raises:
        NotScalarError: a TypeError, if a node is not a Value.
    """
    tape = _searched(recording)
    index = tape.index
    kinds, table = _kinds(tape.origins)
    for leaf in recording.parameters:
        if leaf in index:
            kinds[index[leaf]] = PARAMETER
    for k, leaf in enumerate(recording.inputs):
        kinds[index[leaf]] = BATCHED if k in recording.batched else INPUT
    selections = {index[leaf]: selection for leaf, selection in recording.selections.items() if leaf in index}
    kinds[list(selections)] = SELECTED
    first = np.zeros(len(kinds) + 1, np.intp)
    np.cumsum(tape.counts, out=first[1:])
    return Graph(
        index, kinds, first, np.array(tape.refs, np.intp), np.array(tape.numbers, float), table, selections,
        tuple(index[leaf] for leaf in recording.inputs), np.array([index[node] for node in recording.outputs], np.intp),
    )  # fmt: skip


class _Tape:
    """What a search has read so far: of each node its number, origin, number of operands, and operands."""

    __slots__ = ("behind", "counts", "index", "numbers", "origins", "refs", "seen")

    def __init__(self, behind: Mapping[Any, Selection]) -> None:
        self.behind = behind
        self.index: dict[Any, int] = {}
        self.origins: list[Origin] = []
        self.counts: list[int] = []
        self.refs: list[int] = []
        self.numbers: list[float] = []
        self.seen: set[int] = set()  # candidates that were searched: the columns of one table share theirs

    def missing(self, node: Any) -> list[Any]:
        """The operands of a node, or the candidates behind a leaf, that were not read yet; none: they are noted."""
        index, a = self.index, node.a
        if a is None:
            missing = self._candidates(node) if node in self.behind else []
            parts: tuple[Any, ...] = ()
        else:
            parts = a if a.__class__ is tuple else (a,) if node.b is None else (a, node.b)
            missing = [x for x in parts if x.__class__ is not float and (x.__class__ is not Value or x not in index)]
        if not missing:
            self.counts.append(len(parts))
            for x in parts:
                if x.__class__ is float:
                    self.numbers.append(x)
                    self.refs.append(-len(self.numbers))
                else:
                    self.refs.append(index[x])
        return missing

    def _candidates(self, leaf: Any) -> list[Any]:
        candidates = self.behind[leaf].candidates
        if id(candidates) in self.seen:
            return []
        self.seen.add(id(candidates))
        return [x for x in candidates if isinstance(x, Node) and x not in self.index]


def _searched(recording: Recording) -> _Tape:
    """All nodes on which the outputs depend, and all inputs, by an iterative search, inputs before consumers."""
    tape = _Tape(recording.selections)
    index, find, operand = tape.index, tape.index.get, tape.refs.append
    stack: list[Any] = [*reversed(recording.inputs), *reversed(recording.outputs)]
    push = stack.append
    while stack:
        node = stack[-1]
        if node.__class__ is not Value:
            _refuse(node)
        if node in index:
            stack.pop()
            continue
        a, b = node.a, node.b
        if a.__class__ is Value and b.__class__ is Value:
            i, j = find(a), find(b)
            if i is None or j is None:
                if j is None:
                    push(b)
                if i is None:
                    push(a)
                continue
            operand(i)
            operand(j)
            tape.counts.append(2)
        else:
            missing = tape.missing(node)
            if missing:
                stack += reversed(missing)
                continue
        index[node] = len(index)
        tape.origins.append(node.origin)
        stack.pop()
    return tape


def _refuse(node: Any) -> Never:
    raise NotScalarError(f"re-rolling takes graphs of Values, and found {describe(node)}")


def _kinds(origins: list[Origin]) -> tuple[Ints, tuple[Kind, ...]]:
    """The kind of each node, leaves as constants, and the table of kinds: equal calls have one entry."""
    table: dict[Any, int] = {}
    found: list[Kind] = []
    numbers: dict[int, int] = {}
    for key, origin in zip(map(id, origins), origins, strict=True):
        if key not in numbers:
            numbers[key] = (
                CONSTANT if origin.primitive is None else _entered(origin.primitive, origin.params, table, found)
            )
    return np.array(list(map(numbers.__getitem__, map(id, origins))), np.intp), tuple(found)


def _entered(entry: Primitive, params: Mapping[str, Any], table: dict[Any, int], found: list[Kind]) -> int:
    items = tuple(params.items())
    try:
        key: Any = (entry, items, tuple(type(item) for _, item in items))
        known = table.get(key)
    except TypeError:  # params that cannot be hashed
        key, known = object(), None
    if known is None:
        known = table[key] = FIRST_KIND + len(found)
        found.append(Kind(entry, dict(params)))
    return known
