"""The demo that prints programs in scalars and in matrices: what it prints can be run, and says what it should."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from inspect import getclosurevars
from types import ModuleType
from typing import Any

import pytest

import autodiff as ad
from tests.support.places import ROOT


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "demos"))
    yield importlib.import_module("from_scalars_to_matrices")
    sys.modules.pop("from_scalars_to_matrices", None)


def test_it_prints_scalars_matrices_and_times(demo: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    times = iter((0.002, 0.00005))
    monkeypatch.setattr(demo, "seconds", lambda *_, **__: next(times))
    demo.main(["pair"])
    said = capsys.readouterr().out
    assert "sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)" in said
    source = said.split("became\n")[1].split("\n", 1)[1].split("\npair: ")[0].split("\nA call")[0]
    compile(source, "pair.py", "exec")
    assert "@ W1.T + b1" in source
    assert len(source.splitlines()) < 35
    assert "2,000 µs node by node, 50 µs as a program" in said


def test_the_moons_are_two_layers_over_all_points(demo: ModuleType) -> None:
    function, (x, y) = demo.moons(demo.Random(0))
    args = x[:8], y[:8]
    step = ad.program(function)
    J, again = step(*args), function(*args)
    assert demo.seconds(step, args, times=1) > 0
    assert "a2 = np.maximum(a1 @ W2.T + b2, 0.0)" in str(step.source)
    assert J.data == pytest.approx(again.data, rel=1e-14)
    parameters = getclosurevars(function).nonlocals["parameters"]
    assert ad.gradients(J, parameters) == pytest.approx(ad.gradients(again, parameters), rel=1e-12, abs=1e-15)


def test_it_knows_its_programs(demo: ModuleType) -> None:
    with pytest.raises(SystemExit, match="none called stars"):
        demo.main(["stars"])
