"""Hints for installing the optional dependencies: the extras of ``setup.cfg``, from the folder of this project.

The package index has a different project with this name, so no hint may refer to the package there.
"""

from __future__ import annotations

__all__ = ["install"]


def install(extra: str) -> str:
    """Return the command that installs the extra of that name, for the end of a sentence.

    >>> install("demos")
    'pip install -e ".[demos]" in the folder of this project'
    """
    return f'pip install -e ".[{extra}]" in the folder of this project'
