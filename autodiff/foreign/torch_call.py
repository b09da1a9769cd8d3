"""One function of the graph that torch's autograd records: its operands, its params, its results.

The names of saved attributes are those of torch's derivatives.yaml. Private but stable: ``_input_metadata`` has the
shapes of the results, which autograd saves for no view.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["Call", "as_plain"]

_FRAME: Final = re.compile(r'\s*File "(?P<file>[^"]*)", line (?P<line>\d+), in (?P<function>.+)')
_WRAPPED: Final = 1 << 63  # torch shows a negative axis as an unsigned number of 64 bits


def as_plain(item: Any) -> Any:
    """A tensor as an array, a negative axis that torch shows unsigned as itself, anything else unchanged."""
    if hasattr(item, "detach"):
        return item.detach().cpu().resolve_conj().resolve_neg().numpy()
    if isinstance(item, tuple):
        return tuple(map(as_plain, item))
    if isinstance(item, int) and not isinstance(item, bool) and item >= _WRAPPED:
        return item - 2 * _WRAPPED
    return item


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its inputs: nodes or arrays, None where the operand is a constant."""

    function: Any
    inputs: tuple[Any, ...]
    constant: Any = None  # an addend, which autograd does not save

    @property
    def name(self) -> str:
        """The name of the function, such as AddBackward0."""
        return str(self.function.name())

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the first result."""
        return tuple(self.function._input_metadata[0].shape)  # noqa: SLF001

    @property
    def count(self) -> int:
        """The number of results."""
        return len(self.function._input_metadata)  # noqa: SLF001

    def has(self, key: str) -> bool:
        """Whether torch saved an attribute of that name."""
        return hasattr(type(self.function), f"_saved_{key}")

    def saved(self, key: str) -> Any:
        """A param or a constant that torch saved.

        Raises:
            ValueError: if torch has freed the saved tensors, or one of them was changed in place.
        """
        try:
            return as_plain(getattr(self.function, f"_saved_{key}"))
        except RuntimeError as error:
            raise self.refusal(error) from error

    def refusal(self, error: RuntimeError) -> ValueError:
        """The error for a saved tensor that torch does not give."""
        why = (
            "a tensor that it uses was changed in place afterwards; compute the loss again"
            if "inplace" in str(error)
            else "backward() has freed the tensors; trace the loss first, or call backward(retain_graph=True)"
        )
        return ValueError(f"cannot trace {self.name} of the torch graph: {why}{self.line}")

    @property
    def line(self) -> str:
        """The line of the user's program that ran the operation or, where torch has not kept it, what makes it."""
        library = str(Path(sys.modules["torch"].__file__ or "").parent)
        for frame in reversed(self.function.metadata.get("traceback_", ())):
            found = _FRAME.match(frame)
            if found is not None and not found["file"].startswith(library):
                return f" ({Path(found['file']).name}, line {found['line']}, in {found['function']})"
        return "; under torch.autograd.set_detect_anomaly(True), this error names its line"

    def operand(self, k: int, key: str) -> Any:
        """The k-th operand: an input, or the constant that torch saved under that key."""
        return self.inputs[k] if self.inputs[k] is not None else np.asarray(self.saved(key))

    def axes(self, key: str = "dim") -> tuple[int, ...] | None:
        """The axes of a reduction; None for all."""
        found = self.saved(key) if self.has(key) else None
        if found is None or found == ():
            return None
        return found if isinstance(found, tuple) else (found,)

    @property
    def reduction(self) -> dict[str, Any]:
        """The params of a reduction."""
        return {"axis": self.axes(), "keepdims": bool(self.saved("keepdim")) if self.has("keepdim") else False}
