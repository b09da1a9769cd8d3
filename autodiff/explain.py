"""`explain`: a full explanation of one gradient in words.

The module can be called: ``autodiff.explain(…)`` is `explain`, whether or not the module was imported before.
"""

import sys
from types import ModuleType

from autodiff.telling.explain import explain

__all__ = ["explain"]


class _CallableModule(ModuleType):
    """An import of a submodule puts the module under its name into the package, where users expect the function."""

    __call__ = staticmethod(explain)


sys.modules[__name__].__class__ = _CallableModule
