"""The moons: the losses that micrograd's notebook published, and the program that became of the scalars."""

from __future__ import annotations

import importlib
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from autodiff.system.extras import install
from tests.support.places import ROOT

pytestmark = pytest.mark.skipif(
    find_spec("matplotlib") is None or find_spec("sklearn") is None, reason="the demos' extra is not installed"
)


@pytest.fixture
def moons(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "demos"))
    yield importlib.import_module("moons")
    for name in ("moons", "plots"):
        sys.modules.pop(name, None)


def test_the_program_learns_what_the_notebook_published(moons: ModuleType) -> None:
    """All 100 steps as a program, and node by node the two that make a step of their own."""
    net, losses, before, seconds = moons.trained(recorded=True)
    assert len(losses) == 100
    assert max(moons.PUBLISHED) == 99
    assert moons.agree(losses)
    assert before > 0 < seconds
    x, y = map(np.array, moons.points())
    assert np.array_equal(net.predict(x)[:, 0] > 0, y > 0)
    eager = moons.network()
    assert moons.agree(list(islice(moons.descent(eager, moons.objective_of(eager), *moons.points()), 2)))
    assert not moons.agree([losses[0], losses[1] + 1e-12])


def test_it_prints_both_times_and_draws_the_regions(
    moons: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any
) -> None:
    monkeypatch.setattr(moons, "STEPS", 1)
    monkeypatch.setattr(moons, "PUBLISHED", {})
    monkeypatch.setattr(moons, "points", lambda: ([[0.0, 1.0], [1.0, -0.5], [2.0, 0.0]], [-1.0, 1.0, 1.0]))
    moons.main(tmp_path)
    said = capsys.readouterr().out
    assert "node by node: 1 steps in" in said
    assert "as a program: 1 steps in" in said
    assert "s of recording" in said
    ElementTree.parse(tmp_path / "moons.svg")


def test_without_scikit_learn_it_names_the_extra(moons: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=re.escape(f"scikit-learn: {install('demos')}")):
        importlib.reload(moons)
