"""Formulas element by element: an expression of the table becomes kernels that write into windows.

Example: the share of a sigmoid, ``g * (z * co_sigmoid(x))``, becomes one call of the function that computes both parts
of the logistic function and two multiplications in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from autodiff.engine.emit import NotAnExpressionError, traced
from autodiff.primitives.expression import Expression, variable
from autodiff.primitives.namespace import arrays, floats
from autodiff.primitives.primitive import Primitive
from autodiff.program.writing.kernels import Kernels, Operand, Told
from autodiff.program.writing.memory import Window

__all__ = ["Elementwise"]

_OPERATORS: Final = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "//": "floor_divide", "**": "power", ">": "greater",
    ">=": "greater_equal", "<": "less", "<=": "less_equal", "==": "equal", "!=": "not_equal", "and": "logical_and",
    "or": "logical_or",
}  # fmt: skip
_ANSWERS: Final = {
    "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "logical_and", "logical_or",
}  # fmt: skip
_POWERS: Final = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}  # the shortcuts of the operator ** on arrays


class Elementwise:
    """Formulas over windows of equal dimensions; fresh results are remembered, for a rule that needs them again."""

    def __init__(self, kernels: Kernels, dims: tuple[int, ...], dtype: Any, fresh: dict[Any, str]) -> None:
        self.kernels, self.dims, self.dtype, self.fresh = kernels, dims, dtype, fresh
        self.plain = kernels.plain

    def result(
        self, entry: Primitive, slot: int | None, given: Mapping[str, Operand], params: Any, out: Window | None
    ) -> Operand:  # fmt: skip
        """The forward of a primitive, or the share of one input, of ``given`` operands by name (g, z, x0, x1, …)."""
        inputs = [variable(name) for name in given if name.startswith("x")]
        seed = () if slot is None else (variable("g"), variable("z"))
        mark = len(self.kernels.lines)
        try:
            return self.value(traced(entry, slot, *seed, *inputs, **params), given, out)
        except NotAnExpressionError:
            del self.kernels.lines[mark:]
            return self._called(entry, slot, given, params)

    def _called(self, entry: Primitive, slot: int | None, given: Any, params: Any) -> Operand:
        """A forward or a rule that is no formula, as a call."""
        kernels = self.kernels
        function = kernels.hold(
            "forward" if slot is None else "rule", entry.forward if slot is None else entry.rule(slot)
        )
        if slot is None:
            kernels.scope.setdefault("arrays", arrays)
        first = ["arrays"] if slot is None else []
        named = [f"{key}={kernels.hold(key, item)}" for key, item in params.items()]
        texts = [*first, *(kernels.text(item) for item in given.values()), *named]
        text = f"{function}({', '.join(texts)})"
        kind = "forward" if slot is None else "rule"
        kernels.told[text] = Told(kind, entry.name, (*given.values(),), params, self.dims, slot)
        return self._placed(text)

    def value(self, part: Any, given: Mapping[str, Operand], out: Window | None = None) -> Operand:
        """The value of an expression; in ``out``, if that is given."""
        found = self._value(part, given, out)
        if out is None or found is out:
            return found
        self.kernels.copy(found, out)
        self.kernels.memory.release(found)
        return out

    def _value(self, part: Any, given: Mapping[str, Operand], out: Window | None) -> Operand:
        if not isinstance(part, Expression):
            if isinstance(part, bool | int | float | np.number):
                return float(part)
            raise NotAnExpressionError(str(part))
        head, parts = part.head, part.parts
        if head == "variable" and parts[0] in given:
            return given[parts[0]]
        if head == "read as" and self.plain:
            return self._value(part.params["formula"], given, out)
        if head in ("number", "read as"):
            return self._value(parts[0], given, out)
        if head == "call":
            return self._primitive(parts[0], parts[1:], part.params, given, out)
        if head == "xp" and not part.params:
            return self._function(parts[0], [self._value(item, given, None) for item in parts[1:]], out)
        if head == "neg":
            return self._ufunc("negative", [self._value(parts[0], given, None)], out)
        if head in _OPERATORS:
            left, right = (self._value(item, given, None) for item in parts)
            return self._operation(head, left, right, out)
        if head == "item" and self.plain and isinstance(parts[0], Expression) and parts[0].parts[0] == "logistics":
            x = parts[0].parts[1] if parts[1] == 0 else -parts[0].parts[1]
            return self._value(1.0 / (1.0 + Expression("xp", "exp", -x)), given, out)
        if head == "item" and isinstance(parts[0], Expression) and parts[0].head == "xp":
            return self._placed(f"{self._value(parts[0], given, None)}[{parts[1]}]")
        raise NotAnExpressionError(str(part))

    def _primitive(self, entry: Primitive, operands: Any, params: Any, given: Any, out: Window | None) -> Operand:
        """A primitive that a rule calls, by its own formula."""
        if entry.name == "where":
            x, y = operands
            return self._where(x, y, params["condition"], given, out)
        values = {f"x{k}": self._value(item, given, None) for k, item in enumerate(operands)}
        params = {key: self._value(item, given, None) for key, item in params.items()}
        if any(not isinstance(item, float) for item in params.values()):
            raise NotAnExpressionError(entry.name)
        return self.result(entry, None, values, params, out)

    def _where(self, x: Any, y: Any, condition: Any, given: Any, out: Window | None) -> Operand:
        asked = condition if isinstance(condition, bool | np.bool) else self._value(condition, given, None)
        if isinstance(asked, bool | float | np.bool):
            return self._value(x if asked else y, given, out)
        return self._function("where", [asked, self._value(x, given, None), self._value(y, given, None)], out)

    def _operation(self, head: str, left: Operand, right: Operand, out: Window | None) -> Operand:
        if isinstance(left, float) and isinstance(right, float):
            return _folded(head, left, right)
        if head == "*" and 1.0 in (left, right):
            other = right if left == 1.0 else left
            if not isinstance(other, Window) or other.buffer.dtype != np.bool:  # 1 turns an answer into a number
                return other
        if head == "**" and isinstance(right, float):
            if right in (0.0, 1.0):
                return left if right else 1.0
            if right in _POWERS:
                return self._ufunc(_POWERS[right], [left], out)
        return self._ufunc(_OPERATORS[head], [left, right], out)

    def _function(self, name: str, operands: list[Operand], out: Window | None) -> Operand:
        """A function of the namespace of arrays."""
        if all(isinstance(item, float) for item in operands):
            return float(getattr(floats, name)(*operands))
        function = getattr(arrays, name, None)
        if function is None:
            raise NotAnExpressionError(name)
        if name == "power":
            return self._operation("**", operands[0], operands[1], out)
        if isinstance(function, np.ufunc) and function.nout == 1 and getattr(np, name, None) is function:
            return self._ufunc(name, operands, out)
        text = f"{self.kernels.hold(name, function)}({', '.join(map(self.kernels.text, operands))})"
        kind = "np" if getattr(np, name, None) is function else "forward"
        self.kernels.told[text] = Told(kind, name, (*operands,), {}, self.dims)
        mine = [item for item in operands if self._is_loose(item)]
        found = self.kernels.assign("part", text) if mine else self._placed(text)
        self.kernels.memory.release(*mine)
        return found

    def _ufunc(self, name: str, operands: list[Operand], out: Window | None) -> Operand:
        if all(isinstance(item, float) for item in operands):
            return float(getattr(np, name)(*operands))
        dtype = np.bool if name in _ANSWERS else self.dtype
        mine = [item for item in operands if isinstance(item, Window) and self._is_loose(item)]
        fitting = [item for item in mine if item.buffer.dtype == dtype]
        target = out if out is not None and out.buffer.dtype == dtype else fitting[0] if fitting else None
        if target is None:
            target = self.kernels.memory.temporary(self.dims, dtype)
        self.kernels.ufunc(name, *operands, out=target)
        for item in mine:
            if item is not target:
                self.kernels.memory.release(item)
        return target

    def _placed(self, text: str) -> Operand:
        """A fresh result; equal ones are computed once. The text contains no intermediate results."""
        if text not in self.fresh:
            self.fresh[text] = self.kernels.assign("part", text)
        return self.fresh[text]

    def _is_loose(self, item: Operand) -> bool:
        """Whether an operand is an intermediate result, whose memory may be used again."""
        return isinstance(item, Window) and item.buffer in self.kernels.memory.loose


def _folded(head: str, left: float, right: float) -> float:
    with np.errstate(all="ignore"):
        return float(getattr(np, _OPERATORS[head])(left, right))
