"""Python's module search path: nothing in the user's folder shadows the modules of this project.

``python -m`` puts the current folder first on the path, so that a ``nn.py``, ``numpy.py`` or ``random.py`` there would
shadow the module of that name. When loaded by that command, this module removes the folder from the path.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

__all__ = ["own_modules_first"]

#: The folder that holds this package, and ``nn`` beside it.
_OWN: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


@contextmanager
def own_modules_first() -> Iterator[None]:
    """Within the block, imports find the modules next to this package before any others of the same name."""
    sys.path.insert(0, _OWN)
    try:
        yield
    finally:
        sys.path.remove(_OWN)


def _is_run_as_a_module() -> bool:
    """Whether Python is loading ``python -m autodiff …``; then the current folder is first on the path."""
    if sys.argv[:1] != ["-m"] or sys.flags.safe_path:
        return False
    module = sys.orig_argv[-len(sys.argv)]  # the argument before the program's arguments
    return module == "autodiff" or (module.startswith("-") and module.endswith("mautodiff"))


with suppress(OSError):  # the current folder was deleted, and is then not on the path
    if _is_run_as_a_module() and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
