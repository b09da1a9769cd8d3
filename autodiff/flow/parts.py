"""What the ledger is made of: its nodes, its edges, and the wires off the way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FlowEdge", "FlowNode", "Number", "Signal", "Wire"]

#: What a node holds: the float of a Value, the array of a Tensor or, where no axis is left, NumPy's own scalar.
Number = float | np.ndarray[Any, np.dtype[Any]] | np.floating[Any]

#: An error, a `Number` of its node's shape, or None where none arrives. Type checkers are not told so: whoever follows
#: the edges of a flow knows that one arrives, and whether it is a float.
Signal = Any


@dataclass(frozen=True, slots=True, eq=False)
class FlowNode:
    """A node of the ledger.

    ``id`` counts from 0, the output, in the order of the backward pass: it is the node's number in `Flows.nodes`, and
    in a `Flow` its place in ``every``. ``label`` is unique in a graph, ``name`` is what the node was called.
    ``operation`` and ``symbol`` are the primitive's name and symbol, None for a leaf. ``value`` and ``error``
    (δ = ∂output/∂node, times the seed; None where none arrives) are floats, or arrays of the node's shape.
    ``at_kink``: its input lies exactly on a kink, where the local gradient is a convention.
    """

    id: int
    label: str
    name: str | None
    operation: str | None
    symbol: str | None
    value: Number
    error: Signal
    at_kink: bool = False


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge by its ends: the input in ``slot`` (0-based) of the consumer, both as ids of nodes."""

    consumer: int
    input: int
    slot: int


@dataclass(frozen=True, slots=True, eq=False)
class FlowEdge:
    """An edge of the ledger: the consumer sends its input a share of its own error.

    ``local`` is the local gradient ∂consumer/∂input, None on an edge of arrays; ``local_symbol`` how it reads, and
    ``partner`` the other factor where it is one (a weight for what it multiplies, and the other way round).
    ``error`` is the consumer's δ and ``share`` = error × local gradient, in the shape of the input. Nothing gets
    through a ``closed`` edge, a gate that is shut or a constant factor 0: its share is 0, also of an infinite error.
    """

    consumer: int
    input: int
    slot: int
    local: float | None
    local_symbol: str
    partner: str | None
    error: Number
    share: Number
    closed: bool = False
