"""Folding of graphs: the nodes that are drawn individually, the nodes folded into boxes, and the columns of boxes.

No function recurses, and every pass is linear in the size of the graph.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from autodiff.draw.model.quick import place_of
from autodiff.flow import FlowNode

__all__ = [
    "CROWD", "INPUTS", "Fold", "Key", "Region", "Scope", "TimeStep", "Weights", "columns", "fold", "parts", "scopes",
]  # fmt: skip

_MAY_HAVE_A_LAYER: Final = re.compile(r"[⁽(^[⁰¹²³⁴-⁹]")  # other names need no parsing
_SEPARATORS: Final = "./"
CROWD: Final = "crowd"  # the box of the nodes in the middle
INPUTS: Final = "inputs"  # the box of leaves without a scope
_MOST_INPUTS: Final = 20
_MOST_REGIONS: Final = 40
_LEAVES_ALONE: Final = -1  # the rank of a part without results
_OF_WEIGHTS: Final = frozenset("Wb")
_OF_UNITS: Final = frozenset("za")
_OF_THE_STEP: Final = frozenset("xzhs")
_STATE: Final = "h"


class TimeStep(NamedTuple):
    """A step of a recurrent network."""

    number: int


class Weights(NamedTuple):
    """The weights and biases between two layers, which belong to neither."""

    layer: int
    next: int


class Region(NamedTuple):
    """A node with all nodes that only it needs, such as a neuron; ``root`` is the node's position."""

    root: int


#: A layer of the notes (its number), the weights between two layers, a time step, or a scope of names (its name).
Scope = int | Weights | TimeStep | Region | str

#: A box: a node (its position), a part of a cluster, ("layer", 0), or the crowd in the middle.
Key = Hashable

Inputs = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Fold:
    """The box of every node that is drawn, and the kind of selection: all, way, folded or ends."""

    box_of: Mapping[int, Key]
    kind: str


def scopes(nodes: Sequence[FlowNode], inputs: Inputs) -> list[Scope | None]:
    """The layer or scope of every node, given with consumers before their inputs.

    With the notes' names, z⁽ᵏ⁾ and a⁽ᵏ⁾ belong to layer k, the inputs a⁽¹⁾ to layer 1, and W⁽ᵏ⁾ and b⁽ᵏ⁾ lead from
    layer k to k+1. If there is an h⁽ᵗ⁾, all x⁽ᵗ⁾, z⁽ᵗ⁾, h⁽ᵗ⁾ and s⁽ᵗ⁾ belong to time step t. With names that contain a
    dot or slash, "encoder.h" belongs to "encoder". A node without a name belongs where all its consumers do.
    """
    recurrent = any(_letter(node) == _STATE for node in nodes if node.name and node.name.startswith(_STATE))
    found: list[Scope | None] = [None] * len(nodes)  # first the scopes of the consumers
    heard = [False] * len(nodes)
    for k, node in enumerate(nodes):
        own = found[k] = _named(node, recurrent=recurrent) if node.name else found[k]
        for item in inputs[k]:
            if not heard[item]:
                found[item], heard[item] = own, True
            elif found[item] != own:
                found[item] = None
    return found


def _letter(node: FlowNode) -> str:
    name = place_of(node)
    return "" if name is None or name.layer is None else name.letter


def _named(node: FlowNode, *, recurrent: bool) -> Scope | None:
    name = place_of(node) if _MAY_HAVE_A_LAYER.search(node.name or "") else None
    if name is not None and name.layer is not None:
        if recurrent:
            return TimeStep(name.layer) if name.letter in _OF_THE_STEP and name.layer else None
        if name.letter in _OF_WEIGHTS:
            return Weights(name.layer, name.layer + 1)
        return name.layer if name.letter in _OF_UNITS else None
    last = max((node.name or "").rfind(separator) for separator in _SEPARATORS)
    return (node.name or "")[:last] if last > 0 else None


