"""Constants in formulas of shares: numbers of NumPy are numbers, arrays have their shape."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor
from autodiff.telling.explain import explain


@pytest.mark.parametrize("scale", [2.0, np.float32(2.0), np.array(2.0), np.sqrt(4.0)])
def test_numbers_of_numpy_are_told_as_numbers(scale: Any) -> None:
    """A factor such as NumPy's √d, without axes, shows its number; an array shows its shape as in formulas."""
    scores = Tensor(np.ones((2, 2)), name="q")
    told = str(explain(ad.sum(scores / scale + scores * np.ones((2, 2))), scores))
    assert "∘ 1/2" in told
    assert "∘ array(2×2)" in told
    assert "array (" not in told
