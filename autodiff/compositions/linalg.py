"""NumPy's linear algebra: `numpy.linalg`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from autodiff.ops import reductions

__all__ = ["LINALG"]


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    if ord not in (None, 2, "fro") or (ord == 2 and axis is None and np.ndim(x) != 1):
        raise TypeError(f"np.linalg.norm has a rule for the Euclidean norm only, and got ord={ord!r}")
    return reductions.norm(x, axis=axis, keepdims=keepdims)


#: What each function means where an argument is a node, by its name in NumPy.
LINALG: Final[dict[str, Callable[..., Any]]] = {"linalg.norm": _norm}
