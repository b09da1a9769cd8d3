"""Every operation, once, by topic; importing this package fills the table."""

from autodiff.ops import elementwise, layout, linear, reductions, units

__all__ = ["elementwise", "layout", "linear", "reductions", "units"]
