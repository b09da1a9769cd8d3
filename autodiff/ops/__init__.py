"""Every operation, once, by topic; importing this package fills the table."""

from autodiff.ops import elementwise, layout, linear, reductions, units
from autodiff.primitive import BUILT_IN, TABLE

__all__ = ["elementwise", "layout", "linear", "reductions", "units"]

BUILT_IN.update(TABLE)
