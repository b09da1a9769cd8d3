"""How an error signal of arrays goes through an operation, read from its rule: Wᵀ δ, δ xᵀ, ∘ σ′(z)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from autodiff.graph import Node
from autodiff.labels import read_edge
from autodiff.primitive import Primitive
from autodiff.symbol import Symbol, variable

__all__ = ["array_factor"]

_SIGNAL: Final = "δ"
_SETS: Final = {"outer": "{} {}ᵀ", "matvec": "{} {}", "vecmat": "{}ᵀ {}", "matmul": "{} {}"}


def array_factor(node: Node, slot: int, names: Mapping[Node, str]) -> str:
    """What becomes of the error signal δ of an array operation on its way to the input in ``slot``.

    >>> import numpy as np
    >>> from autodiff import Tensor
    >>> W, x = Tensor(np.ones((2, 3)), name="W"), Tensor(np.ones(3), name="x")
    >>> [array_factor(W @ x, slot, {W: "W", x: "x"}) for slot in (0, 1)]
    ['δ xᵀ', 'Wᵀ δ']
    """
    entry = node.origin.primitive
    form = None if entry is None or entry.elementwise or entry.packed else _product(entry, slot, len(node.inputs))
    if form is not None:
        return form.translate({ord(_mark(k)): _called(item, names) for k, item in enumerate(node.inputs)})
    symbol = read_edge(node, slot, None, names).symbol
    if entry is not None and entry.elementwise:
        return f"× {symbol}" if symbol.lstrip("−").replace(".", "", 1).isdigit() else f"∘ {symbol}"
    return symbol


def _called(item: Any, names: Mapping[Node, str]) -> str:
    return names[item] if isinstance(item, Node) else "c"


def _mark(k: int) -> str:
    """The private character that stands for operand ``k``; no name holds it by accident."""
    return chr(0xF0001 + k)


@lru_cache(maxsize=1024)
def _product(entry: Primitive, slot: int, count: int) -> str | None:
    """The rule of a product as a text of marks; None if it is no product of δ and operands."""
    try:
        rule = entry.rule(slot)(variable(_SIGNAL), variable("z"), *(variable(_mark(k)) for k in range(count)))
    except Exception:  # a user's rule may do anything with its operands; then it has no formula
        return None
    return _set(rule)


def _set(part: Any) -> str | None:
    """A formula of outer, matvec, vecmat, matmul, transposes and variables as a person writes it."""
    if not isinstance(part, Symbol):
        return None
    if part.head == "variable":
        return str(part)
    if part.head == "attribute" and part.parts[1] == "T":
        inner = _set(part.parts[0])
        return None if inner is None or " " in inner else f"{inner}ᵀ"
    if part.head == "call" and part.parts[0] in _SETS and len(part.parts) == 3 and not part.params:
        left, right = map(_set, part.parts[1:])
        return None if left is None or right is None else _SETS[part.parts[0]].format(left, right)
    if part.head == "*":
        left, right = map(_set, part.parts)
        return None if left is None or right is None else f"{left} · {right}"
    return None
