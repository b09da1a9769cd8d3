"""Values that a test assumes to be present."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["present"]

_T = TypeVar("_T")


def present(found: _T | None) -> _T:
    """The item itself; the test fails if it is None."""
    assert found is not None
    return found
