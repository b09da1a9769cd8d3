"""The README's code runs and prints what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from tests.support.places import ROOT

pytest_plugins = ["pytester"]

README = ROOT / "README.md"


@pytest.mark.usefixtures("define")  # removes the README's primitives from the table afterwards
def test_code_of_the_readme_prints_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every ``>>>`` block, in order, in one session, as a reader would type it; files go to a folder of the test."""
    monkeypatch.chdir(tmp_path)
    failed, attempted = doctest.testfile(str(README), module_relative=False, optionflags=doctest.ELLIPSIS)
    assert attempted >= 20
    assert failed == 0


@pytest.mark.slow
def test_the_example_test_passes(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied into a separate file, with the plugin that pytest loads where the package is installed."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    [example] = [block for block in blocks if ">>>" not in block]
    pytester.makepyfile(example)
    plugins = ("autodiff.testing.hooks.plugin", "_hypothesis_pytestplugin", "no:cacheprovider")
    result = pytester.runpytest(*(word for plugin in plugins for word in ("-p", plugin)))
    result.assert_outcomes(passed=2)
    result.stdout.re_match_lines([r"gradients: [\d,]+ pass"])


def test_the_two_commands_set_up_everything_themselves() -> None:
    """One command for the main task and one for the tests, each with its own virtual environment."""
    lines = re.findall(r"^python3 -m venv .*$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert [line.rsplit(" -m ", 1)[1] for line in lines] == ["autodiff flow", "pytest -n auto"]
    assert all("pip install" in line for line in lines)
