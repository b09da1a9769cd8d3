"""How to get what a plain installation leaves out: the extras of ``setup.cfg``, from this project's own folder.

The package index knows another project under this name, so no hint may name the package there.
"""

from __future__ import annotations

__all__ = ["install"]


def install(extra: str) -> str:
    """What installs the extra of that name, for the end of a sentence.

    >>> install("demos")
    'pip install -e ".[demos]" in the folder of this project'
    """
    return f'pip install -e ".[{extra}]" in the folder of this project'
