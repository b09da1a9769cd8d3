"""Statements that compute one number, in Python's floats: a NumPy call costs as much as ten of Python's operations.

Example: J = max(0, 1 + s_c − s) becomes ``m = 1.0 + s_c - s`` and one call of the table's kernel for relu, which also
returns the local gradient; its backward pass is ``dm = dJ * slope``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from autodiff.engine.emit_values import kernel
from autodiff.program.compiling.form import Apply, Call, Form, Segment, Statement, Sum, View
from autodiff.program.writing.kernels import Kernels
from autodiff.program.writing.memory import Memory
from autodiff.program.writing.signals import Signals, operands_of, segments_of

__all__ = ["Scalars", "few", "is_late", "is_row", "is_scalar"]

_FEW: Final = 4  # so many terms or products are written out; more are left to one call of NumPy


def is_scalar(statement: Statement) -> bool:
    """Whether a statement computes one number in Python's floats."""
    if statement.target.size != 1 or statement.target.batched or isinstance(statement, Call):
        return False
    if isinstance(statement, Apply):
        return statement.primitive.elementwise and all(map(_is_plain, statement.operands))
    return all(_is_plain_or_long(operand) for operand in operands_of(statement))


def _is_plain(operand: Any) -> bool:
    return isinstance(operand, int | float) or (isinstance(operand, View) and not operand.segment.batched)


def _is_plain_or_long(operand: Any) -> bool:
    return _is_plain(operand) or operand.shape[-1] > _FEW


def few(operand: Any) -> bool:
    """Whether the elements of an operand are written out."""
    return bool(operand.shape[-1] <= _FEW)


def is_row(operand: Any) -> bool:
    """Whether an operand of a sum with one number is a view of a row of different elements."""
    return isinstance(operand, View) and len(operand.shape) == 1 and operand.strides[0] != 0


def is_late(operand: Any) -> bool:
    """Whether the share of an operand of such a sum is delivered last: a penalty adds to what the layers have sent."""
    return is_row(operand) and not few(operand) and operand.segment.kind == "parameters"


class Scalars:
    """The numbers of a program that are Python floats, by segment, and those that arrays hold too."""

    def __init__(self, form: Form, memory: Memory, *, none: bool = False) -> None:
        self.memory = memory
        self.statements = [not none and is_scalar(statement) for statement in form.statements]
        pairs = list(zip(form.statements, self.statements, strict=True))
        self.segments = {statement.target for statement, scalar in pairs if scalar}
        self.names = {segment: memory.unique(segment.name or "s") for segment in self.segments}
        self.signal_names = {segment: memory.unique(f"d{segment.name or 's'}") for segment in self.segments}
        #: Read as arrays, so that the number is stored in the buffer too.
        self.stored = {view.segment for view in form.outputs} | {
            segment for statement, scalar in pairs for segment in _read_as_arrays(statement, scalar)
        }
        self.slopes: dict[int, str] = {}

    @property
    def variables(self) -> list[str]:
        """The names that both passes share."""
        return [*self.names.values(), *self.slopes.values()]

    # ---- forward -----------------------------------------------------------------------------------------------------

    def late(self, statement: Statement, operand: Any) -> bool:
        """Whether the share of an operand of a statement is delivered after all others."""
        return statement.target.size == 1 and not statement.target.batched and is_late(operand)

    def element(self, kernels: Kernels, view: Any, k: int = 0) -> str:
        """The source of the k-th element along the last axis of a view."""
        place = view.start + (k * view.strides[-1] if view.shape else 0)
        if view.segment in self.names:
            return self.names[view.segment]
        return f"{kernels.text(self.memory.of(view.segment).flat)}.item({place})"

    def compute(self, kernels: Kernels, k: int, statement: Statement, long: Any) -> None:
        """Compute the number of a statement; ``long`` gives the source of a sum over many elements."""
        name = self.names[statement.target]
        if isinstance(statement, Apply):
            self._apply(kernels, k, statement, name)
        elif isinstance(statement, Sum):
            kernels.lines.append(f"{name} = {' + '.join(self._parts(kernels, statement, long)) or '0.0'}")
        if statement.target in self.stored:
            kernels.lines.append(f"{kernels.text(self.memory.of(statement.target).flat)}[0] = {name}")

    def _apply(self, kernels: Kernels, k: int, statement: Apply, name: str) -> None:
        texts = [
            repr(float(item)) if isinstance(item, int | float) else self.element(kernels, item)
            for item in statement.operands
            if isinstance(item, int | float | View)
        ]
        texts += [f"{key}={kernels.hold(key, item)}" for key, item in statement.params.items()]
        called = kernels.hold("kernel", kernel(statement.primitive, len(statement.operands)))
        self.slopes[k] = self.memory.unique("slopes")
        kernels.lines.append(f"{name}, {self.slopes[k]} = {called}({', '.join(texts)})")

    def _parts(self, kernels: Kernels, statement: Sum, long: Any) -> Iterable[str]:
        """The summands of a sum, as source."""
        if statement.constant:
            yield repr(statement.constant)
        for product in statement.products:
            factor = "" if product.factor == 1.0 else f"{product.factor!r} * "
            if few(product.left):
                for k in range(product.left.shape[-1]):
                    left, right = (self.element(kernels, side, k) for side in (product.left, product.right))
                    yield f"{factor}{left} * {right}"
            else:
                yield f"{factor}{long(product.left, product.right)}"
        for term in statement.terms:
            depth = term.operand.shape[-1]
            scale = term.factors if isinstance(term.factors, tuple) else (term.factors,) * depth
            if few(term.operand):
                for k, each in enumerate(scale):
                    yield ("" if each == 1.0 else f"{each!r} * ") + self.element(kernels, term.operand, k)
            elif len(set(scale)) == 1:
                yield ("" if scale[0] == 1.0 else f"{scale[0]!r} * ") + long(term.operand, None)
            else:
                yield long(term.operand, scale)

    # ---- backward ----------------------------------------------------------------------------------------------------

    def begin(self, kernels: Kernels, signals: Signals, statement: Statement) -> str:
        """The variable with the signal of a statement's target."""
        name = self.signal_names[statement.target]
        kernels.lines.append(f"{name} = {kernels.text(signals.whole(statement.target))}.item(0)")
        return name

    def by_slopes(self, signals: Signals, k: int, statement: Apply, name: str) -> None:
        """Deliver signal × local gradient to each operand."""
        for slot, operand in enumerate(statement.operands):
            if isinstance(operand, View) and operand.segment in signals.need:
                signals.deliver_element(operand.segment, operand.start, f"{name} * {self.slopes[k]}[{slot}]")

    def by_elements(
        self, kernels: Kernels, signals: Signals, one: Any, other: Any, scale: Sequence[float], name: str
    ) -> None:
        """Deliver the shares of one side of a product of few elements; of a term, if ``other`` is None."""
        if one.segment not in signals.need:
            return
        for k, factor in enumerate(scale):
            scaled = name if factor == 1.0 else f"{factor!r} * {name}"
            text = scaled if other is None else f"{scaled} * {self.element(kernels, other, k)}"
            signals.deliver_element(one.segment, one.start + k * one.strides[-1], text)


def _read_as_arrays(statement: Statement, scalar: bool) -> Iterable[Segment]:
    for operand in operands_of(statement):
        if not scalar or not isinstance(operand, View) or (isinstance(statement, Sum) and not few(operand)):
            yield from segments_of(operand)
