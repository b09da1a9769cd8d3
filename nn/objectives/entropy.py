"""Objectives that are logarithms of probabilities: of classes, and of yes or no (the notes, sections 1.1 and 3)."""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff as ad
from nn.objectives.terms import checked_labels, in_unit, one_of_each, outputs_of, plain_targets
from nn.parameters.blocks import numbers

__all__ = ["cross_entropy", "logistic", "softmax_cross_entropy"]

_ROUNDING = 1e-6  # by which probabilities may miss a sum of 1, for float32


def softmax_cross_entropy(logits: Any, targets: Any, *, unit: str = "nats", reduction: str = "mean") -> Any:
    """The cross-entropy of the softmax of logits, J = −Σ_j y_j ln softmax(z)_j = ln Σ_j e^(z_j) − z_y, in nats or bits.

    Args:
        logits: z, shape (classes,) or (batch, classes): Values, Tensors or plain numbers.
        targets: the labels y as integers from 0, shape () or (batch,); or probabilities of the shape of the logits,
            which sum to 1 in each row. Plain numbers, which are taken in the type of the logits, as is J.
        unit: "nats", or "bits" to divide by ln 2.
        reduction: "mean" over the batch, or "sum".

    Returns:
        a node that holds one number, at least 0, named "J (nats)" or "J (bits)"; a plain number for plain logits. In
        nats and for one example, ∂J/∂z = softmax(z) − y. The maximum is subtracted first, so that no exponential
        overflows, and ln softmax is never the logarithm of a 0; `cross_entropy` of ``ad.softmax(z)``, the unfused form,
        has the same value as long as no probability rounds to 0.

    Raises:
        ValueError: if shapes do not fit, a label names no class, or probabilities are negative or do not sum to 1.
        TypeError: if targets are Values or Tensors, or labels are not integers.

    Source: notes, section 3 (ŷ = softmax(z), J = −Σ y ln ŷ).

    >>> from autodiff import Tensor
    >>> J = softmax_cross_entropy(Tensor([[0.0, 0.0], [0.0, 0.0]]), [0, 1], unit="bits")
    >>> J.name, float(J.data)
    ('J (bits)', 1.0)
    """
    z = outputs_of("softmax_cross_entropy", logits)
    if not z.shape:
        raise ValueError("softmax_cross_entropy takes logits of shape (classes,) or (batch, classes), and got shape ()")
    if z.dtype != object and (labels := checked_labels("softmax_cross_entropy", targets, z.shape)) is not None:
        return in_unit(ad.label_entropy(z, labels=labels), reduction, unit)  # one node: a third of the time
    return in_unit(_expected("softmax_cross_entropy", ad.log_softmax(z), targets), reduction, unit)


def cross_entropy(probabilities: Any, targets: Any, *, unit: str = "nats", reduction: str = "mean") -> Any:
    """The cross-entropy of probabilities, J = −Σ_j y_j ln ŷ_j, in nats or bits; `softmax_cross_entropy` takes logits.

    Args:
        probabilities: ŷ, shape (classes,) or (batch, classes), each above 0 where its target is.
        targets: as for `softmax_cross_entropy`.
        unit: "nats", or "bits" to divide by ln 2.
        reduction: "mean" over the batch, or "sum".

    Returns:
        a node that holds one number, named "J (nats)" or "J (bits)"; a plain number for plain probabilities. For one
        example in nats, ∂J/∂ŷ_j = −y_j/ŷ_j; where y_j = 0, the term and its derivative are 0, even if ŷ_j = 0.

    Raises:
        ValueError: if a probability is outside [0, 1], or is 0 where its target is not (J would be infinite), and as
            for `softmax_cross_entropy`. The rows of ŷ are not required to sum to 1.
        TypeError: as for `softmax_cross_entropy`.

    Source: notes, section 3.

    >>> round(float(cross_entropy([0.25, 0.75], 0, unit="bits")), 12)
    2.0
    """
    p = outputs_of("cross_entropy", probabilities)
    data = numbers(p)
    if not np.all((data >= 0.0) & (data <= 1.0 + _ROUNDING)):
        wrong = data[~((data >= 0.0) & (data <= 1.0 + _ROUNDING))].flat[0]
        raise ValueError(
            f"cross_entropy takes probabilities from 0 to 1, and one is {wrong}; softmax_cross_entropy takes logits"
        )
    positive = data > 0.0
    terms = _expected("cross_entropy", ad.log(p if np.all(positive) else ad.where(positive, p, 1.0)), targets)
    if not np.all(positive) and np.any(_expected("cross_entropy", ~positive * 1.0, targets)):
        raise ValueError(
            "cross_entropy is infinite: a probability is 0 where its target is not; "
            "softmax_cross_entropy of the logits keeps such probabilities apart from 0"
        )
    return in_unit(terms, reduction, unit)


