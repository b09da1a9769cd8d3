"""Loops of a program as syntax: what each variable becomes in one turn, in terms of its values in the turn before."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

__all__ = ["ANY", "Loop", "Scope", "Slot", "assigned_in", "function_result", "loops_in"]

_MOST_STATEMENTS: Final = 200
_LEAVES: Final = frozenset({"Value", "Tensor"})
#: What a program's text says is found once: `error_flow` in a loop asks again in each turn, 60 % of its time.
_remembered: Final = lru_cache(maxsize=256)
_LENGTHENING: Final = frozenset({"append", "clear", "extend", "insert", "pop", "remove"})  # methods of lists


@dataclass(eq=False, slots=True)
class Slot:
    """A value that a variable holds at some place: ``expression`` computes it from the variables in ``scope``.

    Without an expression, any node can be the value, but the same one wherever the slot occurs.
    """

    name: str
    expression: ast.expr | None = None
    scope: Scope = field(default_factory=dict)


#: The values of the variables at a place in the program, by name.
Scope = dict[str, Slot]

#: A value of which nothing is known, such as that of the variable after ``for``.
ANY: Final = Slot("")


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop: its variables ``before`` a turn and at its ``end``; the number of its ``turns``, None if unknown.

    ``later`` are the variables that are assigned after the loop, and ``computed`` those that lines before it assign
    anything but a leaf.
    """

    before: Scope
    end: Scope
    turns: int | None
    later: frozenset[str] = frozenset()
    computed: frozenset[str] = frozenset()


def loops_in(syntax: ast.AST, variables: Mapping[str, Any]) -> Iterator[Loop]:
    """The loops of a function or module, not of functions inside it, each before the loops that it contains.

    Args:
        syntax: the function or module.
        variables: the variables of its frame, such as the ``n`` of ``range(n)``. One that may have changed since a loop
            began says nothing about its turns.
    """
    stores = [*_stores_in(syntax, variables)]
    changes = [*((name, line) for name, line, _ in stores), *_lengths_changed_in(syntax)]
    body: list[ast.stmt] = getattr(syntax, "body", [])
    open_ones: list[tuple[ast.stmt, int | None, int | None]] = [(part, 1, None) for part in reversed(body)]
    while open_ones:
        statement, times, start = open_ones.pop()
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(statement, ast.For | ast.While):
            start = start or statement.lineno
            changed = {name for name, line in changes if line >= start}
            kept = {name: item for name, item in variables.items() if name not in changed}
            own = None if _may_end_early(statement) else _number_of_turns(statement, kept)
            times = None if own is None or times is None else own * times
            made = _loop(statement, times, stores)
            if made is not None:
                yield made
        elif not isinstance(statement, ast.With):
            times = None  # a branch may not be taken
        inner = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.stmt)]
        open_ones += [(part, times, start) for part in reversed(inner)]


def assigned_in(part: ast.AST) -> Iterator[ast.Name]:
    """The variables that a part of a program assigns or deletes, wherever it does."""
    return (name for name in ast.walk(part) if isinstance(name, ast.Name) and not isinstance(name.ctx, ast.Load))


def _stores_in(syntax: ast.AST, variables: Mapping[str, Any]) -> Iterator[tuple[str, int, bool]]:
    """The variables that are assigned, each with its line and whether it may get anything but a leaf."""
    for values, names in _assignments_in(syntax):
        plain = all(_is_leaf(value, variables) for value in values)
        yield from ((name, line, not plain) for name, line in names)


@_remembered
def _assignments_in(syntax: ast.AST) -> list[tuple[list[ast.expr | None], list[tuple[str, int]]]]:
    """For each statement that assigns, the values, one None if they are unknown, and the variables with their lines."""
    found: list[tuple[list[ast.expr | None], list[tuple[str, int]]]] = []
    for statement in ast.walk(syntax):
        if isinstance(statement, ast.stmt):
            value = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
            parts = [part for part in ast.iter_child_nodes(statement) if isinstance(part, ast.expr)]
            names = [(name.id, name.lineno) for part in parts for name in assigned_in(part)]
            if names:
                found.append(([*value.elts] if isinstance(value, ast.Tuple | ast.List) else [value], names))
    return found


@_remembered
def _lengths_changed_in(syntax: ast.AST) -> list[tuple[str, int]]:
    """The variables whose list may get another length, each with the line."""
    found: list[tuple[str, int]] = []
    for part in ast.walk(syntax):
        if isinstance(part, ast.Attribute | ast.Subscript) and isinstance(part.value, ast.Name):
            is_call = isinstance(part, ast.Attribute) and part.attr in _LENGTHENING
            if is_call or (isinstance(part, ast.Subscript) and not isinstance(part.ctx, ast.Load)):
                found.append((part.value.id, part.lineno))
    return found


