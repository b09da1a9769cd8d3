"""What a test takes for granted."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["present"]

_T = TypeVar("_T")


def present(found: _T | None) -> _T:
    """What was found; the test fails where nothing was."""
    assert found is not None
    return found
