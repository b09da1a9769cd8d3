"""One path as a product: the seed, then the local gradients that it crosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from autodiff.flow.labels import bracketed
from autodiff.flow.parts import FlowEdge, FlowNode
from autodiff.words.notation import number

__all__ = ["Factor", "Path", "is_flat", "is_saturated", "products"]

_MOST_FACTORS: Final = 40  # in one printed product
_SATURATING: Final = {"sigmoid": 0.25, "tanh": 1.0, "soft_sign": 1.0}  # the largest f′
_SATURATED: Final = 0.1  # of the largest f′


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """One factor of a path's product: its symbol, its number (None for arrays) and its edge (None for the seed)."""

    symbol: str
    number: float | None
    edge: FlowEdge | None


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One path from the output to the parameter: the seed, then the local gradients that it crosses.

    ``product`` is the product of these factors, the share of the error that arrives along this path. ``percentage``
    is |product| relative to its sum over all paths. Both are None where edges carry arrays.
    """

    factors: tuple[Factor, ...]
    product: float | None
    percentage: float | None

    @property
    def edges(self) -> tuple[FlowEdge, ...]:
        """The edges, starting at the output."""
        return tuple(factor.edge for factor in self.factors if factor.edge is not None)

    @property
    def products(self) -> tuple[float, ...]:
        """The partial products after each factor, ending with ``product``; () where edges carry arrays."""
        return products(self.factors)

    @property
    def weakest(self) -> Factor | None:
        """The local gradient that shrinks the signal most; None if none does."""
        sized = [factor for factor in self.factors if factor.edge is not None and factor.number is not None]
        smallest = min(sized, key=lambda factor: abs(factor.number or 0.0), default=None)
        return smallest if smallest is not None and abs(smallest.number or 0.0) < 1 else None

    def symbols(self, *, most: int = _MOST_FACTORS) -> str:
        """The product in symbols, 1 · W₁₁⁽²⁾ · σ′(z₁⁽²⁾) · a₄⁽¹⁾; beyond ``most`` factors, only the outer ones."""
        return " · ".join(_shortened([bracketed(factor.symbol) for factor in self.factors], most))

    def numbers(self, *, most: int = _MOST_FACTORS) -> str:
        """The same product in numbers, 1 × 0.9 × 0.1793 × 0.8; "" where edges carry arrays."""
        if self.product is None:
            return ""
        return " × ".join(_shortened([bracketed(number(factor.number)) for factor in self.factors], most))

    def formula(self) -> str:
        """Symbols = numbers = product."""
        return f"{self.symbols()} = {self.numbers()} = {number(self.product)}" if self.numbers() else self.symbols()


def products(factors: Sequence[Factor]) -> tuple[float, ...]:
    """The partial products from left to right, as in the backward pass: 0 after a closed edge; () for arrays."""
    found, left, closed = [], 1.0, False
    for factor in factors:
        if factor.number is None:
            return ()
        left *= factor.number
        closed = closed or (factor.edge is not None and factor.edge.closed)
        if closed and left != left:
            left = 0.0
        found.append(left)
    return tuple(found)


def is_saturated(edge: FlowEdge | None, nodes: Sequence[FlowNode]) -> bool:
    """Whether the edge leads into a sigmoid, tanh or softsign with |f′| below a tenth of its maximum."""
    if edge is None or edge.local is None:
        return False
    return bool(is_flat(nodes[edge.consumer].operation or "", edge.local))


def is_flat(operation: str, slope: Any) -> Any:
    """Whether |f′| is below a tenth of its maximum, for a sigmoid, tanh or softsign; elementwise; False for others."""
    return abs(slope) < _SATURATED * _SATURATING.get(operation, 0.0)


def _shortened(factors: list[str], most: int) -> list[str]:
    if len(factors) <= most:
        return factors
    half = most // 2
    return [*factors[:half], f"… ({len(factors) - 2 * half} more) …", *factors[-half:]]
