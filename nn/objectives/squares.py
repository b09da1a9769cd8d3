"""The squared error, the objective of regression."""

from __future__ import annotations

from typing import Any

import autodiff as ad
from nn.objectives.terms import outputs_of, over_batch, plain_targets

__all__ = ["squared_error"]


def squared_error(outputs: Any, targets: Any, *, reduction: str = "mean") -> Any:
    """The squared error J = mean (ŷ − y)², without a factor ½; in the square of the outputs' unit, not nats or bits.

    Args:
        outputs: ŷ of any shape: Values, Tensors or plain numbers.
        targets: y, plain numbers of the same shape, taken in the type of the outputs, as is J.
        reduction: "mean" over all numbers, or "sum".

    Returns:
        a node named J that holds one number, at least 0; a plain number for plain outputs. ∂J/∂ŷ = 2(ŷ − y), divided by
        the number of outputs for the mean.

    Raises:
        ValueError: if the shapes differ; they are not broadcast.
        TypeError: if targets are Values or Tensors.

    Source: Bishop 2006, section 1.1, with another factor.

    >>> from autodiff import Tensor
    >>> y = Tensor([1.0, 2.0])
    >>> J = squared_error(y, [0.0, 4.0])
    >>> J.backward()
    >>> float(J.data), y.grad
    (2.5, array([ 1., -2.]))
    """
    y = outputs_of("squared_error", outputs)
    aims = plain_targets("squared_error", targets, y)
    if y.shape != aims.shape:
        raise ValueError(
            f"squared_error takes one target per output, and got outputs {y.shape} and targets {aims.shape}"
        )
    return over_batch(ad.square(y - (aims if aims.shape else aims[()])), reduction)
