"""The shares of an error signal of arrays in a product, read from its rule: Wᵀ δ, δ xᵀ (notes, section 1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from autodiff.engine.graph import Node
from autodiff.engine.plain import plain
from autodiff.primitives.expression import Expression, variable
from autodiff.primitives.primitive import Primitive
from autodiff.primitives.registry import remembered

__all__ = ["product"]

_SETS: Final = {"outer": "{} {}ᵀ", "matvec": "{} {}", "vecmat": "{}ᵀ {}", "matmul": "{} {}"}


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
    if form == _mark(-1) and np.ndim(plain(node.inputs[slot])) < np.ndim(node._data):
        form = f"Σ {form}"
    return form and form.translate({ord(_mark(k)): text for k, text in enumerate([error, *operands], start=-1)})


def _mark(k: int) -> str:
    """The private-use character for operand ``k``, or for the signal if k = −1; no name contains it by accident."""
    return chr(0xF0001 + k)


@remembered(1024)
def _form(entry: Primitive, slot: int, count: int) -> str | None:
    """The rule of a product as text with marks; None if it is not a product of δ and operands."""
    try:
        rule = entry.rule(slot)(variable(_mark(-1)), variable("z"), *(variable(_mark(k)) for k in range(count)))
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
