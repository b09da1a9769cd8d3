"""Hypothesis strategies for networks and windows; the others are in `autodiff.testing.hooks.strategies`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from hypothesis import strategies as st

from autodiff.testing.hooks.strategies import arrays
from nn.network import Network

__all__ = ["networks", "windows"]

_UNITS: Final = ("identity", "tanh", "sigmoid", "relu", "hard_tanh", "soft_sign")


@st.composite
def networks(
    draw: st.DrawFn, *, outputs: int | None = None, activations: Sequence[str] = _UNITS, scalar: bool | None = None
) -> Network:
    """Networks of one to three layers with up to four units each; their weights shrink to 1.

    Args:
        outputs: the number of output units; any if left out.
        activations: names of units, the simplest first.
        scalar: True for Values, False for Tensors as parameters; either if left out.

    >>> networks(outputs=1, scalar=False)
    networks(outputs=1, scalar=False)
    """
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    last = draw(st.integers(1, 4)) if outputs is None else outputs
    kept = draw(st.booleans()) if scalar is None else scalar
    network = Network((*sizes, last), activation=draw(st.sampled_from(activations)))
    network.load({name: draw(arrays(block.shape)) for name, block in network.state().items()})
    return network.scalar() if kept else network


@st.composite
def windows(draw: st.DrawFn, words: int, length: int, *, batch: int | None = None) -> np.ndarray[Any, Any]:
    """Windows of word ids from 0 to ``words`` − 1: shape (length,), or (batch, length); words may repeat."""
    shape = (length,) if batch is None else (batch, length)
    ids = draw(st.lists(st.integers(0, words - 1), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.array(ids, dtype=int).reshape(shape)
