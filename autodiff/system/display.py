"""Rich displays in notebooks: objects of any room ask here, and the room that draws them answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

__all__ = ["RICH", "bundle"]

#: Functions that write an object in formats by their MIME type; the package adds its own when it is imported.
RICH: Final[list[Callable[[Any], dict[str, str]]]] = []


def bundle(item: Any) -> dict[str, str]:
    """The text of ``repr`` and, where they can be written, richer formats; never raises for them.

    >>> bundle(2.0)["text/plain"]
    '2.0'
    """
    plain = {"text/plain": repr(item)}
    for rich in RICH:
        try:
            return {**rich(item), **plain}
        except Exception:  # a display that fails must not hide the result of a cell
            continue
    return plain
