"""Where Python looks for modules: nothing in the reader's folder is in the way of this project's own.

``python -m`` puts the folder it is run in before everything else, so that a ``nn.py``, ``numpy.py`` or ``random.py``
there would be taken for the module of that name. Once loaded as part of that command, this file leaves the folder out.
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
    """In its body an import finds what stands beside this package before anything else of that name."""
    sys.path.insert(0, _OWN)
    try:
        yield
    finally:
        sys.path.remove(_OWN)


def _is_run_as_a_module() -> bool:
    """Whether Python is looking for the program of ``python -m autodiff …``; the folder is then first on the path."""
    if sys.argv[:1] != ["-m"] or sys.flags.safe_path:
        return False
    module = sys.orig_argv[-len(sys.argv)]  # what stands before the program's own arguments
    return module == "autodiff" or (module.startswith("-") and module.endswith("mautodiff"))


with suppress(OSError):  # of a folder that was deleted; then it is not on the path
    if _is_run_as_a_module() and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]
