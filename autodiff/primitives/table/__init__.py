"""All operations, each defined once, by topic; importing this package fills the table."""

from autodiff.primitives.registry import BUILT_IN, TABLE
from autodiff.primitives.table import (
    choices,
    elementwise,
    factorizations,
    layout,
    linear,
    reductions,
    rounding,
    scientific,
    units,
)

__all__ = ["choices", "elementwise", "factorizations", "layout", "linear", "reductions", "rounding", "scientific", "units"]

BUILT_IN.update(TABLE)
