"""Errors for outputs that have no gradient, and descriptions of inputs and outputs for error messages."""

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
            f"f must return results of the same shapes at every point, and returned {found} after {before}"
        )


def refuse_output(output: Any, why: str = "") -> NoReturn:
    """Raise TypeError for an output of f that has no gradient."""
    raise TypeError(
        f"f must return real numbers or arrays of the engine of its inputs, and returned {told(output)}{why}"
    )


def told(item: Any) -> str:
    """A description of an item in one line."""
    return " ".join(describe(item).split())
