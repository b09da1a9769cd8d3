"""What training makes small (the notes, section 1.4)."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import describe
from nn.naming import name_results

__all__ = ["max_margin"]


def max_margin(score: Any, corrupt: Any, *, margin: float = 1.0) -> Any:
    """The max-margin objective J = Σ max(0, Δ + s_c − s), summed over pairs of a true and a corrupt window.

    Args:
        score: s of the true windows: one number or an array, of Values, Tensors or plain numbers.
        corrupt: s_c of the corrupt windows, of the same shape.
        margin: Δ > 0, in the unit of the scores.

    Returns:
        J as one number, at least 0, a node of that name. For one pair of scores it is the hinge node itself. Where a
        pair violates the margin, ∂J/∂s = −1 and ∂J/∂s_c = 1; where Δ + s_c − s ≤ 0 both are 0, also at the kink.

    Raises:
        ValueError: the shapes differ, or the margin is not positive and finite. TypeError: it is not a number.

    Source: notes, section 1.4.

    >>> from autodiff import Value
    >>> s, s_c = Value(0.25), Value(0.5)
    >>> J = max_margin(s, s_c)
    >>> J.backward()
    >>> J.data, s.grad, s_c.grad
    (1.25, -1.0, 1.0)
    """
    if not is_plain_number(margin):
        raise TypeError(f"the margin is a positive number, and got {describe(margin)}")
    if not 0 < margin < inf:
        raise ValueError(f"the margin is a positive number, and got {margin}; 1 sets the scale of the scores")
    score, corrupt = (np.asarray(item) if isinstance(item, list | tuple) else item for item in (score, corrupt))
    shapes = getattr(score, "shape", ()), getattr(corrupt, "shape", ())
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"each true window has one corrupt window, and got scores of shape {shapes[0]} "
            f"and corrupt scores of shape {shapes[1]}"
        )
    losses = ad.hinge(score, corrupt, margin=as_float(margin))
    return name_results(ad.sum(losses) if shapes[0] else losses, "J", None, "")