def fold(found: Sequence[Scope | None], inputs: Inputs, way: Sequence[int], most: int) -> Fold:
    """Choose about ``most`` boxes or fewer: all nodes if possible; else, of a whole graph, its neurons; else the nodes
    that lead to the parameter, with the rest folded by cluster or left out; else all nodes folded by cluster; else the
    two ends of the paths, or the end at the output.

    ``way`` holds the sorted positions of the nodes that lead to the parameter, the output first; it is empty for a
    whole graph.
    """
    count = len(found)
    if count <= most:
        return Fold({k: k for k in range(count)}, "all")
    by_region = {} if way else _regions(inputs)
    sizes = Counter(by_region.values())
    if sizes and len(sizes) <= min(_MOST_REGIONS, most) and max(sizes.values()) <= most // 2:  # neurons, not a chain
        return Fold(by_region, "folded")
    on_the_way = set(way)
    if way and len(way) <= most:
        rest = _with_inputs(parts(found, inputs, on_the_way), found, inputs, on_the_way, most - len(way))
        many = len(way) + len(set(rest.values())) > most
        return Fold({k: k for k in way} | ({} if many else rest), "way" if many or not rest else "folded")
    rest = _with_inputs(parts(found, inputs, set()), found, inputs, set(), most // 2)
    alone = [k for k in range(count) if k not in rest]
    if rest and len(alone) + len(set(rest.values())) <= most:
        return Fold({k: k for k in alone} | rest, "folded")
    first, last = (way[: most // 2], way[-(most // 2) :]) if way else (range(most - 1), ())
    shown: Iterable[int] = way or range(count)
    ends = {*first, *last}
    return Fold({k: k if k in ends else CROWD for k in shown}, "ends")


def _regions(inputs: Inputs) -> dict[int, Key]:
    """The region of every node: a node with one consumer belongs to its consumer's region, so no wires form cycles."""
    root = list(range(len(inputs)))
    uses = [0] * len(inputs)
    for k, items in enumerate(inputs):  # consumers before their inputs
        many = sum(bool(inputs[item]) for item in items) > 2  # such as the neurons that one weighted sum joins
        for item in items:
            uses[item] += 1
            root[item] = root[k] if uses[item] == 1 and not (many and inputs[item]) else item
    sizes = Counter(root)
    return {k: k if sizes[own] == 1 else (Region(own), 0) for k, own in enumerate(root)}


def _with_inputs(
    rest: dict[int, Key], found: Sequence[Scope | None], inputs: Inputs, apart: set[int], room: int
) -> dict[int, Key]:
    """The parts and the inputs, leaves of layer 1 or without a scope; inputs stay separate if there is room."""
    leaves = [k for k, items in enumerate(inputs) if rest and not items and found[k] in (None, 1) and k not in apart]
    one_by_one = len(leaves) + len(set(rest.values())) <= min(room, _MOST_INPUTS)
    return rest | {k: k if one_by_one else rest.get(k, INPUTS) for k in leaves}


def parts(found: Sequence[Scope | None], inputs: Inputs, apart: set[int]) -> dict[int, Key]:
    """Split the nodes of each scope, except those in ``apart``, into parts so that wires between parts form no cycles.

    Every wire from one part to another leads to a higher rank. A leaf joins the last part of its scope whose rank is
    not above that of any of its consumers, so no path from the leaf leads back to that part.
    """
    rank = [0] * len(found)
    lowest = [len(found)] * len(found)  # rank among the consumers
    for k in range(len(found) - 1, -1, -1):  # inputs before consumers
        for item in inputs[k]:
            if inputs[item]:
                same = found[k] is not None and found[k] == found[item] and k not in apart and item not in apart
                rank[k] = max(rank[k], rank[item] + (not same))
        for item in inputs[k]:
            lowest[item] = min(lowest[item], rank[k])
    inner = [k for k, scope in enumerate(found) if scope is not None and inputs[k] and k not in apart]
    part_of: dict[int, Key] = {k: (found[k], rank[k]) for k in inner}
    ranks: dict[Scope | None, list[int]] = {}
    for scope, its_rank in sorted({(found[k], rank[k]) for k in inner}, key=itemgetter(1)):
        ranks.setdefault(scope, []).append(its_rank)
    for k, scope in enumerate(found):
        if scope is not None and not inputs[k] and k not in apart:
            known = ranks.get(scope, [])
            place = bisect_right(known, lowest[k])
            part_of[k] = (scope, known[place - 1] if place else _LEAVES_ALONE)
    return part_of


# ---- columns ---------------------------------------------------------------------------------------------------------


def columns(
    boxes: Sequence[Key], wires: Sequence[tuple[Key, Key]], frames: Mapping[Key, Key], leaves: set[Key]
) -> dict[Key, int]:
    """A column for every box, counted from the output: left of all its consumers, with separate columns for frames.

    Args:
        boxes: the boxes, consumers before their inputs.
        wires: pairs (input, consumer).
        frames: the frame of each box that has one; wires between frames form no cycles.
        leaves: the boxes without inputs; they go where there is room.
    """
    consumers: dict[Key, list[Key]] = {box: [] for box in boxes}
    for item, consumer in wires:
        consumers[item].append(consumer)
    members: dict[Key, list[Key]] = {}
    for box in boxes:
        members.setdefault(("frame", frames[box]) if box in frames else ("box", box), []).append(box)
    column: dict[Key, int] = {}
    framed: list[tuple[int, int]] = []
    highest = -1
    late = [group for group, (box, *_) in members.items() if group[0] == "box" and box in leaves]  # type: ignore[index]
    apart = set(late)
    for group in [*_in_order(members, consumers, apart), *late]:
        own = members[group]
        depth = _depths(own, consumers)
        start = max(
            (column[user] + 1 - depth[box] for box in own for user in consumers[box] if user not in depth), default=0
        )
        if group[0] == "frame":  # type: ignore[index]
            start = max(start, highest + 1)
            framed.append((start, start + max(depth.values())))
        else:
            for low, high in framed:  # sorted, since every frame starts after all earlier ones
                start = high + 1 if low <= start <= high else start
        for box in own:
            column[box] = start + depth[box]
            highest = highest if group in apart else max(highest, column[box])
    used = {old: new for new, old in enumerate(sorted(set(column.values())))}
    return {box: used[old] for box, old in column.items()}


def _in_order(
    members: Mapping[Key, Sequence[Key]], consumers: Mapping[Key, Sequence[Key]], apart: set[Key]
) -> list[Key]:
    """The groups in order, consumers before their inputs."""
    group_of = {box: group for group, own in members.items() for box in own}
    users = {
        group: {group_of[user] for box in own for user in consumers[box]} - {group} for group, own in members.items()
    }
    items: dict[Key, list[Key]] = {group: [] for group in members}
    for group, own_users in users.items():
        for user in own_users:
            items[user].append(group)
    waiting = {group: len(own) for group, own in users.items() if group not in apart}
    ready = [group for group, count in waiting.items() if not count]
    order: list[Key] = []
    for group in ready:  # the list grows during the loop
        order.append(group)
        for item in items[group]:
            if item in waiting:
                waiting[item] -= 1
                if not waiting[item]:
                    ready.append(item)
    return order


def _depths(own: Sequence[Key], consumers: Mapping[Key, Sequence[Key]]) -> dict[Key, int]:
    """The longest path from each member of a group to the outside."""
    depth: dict[Key, int] = dict.fromkeys(own, 0)
    for box in own:  # consumers first
        depth[box] = max((depth[user] + 1 for user in consumers[box] if user in depth), default=0)
    return depth
