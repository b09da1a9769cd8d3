"""What is refused of inputs and outputs, each in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np

from autodiff.primitives.operands import describe

__all__ = ["Arrays", "check_steady", "refuse_output", "told"]

Arrays = list[np.ndarray[Any, Any]]


def check_steady(outputs: Sequence[Any], like: Arrays) -> None:
    """Raise ValueError unless f returned as many outputs as before, of the same shapes."""
    found, before = ([tuple(getattr(z, "shape", ())) for z in each] for each in (outputs, like))
    if found != before:
        raise ValueError(
            f"a derivative needs results of the same shapes at every point, and f returned {found} where it had "
            f"returned {before}"
        )


def refuse_output(output: Any, why: str = "") -> NoReturn:
    """Raise TypeError for an output of f that has no gradient."""
    raise TypeError(
        f"a gradient needs outputs that are real numbers of the engine of the inputs, and f returned "
        f"{told(output)}{why}"
    )


def told(item: Any) -> str:
    """What an item is, in one line."""
    return " ".join(describe(item).split())
