"""Max-margin objectives: of pairs (the notes, section 1.4), and of one class against all others."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import autodiff as ad
from nn.objectives.terms import checked_labels, one_of_each, outputs_of, over_batch
from nn.parameters.naming import name_results
from nn.parameters.ranges import Hyper, number_in

__all__ = ["max_margin", "multiclass_margin"]

_MARGIN: Final = Hyper("margin", "Δ", 1.0, open_low=True)


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
    margin = number_in(margin, _MARGIN)
    score, corrupt = (np.asarray(item) if isinstance(item, list | tuple) else item for item in (score, corrupt))
    shapes = getattr(score, "shape", ()), getattr(corrupt, "shape", ())
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"each true window needs one corrupt window, and got scores of shape {shapes[0]} "
            f"and corrupt scores of shape {shapes[1]}"
        )
    losses = ad.hinge(score, corrupt, margin=margin)
    return name_results(ad.sum(losses) if shapes[0] else losses, "J", None, "")


def multiclass_margin(scores: Any, labels: Any, *, margin: float = 1.0, reduction: str = "sum") -> Any:
    """The max-margin objective of one class against all others, J = Σ_{j ≠ y} max(0, Δ + s_j − s_y).

    Args:
        scores: s, shape (classes,) or (batch, classes), at least two classes: Values, Tensors or plain numbers.
        labels: y, integers from 0, shape () or (batch,).
        margin: Δ > 0, in the unit of the scores, which is also that of J: neither nats nor bits.
        reduction: "sum" over the batch, as in `max_margin`, or "mean"; other classes are always summed.

    Returns:
        a node named J that holds one number, at least 0; a plain number for plain scores. Each class that violates the
        margin has ∂J/∂s_j = 1 and adds −1 to ∂J/∂s_y; at the kink, both are 0.

    Raises:
        ValueError: if shapes do not fit, there are fewer than two classes, a label names no class, or the margin is not
            positive and finite.
        TypeError: if labels are not integers, or the margin is not a number.

    Source: Weston and Watkins 1999; with two classes, the notes, section 1.4.

    >>> from autodiff import Tensor
    >>> s = Tensor([3.0, 2.5, 0.0])
    >>> J = multiclass_margin(s, 0)
    >>> J.backward()
    >>> float(J.data), s.grad
    (0.5, array([-1.,  1.,  0.]))
    """
    s, margin = outputs_of("multiclass_margin", scores), number_in(margin, _MARGIN)
    y = checked_labels("multiclass_margin", labels, s.shape)
    if y is None or s.shape[-1] < 2:
        raise ValueError(
            f"multiclass_margin needs scores of shape (…, classes) of at least two classes and one label for each row, "
            f"and got scores {s.shape} and labels {np.shape(labels)}"
        )
    right = one_of_each(s, y)
    count = s.shape[-1] - 1
    others = np.arange(count) + (np.arange(count) >= y[..., None])  # each class but y
    wrong = s[(*(axis[..., None] for axis in np.indices(y.shape)), others)]
    losses = ad.hinge(right[..., None] if y.ndim else right, wrong, margin=margin)
    return over_batch(ad.sum(losses, axis=-1), reduction)
