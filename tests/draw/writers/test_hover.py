"""Texts that are cut to fit have the whole of them as a tooltip."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.draw import Drawing, see

SVG = "{http://www.w3.org/2000/svg}"


def tooltips(drawing: Drawing) -> dict[str, str]:
    """The tooltip of each group of one text, by the text."""
    found = {}
    for group in ElementTree.fromstring(drawing.svg()).iter(f"{SVG}g"):
        title, texts = group.find(f"{SVG}title"), group.findall(f"{SVG}text")
        if title is not None and texts and group.get("data-box") is None and group.get("data-mark") is None:
            found["".join(texts[-1].itertext())] = title.text or ""
    return found


def test_the_error_and_the_factor_of_a_long_name() -> None:
    """On a rail: ∂y/∂name in its box, and on its wire the factor as a formula, which a short name has too."""
    long = Value(2.0, name="a_parameter_with_a_very_long_name")
    y = ad.tanh(long)
    y.name = "y"
    told = tooltips(see(y, long))
    assert "tanh′(a_parameter_with_a_very_long_name) = 1 − y² = 1 − 0.964² = 0.07065" in told.values()
    assert any(text.endswith("a_very_long_name") and cut.endswith("…") for cut, text in told.items() if "∂" in cut)
    short = Value(2.0, name="x")
    assert [*tooltips(see(ad.tanh(short), short)).values()] == ["tanh′(x) = 1 − tanh(x)² = 1 − 0.964² = 0.07065"]


def test_the_factor_of_an_array() -> None:
    """At the port of its operation."""
    t = Tensor(np.ones((2, 2)), name="a_long_name_of_some_matrix")
    told = tooltips(see(np.sum(ad.tanh(t + 1.0))))
    assert "∘ tanh′(a_long_name_of_some_matrix + 1)" in told.values()
