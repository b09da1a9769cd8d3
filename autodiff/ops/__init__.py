"""Every operation, once, by topic; importing this package fills the table."""

from autodiff.ops import choices, elementwise, layout, linear, reductions, units

__all__ = ["choices", "elementwise", "layout", "linear", "reductions", "units"]
