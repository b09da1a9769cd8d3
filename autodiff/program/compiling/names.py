"""Names of computed segments, as in the notes: z1, a1 = f(z1), z2, …

Example: the segments of a net with one hidden layer of tanh units are z1, a1 and z2; those of a softmax are called by
their primitives, exp1 and divide1, and plain sums and products v1, v2, …
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from autodiff.primitives.primitive import Primitive
from autodiff.program.compiling.form import Product, Segment

__all__ = ["Names", "stem"]


class Names:
    """Gives each segment its name, in the order of the statements."""

    def __init__(self) -> None:
        self.given: Counter[str] = Counter()
        #: What the next segment is called in any case.
        self.fixed = ""

    def of_sum(self, products: Sequence[Product]) -> str:
        """The next z for a layer, whose sums of products have parameters; else the next v."""
        layer = any(p.left.shape[-1] > 1 and _reads_parameters(p.right) for p in products)
        layer &= not any(_reads_parameters(p.left) for p in products)
        return self._next("z" if layer else "v")

    def of_unit(self, entry: Primitive, operands: Iterable[Any]) -> str:
        """The a of a z if it is the only operand, else the next name of the primitive."""
        names = [item.segment.name for item in operands if item.segment is not None]
        if not self.fixed and len(names) == 1 and names[0][:1] == "z" and f"a{names[0][1:]}" not in self.given:
            self.given[f"a{names[0][1:]}"] += 1
            return f"a{names[0][1:]}"
        return self._next(entry.name)

    def _next(self, letter: str) -> str:
        if self.fixed:
            return self.fixed
        self.given[letter] += 1
        return f"{letter}{self.given[letter]}"


def _reads_parameters(operand: Any) -> bool:
    segment: Segment | None = getattr(operand, "segment", None)
    return segment is not None and segment.kind == "parameters"


def stem(leaves: Iterable[Any]) -> str | None:
    """The letters with which the names of all leaves begin; None if they differ, or a leaf has no name."""
    stems = {(leaf.name or "").rstrip("0123456789[], _()") for leaf in leaves}
    return stems.pop() or None if len(stems) == 1 else None
