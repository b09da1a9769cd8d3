"""The forward pass: each statement of a form as kernels that compute its segment.

Example: the layer z = W a + b is ``dot(a, W', z)`` and ``add(z, b, z)``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from autodiff.program.compiling.form import (
    Apply,
    Call,
    Joined,
    Product,
    Statement,
    Sum,
    View,
    whole,
)
from autodiff.program.writing.contraction import Lettered, contract, lettered
from autodiff.program.writing.elementwise import Elementwise
from autodiff.program.writing.memory import Window, window_of
from autodiff.program.writing.operands import Pass, letters_of, row_of

__all__ = ["Forward"]


class Forward(Pass):
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
        first = self.kernels.text(row_of(self.window(one, lead=False)))
        if other is None:
            return f"float(add.reduce({first}))"
        second = self.kernels.hold("factors", np.array(other)) if isinstance(other, tuple) else None
        second = second or self.kernels.text(row_of(self.window(other, lead=False)))
        return f"float(dot({first}, {second}))"

    def _call(self, statement: Call) -> None:
        """The table's forward on whole arrays."""
        out = window_of(self.memory, whole(statement.target), lead=statement.target.batched)
        self.kernels.copy(self.called(statement, None, None), out)

    def _apply(self, k: int, statement: Apply) -> None:
        target, lead = statement.target, statement.target.batched
        out = window_of(self.memory, whole(target), lead=lead)
        if statement.primitive.name == "identity" and isinstance(statement.operands[0], Joined):
            self._join(statement.operands[0], out, lead)
            return
        given = {f"x{i}": self.argument(item, lead) for i, item in enumerate(statement.operands)}
        found = Elementwise(self.kernels, out.dims, target.dtype, self.fresh.setdefault(k, {}))
        result = found.result(statement.primitive, None, given, statement.params, out)
        if result is not out:
            self.kernels.copy(result, out)

    def _sum(self, statement: Sum) -> None:
        """Each product and each term, the first written and the others added, and the constant."""
        target, lead = statement.target, statement.target.batched
        letters = letters_of(target.shape, lead)
        out = window_of(self.memory, whole(target), lead=lead)
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
        if lead and not any(_varies(side) for side in (product.left, product.right)):
            self._once(product, out, letters[1:], dims, begun)
            return
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

    def _once(self, product: Product, out: Window, letters: str, dims: dict[str, int], begun: bool) -> None:
        """A product that is the same in all examples, as of a penalty: computed once."""
        small = self.memory.temporary(out.dims[1:], out.buffer.dtype)
        self._product(product, small, letters, dims, False, False)
        if begun:
            self.kernels.ufunc("add", out, small, out=out)
        else:
            self.kernels.copy(small, out)
        self.memory.release(small)

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


def _varies(operand: Any) -> bool:
    """Whether an operand differs between examples; one that is fetched or joined is not looked into."""
    return not isinstance(operand, View) or operand.segment.batched
