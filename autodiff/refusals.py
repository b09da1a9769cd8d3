"""NumPy's functions that nodes refuse, each with the reason and what to write instead."""

from __future__ import annotations

from typing import Final

__all__ = ["REFUSED"]

#: Why a function is refused where an argument is a node, by its name in NumPy.
REFUSED: Final[dict[str, str]] = {
    "copyto": "It writes into its argument, and a node is never written to; use where(condition, x, y).",
    "put": "It writes into its argument, and a node is never written to; use where(condition, x, y).",
    "linalg.eig": "Its results are complex in general, and nodes are real; use .data for a plain array outside the "
    "graph.",
}
