"""The matrices and vectors in the array of all parameters, found from the windows through which kernels see it.

Example: a layer's weights are read as elements 0–31 in 16 rows and its biases as elements 32–47; so the blocks are
``W1 = p[0:32].reshape(16, 2)`` and ``b1 = p[32:48]``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from autodiff.program.prose.windows import axes_of, span_of
from autodiff.program.writing.memory import Buffer, Window
from autodiff.program.writing.written import Written

__all__ = ["Block", "blocks_of"]

_MOST: Final = 40


@dataclass(frozen=True)
class Block:
    """Elements ``start`` to ``stop``, in ``shape``."""

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]


def blocks_of(written: Written, buffer: Buffer, signal: Buffer | None) -> list[Block]:
    """The blocks of a buffer of parameters; none if the ranges that kernels see overlap, or are many."""
    ranges: dict[tuple[int, int], Window] = {}
    multiplied = set()
    for kind, _, operands, out in (each for each in written.items if len(each) == 4):
        for item in (*operands, out):
            if not isinstance(item, Window) or item.buffer not in (buffer, signal) or (span := span_of(item)) is None:
                continue
            known = ranges.get(span)
            if known is None or len(axes_of(known)) < len(axes_of(item)):
                ranges[span] = item
            if kind in ("product", "rows") and item.buffer is buffer:
                multiplied.add(span)
    ranges.pop((0, buffer.size), None)
    outer = [
        (a, b) for a, b in sorted(ranges)
        if not any(c <= a and b <= d and (a, b) != (c, d) for c, d in ranges)
    ]  # fmt: skip
    if not outer or len(outer) > _MOST or any(b > c for (_, b), (c, _) in pairwise(outer)):
        return []
    counts: Counter[str] = Counter()
    blocks = []
    for span in outer:
        stem = "W" if span in multiplied else "b"
        counts[stem] += 1
        name = written.memory.unique(f"{stem}{counts[stem]}")
        blocks.append(Block(name, *span, tuple(dim for _, dim, _ in axes_of(ranges[span]))))
    return blocks
