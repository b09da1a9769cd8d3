"""Penalties of large weights, which join the objective (the notes, section 2, "Regularisation")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import autodiff as ad
from autodiff.engine.graph import Node
from autodiff.primitives.operands import describe
from nn.parameters.blocks import numbers
from nn.parameters.ranges import Hyper, number_in

__all__ = ["l1", "l2"]


def l2(net: Any, rate: float) -> Any:
    """The penalty λ Σ‖W‖², the sum of the squares of all weights; biases are not penalised. To be added to J.

    Args:
        net: an object with ``parameters()`` or a dict of parameters by name. Names that begin with b are biases; every
            other parameter is a weight, word vectors included (of a scorer of Values, those met so far).
        rate: λ ≥ 0, in the unit of J.

    Returns:
        a node named "λ Σ‖W‖²" that holds one number, with gradient 2λW; a plain number for a net of plain arrays.

    Raises:
        TypeError: if ``net`` is anything else, or the rate is not a number.
        ValueError: if the rate is negative or not finite, or no parameter is a weight.

    Source: notes, section 2, "Regularisation"; their print lacks the square.

    >>> from nn import Layer
    >>> layer = Layer.of(ad.Tensor([[3.0, -4.0]], name="W"), ad.Tensor([5.0], name="b"))
    >>> l2(layer, 0.5)
    Tensor(12.5, name='λ Σ‖W‖²')
    """
    return _penalty("l2", net, rate, ad.square, "λ Σ‖W‖²")


def l1(net: Any, rate: float) -> Any:
    """The penalty λ Σ|W|, the sum of all weights without their signs, which draws small weights to exactly 0.

    Arguments, errors: as for `l2`.

    Returns:
        a node named "λ Σ|W|", with gradient λ sign(W), which is 0 at 0; a plain number for a net of plain arrays.

    Source: Tibshirani 1996.

    >>> from nn import Layer
    >>> float(l1(Layer.of([[3.0, -4.0]], [5.0]), 0.5))
    3.5
    """
    return _penalty("l1", net, rate, abs, "λ Σ|W|")


def _penalty(name: str, net: Any, rate: float, size: Callable[[Any], Any], title: str) -> Any:
    factor = number_in(rate, Hyper("rate", "λ", 0.0, words=f"rate λ of {name}"))
    weights = [item for key, item in _named(name, net).items() if not str(key).startswith("b")]
    if not weights:
        raise ValueError(f"{name} found no weights: the name of each parameter begins with b, or there are none")
    single = [item for item in weights if not np.shape(numbers(item))]
    whole = [item for item in weights if np.shape(numbers(item))]
    if single:
        together = np.empty(len(single), dtype=object)
        together[:] = single
        whole.append(together)
    total = sum((ad.sum(size(item)) for item in whole[1:]), ad.sum(size(whole[0])))
    result = factor * total
    if isinstance(result, Node):
        result.name = title
    return result


def _named(name: str, net: Any) -> Mapping[Any, Any]:
    parameters = getattr(net, "parameters", None)
    found = parameters() if callable(parameters) and not isinstance(net, type) else net
    if not isinstance(found, Mapping):
        raise TypeError(
            f"{name} takes a net whose parameters() are a dict by name, from which it knows the biases, and got "
            f"{describe(net)}"
        )
    return found
