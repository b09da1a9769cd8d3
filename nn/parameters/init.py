"""Initial values of the weights (the notes, section 2, "Initialisation")."""

from __future__ import annotations

from math import sqrt
from typing import Any, Final

import numpy as np

from autodiff.primitives.operands import describe, whole_number

__all__ = ["SEED", "generator", "xavier"]

#: The seed of the default generator, so that the same program gives the same network.
SEED: Final = 0


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
    fan_in = whole_number(fan_in, "the number of inputs", least=1)
    fan_out = whole_number(fan_out, "the number of units", least=1)
    bound = sqrt(6.0 / (fan_in + fan_out))
    return generator(random).uniform(-bound, bound, (fan_out, fan_in))


def generator(random: np.random.Generator | None) -> np.random.Generator:
    """``random`` itself, or a new generator with `SEED` if it is None.

    Raises:
        TypeError: if ``random`` is anything else, such as a seed.

    >>> float(generator(None).random()) == float(np.random.default_rng(SEED).random())
    True
    """
    if random is None:
        return np.random.default_rng(SEED)
    if not isinstance(random, np.random.Generator):
        raise TypeError(
            f"random must be a NumPy generator, such as numpy.random.default_rng(0), and got {describe(random)}"
        )
    return random
