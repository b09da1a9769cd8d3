"""Folding of what a graph repeats side by side: the units of a layer, and the terms of a sum over examples.

A unit is a node with all nodes that only it needs, between the results of other units; two units are alike if the
same operations lead to them, whatever the number of terms in their sums. Of a sum whose terms are computed alike, one
term is drawn, and the others are folded into its box Σ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from autodiff.draw.grouping.folding import Fold, Key
from autodiff.flow import FlowNode

__all__ = ["Terms", "Unit", "with_units"]

Inputs = Sequence[Sequence[int]]

_FEWEST_BOXES: Final = 31  # pictures of more are higher than two slides (micrograd 2-3-1, 37 boxes: 1,204 px)
_FEWEST_ALIKE: Final = 3
_FEWEST_FOLDED: Final = 2  # one box for a few others of its kind only hides how it is made
_FEWEST_NODES: Final = 3  # in a unit: w·x, + and the activation
_MOST_NODES: Final = 5_000
_ADD, _MULTIPLY = "add", "multiply"
_PLACE: Final = -1  # of a leaf or of another unit's result in the signature of a unit


class Unit(NamedTuple):
    """A folded unit: the position of its result, and those of the leaves that only it uses, such as its weights."""

    root: int
    weights: tuple[int, ...] = ()


class Terms(NamedTuple):
    """A sum over terms computed alike: the position of its last addition, and how many terms are folded into it."""

    root: int
    more: int


@dataclass(slots=True)
class _Numbered:
    """A number for every signature, so that comparing nested ones costs no more than comparing numbers."""

    numbers: dict[Hashable, int] = field(default_factory=dict)

    def __call__(self, signature: Hashable) -> int:
        return self.numbers.setdefault(signature, len(self.numbers))


def with_units(
    known: Fold, items: Sequence[FlowNode], inputs: Inputs, way: Sequence[int], apart: Collection[int]
) -> Fold | None:
    """A fold in which every node has a box, with its terms and units folded; None if that leaves too many.

    Units on the way to the parameter are drawn if there is room, else those that use it, else that of which it is part.

    Args:
        known: the boxes without this folding.
        items: the nodes, consumers before their inputs; the first one is the output.
        inputs: the positions of every node's inputs.
        way: the positions of the nodes that lead to the parameter, the parameter last; empty for a whole graph.
        apart: the positions of nodes whose units are drawn, such as those with marks.
    """
    count = len(set(known.box_of.values()))
    if len(items) > _MOST_NODES or (known.kind in ("all", "steps") and count < _FEWEST_BOXES):
        return None
    box_of: dict[int, Key] = {k: k for k in range(len(items))}
    if known.kind == "steps":
        box_of.update(known.box_of)
    users, kept = _users(inputs), way[-1] if way else None
    for terms, members in _sums(items, inputs, users, kept):
        if all(box_of[k] == k for k in members):
            box_of.update(dict.fromkeys(members, (terms, 0)))
    units = _units(items, inputs, users, {k for k, key in box_of.items() if key == k})
    whole = {root: own | _weights(own, inputs, users, box_of) for root, own in units.items() if own.isdisjoint(apart)}
    found = box_of
    for drawn in [set(way), {*way[-1:], *(users[way[-1]] if way else ())}, set(way[-1:])]:
        found = _folded(box_of, inputs, {root: own for root, own in whole.items() if own.isdisjoint(drawn)}, units)
        if len(set(found.values())) < _FEWEST_BOXES:
            break
    left = len(set(found.values()))
    return Fold(found, "units") if left < max(count, _FEWEST_BOXES) else None


def _folded(
    box_of: Mapping[int, Key], inputs: Inputs, whole: Mapping[int, set[int]], units: Mapping[int, set[int]]
) -> dict[int, Key]:
    """The boxes with units folded, given with and without the weights that folded terms use too: those have none."""
    found = dict(box_of)
    for root, own in whole.items() if len(whole) >= _FEWEST_FOLDED else ():
        unit = Unit(root, tuple(sorted((k for k in own if not inputs[k]), reverse=True)))
        for k in own - units[root]:
            del found[k]
        found.update(dict.fromkeys(units[root], (unit, 0)))
    return found


def _users(inputs: Inputs) -> list[list[int]]:
    users: list[list[int]] = [[] for _ in inputs]
    for k, own in enumerate(inputs):
        for item in own:
            users[item].append(k)
    return users


# ---- terms -----------------------------------------------------------------------------------------------------------


def _sums(
    items: Sequence[FlowNode], inputs: Inputs, users: Sequence[Sequence[int]], kept: int | None
) -> list[tuple[Terms, set[int]]]:
    """The sums over at least three terms that are computed alike, with the nodes folded into each."""
    same = _signatures(items, inputs)
    found, inside = [], set[int]()
    for k, item in enumerate(items):
        if item.operation != _ADD or k in inside:
            continue
        additions, terms = _terms(k, items, inputs, users)
        inside |= additions
        if any(items[term].operation == _MULTIPLY and not all(map(inputs.__getitem__, inputs[term])) for term in terms):
            continue  # a weighted sum, whose terms belong to its unit
        likes = Counter(same[term] for term in terms if inputs[term])
        like, count = max(likes.items(), key=lambda pair: pair[1], default=(0, 0))
        if count < _FEWEST_ALIKE or count < len([term for term in terms if inputs[term]]):
            continue
        own = [term for term in terms if inputs[term] and same[term] == like]
        only = {term: _only_for(term, inputs, users) for term in own}
        if min(map(len, only.values())) <= _FEWEST_NODES:
            continue
        shown = next((term for term in own if kept in only[term]), own[0])
        members = set(additions).union(*(nodes for term, nodes in only.items() if term != shown))
        found.append((Terms(k, len(own) - 1), members))
    return found


def _terms(
    root: int, items: Sequence[FlowNode], inputs: Inputs, users: Sequence[Sequence[int]]
) -> tuple[set[int], list[int]]:
    """The additions of a sum, and its terms from left to right."""
    additions, terms, waiting = {root}, [], [*reversed(inputs[root])]
    while waiting:
        k = waiting.pop()
        if items[k].operation == _ADD and items[k].name is None and len(users[k]) == 1:
            additions.add(k)
            waiting += reversed(inputs[k])
        else:
            terms.append(k)
    return additions, terms


def _signatures(items: Sequence[FlowNode], inputs: Inputs) -> list[int]:
    """A number for every node, the same for two nodes to which the same operations lead."""
    number, found = _Numbered(), [0] * len(items)
    for k in range(len(items) - 1, -1, -1):
        found[k] = number((items[k].operation, *(found[item] for item in inputs[k])))
    return found


def _only_for(root: int, inputs: Inputs, users: Sequence[Sequence[int]]) -> set[int]:
    """A node and all nodes that only it needs."""
    found, waiting = {root}, [root]
    while waiting:
        for item in inputs[waiting.pop()]:
            if item not in found and found.issuperset(users[item]):
                found.add(item)
                waiting.append(item)
    return found


# ---- units -----------------------------------------------------------------------------------------------------------


def _units(
    items: Sequence[FlowNode], inputs: Inputs, users: Sequence[Sequence[int]], free: set[int]
) -> dict[int, set[int]]:
    """The nodes of the units that fold most nodes, divided at one operation, by their results."""
    kinds = Counter(items[k].operation for k in free if inputs[k])
    best: dict[int, set[int]] = {}
    saved = 0
    for kind, count in sorted(kinds.items(), key=lambda pair: str(pair[0])):
        if count < _FEWEST_ALIKE or kind == _ADD:
            continue
        found = _divided(kind, items, inputs, users, free)
        saves = sum(len(members) - 1 for members in found.values())
        if saves > saved:
            best, saved = found, saves
    return best


def _divided(
    kind: str | None, items: Sequence[FlowNode], inputs: Inputs, users: Sequence[Sequence[int]], free: set[int]
) -> dict[int, set[int]]:
    """The units whose results are of one operation and that at least three others resemble."""
    root: dict[int, int] = {}
    for k in sorted(free):  # consumers before their inputs
        own = {root.get(user, -1) for user in users[k]}
        root[k] = own.pop() if items[k].operation != kind and len(own) == 1 and -1 not in own else k
    members: dict[int, set[int]] = {}
    for k, own_root in root.items():
        members.setdefault(own_root, set()).add(k)
    same, level = _within(root, items, inputs), _levels(kind, items, inputs)
    alike = Counter(same[k] for k in members if items[k].operation == kind)
    beside = Counter((same[k], level[k]) for k in members if items[k].operation == kind)
    side_by_side = {like for (like, _), count in beside.items() if count > 1}  # not only steps of a loop
    return {
        k: own
        for k, own in members.items()
        if items[k].operation == kind and alike[same[k]] >= _FEWEST_ALIKE and same[k] in side_by_side
        and sum(bool(inputs[item]) for item in own) >= _FEWEST_NODES
    }  # fmt: skip


def _levels(kind: str | None, items: Sequence[FlowNode], inputs: Inputs) -> list[int]:
    """For every node, the largest number of results of an operation on a path that leads to it."""
    found = [0] * len(items)
    for k in range(len(items) - 1, -1, -1):
        found[k] = max((found[item] for item in inputs[k]), default=0) + (items[k].operation == kind)
    return found


def _within(root: Mapping[int, int], items: Sequence[FlowNode], inputs: Inputs) -> dict[int, int]:
    """A number for every node, the same for two to which the same operations lead within their units.

    Terms of a sum count once, so that neurons with three inputs are like those with four.
    """
    number, found, parts = _Numbered(), dict[int, int](), dict[int, frozenset[int]]()
    for k in sorted(root, reverse=True):
        inner = [item for item in inputs[k] if root.get(item) == root[k] and inputs[item]]
        own = {found[item] for item in inner if items[item].operation != _ADD or items[k].operation != _ADD}
        own.update(*(parts[item] for item in inner if items[item].operation == items[k].operation == _ADD))
        own |= {_PLACE} if len(inner) < len(inputs[k]) or not inputs[k] else set()
        parts[k] = frozenset(own)
        found[k] = number((items[k].operation if inputs[k] else None, parts[k]))
    return found


def _weights(
    members: set[int], inputs: Inputs, users: Sequence[Sequence[int]], box_of: Mapping[int, Any]
) -> set[int]:
    """The leaves that only one unit uses, and perhaps folded terms."""
    leaves = {item for k in members for item in inputs[k] if not inputs[item] and item in box_of}
    return {
        leaf for leaf in leaves
        if all(user in members or _is_folded_term(box_of.get(user)) for user in users[leaf])
    }  # fmt: skip


def _is_folded_term(key: Any) -> bool:
    return isinstance(key, tuple) and isinstance(key[0], Terms)
