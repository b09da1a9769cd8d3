"""The two passes of a program: each statement of a form as kernels, and the shares that its error signal sends back.

Example: the layer z = W a + b is ``dot(a, W', z); add(z, b, z)`` forward, and ``dot(dz', a, dW); dot(ones, dz, db);
dot(dz, W, da)`` backward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from autodiff.primitives.namespace import arrays
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
)
from autodiff.program.writing.contraction import Lettered, contract, lettered
from autodiff.program.writing.elementwise import Elementwise
from autodiff.program.writing.kernels import Kernels, Operand, Told
from autodiff.program.writing.memory import EXAMPLES, Window, seen, window_of
from autodiff.program.writing.scalars import Scalars, few, is_late, is_row
from autodiff.program.writing.signals import Produce, Signals, is_injective, segments_of

__all__ = ["Backward", "Forward"]

_LETTERS = "acdefghijlmnopqrstuvwxyz"


class _Pass:
    """What both passes know of the operands."""

    def __init__(
        self, kernels: Kernels, scalars: Scalars, fetched: dict[int, Any], fresh: dict[int, dict[Any, str]]
    ) -> None:
        self.kernels, self.memory, self.scalars = kernels, kernels.memory, scalars
        self.fetched, self.fresh = fetched, fresh
        self.dtype: Any = np.float64  # of the statement at hand

    def window(self, operand: Any, lead: bool) -> Window:
        """The window of an operand; gathered elements are fetched once, in the forward pass."""
        if isinstance(operand, View):
            return window_of(self.memory, operand, lead=lead)
        key = id(operand)
        if key not in self.fetched:
            self.fetched[key] = (self._fetch(operand, lead), operand)
        return self.fetched[key][0]  # type: ignore[no-any-return]

    def _fetch(self, operand: Any, lead: bool) -> Window:
        dims = (EXAMPLES, *operand.shape) if lead else operand.shape
        if isinstance(operand, Joined):
            joined = self.memory.keep(self.memory.temporary(dims, self._dtype(operand)))
            self._join(operand, joined, lead)
            return joined
        target = self.memory.keep(self.memory.temporary(dims, operand.segment.dtype))
        self.kernels.gather(self.flat(operand.segment), self.places(operand, lead), target)
        return target

    def called(self, statement: Call, slot: int | None, signal: Window | None) -> str:
        """The source of a call of a primitive's forward, or of its rule for one input."""
        kernels, entry, lead = self.kernels, statement.primitive, statement.target.batched
        operands = [self.argument(item, lead) for item in statement.operands]
        texts = [kernels.text(item) for item in operands]
        texts += [f"{key}={kernels.hold(key, item)}" for key, item in statement.params.items()]
        if slot is None or signal is None:
            kernels.scope.setdefault("arrays", arrays)
            text = f"{kernels.hold('forward', entry.forward)}(arrays, {', '.join(texts)})"
            kernels.told[text] = Told("forward", entry.name, (*operands,), statement.params, _dims(statement.target))
            return text
        z = window_of(self.memory, _whole(statement.target), lead=lead)
        first = [kernels.text(signal), kernels.text(z)]
        text = f"{kernels.hold('rule', entry.rule(slot))}({', '.join([*first, *texts])})"
        shape = _dims(statement.operands[slot], lead)
        kernels.told[text] = Told("rule", entry.name, (signal, z, *operands), statement.params, shape, slot)
        return text

    def argument(self, item: Any, lead: bool) -> Operand:
        """An operand of a call: a window, or a constant."""
        if isinstance(item, Segment):
            return window_of(self.memory, _whole(item), lead=item.batched)
        if isinstance(item, int | float):
            return float(item)
        if isinstance(item, np.ndarray):
            return self.kernels.hold("constant", item)
        return self.window(item, lead)

    def flat(self, segment: Segment) -> Window:
        """A segment as one flat window."""
        buffer = self.memory.of(segment)
        return Window(buffer, 0, (-buffer.size if buffer.batched else buffer.size,), (1,))

    def places(self, operand: Gather | Chosen, lead: bool) -> Operand:
        """The flat places of gathered elements, as a name in the source."""
        key = -id(operand)
        if key not in self.fetched:
            if isinstance(operand, Chosen):
                found = self.kernels.chosen(operand, lead=lead)
            elif operand.segment.batched:
                rows = self.kernels.assign("rows", f"np_arange(examples) * {operand.segment.size}")
                self.kernels.scope.setdefault("np_arange", np.arange)
                shape = ", ".join(["examples", *("1" for _ in operand.shape)])
                held = self.kernels.hold("places", operand.places)
                found = self.kernels.assign("places", f"{rows}.reshape({shape}) + {held}")
                self.kernels.told[found] = Told("rows", held)
            else:
                found = self.kernels.hold("places", operand.places)
            self.fetched[key] = (found, operand)
        return self.fetched[key][0]  # type: ignore[no-any-return]

    def _dtype(self, operand: Joined) -> Any:
        return np.result_type(*(segment.dtype for segment in segments_of(operand)))

    def _join(self, operand: Joined, target: Window, lead: bool) -> None:
        """Copy several operands, one after the other, into contiguous memory."""
        start = 0
        for part in operand.parts:
            window = self.window(part, lead)
            size = int(np.prod(part.shape, dtype=int))
            inner = Window(target.buffer, start, window.dims, _inside(window.dims, target.buffer.size))
            self.kernels.copy(window, inner)
            start += size


