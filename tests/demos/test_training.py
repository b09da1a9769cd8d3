"""The demos of training: each runs, says what it should show, and writes a picture."""

from __future__ import annotations

import importlib
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.places import ROOT

# asked for, not imported: every process that collects tests would take two seconds for it
pytestmark = pytest.mark.skipif(
    find_spec("matplotlib") is None or find_spec("sklearn") is None, reason="the demos' extra is not installed"
)


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A script's own folder is on the path when it runs."""
    monkeypatch.syspath_prepend(str(ROOT / "demos"))
    yield
    for name in ("plots", "xor", "rates", "initialisation", "spiral", "classifiers"):
        sys.modules.pop(name, None)


def demo(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_two_hidden_units_learn_what_a_linear_score_cannot(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    xor = demo("xor")
    monkeypatch.setattr(xor, "trained", cache(xor.trained))
    xor.main(tmp_path)
    said = capsys.readouterr().out
    assert "a linear score: J = 1.0000 bits" in said
    net, J = xor.trained((2, 2, 1))
    assert J < 0.01
    assert np.array_equal(net.predict(xor.X)[:, 0] > 0, xor.Y > 0)
    ElementTree.parse(tmp_path / "xor.svg")


def test_the_rate_decides_where_a_path_ends(tmp_path: Path) -> None:
    rates = demo("rates")
    places = {said: rates.path(kind, rate)[-1] for said, (kind, rate, _) in rates.PATHS.items()}
    small, right, large, _ = (float(np.hypot(*place)) for place in places.values())
    assert right < 1.0 < small
    assert large > small / 3
    closed = rates.START * (1 - 0.09 * rates.CURVATURE) ** rates.STEPS  # θ ← (1 − αc)θ at each step
    assert np.allclose(places["right: α = 0.09"], closed, rtol=1e-12)
    rates.main(tmp_path)
    ElementTree.parse(tmp_path / "rates.svg")


def test_the_spread_of_small_weights_shrinks_and_that_of_xavier_hardly(tmp_path: Path) -> None:
    demos = demo("initialisation")
    small, _ = demos.spreads("tanh", demos.standard)
    xavier, back = demos.spreads("tanh", demos.xavier)
    assert small[-1] < 0.05 * small[0]
    assert xavier[-1] > 0.3 * xavier[0]
    assert back[0] > 0.2 * back[-1]
    demos.main(tmp_path)
    ElementTree.parse(tmp_path / "initialisation.svg")


def test_a_hidden_layer_follows_the_arms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    spiral = demo("spiral")
    monkeypatch.setattr(spiral, "STEPS", 150)
    spiral.main(tmp_path)
    alone, hidden = (float(line.split(", ")[1].split("%")[0]) for line in capsys.readouterr().out.splitlines()[:2])
    assert alone < 65 < 90 < hidden
    for name in ("spiral", "spiral-history"):
        ElementTree.parse(tmp_path / f"{name}.svg")


def test_both_classifiers_see_the_same_folds(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    classifiers = demo("classifiers")
    x, y = classifiers.DATA["iris"](return_X_y=True)
    some = list(classifiers.folds(x, y))
    assert len(some) == 25
    assert all(len(np.intersect1d(train, test)) == 0 for train, test in some)
    monkeypatch.setattr(classifiers, "folds", lambda x, y: some[:1])
    monkeypatch.setattr(classifiers, "EPOCHS", 30)  # in which the rate falls to 0
    classifiers.main(["iris"])
    said = capsys.readouterr().out.splitlines()[1].split()
    assert said[0] == "iris"
    assert float(said[2].rstrip("%")) > 85
