"""Products of vectors and matrices, powers and polynomials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.compositions.moves import ravel
from autodiff.ops import linear

__all__ = ["PRODUCTS"]


def _inner(x: Any, y: Any) -> Any:
    """Over the last axis of both, where dot takes the last but one of ``y``."""
    return linear.dot(x, y) if np.ndim(y) < 2 or not np.ndim(x) else linear.tensordot(x, y, axes=((-1,), (-1,)))


def _vdot(x: Any, y: Any) -> Any:
    return linear.dot(ravel(x), ravel(y))


#: What each function means where an argument is a node, by its name in NumPy.
PRODUCTS: Final[dict[str, Callable[..., Any]]] = {
    "dot": linear.dot, "einsum": linear.einsum, "inner": _inner, "matmul": linear.matmul, "outer": linear.outer,
    "tensordot": linear.tensordot, "vdot": _vdot,
}  # fmt: skip
