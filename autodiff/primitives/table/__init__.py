"""All operations, each defined once, by topic; importing this package fills the table."""

from autodiff.primitives.registry import BUILT_IN, TABLE
from autodiff.primitives.table import (
    choices,
    elementwise,
    entropies,
    factorizations,
    layout,
    linear,
    recurrences,
    reductions,
    rounding,
    scientific,
    units,
)

__all__ = [
    "choices", "elementwise", "entropies", "factorizations", "layout", "linear", "recurrences", "reductions", "rounding",
    "scientific", "units",
]  # fmt: skip

BUILT_IN.update(TABLE)
