"""Initial values of the weights (the notes, section 2, "Initialisation")."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from math import sqrt
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import as_operand, describe, whole_number
from nn.parameters.generators import generator

__all__ = ["Init", "he", "he_normal", "identity", "initializer", "xavier", "xavier_normal"]

#: A name of the table below, or a function of a generator, n_in and n_out that returns weights (n_out, n_in).
Init = str | Callable[[np.random.Generator, int, int], Any]


def xavier(random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray[Any, Any]:
    """Weights drawn uniformly from [−r, r] with r = √(6/(n_in + n_out)); they are unequal, which breaks the symmetry.

    Args:
        random: the generator of the numbers.
        fan_in: n_in, the number of inputs of the layer.
        fan_out: n_out, the number of its units.

    Returns:
        array of shape (fan_out, fan_in), dimensionless.

    Raises:
        TypeError: if ``random`` is not a generator, or a fan is not an integer.
        ValueError: if a fan is below 1.

    Source: notes, section 2, "Initialisation" (Glorot and Bengio 2010).

    >>> W = xavier(np.random.default_rng(0), 4, 2)
    >>> W.shape, bool(np.all(np.abs(W) <= 1.0))
    ((2, 4), True)
    """
    fan_in, fan_out = _fans(fan_in, fan_out)
    bound = sqrt(6.0 / (fan_in + fan_out))
    return generator(random).uniform(-bound, bound, (fan_out, fan_in))


def xavier_normal(random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray[Any, Any]:
    """Weights from a normal distribution with mean 0 and variance 2/(n_in + n_out), the variance of `xavier`.

    Arguments, result and errors: as for `xavier`.

    Source: Glorot and Bengio 2010.

    >>> xavier_normal(np.random.default_rng(0), 4, 2).shape
    (2, 4)
    """
    fan_in, fan_out = _fans(fan_in, fan_out)
    return generator(random).normal(0.0, sqrt(2.0 / (fan_in + fan_out)), (fan_out, fan_in))


def he(random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray[Any, Any]:
    """Weights drawn uniformly from [−r, r] with r = √(6/n_in), whose variance is 2/n_in: for ReLU units.

    A ReLU unit passes half of a symmetric input, so that twice the variance keeps the mean square of a from layer to
    layer. Arguments, result and errors: as for `xavier`.

    Source: He, Zhang, Ren and Sun 2015, equation 10.

    >>> bool(np.all(np.abs(he(np.random.default_rng(0), 6, 2)) <= 1.0))
    True
    """
    fan_in, fan_out = _fans(fan_in, fan_out)
    bound = sqrt(6.0 / fan_in)
    return generator(random).uniform(-bound, bound, (fan_out, fan_in))


def he_normal(random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray[Any, Any]:
    """Weights from a normal distribution with mean 0 and variance 2/n_in, the variance of `he`.

    Arguments, result and errors: as for `xavier`.

    Source: He, Zhang, Ren and Sun 2015, equation 10.

    >>> he_normal(np.random.default_rng(0), 6, 2).shape
    (2, 6)
    """
    fan_in, fan_out = _fans(fan_in, fan_out)
    return generator(random).normal(0.0, sqrt(2.0 / fan_in), (fan_out, fan_in))


def identity(random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray[Any, Any]:
    """The identity matrix I: recurrent ReLU units then keep their state until they learn to change it.

    Arguments, result and errors: as for `xavier`; nothing is drawn.

    Raises:
        ValueError: if n_in and n_out differ.

    Source: Le, Jaitly and Hinton 2015.

    >>> identity(np.random.default_rng(0), 2, 2)
    array([[1., 0.],
           [0., 1.]])
    """
    generator(random)
    fan_in, fan_out = _fans(fan_in, fan_out)
    if fan_in != fan_out:
        raise ValueError(
            f"identity weights need as many inputs as units, and got {fan_in} inputs and {fan_out} units; "
            "use 'xavier' or 'he'"
        )
    return np.eye(fan_out)


_BY_NAME: Final[dict[str, Callable[[np.random.Generator, int, int], Any]]] = {
    "xavier": xavier, "xavier_normal": xavier_normal, "he": he, "he_normal": he_normal, "identity": identity,
}  # fmt: skip


def initializer(init: Init) -> Callable[[np.random.Generator, int, int], np.ndarray[Any, Any]]:
    """The function of that name; a callable is returned with a check of the weights that it makes.

    Raises:
        ValueError: if no function has that name; on a call, if weights are not finite or their shape does not fit.
        TypeError: if ``init`` is neither a name nor a callable.

    >>> initializer("he") is he
    True
    >>> initializer(lambda random, fan_in, fan_out: np.zeros((fan_out, fan_in)))(np.random.default_rng(0), 2, 1)
    array([[0., 0.]])
    """
    if isinstance(init, str):
        if init not in _BY_NAME:
            close = "".join(f"; did you mean {name!r}?" for name in get_close_matches(init.lower(), _BY_NAME, 1))
            raise ValueError(f"unknown init {init!r} (must be one of {', '.join(_BY_NAME)}){close}")
        return _BY_NAME[init]
    if not callable(init):
        raise TypeError(
            "init must be a name, such as 'he', or a callable of a generator, n_in and n_out, "
            f"and got {describe(init)}"
        )
    return init if any(init is each for each in _BY_NAME.values()) else _checked(init)


def _checked(init: Callable[..., Any]) -> Callable[[np.random.Generator, int, int], np.ndarray[Any, Any]]:
    def weights(random: np.random.Generator, fan_in: int, fan_out: int) -> np.ndarray[Any, Any]:
        fan_in, fan_out = _fans(fan_in, fan_out)
        W = as_operand("a layer", init(generator(random), fan_in, fan_out))
        if W.dtype == object or W.shape != (fan_out, fan_in):
            raise ValueError(
                f"init must return plain numbers of shape ({fan_out}, {fan_in}), a row for each unit, and returned "
                f"{describe(W)}"
            )
        if not np.all(np.isfinite(W)):
            raise ValueError(f"init must return finite weights, and returned {W[~np.isfinite(W)][0]}")
        return np.array(W)

    return weights


def _fans(fan_in: int, fan_out: int) -> tuple[int, int]:
    return (
        whole_number(fan_in, "the number of inputs", least=1), whole_number(fan_out, "the number of units", least=1)
    )  # fmt: skip
