"""Names for the values that a variable had in each turn of a loop: balance₁, balance₂, …, balance."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from typing import Any, Final

from autodiff.engine.graph import Node
from autodiff.naming.callers import caller, has_loop, syntax_of
from autodiff.naming.loops import Loop, loops_in
from autodiff.naming.matching import Matcher
from autodiff.words.notation import subscript

__all__ = ["names_of_steps"]

_MOST_TURNS: Final = 2_000  # following them back takes 50 µs each

#: For each turn, the nodes that the variables held at its end.
Turn = dict[str, Node]


def names_of_steps(order: Collection[Node], given: Mapping[Node, str]) -> dict[Node, str]:
    """Names for unnamed nodes of a graph that loops in the caller's source computed.

    The caller is the nearest function outside this package, whose variables may still hold the last values. A node gets
    a name only if following the loop's source backward from there, operation by operation, leads to it, so that its
    number is that of the turn (`autodiff.naming` says why). The last value has the plain name, unless another node has
    it; the value before the first turn has the number 0.

    Args:
        order: the nodes of the graph.
        given: names that nodes have already; they keep these.

    >>> names_of_steps([], {})
    {}
    """
    frame = caller()
    if frame is None or not has_loop(frame.f_code):
        return {}
    nodes, variables = set(order), frame.f_globals | frame.f_locals
    held = {name: value for name, value in frame.f_locals.items() if isinstance(value, Node) and value in nodes}
    if not any(node.inputs for node in held.values()):
        return {}
    syntax = syntax_of(frame.f_code, frame.f_globals)
    named: dict[Node, str] = {}
    taken = {*given.values(), *(node.name for node in nodes if node.name)}
    for loop in reversed([*loops_in(syntax, variables)] if syntax is not None else []):
        for node, name in _names(loop, held, variables, taken):
            if node in nodes and node.name is None and node not in given:
                named.setdefault(node, name)
    return named


def _names(
    loop: Loop, held: Mapping[str, Node], variables: Mapping[str, Any], taken: Set[str]
) -> Iterator[tuple[Node, str]]:
    turns, before = _followed(loop, held, variables)
    if len(turns) < 2:
        return
    start = (len(turns) if loop.turns is None else loop.turns) - len(turns)
    for name, node in turns[0].items():
        series = [before.get(name), *(turn.get(name) for turn in reversed(turns))]
        called = [f"{name}{subscript(str(start + k))}" for k in range(len(series))]
        if node.name not in (None, name) or not taken.isdisjoint(called) or len({*series}) < len(series):
            continue  # a value that was given another name is no longer called after its variable
        if name not in taken and held.get(name) is node:
            yield node, name
        yield from ((item, text) for item, text in zip(series, called, strict=True) if item is not None)


def _followed(loop: Loop, held: Mapping[str, Node], variables: Mapping[str, Any]) -> tuple[list[Turn], Turn]:
    """The turns that can be followed back from the last one, the last first, and the values before the first of them.

    If the number of turns is not known, these must be all: they must begin at leaves, not at what an earlier line or a
    first turn of another form, such as 0 + x, computed.
    """
    known = {name for name, slot in loop.end.items() if slot.expression is not None and name not in loop.later}
    wanted = {name: held[name] for name in known if name in held}
    turns: list[Turn] = []
    before: Turn = {}
    at_leaves = False
    while wanted and (loop.turns is None or len(turns) < loop.turns):
        if len(turns) > _MOST_TURNS:
            return [], {}
        found = _turn(loop, wanted, variables, at_the_end=not turns)
        if found is None:
            break
        turn, reached = found
        before = {name: item for name, item in reached.items() if isinstance(item, Node)}
        at_leaves = len(before) == len(reached) and not any(node.inputs for node in before.values())
        turns.append(turn)
        wanted = {name: before[name] for name in before if name in turn}
    if loop.turns is None and turns and not (wanted and at_leaves and loop.computed.isdisjoint(turns[0])):
        return [], {}
    return turns, before


def _turn(
    loop: Loop, wanted: Mapping[str, Node], variables: Mapping[str, Any], *, at_the_end: bool
) -> tuple[Turn, dict[str, Any]] | None:
    """The nodes at the end of a turn, and the nodes and numbers before it; None if it did not compute a wanted node.

    The last turn leaves out a variable that does not hold what it computed.
    """
    matcher = Matcher(variables)
    for name, node in wanted.items():
        bound = dict(matcher.bound)
        if not matcher.holds(loop.end[name], node):
            if not at_the_end:
                return None
            matcher.bound = bound
    ends = {name: matcher.bound.get(slot) for name, slot in loop.end.items() if slot.expression is not None}
    turn = {name: node for name, node in ends.items() if isinstance(node, Node)}
    before = {name: matcher.bound[slot] for name, slot in loop.before.items() if slot in matcher.bound}
    return (turn, before) if turn else None
