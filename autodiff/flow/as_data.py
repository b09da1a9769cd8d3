"""A flow as plain data, ready for JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from autodiff.flow.factors import Path
from autodiff.flow.labels import count_text
from autodiff.flow.parts import FlowEdge, FlowNode
from autodiff.words.notation import number

if TYPE_CHECKING:
    from autodiff.flow.ledger import Flow

__all__ = ["flow_as_data"]

_DIGITS: Final = 17
_EXACT: Final = 2**53
_MOST_PATHS: Final = 10
_KEYS: Final = {"symbol": "sign"}  # existing files use this key


def flow_as_data(flow: Flow) -> dict[str, Any]:
    """The result of `Flow.as_dict`."""
    count = flow.path_count
    position = {id(edge): k for k, edge in enumerate(flow.edges)}
    return {
        "output": flow.output.label,
        "parameter": flow.parameter.label,
        "seed": _plain_data(flow.seed),
        "gradient": _plain_data(flow.gradient),
        "on_a_path": not flow.is_empty,
        "nodes": [_record(node) for node in flow.nodes],
        "edges": [_record(edge) | {"formula": _formula(flow, edge)} for edge in flow.edges],
        "path_count": count if count <= _EXACT else count_text(count),
        "paths": [_path_record(path) for path in flow.strongest(_MOST_PATHS)],
        "formula": flow.formula(),
        "anomalies": [
            {"kind": each.kind, "node": each.node.label, "edge": position.get(id(each.edge))} for each in flow.anomalies
        ],
    }


def _record(item: FlowNode | FlowEdge) -> dict[str, Any]:
    return {_KEYS.get(key, key): _plain_data(getattr(item, key)) for key in item.__slots__}


def _formula(flow: Flow, edge: FlowEdge) -> dict[str, Any] | None:
    """The local gradient as a formula; its numbers in full, "" where they say no more than the local gradient."""
    slope = flow.slope_of(edge)
    if slope is None:
        return None
    numbers = slope.in_numbers(lambda known: number(known, _DIGITS))
    return {"symbols": slope.symbols, "numbers": numbers, "conditions": [*slope.conditions]}


def _path_record(path: Path) -> dict[str, Any]:
    return {
        "factors": [{"symbol": factor.symbol, "number": _plain_data(factor.number)} for factor in path.factors],
        "product": _plain_data(path.product),
        "percentage": _plain_data(path.percentage),
    }


def _plain_data(value: Any) -> Any:
    """Floats, texts and nested lists of them; a number that JSON lacks is written as its name."""
    if isinstance(value, np.ndarray | np.generic):  # NumPy returns its own scalars where no axis is left
        return _plain_data(value.tolist())
    if isinstance(value, list):
        return [_plain_data(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
