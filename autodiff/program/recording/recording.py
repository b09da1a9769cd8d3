"""`Recording`: one run of a function, as the graph that it left and all that a replay must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autodiff.engine.graph import Node

__all__ = ["Guard", "Recording", "Selection"]


@dataclass(frozen=True, slots=True)
class Selection:
    """What stands behind a stand-in leaf: the candidates from which an integer input picks one at each run.

    Args:
        which: the number of the integer among the integers of the run, 0-based.
        candidates: nodes of the graph, or plain numbers, in the order of the list that was indexed.
    """

    which: int
    candidates: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """A number that Python looked at while recording; a replay that finds another ``outcome`` is another program.

    Args:
        nodes: the nodes whose numbers were read.
        outcome: what came out: the answer of a comparison, or the number read.
        kind: the operator (``<``, ``bool``, …) or ``read``; ``question``: the function in ``constants`` was asked.
        place: file and line.
        constants: the other operand of a comparison, if it was a plain number.
    """

    nodes: tuple[Node, ...]
    outcome: Any
    kind: str
    place: str
    constants: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Recording:
    """One run of a function.

    Args:
        inputs: the leaves that stand for the floats and arrays among the arguments, in the order of the flattened call.
        parameters: the other leaves on which the outputs depend, by identity, in the order in which they were found;
            detached constants are not among them.
        outputs: the nodes of the result, in the order of the flattened result; then the nodes of guards.
        selections: for each stand-in leaf, what it stands for.
        guards: in the order in which they were met.
        batched: the numbers of those inputs of which an axis of examples is run; then every output has that axis.
        batched_integers: the numbers of those integers that have an axis of examples.
        indices: for each node of ``getitem`` whose index holds integers of the run, the index with their numbers; see
            `autodiff.program.recording.integers.index_of`.
    """

    inputs: tuple[Node, ...]
    parameters: tuple[Node, ...]
    outputs: tuple[Node, ...]
    selections: Mapping[Node, Selection] = field(default_factory=dict)
    guards: tuple[Guard, ...] = ()
    batched: frozenset[int] = frozenset()
    indices: Mapping[Node, Any] = field(default_factory=dict)
    batched_integers: frozenset[int] = frozenset()
