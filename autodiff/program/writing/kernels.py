"""Kernels: single calls of NumPy on windows, each with its two spellings, for speed and for a reader.

Example: ``Kernels.ufunc("maximum", z1, 0.0, out=a1)`` is the line ``maximum(z1, 0.0, a1)`` of the program that runs and
the line ``a1 = np.maximum(z1, 0.0)`` of the one that is read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autodiff.program.compiling.form import Chosen
from autodiff.program.writing.memory import Memory, Window

__all__ = ["Kernels", "Operand", "Told"]

Operand = Window | float | str


@dataclass(frozen=True, slots=True)
class Told:
    """What a name or a text of the source means: a call ("np", "forward", "rule") or places ("rows", "chosen")."""

    kind: str
    name: str
    operands: tuple[Any, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = ()
    slot: int | None = None


class Kernels:
    """The lines of one direction of a program, forward or backward, and what their names stand for."""

    def __init__(self, memory: Memory, scope: dict[str, Any], *, plain: bool = False) -> None:
        self.memory, self.scope = memory, scope
        #: Whether formulas are those that a reader expects, not the ones that keep every digit.
        self.plain = plain
        self.lines: list[str] = []
        #: The same calls for `autodiff.program.prose`: what is done, the operands, the result.
        self.items: list[tuple[Any, ...]] = []
        #: What texts and names among them mean.
        self.told: dict[str, Told] = {}
        self.kept: list[str] = []

    def text(self, operand: Operand) -> str:
        """The source of an operand."""
        if isinstance(operand, Window):
            return self.memory.named(operand)
        if isinstance(operand, str):
            return operand
        return repr(float(operand)) if math.isfinite(operand) else self.hold("constant", operand)

    def hold(self, name: str, thing: Any) -> str:
        """The name of an object that the source cannot spell."""
        held = self.memory.held
        if id(thing) not in held:
            name = self.memory.unique(name)
            self.scope[name] = thing
            held[id(thing)] = name, thing  # held, so that the id is not used again
        return held[id(thing)][0]

    def _called(self, function: str, *operands: Operand) -> None:
        self.scope.setdefault(function, getattr(np, function))
        self.lines.append(f"{function}({', '.join(map(self.text, operands))})")

    def ufunc(self, function: str, *operands: Operand, out: Window) -> None:
        """``out = function(*operands)``, element by element."""
        self.items.append(("ufunc", function, operands, out))
        if function in ("maximum", "minimum"):  # which take a result by keyword only
            self._called(function, *operands, f"out={self.text(out)}")
        else:
            self._called(function, *operands, out)

    def dot(self, left: Window, right: Window, out: Window) -> None:
        """``out = left @ right`` for matrices and vectors; ``out`` is contiguous."""
        self.items.append(("product", "@", (left, right), out))
        self._called("dot", left, right, out)

    def vecdot(self, left: Window, right: Window, out: Window) -> None:
        """``out = Σ left·right`` along the last axis."""
        self.items.append(("rows", "", (left, right), out))
        self._called("vecdot", left, right, out)

    def matmul(self, left: Window, right: Window, out: Window) -> None:
        """``out = left @ right`` for stacks of matrices."""
        self.items.append(("product", "@", (left, right), out))
        self._called("matmul", left, right, out)

    def total(self, of: Window, axes: tuple[int, ...], out: Window) -> None:
        """``out = Σ of`` along some axes; ``out`` has the others."""
        self.items.append(("total", axes, (of,), out))
        if axes == (0,) and len(of.dims) == 2 and of.contiguous and out.contiguous:  # BLAS: half of add.reduce's time
            self._called("dot", self.memory.ones(of.dims[0], of.buffer.dtype), of, out)
            return
        self.scope.setdefault("add", np.add)
        axis = axes[0] if len(axes) == 1 else axes
        self.lines.append(f"add.reduce({self.text(of)}, {axis!r}, None, {self.text(out)})")

    def copy(self, of: Operand, out: Window) -> None:
        """``out[...] = of``."""
        self.items.append(("copy", "", (of,), out))
        self._called("copyto", out, of)

    def fill(self, window: Window) -> None:
        """``window[...] = 0``."""
        self.items.append(("fill", "", (), window))
        self.lines.append(f"{self.text(window)}.fill(0.0)")

    def gather(self, of: Window, places: Operand, out: Window) -> None:
        """``out = of[places]`` of a flat window."""
        self.items.append(("gather", "", (of, places), out))
        self.lines.append(f"{self.text(of)}.take({self.text(places)}, 0, {self.text(out)}, 'clip')")

    def scatter(self, shares: Operand, places: Operand, out: Window) -> None:
        """``out[places] += shares`` of a flat window, where places may repeat."""
        self.items.append(("scatter", "", (places, shares), out))
        self.scope.setdefault("add", np.add)
        self.lines.append(f"add.at({self.text(out)}, {self.text(places)}, {self.text(shares)})")

    def assign(self, name: str, text: str) -> str:
        """``name = text``, a fresh result that the other direction may read too."""
        name = self.memory.unique(name)
        self.kept.append(name)
        self.items.append(("assign", text, (), name))
        self.lines.append(f"{name} = {text}")
        return name

    def chosen(self, operand: Chosen, *, lead: bool) -> str:
        """The places that the integers of a run choose."""
        self.scope.setdefault("chosen", _chosen)
        held = self.hold("choice", (operand.base, operand.step, operand.which, operand.limit))
        size = operand.segment.size if operand.segment.batched else 0
        name = self.assign("places", f"chosen(integers, *{held}, {size}, {lead})")
        self.told[name] = Told("each" if lead or size else "chosen", held)
        return name


def _chosen(
    integers: Any, base: Any, step: Any, which: Any, limit: Any, size: int, lead: bool
) -> Any:  # fmt: skip
    """The places ``base + step·integers[which]``; in each example, if integers or segment have an axis of them."""
    picked = np.moveaxis(np.asarray(integers)[which], -1, 0) if np.ndim(integers) > 1 else np.asarray(integers)[which]
    if np.any(picked >= limit) or np.any(picked < -limit):
        each, most = np.broadcast_arrays(picked, limit)
        wrong = each[(each >= most) | (each < -most)].flat[0]
        raise IndexError(
            f"an integer input chose place {wrong} of a list of {int(np.max(limit))}; choose one that exists"
        )
    places = base + step * np.where(picked < 0, picked + limit, picked)
    if lead and size:
        count = len(places)
        places = places + (np.arange(count) * size).reshape(count, *(1,) * (places.ndim - 1))
    return places
