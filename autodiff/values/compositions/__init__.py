"""NumPy functions composed of primitives, by topic; they add nothing to the table.

The meaning of each NumPy function is written here once, in terms of primitives and other compositions, so that
derivatives of any order follow. A function that needs its own rule is in `autodiff.primitives.table`; a few names are
here only because NumPy's arguments differ from those of the primitive.
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
    """NumPy's function with a name such as ``linalg.norm``; None if the installed NumPy has none."""
    try:
        return attrgetter(name)(np)
    except AttributeError:
        return None


def numpy_functions(named: Mapping[str, Any]) -> dict[Any, Any]:
    """The items of ``named``, keyed by NumPy's functions instead of names such as ``linalg.norm``.

    A name that the installed NumPy lacks is omitted: ``matvec`` was added in 2.2.
    """
    found = {numpy_function(name): item for name, item in named.items()}
    found.pop(None, None)
    return found


#: The implementation of each NumPy function on nodes, by its name in NumPy.
COMPOSITIONS: Final[dict[str, Callable[..., Any]]] = {
    **ELEMENTS, **MOVES, **STATISTICS, **ALONG_AXIS, **PRODUCTS, **LINALG, **NORMS,
}  # fmt: skip
