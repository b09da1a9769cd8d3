"""Planted faults in the names of a loop's values: a wrong node, or the number of another turn."""

from __future__ import annotations

from typing import Final

from tests.faults.fault import change, classified

__all__ = ["NAMING_FAULTS"]

_LOOPS: Final = "autodiff/naming/loops.py"
_MATCHING: Final = "autodiff/naming/matching.py"
_STEPS: Final = "autodiff/naming/steps.py"

NAMING_FAULTS: Final = classified({
    "order: off by one": (
        change("naming: turns count from one too many", _STEPS, "str(start + k)", "str(start + k + 1)"),
        change("naming: a break does not end the count", _LOOPS, "None if _may_end_early(statement) else ", ""),
        change("naming: an n that changed still counts", _LOOPS, "if line >= start}", "if False}"),
        change("naming: a list that changed still counts", _LOOPS, "part.attr in _LENGTHENING", "False"),
        change("naming: an outer loop may set the n", _LOOPS, "start = start or ", "start = "),
        change("naming: a line before the loop is a turn", _STEPS, "loop.computed.isdisjoint(turns[0])", "True"),
    ),
    "wrong operand": (
        change("naming: any node is the variable outside", _MATCHING, "return value is item or", "return True or"),
        change("naming: a variable is two nodes", _MATCHING, "return known is item or", "return True or"),
        change("naming: what the variable holds now does not count", _LOOPS, "if line > last)", "if False)"),
    ),
    "wrong formula": (
        change(
            "naming: any operator fits", _MATCHING,
            "_operation(node) not in _OPERATORS.get(type(expression.op), ())", "len(inputs) not in (1, 2)",
        ),
        change("naming: any function fits", _MATCHING, "_BUILTINS.get(name, name) != _operation(node)", "False"),
    ),
})  # fmt: skip
