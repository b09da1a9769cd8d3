"""Every operation, once, by topic; importing this package fills the table."""

from autodiff.ops import choices, elementwise, factorizations, layout, linear, reductions, rounding, scientific, units
from autodiff.primitive import BUILT_IN, TABLE

__all__ = ["choices", "elementwise", "factorizations", "layout", "linear", "reductions", "rounding", "scientific", "units"]

BUILT_IN.update(TABLE)
