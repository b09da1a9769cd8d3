"""Sums, means, order statistics and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from autodiff.compositions.moves import ravel
from autodiff.ops import reductions

__all__ = ["STATISTICS"]


def _var(x: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    return reductions.var(x, axis, keepdims, ddof=ddof)


def _std(x: Any, axis: Any = None, *, ddof: int = 0, keepdims: bool = False) -> Any:
    return reductions.std(x, axis, keepdims, ddof=ddof)


def _ptp(x: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return reductions.max(x, axis=axis, keepdims=keepdims) - reductions.min(x, axis=axis, keepdims=keepdims)


def _cumsum(x: Any, axis: int | None = None) -> Any:
    return reductions.cumsum(ravel(x), axis=0) if axis is None else reductions.cumsum(x, axis=axis)


#: What each function means where an argument is a node, by its name in NumPy.
STATISTICS: Final[dict[str, Callable[..., Any]]] = {
    "cumsum": _cumsum, "ptp": _ptp, "std": _std, "var": _var,
}  # fmt: skip
