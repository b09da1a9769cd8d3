"""The source of statements: what is read once stands where it is read, if nothing that it reads changes before.

Example: ``z1 = x @ W1.T``, ``z1 = z1 + b1`` and ``a1 = np.maximum(z1, 0.0)`` read
``a1 = np.maximum(x @ W1.T + b1, 0.0)``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from autodiff.program.prose.contents import Assign, Change
from autodiff.program.prose.expressions import ATOM, Array, Expr, arrays_in, is_view

__all__ = ["lines_of", "settled"]

_LONGEST: Final = 96  # characters of an expression
_NEAR: Final = 3  # statements after which a result is read under its name
_OWN: Final = re.compile(r"delta\d+|d[Wb]\d+|[Wb]\d+")  # what the notes name has its line


def lines_of(statements: Sequence[Any], returned: Sequence[Expr], taken: Iterable[str]) -> list[str]:
    """The lines of a function body, the last of which returns."""
    printer = _Printer(statements, returned)
    printer.decide()
    printer.name(set(taken))
    return printer.lines()


def settled(
    statements: Sequence[Any], returned: Sequence[Expr]
) -> tuple[list[tuple[Array | None, Expr]], dict[Array, Expr]]:
    """What is assigned and changed, for other spellings than NumPy's, and the expressions that stand inside others."""
    printer = _Printer(statements, returned)
    printer.decide()
    rows = [
        (each.array if isinstance(each, Assign) else None, each.expression)
        for each in printer.statements
        if isinstance(each, Change) or (isinstance(each, Assign) and each.array not in printer.inlined)
    ]
    return rows, printer.inlined


class _Printer:
    def __init__(self, statements: Sequence[Any], returned: Sequence[Expr]) -> None:
        self.statements = _living(statements, returned)
        self.returned = list(returned)
        self.inlined: dict[Array, Expr] = {}
        self.uses: Counter[Array] = Counter()
        self.first: dict[Array, int] = {}
        for k, statement in enumerate(self.statements):
            for array in arrays_in(statement.expression) if hasattr(statement, "expression") else ():
                self.uses[array] += 1
                self.first.setdefault(array, k)
        for expression in returned:
            for array in arrays_in(expression):
                self.uses[array] += 1
                self.first.setdefault(array, len(self.statements))
        self.changes: dict[Array, list[int]] = {}
        for k, statement in enumerate(self.statements):
            if isinstance(statement, Change):
                self.changes.setdefault(statement.array, []).append(k)

    def decide(self) -> None:
        """Choose what has no line of its own."""
        for k, statement in enumerate(self.statements):
            if not isinstance(statement, Assign):
                continue
            array, expression = statement.array, statement.expression
            if array in self.changes:
                continue
            root = is_view(expression)
            if expression.array is not None and not self._changed(root, k):
                self.inlined[array] = expression  # another name for the same
                continue
            at = self.first[array]
            if self.uses[array] != 1 or at > k + _NEAR or at == len(self.statements) or _OWN.fullmatch(array.hint):
                continue
            if any(k < change < at for read in self._reads(expression) for change in self.changes.get(read, ())):
                continue
            target = self.statements[at].expression
            if len(expression.text(self._named())) + len(target.text(self._named())) < _LONGEST:
                self.inlined[array] = expression

    def _named(self) -> dict[Array, Expr]:
        return self.inlined

    def _reads(self, expression: Expr) -> Iterable[Array]:
        for array in arrays_in(expression):
            if array in self.inlined:
                yield from self._reads(self.inlined[array])
            else:
                yield array

    def _changed(self, array: Array | None, after: int) -> bool:
        """Whether the array behind a view is changed after a statement."""
        while array is not None and array in self.inlined:
            array = is_view(self.inlined[array])
        return array is not None and any(change > after for change in self.changes.get(array, ()))

    def name(self, taken: set[str]) -> None:
        """Give each array its name; one whose last version is read no more is used again."""
        last: dict[Array, int] = {}
        for k, expression in self._printed():
            for array in self._reads(expression):
                last[array] = k
        for array, changes in self.changes.items():
            last[array] = max(last.get(array, 0), *changes)
        holds: dict[str, Array] = {}
        for k, statement in enumerate(self.statements):
            if not isinstance(statement, Assign) or statement.array in self.inlined:
                continue
            name, count = statement.array.hint, 1
            while name in taken or (name in holds and last.get(holds[name], 0) > k):
                count += 1
                name = f"{statement.array.hint}_{count}"
            statement.array.name = name
            holds[name] = statement.array

    def _printed(self) -> Iterable[tuple[int, Expr]]:
        for k, statement in enumerate(self.statements):
            if hasattr(statement, "expression") and not (
                isinstance(statement, Assign) and statement.array in self.inlined
            ):
                yield k, statement.expression
        for expression in self.returned:
            yield len(self.statements), expression

    def lines(self) -> list[str]:
        """The source."""
        lines = []
        for k, statement in enumerate(self.statements):
            if isinstance(statement, Assign):
                if statement.array in self.inlined:
                    continue
                text = statement.expression.text(self.inlined)
                if self._changed(is_view(statement.expression), k):
                    loose = statement.expression.real(self.inlined).binding >= ATOM
                    text = f"{text if loose else f'({text})'}.copy()"
                lines.append(f"{statement.array.name} = {text}")
            elif isinstance(statement, Change):
                lines.append(statement.expression.text(self.inlined))
            else:
                lines.append(f"# {statement.text}")
        return [*lines, f"return {', '.join(each.text(self.inlined) for each in self.returned)}"]


def _living(statements: Sequence[Any], returned: Sequence[Expr]) -> list[Any]:
    """The statements on which the results depend."""
    needed = {array for expression in returned for array in arrays_in(expression)}
    kept = []
    for statement in reversed(statements):
        if isinstance(statement, Assign | Change):
            if statement.array not in needed:
                continue
            needed.update(arrays_in(statement.expression))
        kept.append(statement)
    return kept[::-1]
