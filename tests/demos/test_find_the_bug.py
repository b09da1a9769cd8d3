"""demos/find_the_bug.py: three classic faults found, shrunk, named and drawn."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autodiff import TABLE
from autodiff.testing.random_programs.program import Program
from tests.support.places import ROOT
from tests.support.present import present

DEMO = ROOT / "demos" / "find_the_bug.py"


@pytest.fixture
def demo() -> ModuleType:
    """The demo as a module."""
    spec = present(importlib.util.spec_from_file_location("find_the_bug", DEMO))
    module = importlib.util.module_from_spec(spec)
    sys.modules["find_the_bug"] = module
    present(spec.loader).exec_module(module)
    return module


def test_the_blame_is_found_and_not_known(demo: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the bug repaired nothing is blamed; with a wrong edge the operation is."""
    program = Program.parse("Value 2.0; multiply 0 0")
    assert demo.blame_of_number(program).sentence.startswith("each edge is right by itself; x0 got ")

    def added_up(self: Any) -> None:
        self.grad = 1.0
        for number in reversed(list(demo._ordered(self, set()))):
            for item, local in number.edges:
                item.grad += number.grad * local

    monkeypatch.setattr(demo.Number, "backward", added_up)
    assert demo.blame_of_number(program) is None
    wrong = lambda x, y: demo.Number(x.data * y.data, ((x, x.data), (y, y.data)))  # noqa: E731
    monkeypatch.setitem(demo.ENGINE, "multiply", wrong)
    mixed = Program.parse("Value 1.5 0.5; multiply 1 0")
    assert demo.blame_of_number(mixed).sentence.startswith("the edges of multiply are wrong at [")


@pytest.mark.slow
def test_three_bugs_are_found_shrunk_named_and_drawn(
    demo: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each within 200 programs, each to one operation, each with its culprit in the message and in the picture."""
    before = set(TABLE)
    try:
        demo.main(tmp_path)
    finally:
        for name in set(TABLE) - before:
            del TABLE[name]
    out = capsys.readouterr().out
    assert [int(number) for number in re.findall(r"Found in program (\d+)", out)] == pytest.approx([100] * 3, abs=100)
    assert re.findall(r"shrunk to (\d+)\.", out) == ["1", "1", "1"]
    assert out.count("The picture is ") == 3
    words = r"each edge is right by itself; x\d got (\S+) instead of (\S+): of its 2 shares, only one was kept"
    found = present(re.search(words, out))
    assert float(found[1]) != float(found[2])
    assert "the rule of sigmoid_unit is wrong" in out
    assert "the rule of dense for its second input is wrong" in out
    assert all("✗" in (tmp_path / f"bug-{k}.svg").read_text(encoding="utf-8") for k in (1, 2, 3))
