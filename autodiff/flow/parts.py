"""The parts of the ledger: its nodes, its edges, and the wires off the paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autodiff.primitives.origin import SourceLine

__all__ = ["FlowEdge", "FlowNode", "Number", "Signal", "Wire"]

#: The data of a node: the float of a Value, the array of a Tensor or, where no axis is left, a NumPy scalar.
Number = float | np.ndarray[Any, np.dtype[Any]] | np.floating[Any]

#: An error: a `Number` of its node's shape, or None where no error arrives. The alias is Any because code that follows
#: the edges of a flow knows that an error arrives and whether it is a float.
Signal = Any


@dataclass(frozen=True, slots=True, eq=False)
class FlowNode:
    """A node of the ledger.

    ``id`` counts from 0, the output, in the order of the backward pass: it is the node's index in `Flows.nodes` or, in
    a `Flow`, in ``every``. ``label`` is unique in a graph; ``name`` is that of the Value or Tensor. ``operation`` and
    ``symbol`` are the primitive's name and symbol, None for a leaf. ``value`` and ``error`` (δ = ∂output/∂node, times
    the seed; None where no error arrives) are floats, or arrays of the node's shape. ``at_kink`` says that its input
    lies exactly at a kink, where the local gradient is a convention. ``line`` is the line of the function that `see`
    ran, else None.
    """

    id: int
    label: str
    name: str | None
    operation: str | None
    symbol: str | None
    value: Number
    error: Signal
    at_kink: bool = False
    line: SourceLine | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """An edge, given by the ids of its two nodes: ``input`` is in ``slot`` (0-based) of ``consumer``."""

    consumer: int
    input: int
    slot: int


@dataclass(frozen=True, slots=True, eq=False)
class FlowEdge:
    """An edge of the ledger: the consumer sends its input a share of its error.

    ``local`` is the local gradient ∂consumer/∂input, None on an edge of arrays; ``local_symbol`` is the same as text.
    ``partner`` is the other factor where the edge belongs to a product (the weight of an input, the input of a weight).
    ``error`` is the consumer's δ, and ``share`` = error × local gradient has the shape of the input. Nothing passes a
    ``closed`` edge, which is a shut gate or a constant factor 0: its share is 0 even if the error is infinite.
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
