"""The picture of a fault: how the error flows back through the smallest graph that shows it, wrong wires marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from autodiff.draw import Drawing
from autodiff.draw.model.picture import Picture
from autodiff.draw.views.choose_view import picture
from autodiff.engine.graph import Node, topological
from autodiff.flow import bracketed, error_flow
from autodiff.primitives.operands import describe
from autodiff.testing.check.report import Blame, Report
from autodiff.words.notation import number

__all__ = ["drawing"]

_TITLES: Final = {
    "rule": "The rule of {} is wrong", "accumulation": "Shares are added up wrongly",
    "graph": "The graph misses a dependence of the function",
}  # fmt: skip


def drawing(report: Report, *, theme: str = "auto") -> Drawing:
    """The drawing of the fault that a report blames: ``drawing(report).save("fault.svg")``.

    An error of 1 enters at the output. The wire that carries a wrong share is labelled with the share and the correct
    one; where shares are added up wrongly, the first of their wires shows the sum that should be formed. If the graph
    misses a dependence of the function, its detached constants are marked.

    Raises:
        TypeError: if ``report`` is not a report.
        ValueError: if nothing failed, or the fault has no graph of this project, or too large a one to draw.

    >>> import autodiff as ad
    >>> from autodiff.testing import check_gradients
    >>> drawing(check_gradients(ad.sin, 0.5))
    Traceback (most recent call last):
    ValueError: there is no fault to draw: ...
    """
    if not isinstance(report, Report):
        raise TypeError(f"drawing() takes a report of check_gradients, and got {describe(report)}")
    blame = report.blame
    if blame is None and not report.failed:
        raise ValueError(f"there is no fault to draw: {str(report).splitlines()[0]}")
    if blame is None or blame.graph is None:
        raise ValueError("this fault cannot be drawn: it has no graph of Values or Tensors that is small enough")
    seed = 1.0 if blame.graph.scalar else np.ones(np.shape(blame.graph.data))
    flow = error_flow(blame.graph, _suspect(blame), seed=seed)
    made = picture(flow, "graph")
    both = zip(flow.flows.nodes, flow.flows.graph, strict=True)
    detached = {each.label for each, node in both if node.is_detached}
    return Drawing(_marked(made, blame, {box.id for box in made.boxes if box.label in detached}), None, theme)


def _suspect(blame: Blame) -> Node:
    """The node whose gradient is wrong: the input of the wrong rule, or one that has several consumers."""
    if blame.kind in ("graph", "open"):
        leaves = [node for node in topological(blame.graph) if node.is_leaf]
        return next((leaf for leaf in leaves if not leaf.is_detached), leaves[0])
    given = [item for item in blame.graph.inputs if isinstance(item, Node)]
    if blame.kind == "rule":
        return given[0] if blame.slot is None else blame.graph.inputs[blame.slot]
    consumed = Counter(item for node in topological(blame.graph) for item in node.inputs if isinstance(item, Node))
    return max(consumed, key=consumed.__getitem__, default=blame.graph)


def _marked(made: Picture, blame: Blame, cut: set[str]) -> Picture:
    title = _TITLES.get(blame.kind, "The gradient is wrong").format(blame.graph.primitive.name)
    sentence = f"{blame.sentence[:1].upper()}{blame.sentence[1:]}."
    wires = [replace(wire, label="✗ cut") if wire.tail in cut else wire for wire in made.wires]
    parameter = next((box.id for box in made.boxes if box.kind == "parameter"), None)
    wrong = [k for k, wire in enumerate(wires) if wire.lane == "error" and wire.head == parameter]
    if wrong and blame.kind in ("rule", "accumulation"):
        label = blame.short if blame.kind == "rule" else _sum([wires[k].share for k in wrong])
        wires[wrong[0]] = replace(wires[wrong[0]], label=label)
    return replace(
        made, wires=tuple(wires), title=title, formula=(), captions=(sentence,), description=f"{title}. {sentence}",
    )  # fmt: skip


def _sum(shares: Sequence[Any]) -> str:
    """The sum that should be formed, as a label."""
    if any(np.ndim(share) for share in shares):
        return "✗"
    return f"✗ {' + '.join(bracketed(number(share)) for share in shares)}"
