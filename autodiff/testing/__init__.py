"""Tests of any gradient by property: checks, relations, random programs, strategies, a pytest plugin.

Names are loaded from their modules when they are first asked for, so that only `programs` needs hypothesis, and only
the oracles that are used need their libraries.

>>> from autodiff.testing import Program
>>> Program.parse("Value 2.0; square 0").steps
(('square', (0,)),)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from autodiff.testing.check import check_gradients
    from autodiff.testing.loop import dual_fault, random_program, search, shortest
    from autodiff.testing.metamorphic import RelationError, check_relations
    from autodiff.testing.operations import Operation, vocabulary
    from autodiff.testing.picture import drawing
    from autodiff.testing.program import Program, resolve
    from autodiff.testing.report import GradientError, Report
    from autodiff.testing.strategies import arrays, numbers, parameter_names, points, programs, shapes, tensors, values
    from autodiff.testing.verdicts import Verdict

__all__ = [
    "GradientError", "Operation", "Program", "RelationError", "Report", "Verdict", "arrays", "check_gradients",
    "check_relations", "drawing", "dual_fault", "numbers", "parameter_names", "points", "programs", "random_program",
    "resolve", "search", "shapes", "shortest", "tensors", "values", "vocabulary",
]  # fmt: skip

_MODULES: Final = {
    "check": ("check_gradients",),
    "loop": ("dual_fault", "random_program", "search", "shortest"),
    "metamorphic": ("RelationError", "check_relations"),
    "operations": ("Operation", "vocabulary"),
    "picture": ("drawing",),
    "program": ("Program", "resolve"),
    "report": ("GradientError", "Report"),
    "strategies": ("arrays", "numbers", "parameter_names", "points", "programs", "shapes", "tensors", "values"),
    "verdicts": ("Verdict",),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"autodiff.testing.{module}"), name)
    raise AttributeError(f"autodiff.testing has no {name!r}; it has {', '.join(__all__)}")
