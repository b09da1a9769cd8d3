"""What the objectives share: outputs and targets that fit, mean or sum over a batch, nats or bits in the name of J."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

import autodiff as ad
from autodiff.engine.graph import Node
from autodiff.primitives.operands import as_operand, describe
from nn.parameters.naming import name_results

__all__ = ["checked_labels", "in_unit", "one_of_each", "outputs_of", "over_batch", "plain_targets"]

_REDUCTIONS: Final = {"mean": ad.mean, "sum": ad.sum}
_NATS: Final = {"nats": 1.0, "bits": float(np.log(2.0))}  # in one of the unit


def outputs_of(name: str, outputs: Any) -> Any:
    """The outputs of a net as a node or an array of numbers or Values.

    Raises:
        TypeError: if they are not numbers.
        ValueError: if there are none.

    >>> outputs_of("an objective", [1, 2])
    array([1., 2.])
    """
    found = outputs if isinstance(outputs, Node) else as_operand(name, outputs)
    if not np.prod(found.shape):
        raise ValueError(f"{name} needs at least one number, and got shape {found.shape}")
    return found


def plain_targets(name: str, targets: Any, outputs: Any) -> np.ndarray[Any, Any]:
    """The targets, which receive no error signal, as finite plain numbers of the outputs' type.

    J thus has the type of the outputs, float32 for a net of float32, whatever the type of the targets. An array of
    bools is one of 1 and 0.

    Raises:
        TypeError: if they are Values, Tensors or no numbers.
        ValueError: if one is not finite in that type.

    >>> plain_targets("an objective", [0, 1], np.ones(2, np.float32))
    array([0., 1.], dtype=float32)
    """
    kind = np.dtype(getattr(outputs, "dtype", np.float64))
    kind = np.dtype(np.float64) if kind.hasobject else kind
    if isinstance(targets, np.ndarray) and targets.dtype.kind == "b":
        return targets.astype(kind)
    if isinstance(targets, Node) or (array := as_operand(f"the targets of {name}", targets)).dtype == object:
        raise TypeError(f"the targets of {name} must be plain numbers, and got {describe(targets)}; use its .data")
    with np.errstate(over="ignore"):
        found = array.astype(kind, copy=False)
    if not np.all(np.isfinite(found)):
        which = "finite" if kind == np.float64 else f"finite in {kind}"
        raise ValueError(f"the targets of {name} must be {which}, and one is {array[~np.isfinite(found)][0]}")
    return found


def checked_labels(name: str, labels: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any] | None:
    """The integer labels from 0 for scores of that shape; None if ``labels`` has the shape of the scores itself.

    Raises:
        TypeError: if labels are not integers.
        ValueError: if there are no classes, the shape differs, or a label names no class.

    >>> checked_labels("an objective", [1, 0], (2, 3))
    array([1, 0])
    """
    if not shape:
        raise ValueError(f"{name} needs scores of shape (classes,) or (batch, classes), and got shape ()")
    array = np.asarray(labels) if not isinstance(labels, Node) else labels
    if array.shape == shape:
        return None
    if array.shape != shape[:-1]:
        raise ValueError(
            f"{name} of scores of shape {shape} needs labels of shape {shape[:-1]}, or a target for each score, "
            f"and got shape {array.shape}"
        )
    if isinstance(array, Node) or array.dtype.kind not in "iu":
        raise TypeError(f"the labels of {name} must be integers from 0, and got {describe(labels)}")
    if not 0 <= array.min() <= array.max() < shape[-1]:
        raise ValueError(
            f"the labels of {name} must be in 0 … {shape[-1] - 1} for {shape[-1]} classes, "
            f"and got {array.min()} … {array.max()}"
        )
    return array


def one_of_each(scores: Any, labels: np.ndarray[Any, Any]) -> Any:
    """The score of the labelled class for each example.

    >>> one_of_each(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1, 0]))
    array([2., 3.])
    """
    return scores[(*np.indices(labels.shape), labels)] if labels.ndim else scores[int(labels)]


def over_batch(terms: Any, reduction: str, suffix: str = "") -> Any:
    """The mean or sum of the terms, named J and ``suffix``.

    Raises:
        ValueError: if ``reduction`` is neither "mean" nor "sum".

    >>> float(over_batch(np.array([1.0, 2.0]), "sum"))
    3.0
    """
    if not isinstance(reduction, str) or reduction not in _REDUCTIONS:
        raise ValueError(f"reduction must be 'mean' or 'sum', and got {describe(reduction)}")
    return name_results(_REDUCTIONS[reduction](terms) if np.shape(terms) else terms, "J", None, suffix)


def in_unit(terms: Any, reduction: str, unit: str) -> Any:
    """The mean or sum of terms that are in nats, in the unit asked for and named after it.

    Raises:
        ValueError: if ``unit`` is neither "nats" nor "bits", or as for `over_batch`.

    >>> in_unit(ad.log(ad.Value(2.0)), "mean", "bits")
    Value(data=1, grad=–, name='J (bits)')
    """
    if not isinstance(unit, str) or unit not in _NATS:
        raise ValueError(f"unit must be 'nats' or 'bits', and got {describe(unit)}")
    return over_batch(terms if unit == "nats" else terms / _NATS[unit], reduction, f" ({unit})")