def _is_leaf(value: ast.expr | None, variables: Mapping[str, Any]) -> bool:
    if isinstance(value, ast.Name):
        return bool(getattr(variables.get(value.id), "is_leaf", False))
    function = value.func if isinstance(value, ast.Call) else None
    return getattr(function, "id", getattr(function, "attr", "")) in _LEAVES


@_remembered
def _may_end_early(statement: ast.stmt) -> bool:
    """Whether a loop has a break or a continue."""
    return any(isinstance(part, ast.Break | ast.Continue) for part in ast.walk(statement))


def _skips_turns(body: Sequence[ast.AST]) -> bool:
    """Whether a loop with this body has a continue of its own: a turn that assigned nothing leaves no trace."""
    open_ones = [*body]
    while open_ones:
        part = open_ones.pop()
        if isinstance(part, ast.Continue):
            return True
        own = part.orelse if isinstance(part, ast.For | ast.AsyncFor | ast.While) else ast.iter_child_nodes(part)
        open_ones += own
    return False


def function_result(syntax: ast.AST, arguments: Mapping[str, Slot]) -> Slot | None:
    """What a function of plain assignments returns; None if it is not of that form."""
    body = list(getattr(syntax, "body", ()))
    if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None:
        return None
    assigned = _run(body[:-1], dict(arguments))
    return Slot("", body[-1].value, assigned) if assigned is not None and not _returns(body[:-1]) else None


def _loop(statement: ast.For | ast.While, turns: int | None, stores: Sequence[tuple[str, int, bool]]) -> Loop | None:
    before, end = _one_turn(statement)
    if end is None:
        return None
    last = statement.end_lineno or statement.lineno
    later = frozenset(name for name, line, _ in stores if line > last)
    computed = frozenset(name for name, line, is_computed in stores if is_computed and line < statement.lineno)
    return Loop(before, end, turns, later, computed)


@_remembered
def _one_turn(statement: ast.For | ast.While) -> tuple[Scope, Scope | None]:
    """The variables before and at the end of a turn; no end if a turn may be skipped or has too many statements."""
    names = (part for part in ast.walk(statement) if isinstance(part, ast.Name))
    before = {name.id: Slot(name.id) for name in names if isinstance(name.ctx, ast.Store)}
    if isinstance(statement, ast.For):
        before |= {part.id: ANY for part in ast.walk(statement.target) if isinstance(part, ast.Name)}
    return before, None if _skips_turns(statement.body) else _run(statement.body, before)


def _run(body: Sequence[ast.stmt], scope: Scope) -> Scope | None:
    """The values of all variables after these statements; of those that a branch may assign, nothing is known."""
    if len(body) > _MOST_STATEMENTS:
        return None
    for statement in body:
        scope = scope | dict(_assigned(statement, scope))
    return scope


def _assigned(statement: ast.stmt, scope: Scope) -> Iterator[tuple[str, Slot]]:
    if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
        name = statement.target.id
        left = ast.Name(name, ast.Load())
        yield name, Slot(name, ast.BinOp(left, statement.op, statement.value), scope)
    elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from _unpacked(target, statement.value, scope)
    else:
        yield from ((name, Slot(name)) for name in sorted({part.id for part in assigned_in(statement)}))


def _unpacked(target: ast.expr, value: ast.expr, scope: Scope) -> Iterator[tuple[str, Slot]]:
    if isinstance(target, ast.Name):
        yield target.id, Slot(target.id, value, scope)
    elif isinstance(target, ast.Tuple | ast.List):
        items = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        if len(items) == len(target.elts) and not any(isinstance(part, ast.Starred) for part in (*target.elts, *items)):
            for part, item in zip(target.elts, items, strict=True):
                yield from _unpacked(part, item, scope)
        else:
            yield from ((part.id, Slot(part.id)) for part in ast.walk(target) if isinstance(part, ast.Name))


def _returns(body: Sequence[ast.stmt]) -> bool:
    return any(isinstance(part, ast.Return) for statement in body for part in ast.walk(statement))


def _number_of_turns(statement: ast.For | ast.While, variables: Mapping[str, Any]) -> int | None:
    """The number of turns of ``for … in range(n)`` and of ``for … in xs``; None if it is not known."""
    over = statement.iter if isinstance(statement, ast.For) else None
    if isinstance(over, ast.Name) and isinstance(variables.get(over.id), list | tuple):
        return len(variables[over.id])
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "range" and not over.keywords:
        ends = [_whole_number(part, variables) for part in over.args]
        try:
            return len(range(*ends))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            return None
    return None


def _whole_number(part: ast.expr, variables: Mapping[str, Any]) -> int | None:
    value = variables.get(part.id) if isinstance(part, ast.Name) else getattr(part, "value", None)
    return value if isinstance(value, int) else None
