"""Error sharing as data: the ledger of one gradient, its paths, and the labels of its nodes and edges."""

from autodiff.flow.anomalies import Anomaly
from autodiff.flow.factors import Factor, Path
from autodiff.flow.flows import Flows, error_flow
from autodiff.flow.labels import bracketed, count_text
from autodiff.flow.ledger import Flow
from autodiff.flow.parts import FlowEdge, FlowNode, Number, Signal, Wire

__all__ = [
    "Anomaly", "Factor", "Flow", "FlowEdge", "FlowNode", "Flows", "Number", "Path", "Signal", "Wire", "bracketed",
    "count_text", "error_flow",
]  # fmt: skip
