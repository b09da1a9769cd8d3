"""The values that a variable of a traced function had in each turn of a loop, by the numbers of the turns: x₁, x₂, …"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from autodiff.engine.graph import Node
from autodiff.naming.loops import assigned_in
from autodiff.words.notation import subscript

__all__ = ["Held", "number_turns"]


class Held(NamedTuple):
    """A node that a variable held first, and the line that assigned it."""

    name: str
    line: int
    node: Node


def number_turns(
    events: Sequence[Held], lines: Sequence[int], syntax: ast.AST, last: Mapping[str, object], taken: Set[str]
) -> None:  # fmt: skip
    """Name the nodes of each variable that a loop assigns in one line, in every turn, by the number of the turn.

    As with the loops of a caller, the value before the first turn has the number 0, and the last value the plain name,
    unless an input has it or the variable holds another node at the end.

    Args:
        events: the nodes in the order of their assignment.
        lines: the lines that ran, in their order.
        syntax: the function.
        last: the variables at the end.
        taken: names of other nodes.
    """
    steady = set(_steady(syntax))
    ran = Counter(lines)
    for name in dict.fromkeys(event.name for event in events):
        own = [event for event in events if event.name == name]
        repeated = [line for line, count in Counter(event.line for event in own).items() if count > 1]
        if len(repeated) != 1 or (name, repeated[0]) not in steady:
            continue
        places = [k for k, event in enumerate(own) if event.line == repeated[0]]
        turns = [own[k].node for k in places]
        called = [f"{name}{subscript(str(k))}" for k in range(len(turns) + 1)]
        if ran[repeated[0]] != len(turns) or not taken.isdisjoint(called):
            continue
        if name not in taken and last.get(name) is turns[-1]:
            called[-1] = name
        if places[0] == 1:
            own[0].node.name = called[0]
        for node, text in zip(turns, called[1:], strict=True):
            node.name = text


def _steady(syntax: ast.AST) -> Iterator[tuple[str, int]]:
    """The variables that loops assign in one place, with its line, if it runs once in each turn: not in a branch."""
    open_ones: list[tuple[ast.AST, frozenset[str]]] = [(part, frozenset()) for part in getattr(syntax, "body", [])]
    while open_ones:
        statement, once = open_ones.pop()
        if isinstance(statement, ast.For | ast.While):
            if not any(isinstance(part, ast.Continue) for part in ast.walk(statement)):
                open_ones += [(part, once or _assigned_once(statement)) for part in statement.body]
        elif isinstance(statement, ast.With):
            open_ones += [(part, once) for part in statement.body]
        elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            here = {part.id for part in assigned_in(statement)}
            yield from ((name, statement.lineno) for name in once & here)


def _assigned_once(statement: ast.AST) -> frozenset[str]:
    times = Counter(part.id for part in assigned_in(statement))
    return frozenset(name for name, count in times.items() if count == 1)
