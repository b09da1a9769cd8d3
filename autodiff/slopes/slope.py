"""The local gradient of an operation as a formula, from its own rule run on symbols; there is no second table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from autodiff.primitives.expression import ONE, Expression, variable
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered_by_params
from autodiff.slopes.arithmetic import is_number, simplified
from autodiff.slopes.evaluation import has_choice, settled
from autodiff.slopes.writing import in_numbers, in_symbols, text_of
from autodiff.words.formulas import of_name
from autodiff.words.notation import number

__all__ = ["RESULT", "Slope", "mark", "rule_on_symbols", "slope"]

RESULT: Final = -1  # the operand that stands for the result in a rule
_MOST_PARTS: Final = 40  # of an expression; a longer formula explains nothing
_MOST_PARTS_OF_A_RESULT: Final = 3  # x/y, which says more than the name of the quotient
_LONGEST: Final = 45  # characters of a formula
_AS_EXACT: Final = 1e-9  # relative; a formula that cancels, as 1 − a² where a is nearly 1, is not shown in numbers


@dataclass(frozen=True, slots=True, eq=False)
class Slope:
    """A local gradient as a formula: ``symbols``, a·(1 − a), and the same `in_numbers`, 0.7658 × 0.2342.

    ``symbols`` is "" where the formula is too long to read, or only a number. ``conditions`` say which side of a kink
    holds, as in a > 0.
    """

    symbols: str
    conditions: tuple[str, ...]
    _shown: Expression
    _numbers: Mapping[str, float] | None
    _local: float | None

    def in_numbers(self, write: Callable[[float], str] = number) -> str:
        """The formula in numbers; "" for arrays, and where it says no more than the result or loses digits."""
        if self._numbers is None or self._local is None or is_number(self._shown):
            return ""
        try:
            written = in_numbers(self._shown, self._numbers, write)
        except Exception:  # whatever a user-defined primitive raises on these numbers
            return ""
        text = written.made[0].replace("·", " × ")
        same = math.isclose(written.value, self._local, rel_tol=_AS_EXACT, abs_tol=0.0)
        return text if same and text != write(self._local) and len(text) <= _LONGEST else ""


def slope(
    entry: Primitive, slot: int, params: Mapping[str, Any], names: Sequence[str],
    numbers: Sequence[float] | None = None, local: float | None = None,
) -> Slope | None:  # fmt: skip
    """The local gradient of ``entry`` for its input in ``slot`` (0-based) as a formula; None if its rule gives none.

    Args:
        entry: the operation.
        slot: the input.
        params: the keywords of the call.
        names: the labels of the inputs, then that of the result.
        numbers: the values of the inputs, then that of the result; None for arrays, whose choices are not settled.
        local: the local gradient as the engine computed it.

    >>> from autodiff import sigmoid
    >>> found = slope(sigmoid, 0, {}, ["z", "a"], [0.0, 0.5], 0.25)
    >>> found.symbols, found.in_numbers()
    ('a·(1 − a)', '0.5 × 0.5')
    """
    rule = rule_on_symbols(entry, slot, len(names) - 1, params)
    if rule is None:
        return None
    marks = [mark(k) for k in (*range(len(names) - 1), RESULT)]
    known = None if numbers is None else dict(zip(marks, numbers, strict=True))
    said: dict[str, Expression] = {}
    try:
        if has_choice(rule):
            if known is None:
                return None
            rule = simplified(settled(rule, known, said))
        called = dict(zip(marks, names, strict=True))
        symbols = "" if is_number(rule) else in_symbols(rule, {key: of_name(name) for key, name in called.items()})[0]
        conditions = [text_of(each, called) for each in said.values()] if is_number(rule) else []
    except Exception:  # whatever a user-defined primitive raises on these numbers
        return None
    short = tuple(text for text in conditions if len(text) <= _LONGEST)
    return Slope(symbols if len(symbols) <= _LONGEST else "", short, rule, known, local)


@remembered_by_params
def rule_on_symbols(entry: Primitive, slot: int, count: int, params: Mapping[str, Any]) -> Expression | None:
    """The local gradient as an expression of `mark`s for the operands; None if the rule has no short formula.

    A result that one operator computes is written by its operands: ∂(x/y)/∂y = −x/y².
    """
    if not entry.elementwise:
        return None
    inputs = _inputs(count)
    try:  # a user-defined rule may do anything with its operands; then it has no formula
        rule = entry.rule(slot)(ONE, _result(entry, 0, count, params), *inputs, **params)
        if not isinstance(rule, Expression) or _is_large(rule, _MOST_PARTS):
            return None
        return rule if has_choice(rule) else simplified(rule)
    except Exception:
        return None


@remembered_by_params
def _result(entry: Primitive, _slot: int, count: int, params: Mapping[str, Any]) -> Expression:
    """The result as one operator computes it, x/y; else its mark. It is the same for the rules of all inputs."""
    try:
        made = entry.forward(None, *_inputs(count), **params)
    except Exception:  # most forwards call a function of their namespace
        made = None
    if isinstance(made, Expression) and made.head == "/" and not _is_large(made, _MOST_PARTS_OF_A_RESULT):
        return made
    return variable(mark(RESULT))


def _is_large(part: Any, most: int) -> bool:
    """Whether an expression, written out, has more than ``most`` parts; shared parts would make it grow without end."""
    waiting, count = [part], 0
    while waiting:
        item = waiting.pop()
        if isinstance(item, Expression):
            count += 1
            if count > most:
                return True
            shown = item.params.get("formula") if item.head == "read as" else None
            waiting += [shown] if shown is not None else [*item.parts, *item.params.values()]
    return False


def mark(k: int) -> str:
    """The private-use character that represents operand ``k`` in an expression; no name contains it by accident."""
    return chr(0xF0001 + k)


@lru_cache(maxsize=64)
def _inputs(count: int) -> tuple[Expression, ...]:
    return tuple(variable(mark(k)) for k in range(count))
