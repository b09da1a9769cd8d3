"""What the engine asks of a primitive whose nodes stand for whole programs; no primitive of the table has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

__all__ = ["Whole", "unfolded"]


class Whole:
    """Functions that a primitive of whole programs has in place of a rule; None in all others.

    ``shares_of(node, signal, create_graph=False)`` gives the shares of all inputs at once.
    ``add_all(node, signal)`` adds the gradients to ``.grad`` of the leaves without a pass; False if it must not.
    ``unfold(output)`` gives the graph of ``output`` with the inside of each program in the place of its node.
    """

    shares_of: ClassVar[Callable[..., Sequence[Any]] | None] = None
    add_all: ClassVar[Callable[..., bool] | None] = None
    unfold: ClassVar[Callable[..., Any] | None] = None


def unfolded(output: Any, nodes: Iterable[Any]) -> Any:
    """The graph of ``output``, all of whose ``nodes`` are given, with the inside of programs; leaves stay the same."""
    for node in nodes:
        entry = node.origin.primitive
        if entry is not None and entry.unfold is not None:
            return entry.unfold(output)
    return output
