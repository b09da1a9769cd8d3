"""Property tests for any gradient: checks, relations, random programs, strategies, a pytest plugin.

Each name is loaded from its module on first use, so only the strategies need hypothesis, and an oracle needs its
library only when it is used.

>>> from autodiff.testing import Program
>>> Program.parse("Value 2.0; square 0").steps
(('square', (0,)),)
"""

# ruff: noqa: F403 - every name is listed once, in _MODULES; type checkers see the modules

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from autodiff.testing.check.gradients import *
    from autodiff.testing.check.picture import *
    from autodiff.testing.check.report import *
    from autodiff.testing.check.verdicts import *
    from autodiff.testing.hooks.entry import *
    from autodiff.testing.hooks.strategies import *
    from autodiff.testing.random_programs.judging import *
    from autodiff.testing.random_programs.operations import *
    from autodiff.testing.random_programs.program import *
    from autodiff.testing.random_programs.sampling import *
    from autodiff.testing.random_programs.search import *
    from autodiff.testing.random_programs.shrinking import *
    from autodiff.testing.relations.metamorphic import *

_MODULES: Final = {
    "check.gradients": ("check_gradients",),
    "hooks.entry": ("register",),
    "random_programs.judging": ("Judge", "OtherKindError", "Undecided", "dual_fault"),
    "random_programs.sampling": ("random_program",),
    "random_programs.search": ("Counterexample", "Search", "search"),
    "random_programs.shrinking": ("shortest",),
    "relations.metamorphic": ("RELATIONS", "RelationError", "broken_relation", "check_relations", "relation_fault"),
    "random_programs.operations": ("Kind", "Operation", "Vocabulary", "vocabulary"),
    "check.picture": ("drawing",),
    "random_programs.program": ("Program", "resolve"),
    "check.report": ("Blame", "GradientError", "Report"),
    "hooks.strategies": (
        "arrays", "broadcastable_shapes", "coordinates", "numbers", "parameter_names", "points", "programs",
        "programs_of_either_kind", "register_profiles", "shapes", "tensors", "values",
    ),
    "check.verdicts": ("Verdict",),
}  # fmt: skip

__all__ = sorted(name for names in _MODULES.values() for name in names)


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"autodiff.testing.{module}"), name)
    raise AttributeError(f"autodiff.testing has no name {name!r}; its names are {', '.join(__all__)}")
