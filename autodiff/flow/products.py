"""The shares of an error signal of arrays in a product, read from its rule: Wᵀ δ, δ xᵀ (notes, section 1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.primitives.expression import Expression, variable
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered
from autodiff.slopes.slope import mark

__all__ = ["Operand", "factor_matrices", "factors", "product"]

_SETS: Final = {"outer": "{} {}ᵀ", "matvec": "{} {}", "vecmat": "{}ᵀ {}", "matmul": "{} {}"}


class Operand(NamedTuple):
    """One of the two factors of a share: the input in ``slot`` (−1: the error signal), possibly ``transposed``."""

    slot: int
    transposed: bool


def product(node: Node, slot: int, operands: Sequence[str], error: str = "δ") -> str | None:
    """The share of the input in ``slot`` of a product of arrays, in terms of the error signal and the other operands.

    It is Σ δ where the input was added to every row, and None if the operation is not a product.

    >>> from autodiff import Tensor
    >>> W, x = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
    >>> [product(W @ x, slot, ["W", "x"]) for slot in (0, 1)]
    ['δ xᵀ', 'Wᵀ δ']
    """
    entry = node.origin.primitive
    if entry is None or entry.elementwise or entry.packed:
        return None
    form = _form(entry, slot, len(node.inputs))
    if form == mark(-1) and np.ndim(plain(node.inputs[slot])) < np.ndim(node._data):
        form = f"Σ {form}"
    named = form and form.translate({ord(mark(k)): text for k, text in enumerate([error, *operands], start=-1)})
    return named and named.replace("ᵀᵀ", "")


def factors(node: Node, slot: int) -> tuple[Operand, Operand] | None:
    """The two factors whose matrix product is the share of the input in ``slot``; None if it is no such product.

    A vector on the left is a column and one on the right is a row: their product is the outer product.

    >>> from autodiff import Tensor
    >>> W, x = Tensor(np.ones((2, 3))), Tensor(np.ones(3))
    >>> factors(W @ x, 0), factors(W @ x, 1)
    ((Operand(slot=-1, transposed=False), Operand(slot=1, transposed=True)), None)
    """
    entry = node.origin.primitive
    if entry is None or entry.elementwise or entry.packed:
        return None
    form = _form(entry, slot, len(node.inputs)) or ""
    left, _, right = form.partition(" ")
    read = _operand(left), _operand(right)
    if read[0] is None or read[1] is None or np.ndim(plain(node.inputs[slot])) != 2:
        return None
    return read[0], read[1]


def factor_matrices(node: Node, slot: int, error: Any) -> tuple[Any, Any] | None:
    """The two factors of a share as matrices (m, k) and (k, n): it is the sum of k outer products; None as `factors`.

    >>> from autodiff import Tensor
    >>> W, x = Tensor(np.ones((2, 3))), Tensor([4.0, 5.0, 6.0])
    >>> factor_matrices(W @ x, 0, np.array([1.0, 2.0]))
    (array([[1.],
           [2.]]), array([[4., 5., 6.]]))
    """
    found = factors(node, slot)
    if found is None:
        return None
    arrays = [np.asarray(error if part.slot < 0 else plain(node.inputs[part.slot])) for part in found]
    left, right = (array.T if part.transposed else array for array, part in zip(arrays, found, strict=True))
    return left.reshape(len(left), -1), right.reshape(-1, right.shape[-1])


def _operand(text: str) -> Operand | None:
    """An operand of a formula of two factors; None for any other text."""
    known = {mark(k): k for k in range(-1, 3)}
    named, transposed = text.removesuffix("ᵀ"), text.endswith("ᵀ")
    return Operand(known[named], transposed) if named in known else None


@remembered(1024)
def _form(entry: Primitive, slot: int, count: int) -> str | None:
    """The rule of a product as text with marks; None if it is not a product of δ and operands."""
    try:
        rule = entry.rule(slot)(variable(mark(-1)), variable("z"), *(variable(mark(k)) for k in range(count)))
    except Exception:  # a user-defined rule may do anything with its operands; then it has no formula
        return None
    return _set(rule)


def _set(part: Any) -> str | None:
    """A formula of outer, matvec, vecmat, matmul, transposes and variables as people write it."""
    if not isinstance(part, Expression):
        return None
    if part.head == "variable":
        return str(part)
    if part.head == "attribute" and part.parts[1] == "T":
        inner = _set(part.parts[0])
        return None if inner is None or " " in inner else f"{inner}ᵀ"
    if part.head == "call" and part.parts[0].name in _SETS and len(part.parts) == 3 and not part.params:
        left, right = map(_set, part.parts[1:])
        return None if left is None or right is None else _SETS[part.parts[0].name].format(left, right)
    if part.head == "*":
        left, right = map(_set, part.parts)
        return None if left is None or right is None else f"{left} · {right}"
    return None
