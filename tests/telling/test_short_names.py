"""``autodiff.see`` and ``autodiff.explain``: imported on first use, in any order; short reprs of what they return."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from tests.support.flows import X, chain, notes_flow, notes_network


@pytest.mark.parametrize("first", ["", "from autodiff.explain import explain; ", "import autodiff.explain; "])
def test_explain_is_callable_whatever_was_imported_before(first: str) -> None:
    """And neither words nor pictures are imported before they are used."""
    script = (
        "import sys, autodiff as ad; assert not {'autodiff.draw', 'autodiff.telling'} & set(sys.modules); "
        f"{first}w = ad.Value(2.0, name='w'); print(ad.explain(w * 3.0, w).gradient, ad.see(w * 3.0, w))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert done.stdout.startswith("3.0 <Drawing: ")


def test_other_names_are_still_unknown() -> None:
    """A misspelled name is no module."""
    with pytest.raises(AttributeError, match="module 'autodiff' has no attribute 'sea'"):
        ad.sea  # type: ignore[attr-defined]  # noqa: B018


def test_short_reprs() -> None:
    """One line each: the gradient and the size of the ledger."""
    assert repr(notes_flow()) == "<Flow: ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 0.1291; 5 nodes, 4 edges>"
    explain = ad.explain  # type: ignore[attr-defined]
    assert repr(explain(notes_network(), "W14(1)", X)).startswith("<Explanation: ∂a₁⁽³⁾/∂W₁₄⁽¹⁾ = 0.1291; ")
    assert len(repr(ad.error_flow(*chain(3000)))) < 100
    W = Tensor(np.ones((2, 3)), name="W")
    assert repr(ad.error_flow(ad.sum(W), W)) == "<Flow: ∂Σ(W)/∂W = array of shape (2, 3); 2 nodes, 1 edges>"
    assert repr(ad.error_flow(Value(1.0, name="y"), Value(2.0, name="w"))) == "<Flow: no path from y to w>"
