"""Repeated structure of a graph, such as the turns of loops: where it lies, and what between its ends can be folded.

A repeat is a sequence of operations that occurs several times, one after another, on the longest path that is left.
Folded are the nodes that the last repeat but one needs and the first one does not: no path leads out of them and back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from typing import Any, Final, NamedTuple

from autodiff.draw.grouping.folding import Fold, Key, Scope, fold, scopes
from autodiff.flow import Flow, FlowNode
from autodiff.words.notation import ON_THE_LINE, subscript

__all__ = ["Steps", "checked_unfold", "folded_steps", "folding", "has_places", "repeats", "repeats_its_steps"]

Inputs = Sequence[Sequence[int]]

_FEWEST: Final = 7  # repeats; up to six are drawn, since a reader sees at once that they are alike
_LONGEST_PERIOD: Final = 60
_MOST_NODES: Final = 5_000
_MOST_LOOPS: Final = 8
_NUMBERED: Final = re.compile(r"(.+?)([₀-₉]{1,9})")


class Steps(NamedTuple):
    """The repeats folded into one box: their number, and the variable of the loop with the numbers of its values; ""
    if it is not known.
    """

    turns: int
    name: str = ""
    first: int = 0

    @property
    def label(self) -> str:
        """The values in the box, such as balance₂ … balance₁₁."""
        ends = (f"{self.name}{subscript(str(k))}" for k in (self.first, self.first + self.turns - 1))
        return " … ".join(ends) if self.name else "…"


def folding(
    items: Sequence[FlowNode], found: Sequence[Scope | None], inputs: Inputs, way: Sequence[int], most: int,
    unfold: bool | str,
) -> Fold:  # fmt: skip
    """The boxes of a graph: the steps of its loop in one of them, unless names say where nodes belong; else `fold`.

    Raises:
        ValueError: if ``unfold`` names a variable whose steps are not folded.
    """
    known = _known(found, items, inputs, way, unfold)
    if isinstance(unfold, str):
        names = [steps.name for steps, _ in known if steps.name]
        if not names:
            raise ValueError(
                f"cannot unfold {unfold!r}: no steps with a name are folded here; unfold=True draws every step"
            )
        if unfold not in names:
            those = ", ".join(map(repr, names))
            raise ValueError(
                f"cannot unfold {unfold!r}: only those of {those} are folded here; unfold=True draws every step"
            )
        known = [(steps, middle) for steps, middle in known if steps.name != unfold]
    box_of: dict[int, Key] = {k: k for k in range(len(items))}
    for number, (steps, middle) in enumerate(known):
        box_of.update(dict.fromkeys(middle, (steps, number)))
    if not known or len(set(box_of.values())) > most:
        return fold(found, inputs, way, most)
    return Fold(box_of, "steps")


def folded_steps(
    found: Sequence[Scope | None], items: Sequence[FlowNode], inputs: Inputs, way: Sequence[int], unfold: bool | str
) -> frozenset[int]:  # fmt: skip
    """The nodes that `folding` would put into boxes of steps."""
    return frozenset().union(*(middle for _, middle in _known(found, items, inputs, way, unfold)))


def _known(
    found: Sequence[Scope | None], items: Sequence[FlowNode], inputs: Inputs, way: Sequence[int], unfold: bool | str
) -> list[tuple[Steps, frozenset[int]]]:
    if unfold is True or has_places(found, inputs):
        return []
    return repeats(items, inputs, way[-1] if way else None)


def has_places(found: Sequence[Scope | None], inputs: Inputs) -> bool:
    """Whether names say where results belong; names of inputs alone, such as net.layers[0].w[1], do not."""
    return any(scope is not None and inputs[k] for k, scope in enumerate(found))


def repeats_its_steps(flow: Flow) -> bool:
    """Whether the graph of a flow is that of a loop, whose steps a computation graph folds."""
    if len(flow.flows.graph) > _MOST_NODES:
        return False
    nodes, inputs = flow.flows.nodes, flow.flows.numbered.inputs
    kept = flow.flows.number_of(flow.parameter)
    return not has_places(scopes(nodes, inputs), inputs) and bool(repeats(nodes, inputs, kept))


def checked_unfold(unfold: Any) -> bool | str:
    """``unfold`` if it is True, False or the name of a variable; raises TypeError if not."""
    if not isinstance(unfold, bool | str):
        raise TypeError(f"expected unfold as True, False or the name of a loop's variable, but got {unfold!r}")
    return unfold


def repeats(items: Sequence[FlowNode], inputs: Inputs, kept: int | None = None) -> list[tuple[Steps, frozenset[int]]]:
    """The repeats between the first and the last one, and their nodes, of every loop with at least seven.

    Args:
        items: the nodes of a graph, consumers before their inputs.
        inputs: the positions of every node's inputs.
        kept: the position of a node that must be drawn; a loop that repeats around it is not folded.
    """
    if len(items) > _MOST_NODES:
        return []
    users: dict[int, list[int]] = {}
    for k, own in enumerate(inputs):
        for item in own:
            users.setdefault(item, []).append(k)
    found: list[tuple[Steps, frozenset[int]]] = []
    taken: set[int] = set()
    for _ in range(_MOST_LOOPS):
        path = _longest_path(inputs, taken)
        ends = _ends(path, _kinds(path, items, inputs), items)
        if len(ends) < _FEWEST:
            break
        last, first = ends[1], ends[-1]
        middle = _needed(last, inputs) - _needed(first, inputs)
        taken |= middle.union(ends, path[path.index(ends[0]) : path.index(first) + 1])
        around = kept is not None and kept in middle and inputs[kept]
        if around or any(_is_between(middle, other, inputs) for _, other in found):
            continue
        alone = {k for k in middle if not inputs[k] and (k == kept or not middle.issuperset(users[k]))}
        found.append((_steps([items[k] for k in ends]), frozenset(middle - alone)))
    return found


def _is_between(one: Collection[int], other: Collection[int], inputs: Inputs) -> bool:
    """Whether paths lead from one loop to the other and back, or both have nodes in common: then one is folded."""
    before, behind = _needed(min(one), inputs), _needed(min(other), inputs)
    return not behind.isdisjoint(one) and not before.isdisjoint(other)


def _longest_path(inputs: Inputs, taken: Collection[int]) -> list[int]:
    """The positions on the longest path past the nodes that are taken, its end first, without the leaf."""
    depth = [0] * len(inputs)
    for k in range(len(inputs) - 1, -1, -1):
        depth[k] = 0 if k in taken or not inputs[k] else 1 + max(depth[item] for item in inputs[k])
    path, k = [], max(range(len(inputs)), key=depth.__getitem__, default=0)
    while inputs and depth[k]:
        path.append(k)
        k = max(inputs[k], key=depth.__getitem__)
    return path


def _kinds(path: Sequence[int], items: Sequence[FlowNode], inputs: Inputs) -> list[Hashable]:
    """What has to be the same in every turn: the operation, its line if it is known, and inputs that all turns share.

    So an operation behind a loop is no turn of it, unless it also takes what the turns take.
    """
    uses = Counter(item for k in path for item in {*inputs[k]} if not inputs[item])
    shared = {item for item, count in uses.items() if count >= _FEWEST}
    return [(items[k].operation, len(inputs[k]), items[k].line, frozenset(shared & {*inputs[k]})) for k in path]


def _ends(path: Sequence[int], kinds: Sequence[Hashable], items: Sequence[FlowNode]) -> list[int]:
    """The nodes at which the repeats end, the last repeat first; of several sequences, that of the longest stretch."""
    best = (0, 0, 0)
    for period in range(1, min(_LONGEST_PERIOD, len(kinds) // _FEWEST) + 1):
        run = 0
        for k in range(len(kinds) - period):
            run = run + 1 if kinds[k] == kinds[k + period] else 0
            if run + period > best[0] and run >= period * (_FEWEST - 1):
                best = (run + period, k + 1 - run, period)
    length, start, period = best
    if not length:
        return []
    own = path[start : start + length]
    named = next((k for k in range(period) if _NUMBERED.fullmatch(items[own[k + period]].name or "")), 0)
    return list(own[named::period])


def _needed(last: int, inputs: Inputs) -> set[int]:
    """A node and all nodes on which it depends."""
    found, open_ones = {last}, [last]
    while open_ones:
        for item in inputs[open_ones.pop()]:
            if item not in found:
                found.add(item)
                open_ones.append(item)
    return found


def _steps(ends: Sequence[FlowNode]) -> Steps:
    """The repeats between the first and the last, with their variable if the numbers in all names count the repeats."""
    inner = ends[1:]
    found = [_NUMBERED.fullmatch(node.name or "") for node in reversed(inner)]
    named = [(item[1], int(item[2].translate(ON_THE_LINE))) for item in found if item is not None]
    turns = len(ends) - 2
    if len(named) < len(inner) or named != [(named[0][0], named[0][1] + k) for k in range(len(inner))]:
        return Steps(turns)
    name, first = named[0]
    return Steps(turns, name, first + 1)
