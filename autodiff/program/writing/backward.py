"""The backward pass: the shares that the error signal of each statement sends to its operands.

Example: from the signal of z = W a + b, ``dot(dz', a, dW)``, ``dot(ones, dz, db)`` and ``dot(dz, W, da)``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from autodiff.program.compiling.form import (
    Apply,
    Call,
    Chosen,
    Form,
    Gather,
    Joined,
    Product,
    Segment,
    Statement,
    Sum,
    View,
    places_in,
    whole,
)
from autodiff.program.writing.contraction import Lettered, contract, lettered
from autodiff.program.writing.elementwise import Elementwise
from autodiff.program.writing.kernels import Operand
from autodiff.program.writing.memory import EXAMPLES, Window, seen, window_of
from autodiff.program.writing.operands import Pass, inside, letters_of
from autodiff.program.writing.scalars import few, is_late, is_row
from autodiff.program.writing.signals import Produce, Signals, is_injective

__all__ = ["Backward"]


class Backward(Pass):
    """The kernels that send each segment's error signal on to the operands of its statement."""

    signals: Signals

    def run(self, form: Form, signals: Signals) -> None:
        self.signals = signals
        #: Shares of penalties, which touch every parameter: added at the end, to what the layers have written.
        self.later: list[Callable[[], None]] = []
        for k in reversed(range(len(form.statements))):
            statement = form.statements[k]
            self.dtype = statement.target.dtype
            if statement.target in signals.need and signals.arrived(statement.target):
                self._send(k, statement)
        for deliver in self.later:
            deliver()

    def _send(self, k: int, statement: Statement) -> None:
        target, lead = statement.target, statement.target.batched
        signal = seen(self.signals.buffers[target], whole(target), lead=lead)
        if self.scalars.statements[k]:
            self._send_one(k, statement, signal)
        elif isinstance(statement, Apply):
            self._by_rule(k, statement, signal, lead)
        elif isinstance(statement, Sum):
            for product in statement.products:
                for one, other, factor in sides(product):
                    share = partial(self._by_product, one, other, factor, signal, lead)
                    if self.scalars.late(statement, one):
                        self.later.append(share)
                    else:
                        share()
            for term in statement.terms:
                self._by_term(term.operand, term.factors, signal, lead)
        else:
            for slot, item in enumerate(statement.operands):
                if not isinstance(item, int | float | np.ndarray):
                    self._by_call(statement, slot, signal, lead)

    def _send_one(self, k: int, statement: Statement, signal: Window) -> None:
        """The shares of a statement that computes one number."""
        scalars, kernels, signals = self.scalars, self.kernels, self.signals
        name = scalars.begin(kernels, signals, statement)
        if isinstance(statement, Apply):
            scalars.by_slopes(signals, k, statement, name)
        elif isinstance(statement, Sum):
            for product in statement.products:
                for one, other, factor in sides(product):
                    if few(one):
                        scalars.by_elements(kernels, signals, one, other, (factor,) * one.shape[-1], name)
                    elif is_row(one):
                        self._at_last(one, self._scaled(one, other, factor, name))
                    else:
                        self._by_product(one, other, factor, signal, False)
            for term in statement.terms:
                if few(term.operand):
                    scale = (
                        term.factors if isinstance(term.factors, tuple) else (term.factors,) * term.operand.shape[-1]
                    )
                    scalars.by_elements(kernels, signals, term.operand, None, scale, name)
                elif is_row(term.operand) and not isinstance(term.factors, tuple):
                    self._at_last(term.operand, self._scaled(term.operand, None, term.factors, name))
                else:
                    self._by_term(term.operand, term.factors, signal, False)

    def _at_last(self, operand: Any, share: Produce) -> None:
        """Deliver the share of a row; that of parameters after all others."""
        deliver = partial(self._deliver, operand, share, operand.shape, False)
        if is_late(operand):
            self.later.append(deliver)
        else:
            deliver()

    def _scaled(self, operand: Any, other: Any, factor: float, name: str) -> Produce:
        """The share factor·g·other of a row, for a signal g that is one number; without ``other``, factor·g."""
        text = name if factor == 1.0 else f"{factor!r} * {name}"

        def share(out: Window | None) -> Window:
            window = None if other is None else self.window(other, lead=False)
            out = self.memory.temporary(operand.shape, self.dtype) if out is None else out
            if window is None:
                self.kernels.copy(text, out)
            else:
                self.kernels.ufunc("multiply", window, text, out=out)
            return out

        return share

    def _by_call(self, statement: Call, slot: int, signal: Window, lead: bool) -> None:
        item = statement.operands[slot]
        operand = whole(item) if isinstance(item, Segment) else item
        if not self._wants(operand):
            return
        lead = item.batched if isinstance(item, Segment) else lead
        dims = (EXAMPLES, *operand.shape) if lead else operand.shape

        def share(out: Window | None) -> Window:
            target = self.memory.temporary(dims, self.dtype) if out is None else out
            self.kernels.copy(self.called(statement, slot, signal), target)
            return target

        self._deliver(operand, share, dims, lead)

    def _by_rule(self, k: int, statement: Apply, signal: Window, lead: bool) -> None:
        z = window_of(self.memory, whole(statement.target), lead=lead)
        inputs: dict[str, Operand] = {
            f"x{i}": self.argument(item, lead)
            for i, item in enumerate(statement.operands)
        }
        given: dict[str, Operand] = {"g": signal, "z": z, **inputs}
        for slot, operand in enumerate(statement.operands):
            if isinstance(operand, int | float) or not self._wants(operand):
                continue
            formula = Elementwise(self.kernels, signal.dims, statement.target.dtype, self.fresh.setdefault(k, {}))

            def share(
                out: Window | None, formula: Elementwise = formula, slot: int = slot
            ) -> Window:  # fmt: skip
                found = formula.result(statement.primitive, slot, given, statement.params, out)
                if out is not None and found is not out:
                    self.kernels.copy(found, out)
                    return out
                return self._as_window(found, signal.dims)

            self._deliver(operand, share, signal.dims, lead)

    def _as_window(self, found: Operand, dims: tuple[int, ...]) -> Window:
        """A share as a window; numbers and fresh results are copied."""
        if isinstance(found, Window):
            return found
        target = self.memory.temporary(dims, self.dtype)
        self.kernels.copy(found, target)
        return target

    def _wants(self, operand: Any) -> bool:
        if isinstance(operand, Joined):
            return any(self._wants(part) for part in operand.parts)
        return operand.segment in self.signals.need

    def _deliver(self, operand: Any, share: Produce, dims: tuple[int, ...], lead: bool) -> None:
        """Deliver a share of the full ``dims``, summed along the axes along which the operand repeats its elements."""
        if isinstance(operand, View) and is_injective(operand):
            if not self._wants(operand):
                return
            window = seen(self.signals.buffer(operand.segment), operand, lead=lead)
            axes = tuple(
                k for k, (dim, step) in enumerate(zip(dims, window.strides, strict=True)) if not step and dim != 1
            )
            ones = tuple(k for k, dim in enumerate(dims) if dim == 1)
            self.signals.deliver(operand, self._reduced(share, dims, axes, ones), lead=lead)
            return
        self._spread(operand, share(None), lead)

    def _reduced(self, share: Produce, dims: tuple[int, ...], axes: tuple[int, ...], ones: tuple[int, ...]) -> Produce:
        """A share summed along ``axes`` and without the axes of length 1."""
        kept = [k for k in range(len(dims)) if k not in axes and k not in ones]

        def produce(out: Window | None) -> Window:
            if not axes and out is not None:
                share(_filled(out, kept, len(dims)))
                return out
            whole = share(None)
            if not axes:
                return whole.arranged(kept)
            target = self.memory.temporary(tuple(dims[k] for k in kept), self.dtype) if out is None else out
            bare_whole = whole.arranged([k for k in range(len(dims)) if k not in ones])
            order = [k for k in range(len(dims)) if k not in ones]
            self.kernels.total(bare_whole, tuple(order.index(k) for k in axes), target)
            self.memory.release(whole)
            return target

        return produce

    def _spread(self, operand: Any, share: Window, lead: bool) -> None:
        """Deliver the share of gathered or joined elements, of overlapping views, of chosen ones; it is released."""
        if isinstance(operand, Joined):
            start = 0
            for part in operand.parts:
                inner = (EXAMPLES, *part.shape) if lead else part.shape
                piece = Window(share.buffer, start, inner, inside(inner, share.buffer.size))
                if self._wants(part):
                    self._deliver(part, self._given(piece), inner, lead)
                start += int(np.prod(part.shape, dtype=int))
        elif self._wants(operand):
            if isinstance(operand, View):
                operand = Gather(operand.segment, places_in(operand))
            if lead and not operand.segment.batched and not (isinstance(operand, Chosen)):
                summed = self.memory.temporary(operand.shape, self.dtype)
                self.kernels.total(share, (0,), summed)
                self.signals.scatter(operand.segment, self.places(operand, lead), summed)
                self.memory.release(summed)
            else:
                self.signals.scatter(operand.segment, self.places(operand, lead), share)
        self.memory.release(share)

    def _given(self, piece: Window) -> Produce:
        """A share that is there already."""

        def share(out: Window | None) -> Window:
            target = self.memory.temporary(piece.dims, self.dtype) if out is None else out
            self.kernels.copy(piece, target)
            return target

        return share

    def _by_product(self, operand: Any, other: Any, factor: float, signal: Window, lead: bool) -> None:
        """The share of one side of Σ_k left·right: factor·g·other, summed along the axes that the operand repeats."""
        if not self._wants(operand):
            return
        letters = letters_of(operand.shape[:-1], lead)
        dims = dict(zip(letters + "k", (*signal.dims, operand.shape[-1]), strict=True))
        g, y = lettered(signal, letters), lettered(self.window(other, lead), letters + "k")
        full = tuple(dims[x] for x in letters + "k")
        if isinstance(operand, View) and is_injective(operand):
            window = seen(self.signals.buffer(operand.segment), operand, lead=lead)
            mine = lettered(window, letters + "k")
            if set(mine.letters) <= {*g.letters, *y.letters}:

                def share(out: Window | None) -> Window:
                    shape = tuple(dims[x] for x in mine.letters)
                    target = self.memory.temporary(shape, self.dtype) if out is None else out
                    contract(self.kernels, g, y, Lettered(target, mine.letters), dims, self.dtype)
                    if factor != 1.0:
                        self.kernels.ufunc("multiply", target, float(factor), out=target)
                    return target

                self.signals.deliver(operand, share, lead=lead)
                return

        def whole(out: Window | None) -> Window:
            target = self.memory.temporary(full, self.dtype) if out is None else out
            each = signal.arranged([*range(len(signal.dims)), -1])
            self.kernels.ufunc("multiply", each, self.window(other, lead), out=target)
            if factor != 1.0:
                self.kernels.ufunc("multiply", target, float(factor), out=target)
            return target

        self._deliver(operand, whole, full, lead)

    def _by_term(self, operand: Any, factors: Any, signal: Window, lead: bool) -> None:
        """The share of each element of a term: factor·g."""
        if not self._wants(operand):
            return
        depth = operand.shape[-1]
        full = (*signal.dims, depth)
        scale = factors if isinstance(factors, tuple) else (factors,) * depth
        each = signal.arranged([*range(len(signal.dims)), -1])
        if len(set(scale)) == 1:
            factor: Operand = float(scale[0])
        else:
            factor = self.kernels.hold("factors", np.array(scale))

        def share(out: Window | None) -> Window:
            if factor == 1.0 and out is None:
                return each if depth == 1 else self._repeated(each, depth)
            target = self.memory.temporary(full, self.dtype) if out is None else out
            if factor == 1.0:
                self.kernels.copy(each, target)
            else:
                self.kernels.ufunc("multiply", each, factor, out=target)
            return target

        self._deliver(operand, share, full, lead)

    @staticmethod
    def _repeated(signal: Window, depth: int) -> Window:
        """A signal, repeated along its last axis."""
        return Window(signal.buffer, signal.start, (*signal.dims[:-1], depth), signal.strides)


def sides(product: Product) -> Iterable[tuple[Any, Any, float]]:
    """Each side of a product with the other and the factor of its share; a square has one side."""
    if product.left == product.right and isinstance(product.left, View):
        return [(product.left, product.right, 2.0 * product.factor)]
    return [(product.left, product.right, product.factor), (product.right, product.left, product.factor)]


def _filled(out: Window, kept: list[int], count: int) -> Window:
    """A window with axes of length 1 where the full share has them."""
    return out.arranged([kept.index(k) if k in kept else -1 for k in range(count)])
