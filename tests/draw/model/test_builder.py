"""The builder of pictures."""

from __future__ import annotations

import autodiff as ad
from autodiff import Value, error_flow
from autodiff.draw import picture, svg


def test_no_column_is_left_empty() -> None:
    """The factor that n₂ shares with its consumer stood beyond an empty column, and the layout raised KeyError."""
    factor = ad.tanh(Value(2.0, name="b"))
    factor.name = "f"
    inner = factor * factor
    what = picture(error_flow(inner * factor, inner), "shares")
    assert {box.column for box in what.boxes} == set(range(len({box.column for box in what.boxes})))
    assert svg(what)