def logistic(logits: Any, targets: Any, *, unit: str = "nats", reduction: str = "mean") -> Any:
    """The logistic objective (binary cross-entropy) of logits, J = −y ln σ(z) − (1 − y) ln(1 − σ(z)), in nats or bits.

    Args:
        logits: z of any shape, one number for each example: Values, Tensors or plain numbers.
        targets: y, plain numbers of the same shape: 1 for yes, 0 for no, or probabilities between; taken in the type of
            the logits, as is J.
        unit: "nats", or "bits" to divide by ln 2.
        reduction: "mean" over all numbers, or "sum".

    Returns:
        a node that holds one number, at least 0, named "J (nats)" or "J (bits)"; a plain number for plain logits. For
        one example in nats, ∂J/∂z = σ(z) − y. Computed as y·softplus(−z) + (1 − y)·softplus(z), which neither
        overflows nor takes the logarithm of 0: at z = 1000 and y = 0, J = 1000.

    Raises:
        ValueError: if shapes differ, or a target is outside [0, 1].
        TypeError: if targets are Values or Tensors.

    Source: notes, section 1.1 ("binary logistic regression" unit).

    >>> from autodiff import Value
    >>> z = Value(1000.0)
    >>> J = logistic(z, 0)
    >>> J.backward()
    >>> J.name, J.data, z.grad
    ('J (nats)', 1000.0, 1.0)
    """
    z = outputs_of("logistic", logits)
    y = plain_targets("logistic", targets, z)
    if z.shape != y.shape:
        raise ValueError(f"logistic takes one target per logit, and got logits {z.shape} and targets {y.shape}")
    if not np.all((y >= 0.0) & (y <= 1.0)):
        raise ValueError(f"the targets of logistic must be from 0 to 1, and one is {y[(y < 0.0) | (y > 1.0)][0]}")
    if not z.shape:
        z, y = (z if z.__class__ is not np.ndarray else z[()]), y[()]
    signs = 1.0 - 2.0 * y
    if np.all(np.abs(signs) == 1.0):
        return in_unit(ad.softplus(signs * z), reduction, unit)
    return in_unit(y * ad.softplus(-z) + (1.0 - y) * ad.softplus(z), reduction, unit)


def _expected(name: str, logs: Any, targets: Any) -> Any:
    """−Σ_j y_j logs_j for each example; where y_j = 0, nothing passes, infinite logarithms included."""
    labels = checked_labels(name, targets, logs.shape)
    if labels is not None:
        return -one_of_each(logs, labels)
    y = plain_targets(name, targets, logs)
    sums = y.sum(axis=-1, dtype=np.float64)
    if np.any(y < 0.0) or np.any(abs(sums - 1.0) > _ROUNDING):
        wrong = y[y < 0.0] if np.any(y < 0.0) else sums[abs(sums - 1.0) > _ROUNDING]
        raise ValueError(
            f"the targets of {name} must be probabilities, at least 0, whose rows of shape ({logs.shape[-1]},) sum to "
            f"1, and one {'is' if np.any(y < 0.0) else 'sum is'} {wrong.flat[0]}"
        )
    return -ad.sum(y * (logs if np.all(y) else ad.where(y > 0.0, logs, 0.0)), axis=-1)
