"""What the strategies for networks and windows draw; to what they shrink is asked with all other strategies."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from autodiff.testing.hooks.strategies import arrays
from nn import Network
from nn.strategies import networks, windows


@settings(max_examples=25)
@given(networks(outputs=1), st.data())
def test_networks_run(network: Network, data: st.DataObject) -> None:
    """Every network takes inputs of its size, and its gradients reach every parameter."""
    inputs = network.state()["W(1)"].shape[1]
    output = network(data.draw(arrays((inputs,))))
    output.backward(np.ones(output.shape) if output.ndim else None)
    assert all(parameter.grad is not None for parameter in network.parameters().values())


@given(windows(7, 5, batch=3))
def test_windows_hold_word_ids(ids: np.ndarray) -> None:
    """Shape (batch, length), ids from 0 to words − 1."""
    assert ids.shape == (3, 5)
    assert ids.min() >= 0
    assert ids.max() < 7
