"""A second eager run of a recorded graph, with other numbers in its leaves, and its comparison with a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autodiff.engine.graph import Node, topological
from autodiff.primitives.namespace import arrays
from autodiff.program.compiling.form import Form
from autodiff.program.recording.recording import Recording
from tests.support.forms import computed, number

__all__ = ["differences", "recorded", "replayed"]


def recorded(outputs: Sequence[Any], inputs: Sequence[Any] = (), **others: Any) -> Recording:
    """A recording of a graph whose other leaves, unless they are detached, are parameters."""
    leaves: dict[Any, None] = {}
    behind = [x for selection in others.get("selections", {}).values() for x in selection.candidates]
    for output in dict.fromkeys([*outputs, *(x for x in behind if isinstance(x, Node))]):
        leaves |= {node: None for node in topological(output) if node.is_leaf and not node.is_detached}
    known = {*inputs, *others.get("selections", ())}
    return Recording(tuple(inputs), tuple(leaf for leaf in leaves if leaf not in known), tuple(outputs), **others)


def replayed(outputs: Sequence[Any], changed: Mapping[Any, float]) -> dict[Any, float]:
    """The numbers of all nodes where leaves have other numbers."""
    known: dict[Any, Any] = {}
    with np.errstate(all="ignore"):
        for node in dict.fromkeys(node for output in outputs for node in topological(output)):
            known[node] = changed.get(node, node._data) if node.is_leaf else _again(node, known)
    return known


def _again(node: Any, known: Mapping[Any, Any]) -> float:
    entry = node.primitive
    data = [np.float64(known[x] if isinstance(x, Node) else x) for x in node.inputs]
    operands = [np.array(data)] if entry.reduces else data
    return float(entry.forward(arrays, *operands, **node.params))


def differences(
    form: Form, known: Mapping[Any, float], inputs: Sequence[Any], integers: Sequence[int] = ()
) -> list[str]:
    """The nodes whose numbers in the form are not those of the graph, up to rounding in sums of large numbers."""
    numbers = computed(form, inputs, integers)
    scale = max((abs(x) for x in known.values() if np.isfinite(x)), default=0.0)
    found = []
    for node, wanted in known.items():
        if node in form.places:
            came = float(number(form, numbers, node))
            if not (
                came == wanted or abs(came - wanted) <= 1e-9 * (abs(wanted) + 1e-3 * scale) or not np.isfinite(wanted)
            ):
                found.append(f"{node.label}: {came!r} instead of {wanted!r}")
    return found
