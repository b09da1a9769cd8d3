"""Drawing the same graph: this project's data, layout, SVG and DOT beside the DOT text of torchviz and of micrograd.

The peers stop at DOT text, which Graphviz then has to lay out; that is timed too, up to a limit.
micrograd's drawing is a page of its notebook, not part of its package: `two_nodes_an_operation` does what it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import graphviz  # type: ignore[import-untyped]

import autodiff as ad
from autodiff.draw import MissingProgramError, computation, dot, picture, render, svg
from autodiff.draw import graphviz as engine
from autodiff.draw.layout.positions import lay_out
from autodiff.draw.writers.pinned_dot import pinned_dot
from autodiff.system.extras import install

__all__ = ["BOXES", "LIMIT", "chain", "chains", "graph", "times", "way_alone"]

BOXES = (30, 300, 3_000, 10_000)
LIMIT = 20.0  # seconds for Graphviz
Row = list[float | str]


def graph(kind: Callable[[float], Any], boxes: int) -> Any:
    """A graph of about that many values in rows, each made of two of the row before: x ← ½(x·y + x)."""
    width = max(2, min(40, boxes // 12))
    half = kind(0.5)
    row = [kind(0.5 + 0.4 * k / width) for k in range(width)]
    for _ in range(round((boxes - 2 * width) / (3 * width))):
        row = [(x * y + x) * half for x, y in zip(row, row[1:] + row[:1], strict=True)]
    total = row[0]
    for x in row[1:]:
        total = total + x
    return total


def chain(nodes: int) -> tuple[ad.Value, Any]:
    """The leaf and the end of a chain of about that many nodes."""
    x = ad.Value(0.5, name="x")
    y: Any = x
    for _ in range(nodes // 2):
        y = ad.tanh(y * 1.01)
    return x, y


def two_nodes_an_operation(output: Any) -> str:
    """DOT as micrograd's notebook draws it: a record with data and gradient for each value, a circle for each sign."""
    source = graphviz.Digraph(graph_attr={"rankdir": "LR"})
    seen, waiting = {output}, [output]
    while waiting:
        value = waiting.pop()
        name = str(id(value))
        source.node(name, label=f"{{ data {value.data:.4f} | grad {value.grad:.4f} }}", shape="record")
        if value._op:
            source.node(name + value._op, label=value._op)
            source.edge(name + value._op, name)
        for item in value._prev:
            source.edge(str(id(item)), name + value._op)
            if item not in seen:
                seen.add(item)
                waiting.append(item)
    return str(source.source)


def times(sizes: tuple[int, ...] = BOXES, *, limit: float = LIMIT) -> str:
    """A table of seconds of wall time: a column for each size, a row for each part of each contender."""
    rows: dict[str, Row] = {}
    for size in sizes:
        for name, seconds in _ours(size, limit).items():
            rows.setdefault(name, []).append(seconds)
    for peer in (_micrograd, _torchviz):
        try:
            made: list[dict[str, float | str]] = [peer(size, limit) for size in sizes]
        except ImportError as error:
            print(f"  ({error.name} is not installed: {install('peers')})")
            continue
        for column in made:
            for name, seconds in column.items():
                rows.setdefault(name, []).append(seconds)
    head = f"  {'seconds for a graph of … boxes':<44}" + "".join(f"{size:>10,}" for size in sizes)
    return "\n".join([head, *(f"  {name:<44}" + "".join(map(_shown, row)) for name, row in rows.items())])


def way_alone(nodes: int = 100_000) -> str:
    """The seconds from a recorded graph of that many nodes to the ledger of a weight next to its output, and more."""
    weight = ad.Value(0.5, name="w")
    output = ad.tanh(graph(ad.Value, nodes) * weight)
    ledger, flow = _timed(lambda: ad.error_flow(output, weight))
    drawn, _ = _timed(lambda: svg(picture(flow)))
    return f"  the way alone in {nodes:,} nodes: ledger {ledger:.3f}, picture and SVG {drawn:.3f} seconds"


def chains(boxes: int = 10_000, nodes: int = 100_000) -> str:
    """The seconds for the picture and SVG of a chain of that many boxes, and for the ledger of one of so many nodes."""
    _, output = chain(boxes)
    output.backward()
    drawn, _ = _timed(lambda: svg(computation(output, most=2 * boxes)))
    x, output = chain(nodes)
    ledger, _ = _timed(lambda: ad.error_flow(output, x))
    return f"  a chain: picture and SVG of {boxes:,} boxes {drawn:.3f}, ledger of {nodes:,} nodes {ledger:.3f} seconds"


def _shown(seconds: float | str) -> str:
    return f"{seconds:>10}" if isinstance(seconds, str) else f"{seconds:>10.3f}"


def _ours(size: int, limit: float) -> dict[str, float | str]:
    output = graph(ad.Value, size)
    output.backward()
    data, what = _timed(lambda: computation(output, most=2 * size))
    layout, _ = _timed(lambda: lay_out(what))
    written, ours = _timed(lambda: svg(what))
    told, source = _timed(lambda: dot(what))
    flow = ad.error_flow(output, next(node for node in ad.topological(output) if not node.inputs))
    focus, _ = _timed(lambda: svg(picture(flow)))
    return {
        "autodiff: the picture as data": data,
        "autodiff: layout": layout,
        "autodiff: SVG, layout and all": written,
        "autodiff: that SVG as PDF": _drawn(pinned_dot(ours), limit, "nop"),
        "autodiff: DOT": told,
        "autodiff: DOT drawn by Graphviz": _drawn(source, limit),
        "autodiff: SVG of the way to one leaf": focus,
    }


def _micrograd(size: int, limit: float) -> dict[str, float | str]:
    from micrograd.engine import Value

    output = graph(Value, size)
    told, source = _timed(lambda: two_nodes_an_operation(output))
    return {"micrograd: DOT": told, "micrograd: DOT drawn by Graphviz": _drawn(source, limit)}


def _torchviz(size: int, limit: float) -> dict[str, float | str]:
    import torch
    from torchviz import make_dot

    output = graph(lambda x: torch.tensor(x, dtype=torch.float64, requires_grad=True), size)
    told, source = _timed(lambda: str(make_dot(output).source))
    return {"torchviz: DOT": told, "torchviz: DOT drawn by Graphviz": _drawn(source, limit)}


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest time of three runs, or of one that takes more than a second, and the result."""
    least = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        result = call()
        least = min(least, time.perf_counter() - start)
        if least > 1.0:
            break
    return least, result


def _drawn(source: str, limit: float, layout: str = "dot") -> float | str:
    start = time.perf_counter()
    try:
        with mock.patch.object(engine, "_SECONDS", limit):
            render(source, "pdf", layout=layout)
    except engine.TooSlowError:
        return f"> {limit:g}"
    except MissingProgramError:
        return "–"
    return time.perf_counter() - start