def _dims(item: Any, lead: bool = False) -> tuple[int, ...]:
    """The dimensions of a segment or an operand."""
    lead = item.batched if isinstance(item, Segment) else lead
    return (EXAMPLES, *item.shape) if lead else item.shape


def _inside(dims: tuple[int, ...], whole: int) -> tuple[int, ...]:
    """The strides of a contiguous part of a buffer with ``whole`` elements in each example."""
    strides, reach = [], 1
    for dim in reversed(dims):
        strides.append(whole if dim == EXAMPLES else reach)
        reach *= abs(dim)
    return tuple(reversed(strides))


class Forward(_Pass):
    """The kernels that compute each segment."""

    def run(self, statements: Iterable[Statement]) -> None:
        for k, statement in enumerate(statements):
            self.dtype = statement.target.dtype
            if self.scalars.statements[k]:
                self.scalars.compute(self.kernels, k, statement, self._long)
            elif isinstance(statement, Apply):
                self._apply(k, statement)
            elif isinstance(statement, Sum):
                self._sum(statement)
            else:
                self._call(statement)

    def _long(self, one: Any, other: Any) -> str:
        """The source of a sum over many elements: of products, or weighted by constants, or plain, if other is None."""
        self.kernels.scope.setdefault("dot", np.dot)
        self.kernels.scope.setdefault("add", np.add)
        first = self.kernels.text(_row(self.window(one, lead=False)))
        if other is None:
            return f"float(add.reduce({first}))"
        second = self.kernels.hold("factors", np.array(other)) if isinstance(other, tuple) else None
        second = second or self.kernels.text(_row(self.window(other, lead=False)))
        return f"float(dot({first}, {second}))"

    def _call(self, statement: Call) -> None:
        """The table's forward on whole arrays."""
        out = window_of(self.memory, _whole(statement.target), lead=statement.target.batched)
        self.kernels.copy(self.called(statement, None, None), out)

    def _apply(self, k: int, statement: Apply) -> None:
        target, lead = statement.target, statement.target.batched
        out = window_of(self.memory, _whole(target), lead=lead)
        if statement.primitive.name == "identity" and isinstance(statement.operands[0], Joined):
            self._join(statement.operands[0], out, lead)
            return
        given = {f"x{i}": self._operand(item, lead) for i, item in enumerate(statement.operands)}
        found = Elementwise(self.kernels, out.dims, target.dtype, self.fresh.setdefault(k, {}))
        result = found.result(statement.primitive, None, given, statement.params, out)
        if result is not out:
            self.kernels.copy(result, out)

    def _operand(self, item: Any, lead: bool) -> Operand:
        return float(item) if isinstance(item, int | float) else self.window(item, lead)

    def _sum(self, statement: Sum) -> None:
        """Each product and each term, the first written and the others added, and the constant."""
        target, lead = statement.target, statement.target.batched
        letters = _letters(target.shape, lead)
        out = window_of(self.memory, _whole(target), lead=lead)
        dims = {**dict(zip(letters, out.dims, strict=True))}
        begun = False
        for product in statement.products:
            self._product(product, out, letters, dims, lead, begun)
            begun = True
        for term in statement.terms:
            window = self.window(term.operand, lead)
            self._term(window, term.factors, out, begun)
            begun = True
        if not begun:
            self.kernels.copy(float(statement.constant), out)
        elif statement.constant:
            self.kernels.ufunc("add", out, float(statement.constant), out=out)

    def _product(
        self, product: Product, out: Window, letters: str, dims: dict[str, int], lead: bool, begun: bool
    ) -> None:  # fmt: skip
        left, right = (lettered(self.window(side, lead), letters + "k") for side in (product.left, product.right))
        dims = {**dims, "k": product.left.shape[-1]}
        target = self.memory.temporary(out.dims, out.buffer.dtype) if begun else out
        if not set(lettered(out, letters).letters) <= {*left.letters, *right.letters}:
            small = Lettered(target, letters)  # repeated along an axis: as a product with strides of 0
            left, right = Lettered(self.window(product.left, lead), letters + "k"), right
            self._plain(product, small, lead)
        else:
            contract(self.kernels, left, right, lettered(target, letters), dims, out.buffer.dtype)
        if product.factor != 1.0:
            self.kernels.ufunc("multiply", target, float(product.factor), out=target)
        if begun:
            self.kernels.ufunc("add", out, target, out=out)
            self.memory.release(target)

    def _plain(self, product: Product, out: Lettered, lead: bool) -> None:
        """A product whose result repeats along an axis: multiplied out, and summed along the last axis."""
        left, right = self.window(product.left, lead), self.window(product.right, lead)
        whole = self.memory.temporary(left.dims, out.window.buffer.dtype)
        self.kernels.ufunc("multiply", left, right, out=whole)
        self.kernels.total(whole, (len(whole.dims) - 1,), out.window)
        self.memory.release(whole)

    def _term(self, window: Window, factors: Any, out: Window, begun: bool) -> None:
        """Add Σ_k factors[k]·operand[…, k]."""
        depth = window.dims[-1]
        scale = factors if isinstance(factors, tuple) else (factors,) * depth
        if depth > 2 and len(set(scale)) == 1:
            target = self.memory.temporary(out.dims, out.buffer.dtype) if begun else out
            self.kernels.total(window, (len(window.dims) - 1,), target)
            if begun or scale[0] != 1.0:
                self._add(target, scale[0], out, begun)
            self.memory.release(target)
            return
        for k, factor in enumerate(scale):
            part = Window(window.buffer, window.start + k * window.strides[-1], window.dims[:-1], window.strides[:-1])
            self._add(part, factor, out, begun or k > 0)

    def _add(self, part: Window, factor: float, out: Window, begun: bool) -> None:
        kernels = self.kernels
        if not begun:
            kernels.copy(part, out) if factor == 1.0 else kernels.ufunc("multiply", part, float(factor), out=out)
        elif factor in (1.0, -1.0):
            kernels.ufunc("add" if factor == 1.0 else "subtract", out, part, out=out)
        else:
            scaled = self.memory.temporary(out.dims, out.buffer.dtype)
            kernels.ufunc("multiply", part, float(factor), out=scaled)
            kernels.ufunc("add", out, scaled, out=out)
            self.memory.release(scaled)


