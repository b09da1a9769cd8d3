"""demos/find_the_bug.py: three classic faults found, shrunk, named and drawn."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from autodiff import TABLE

DEMO = Path(__file__).parents[1] / "demos" / "find_the_bug.py"


@pytest.fixture
def demo() -> ModuleType:
    """The demo as a module."""
    spec = importlib.util.spec_from_file_location("find_the_bug", DEMO)
    module = importlib.util.module_from_spec(spec)
    sys.modules["find_the_bug"] = module
    spec.loader.exec_module(module)
    return module


def test_three_bugs_are_found_shrunk_named_and_drawn(demo, tmp_path, capsys):
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
    assert "of the shares that meet in one value only the last is kept" in out
    assert "the rule of sigmoid_unit is wrong" in out
    assert "the rule of dense for its second input is wrong" in out
    assert all("✗" in (tmp_path / f"bug-{k}.svg").read_text(encoding="utf-8") for k in (1, 2, 3))
