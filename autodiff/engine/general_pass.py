"""The backward pass with counts and signals in private dictionaries, so threads and nested passes do not interfere.

It also runs if the result must itself be a graph, if closed gates must be distinguished from other zeros, or if only
some gradients are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cache, partial
from typing import Any

import numpy as np

from autodiff.engine.gates import Reach, has_nan, reached
from autodiff.engine.graph import Deliver, Node, check_fresh, topological
from autodiff.engine.shares import accumulate, gated_shares, plain_shares

__all__ = ["general_pass"]


def general_pass(
    output: Node, seed: Any, deliver: Deliver, wanted: Collection[Node] | None, *,
    gated: bool = False, create_graph: bool = False,
) -> bool:  # fmt: skip
    """Both phases, in the order of the slot pass: count the edges, then pass signals on; False if a nan came out.

    With ``gated``, nothing gets through a closed gate, and any remaining nan is part of the result.
    """
    come = cache(lambda: reached(output, seed))  # on demand: a graph of smooth primitives with finite shares never asks
    expected = _count_edges(output)
    useful = expected if wanted is None else _leading_to(output, wanted)
    signals: dict[Node, Any] = {output: seed}
    todo, sound = [output], True
    with np.errstate(all="ignore"):
        while todo:
            node = todo.pop()
            signal = signals.pop(node, None)
            if signal is not None:
                deliver(node, signal)
                if gated:
                    here = partial(_at, come, node)
                    shares = gated_shares(node, signal, here, useful, create_graph=create_graph)
                else:
                    sound = sound and not has_nan(signal)
                    shares = plain_shares(node, signal, useful)
                for item, share in shares:
                    signals[item] = accumulate(signals[item], share, signal) if item in signals else share
            for item in node.inputs:
                if isinstance(item, Node):
                    expected[item] -= 1
                    if not expected[item]:
                        todo.append(item)
    return sound or gated


def _at(come: Callable[[], dict[Node, Reach]], node: Node) -> Reach:
    return come()[node]


def _count_edges(output: Node) -> dict[Node, int]:
    """How many edges lead into each node; raises StaleGraphError."""
    expected = {output: 0}
    todo = [output]
    while todo:
        node = todo.pop()
        for item in node.inputs:
            if isinstance(item, Node):
                if item in expected:
                    expected[item] += 1
                else:
                    expected[item] = 1
                    if item.a is not None:
                        todo.append(item)
                if item.version > node.version:
                    check_fresh(node, item)
    return expected


def _leading_to(output: Node, wanted: Collection[Node]) -> set[Node]:
    """The nodes from which a wanted node can be reached, including the wanted nodes."""
    useful = set(wanted)
    for node in topological(output):
        if node in useful:
            continue
        for item in node.inputs:  # a loop, since a generator for each node takes longer than what it asks
            if isinstance(item, Node) and item in useful:
                useful.add(node)
                break
    return useful
