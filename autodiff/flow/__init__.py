"""Error sharing as data: the ledger of one gradient, the paths it takes, and how its nodes and edges are called."""

from autodiff.flow.ledger import (
    Factor,
    Flow,
    FlowEdge,
    FlowNode,
    Flows,
    Path,
    Wire,
    bracketed,
    count_text,
    error_flow,
)  # fmt: skip

__all__ = [
    "Factor", "Flow", "FlowEdge", "FlowNode", "Flows", "Path", "Wire", "bracketed", "count_text", "error_flow",
]  # fmt: skip