class Backward(_Pass):
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
        signal = seen(self.signals.buffers[target], _whole(target), lead=lead)
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

    def _at_last(self, operand: View, share: Produce) -> None:
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
        operand = _whole(item) if isinstance(item, Segment) else item
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
        z = window_of(self.memory, _whole(statement.target), lead=lead)
        inputs: dict[str, Operand] = {
            f"x{i}": float(item) if isinstance(item, int | float) else self.window(item, lead)
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
                piece = Window(share.buffer, start, inner, _inside(inner, share.buffer.size))
                if self._wants(part):
                    self._deliver(part, self._given(piece), inner, lead)
                start += int(np.prod(part.shape, dtype=int))
        elif self._wants(operand):
            if isinstance(operand, View):
                operand = Gather(operand.segment, _all_places(operand))
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
        letters = _letters(operand.shape[:-1], lead)
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


def _row(window: Window) -> Window:
    """A window with one axis that has a length, as a vector."""
    return window.arranged([len(window.dims) - 1])


def _filled(out: Window, kept: list[int], count: int) -> Window:
    """A window with axes of length 1 where the full share has them."""
    return out.arranged([kept.index(k) if k in kept else -1 for k in range(count)])


def _all_places(view: View) -> Any:
    places = np.full(view.shape, view.start, dtype=np.intp)
    for k, (dim, stride) in enumerate(zip(view.shape, view.strides, strict=True)):
        places += (stride * np.arange(dim)).reshape([-1 if j == k else 1 for j in range(len(view.shape))])
    return places


def _letters(shape: tuple[int, ...], lead: bool) -> str:
    return "b" * lead + _LETTERS[: len(shape)]


def _whole(segment: Segment) -> View:
    strides, reach = [], 1
    for dim in reversed(segment.shape):
        strides.append(reach)
        reach *= dim
    return View(segment, 0, segment.shape, tuple(reversed(strides)))
