"""NumPy's functions that are made of primitives, by topic: they cost the table nothing.

What a call of NumPy's function means is written here once, in primitives and other compositions, so that derivatives of
any order follow. A function that needs a rule of its own is in `autodiff.primitives.table`; a few names stand here only
because NumPy calls them with other arguments than the primitive has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final

import numpy as np

from autodiff.values.compositions.along_axis import ALONG_AXIS
from autodiff.values.compositions.elements import ELEMENTS
from autodiff.values.compositions.linalg import LINALG
from autodiff.values.compositions.moves import MOVES
from autodiff.values.compositions.norms import NORMS
from autodiff.values.compositions.products import PRODUCTS
from autodiff.values.compositions.statistics import REDUCTIONS, STATISTICS

__all__ = ["COMPOSITIONS", "REDUCTIONS", "numpy_function", "numpy_functions"]


def numpy_function(name: str) -> Any:
    """NumPy's function of a name such as ``linalg.norm``; None if the NumPy in use has none."""
    try:
        return attrgetter(name)(np)
    except AttributeError:
        return None


def numpy_functions(named: Mapping[str, Any]) -> dict[Any, Any]:
    """What is listed by names such as ``linalg.norm``, with NumPy's functions as keys.

    A name that the NumPy in use does not have is left out: ``matvec`` came with 2.2.
    """
    found = {numpy_function(name): item for name, item in named.items()}
    found.pop(None, None)
    return found


#: What each function means where an argument is a node, by its name in NumPy.
COMPOSITIONS: Final[dict[str, Callable[..., Any]]] = {
    **ELEMENTS, **MOVES, **STATISTICS, **ALONG_AXIS, **PRODUCTS, **LINALG, **NORMS,
}  # fmt: skip
