"""Where did the nan come from? The first value or error that is not finite, with the user's file and line."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from types import FrameType
from typing import Any, Final

import numpy as np

from autodiff.engine import shares
from autodiff.engine.backward import run_backward
from autodiff.engine.emit import WRITTEN
from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.flow import Anomaly, FlowEdge, Flows
from autodiff.flow.anomalies import first_errors, is_finite
from autodiff.primitives.operands import describe
from autodiff.values import base, recording, tensor, value
from autodiff.values.reading import is_own, place_of

__all__ = ["detect_anomaly"]

_MAKERS: Final = (WRITTEN, *(str(module.__file__) for module in (base, recording, tensor, value)))  # of nodes
_SHARES: Final = shares.__file__  # whose functions run rules, of a ``node``


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Within the block, raise an error that names the line of the first value or error signal that is inf or nan.

    Values include leaves as well as results. The block watches the calls of its own thread through the interpreter's
    profiling hook: code outside the block pays nothing, and other threads are not watched. Code in the block runs
    several times slower. Each backward pass is first run on trial and so takes at least twice as long; if a gradient
    would not be finite, no gradient is written.

    Raises:
        FloatingPointError: if a value is not finite; the message gives the operation, operands, file and line of the
            first such value in forward order. If a gradient is not finite; the message gives the operation that sent
            back the first non-finite error signal, the factors, and the line that computed the operation if that line
            is in the block.

    >>> from autodiff import Value
    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     y = Value(0.0).log() * 2.0
    Traceback (most recent call last):
    FloatingPointError: log(0.0) gave -inf, the first value that is not finite, at ...
    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     (Value(0.0) ** 0.5).backward()
    Traceback (most recent call last):
    FloatingPointError: power(0.0, n=0.5), computed at ..., sends back 1.0 × inf = inf, the first error signal that ...
    """
    before = sys.getprofile()
    sys.setprofile(_Watch())
    try:
        yield
    finally:
        sys.setprofile(before)


class _Watch:
    """The profiling hook: it records the user's line for every new node and runs every backward pass on trial."""

    def __init__(self) -> None:
        #: Keyed by the id of each node made within the block; a new node that reuses a freed id replaces the old entry.
        self.places: dict[int, str] = {}

    def __call__(self, frame: FrameType, event: str, result: Any) -> None:
        if event == "call" and frame.f_code is run_backward.__code__:
            with np.errstate(all="ignore"):
                self.try_pass(*map(frame.f_locals.get, ("output", "seed", "wanted")))
        elif event == "return" and is_own(frame):
            node = frame.f_locals.get("self") if frame.f_code.co_name == "__init__" else result
            if isinstance(node, Node) and hasattr(node, "_data"):
                self.see(node, frame)

    def see(self, node: Node, frame: FrameType) -> None:
        """Record the line of a new node, and raise if its value is not finite.

        Nodes that rules make during a backward pass are exempt: the trial run has shown that its gradients are finite.
        """
        ruled, place = _origin(frame)
        if id(ruled) in self.places:
            place = f"{self.places[id(ruled)]}, in the backward pass of {_called(ruled)}"
        if frame.f_code.co_filename.startswith(_MAKERS) and not _is_given_back(node, frame):
            self.places[id(node)] = place
        if ruled is None and not is_finite(node._data):
            raise FloatingPointError(f"{_account(node)}, the first value that is not finite, at {place}")

    def try_pass(self, output: Any, seed: Any, wanted: Any) -> None:
        """Raise if a backward pass would produce a gradient that is not finite."""
        try:
            flows = Flows(output, output, seed=plain(seed))
            edges = list(flows.edges())
        except Exception:  # the pass itself will raise it
            return
        found = _behind_a_gradient(flows, edges, wanted)
        if found:
            first, *later = (self.account(flows, edges, anomaly) for anomaly in found)
            raise FloatingPointError("; then ".join([f"{first}, the first error signal that is not finite", *later]))

    def account(self, flows: Flows, edges: Sequence[FlowEdge], anomaly: Anomaly) -> str:
        """The factors or summands of a non-finite signal, and the line that computed its operation."""
        edge = anomaly.edge
        if edge is None:
            node = flows.node_of(anomaly.node)
            shares = " + ".join(_amount(each.share) for each in edges if each.input == anomaly.node.id)
            told = f"gets the shares {shares} = {_amount(anomaly.node.error)}"
        else:
            node = flows.node_of(flows.nodes[edge.consumer])
            times = "" if edge.local is None else f"{_amount(edge.error)} × {_amount(edge.local)} = "
            told = f"sends back {times}{_amount(edge.share)}"
        made = "given" if node.is_leaf else "computed"
        return f"{_called(node)}, {made} at {self.places.get(id(node), 'a place outside the block')}, {told}"


def _behind_a_gradient(flows: Flows, edges: Sequence[FlowEdge], wanted: Any) -> list[Anomaly]:
    """Where the error signals behind a non-finite gradient become non-finite, and where they become nan; else [].

    Signals that a closed gate stops, or that reach no gradient, are ignored.
    """
    ends = (node in wanted if wanted is not None else node.is_leaf and not node.is_detached for node in flows.graph)
    spoiled = (item for item, is_end in zip(flows.nodes, ends, strict=True) if is_end and not is_finite(item.error))
    way = {item.id for item in islice(spoiled, 1)}
    for edge in reversed(edges):  # inputs before their consumers
        if edge.input in way and not is_finite(edge.share):
            way.add(edge.consumer)
    found = [anomaly for anomaly in first_errors(flows.nodes, edges) if anomaly.node.id in way]
    return found[:1] + [anomaly for anomaly in found[1:] if anomaly.kind == "nan"][:1]


def _origin(frame: FrameType) -> tuple[Any, str]:
    """The node whose rule is running (None outside a backward pass), and the user's line that led to this frame."""
    here: FrameType | None = frame
    ruled = None
    while here is not None and is_own(here):
        if ruled is None and here.f_code.co_filename == _SHARES:
            ruled = here.f_locals.get("node")
        here = here.f_back
    return ruled, place_of(here)


def _is_given_back(node: Node, frame: FrameType) -> bool:
    """Whether a function returns one of its arguments, which it therefore did not make."""
    code = frame.f_code
    names = () if code.co_name == "__init__" else code.co_varnames[: code.co_argcount]
    return any(frame.f_locals.get(name) is node for name in names)


def _account(node: Node) -> str:
    if node.primitive is None:
        return f"the leaf {node.label} is {_amount(node._data)}"
    return f"{_called(node)} gave {_amount(node._data)}"


def _called(node: Node) -> str:
    """The call that made a node, or the label of a leaf."""
    if node.primitive is None:
        return node.label
    operands = [f"{x._data}" if isinstance(x, Node) and np.ndim(x._data) == 0 else describe(x) for x in node.inputs]
    params = [f"{key}={describe(value)}" for key, value in node.params.items()]
    return f"{node.primitive.name}({', '.join(operands + params)})"


def _amount(data: Any) -> str:
    """A number, or the first entry of an array that is not finite."""
    if np.ndim(data) == 0:
        return f"{data}"
    bad = np.argwhere(~np.isfinite(data))
    if not len(bad):
        return describe(data)
    place = tuple(int(k) for k in bad[0])
    return f"a value with {data[place]} at index {place}"
