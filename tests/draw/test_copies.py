"""Copies of drawings: pickled, shallow and deep, they give the same files."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from autodiff import Value
from autodiff.draw import Drawing, see

COPIES: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda made: pickle.loads(pickle.dumps(made)), "copy": copy.copy, "deepcopy": copy.deepcopy,
}  # fmt: skip


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("has_flow", [True, False])
def test_a_copy_gives_the_same_files(has_flow: bool, copied: Callable[[Drawing], Drawing]) -> None:
    """Of a way to a parameter and of a whole graph, with options that are not the usual ones."""
    x, w = Value(3.0, name="x"), Value(2.0, name="w")
    how: dict[str, Any] = {"theme": "dark", "language": "zh", "digits": 3, "width": 500.0}
    first = see(w * x, w, direction="down", view="rail", **how) if has_flow else see(w * x + w, **how)
    second = copied(first)
    assert (second.svg(), second.dot(), second.text()) == (first.svg(), first.dot(), first.text())
    assert (second.html(), second.json()) == (first.html(), first.json())
    assert second.lay is not first.lay
