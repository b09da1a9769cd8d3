"""Combinations that nobody draws on purpose: pictures, pages and texts of them still appear, and say what is so."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

import autodiff as ad
from autodiff import Tensor, Value
from autodiff.draw import Drawing, see
from autodiff.telling.explain import explain


def written(drawing: Drawing) -> None:
    """Every writer writes it."""
    ElementTree.fromstring(drawing.svg())
    json.loads(drawing.json())
    assert all((drawing.html(), drawing.dot(), drawing.text(), drawing.tex(), drawing.markdown()))


@pytest.mark.parametrize("kind", [float, np.float32, int])
@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0), (3,), (2, 2, 2)])
def test_arrays_of_any_shape_are_written(shape: tuple[int, ...], kind: type) -> None:
    """Also one number as an array: the page of such a Tensor, and its explanation, raised TypeError."""
    T = Tensor(np.ones(shape, dtype=kind), name="T")
    output = ad.sum(T * T * 3.0)
    written(see(output, T))
    written(see(output))
    assert "T" in str(explain(output, T))


@pytest.mark.parametrize("width", [0, -1.0, float("nan"), float("inf"), 10**400])
def test_a_width_is_a_positive_number_of_pixels(width: float) -> None:
    """A huge whole number raised OverflowError."""
    with pytest.raises(ValueError, match="expected a positive, finite width in px, or None"):
        see(Value(2.0) * 3.0, width=width)


def test_a_folded_box_is_marked_where_values_stop_being_finite() -> None:
    """The first infinite value is that of a folded step, in the whole graph and on the way to a parameter."""
    x, rate = Value(1.0, name="start"), Value(1e60, name="rate")
    for _ in range(12):
        x = x * rate
    whole, flow = see(x).picture, see(x, rate, view="graph").picture
    for what in (whole, flow):
        (box,) = (box for box in what.boxes if box.kind == "fold")
        assert "not finite from here on" in box.mark
    written(see(x))
    written(see(x, rate, view="graph"))
