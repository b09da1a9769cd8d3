"""The notes' names of ledger nodes, and the order in which people read nodes and shares."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from autodiff.flow.ledger import Flow
from autodiff.flow.parts import FlowEdge, FlowNode
from autodiff.words.notation import Name, parse

__all__ = [
    "columns", "in_order", "is_weighted_sum", "notes_name", "shares_in_order", "suffix", "without_suffix",
]  # fmt: skip

_SUFFIXES: Final = "ᶜ′"  # of calls
_MARKS: Final = re.compile(f"[{_SUFFIXES}]*(?:#[0-9]+)?$")  # after a name, in a label


def notes_name(node: FlowNode) -> Name | None:
    """The node's name as a quantity of the notes, such as z₁⁽²⁾, U₁ or J; None if it is no such name."""
    return _read(without_suffix(node.name)) if node.name else None


@lru_cache(maxsize=65536)
def _read(text: str) -> Name | None:
    try:
        name = parse(text)
    except ValueError:
        return None
    return name if name.layer is not None or name.indices or name.letter in ("s", "s_c", "U", "J") else None


def without_suffix(name: str) -> str:
    """A name without the suffix of its call, as that of the corrupt window.

    >>> without_suffix("z₁⁽²⁾ᶜ")
    'z₁⁽²⁾'
    """
    return name.rstrip(_SUFFIXES)


def suffix(node: FlowNode) -> str:
    """The part of a label after the notes' name: ᶜ for the corrupt window, # and a number for a further call."""
    if not node.name:
        return node.label
    found = _MARKS.search(node.label)
    return found[0] if found else ""


def is_weighted_sum(node: FlowNode) -> bool:
    """Whether the node is a z of the notes, whose error is δ."""
    name = notes_name(node)
    return name is not None and name.letter == "z"


def columns(flow: Flow) -> tuple[tuple[FlowNode, ...], ...]:
    """The nodes by their longest distance from the output; within a column by name (a₁, a₂, …), then by id."""
    depth = [0] * len(flow.nodes)
    for edge in flow.edges:
        depth[edge.input] = max(depth[edge.input], depth[edge.consumer] + 1)
    found: list[list[FlowNode]] = [[] for _ in range(max(depth, default=-1) + 1)]
    for node in flow.nodes:
        found[depth[node.id]].append(node)
    return tuple(tuple(sorted(column, key=in_order)) for column in found)


def in_order(node: FlowNode) -> tuple[Any, ...]:
    """A sort key for reading order: the true window before the corrupt one, a₁ before a₂, then by id."""
    name = notes_name(node)
    if name is None:
        return (2, node.label[len(node.name) :] if node.name else "", "", (), 0, node.id)
    return (1, suffix(node), name.letter, name.indices, name.layer or 0, node.id)


def shares_in_order(flow: Flow, node: FlowNode) -> tuple[FlowEdge, ...]:
    """The edges whose shares arrive at a node, sorted by their consumers in the order of `in_order`."""
    return tuple(sorted(flow.arriving(node), key=lambda edge: (in_order(flow.nodes[edge.consumer]), edge.slot)))
