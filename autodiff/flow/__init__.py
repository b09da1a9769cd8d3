"""Error sharing as data: the ledger of one gradient, the paths it takes, and what its nodes and edges are called."""

from autodiff.flow.anomalies import Anomaly
from autodiff.flow.ledger import Factor, Flow, Flows, Path, bracketed, count_text, error_flow
from autodiff.flow.parts import FlowEdge, FlowNode, Wire

__all__ = [
    "Anomaly", "Factor", "Flow", "FlowEdge", "FlowNode", "Flows", "Path", "Wire", "bracketed", "count_text",
    "error_flow",
]  # fmt: skip
