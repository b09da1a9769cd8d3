"""Names for the values that a variable had in each turn of a loop: balance₁, balance₂, …, balance."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from autodiff.engine.graph import Node
from autodiff.naming.callers import caller, has_loop, syntax_of
from autodiff.naming.loops import ANY, Loop, loops_in
from autodiff.naming.matching import Matcher
from autodiff.words.notation import subscript

__all__ = ["names_of_steps"]

_MOST_TURNS: Final = 2_000  # following them back takes 50 µs each

#: For each turn, the nodes that the variables held at its end.
Turn = dict[str, Node]


def names_of_steps(order: Collection[Node], given: Mapping[Node, str]) -> dict[Node, str]:
    """Names for unnamed nodes of a graph that loops in the caller's source computed.

    The caller is the nearest function outside this package, which may still hold the last values in its variables. A
    node gets a name only if following the loop's source backward from there, operation by operation, leads to it: so
    the numbers count the turns of the loop. The last value has the plain name, unless another node has it; the value
    before the first turn has the number 0.

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
    loop: Loop, held: Mapping[str, Node], variables: Mapping[str, Any], taken: Collection[str]
) -> Iterator[tuple[Node, str]]:
    turns, first = _turns(loop, held, variables)
    if len(turns) < 2:
        return
    for name, node in turns[0].items():
        series = [turn.get(name) for turn in reversed(turns)]
        called = [f"{name}{subscript(str(k))}" for k in range(len(series) + 1)]
        if node.name not in (None, name) or not taken.isdisjoint(called) or len({*series}) < len(series):
            continue  # a value that was given another name is no longer called after its variable
        if name not in taken:
            yield node, name
        start = first.get(name)
        earlier = [start, *series]
        yield from ((item, text) for item, text in zip(earlier, called, strict=True) if item is not None)


def _turns(loop: Loop, held: Mapping[str, Node], variables: Mapping[str, Any]) -> tuple[list[Turn], Turn]:
    """The turns that can be followed back from the last one, the last first, and the values before the first one.

    If the values before the first turn were computed, the number of turns must be known and agree: a first turn of
    another form, as in 0 + x, would otherwise be taken for what was there before.
    """
    wanted = {name: held[name] for name, slot in loop.end.items() if name in held and slot.expression is not None}
    turns: list[Turn] = []
    before: Turn = {}
    while wanted and (loop.turns is None or len(turns) < loop.turns):
        if len(turns) > _MOST_TURNS:
            return [], {}
        found = _turn(loop, wanted, variables, at_the_end=not turns)
        if found is None:
            break
        turn, before = found
        turns.append(turn)
        wanted = {name: before[name] for name in before if name in turn}
    certain = loop.turns == len(turns) or not any(node.inputs for node in before.values() if not node.name)
    return (turns, before) if certain else ([], {})


def _turn(
    loop: Loop, wanted: Mapping[str, Node], variables: Mapping[str, Any], *, at_the_end: bool
) -> tuple[Turn, Turn] | None:
    """The values at the end of a turn and before it; None if one of the wanted values was not computed by it.

    After the loop a variable may have been assigned once more; the last turn leaves that one out.
    """
    matcher = Matcher(variables)
    for name, node in wanted.items():
        bound = dict(matcher.bound)
        if not matcher.holds(loop.end[name], node):
            if not at_the_end:
                return None
            matcher.bound = bound
    turn = _nodes(matcher, ((name, slot) for name, slot in loop.end.items() if slot.expression is not None))
    before = _nodes(matcher, ((name, slot) for name, slot in loop.before.items() if slot is not ANY))
    return (turn, before) if turn else None


def _nodes(matcher: Matcher, slots: Any) -> Turn:
    found = ((name, matcher.bound.get(slot)) for name, slot in slots)
    return {name: node for name, node in found if isinstance(node, Node)}
