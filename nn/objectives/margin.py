"""The objective that training minimises (the notes, section 1.4)."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.primitives.namespace import as_float, is_plain_number
from autodiff.primitives.operands import describe
from nn.parameters.naming import name_results

__all__ = ["max_margin"]


def max_margin(score: Any, corrupt: Any, *, margin: float = 1.0) -> Any:
    """The max-margin objective J = Σ max(0, Δ + s_c − s), summed over pairs of a true and a corrupt window.

    Args:
        score: s of the true windows: one number or an array, of Values, Tensors or plain numbers.
        corrupt: s_c of the corrupt windows, of the same shape.
        margin: Δ > 0, in the unit of the scores.

    Returns:
        a node named J that holds one number, at least 0; for one pair of scores, the hinge node itself. Where a pair
        violates the margin, ∂J/∂s = −1 and ∂J/∂s_c = 1; where Δ + s_c − s ≤ 0, the kink included, both are 0.

    Raises:
        ValueError: if the shapes differ, or the margin is not positive and finite.
        TypeError: if the margin is not a number.

    Source: notes, section 1.4.

    >>> from autodiff import Value
    >>> s, s_c = Value(0.25), Value(0.5)
    >>> J = max_margin(s, s_c)
    >>> J.backward()
    >>> J.data, s.grad, s_c.grad
    (1.25, -1.0, 1.0)
    """
    if not is_plain_number(margin):
        raise TypeError(f"the margin must be a positive number, and got {describe(margin)}")
    if not 0 < margin < inf:
        raise ValueError(f"the margin must be a positive finite number, such as 1, and got {margin}")
    score, corrupt = (np.asarray(item) if isinstance(item, list | tuple) else item for item in (score, corrupt))
    shapes = getattr(score, "shape", ()), getattr(corrupt, "shape", ())
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"each true window needs one corrupt window, and got scores of shape {shapes[0]} "
            f"and corrupt scores of shape {shapes[1]}"
        )
    losses = ad.hinge(score, corrupt, margin=as_float(margin))
    return name_results(ad.sum(losses) if shapes[0] else losses, "J", None, "")
