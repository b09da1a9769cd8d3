"""The one sentence on how to install the optional dependencies."""

from __future__ import annotations

import re
from configparser import ConfigParser

from autodiff.system.extras import install
from tests.support.places import ROOT

_SOURCES = {
    path: path.read_text(encoding="utf-8")
    for folder in ("autodiff", "nn", "demos", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
} | {ROOT / "README.md": (ROOT / "README.md").read_text(encoding="utf-8")}


def test_no_hint_installs_this_project_by_name() -> None:
    """The package index has a different project with that name: extras are installed from this folder."""
    named = re.compile(r"""pip3? install (?:-\S+ )*["']*autodiff\b""")
    assert {path.name: named.findall(text) for path, text in _SOURCES.items() if named.search(text)} == {}


def test_every_extra_that_is_named_is_there() -> None:
    """Every extra that a sentence names is defined in `setup.cfg`."""
    declared = ConfigParser()
    declared.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = set(declared["options.extras_require"])
    asked = {name for text in _SOURCES.values() for name in re.findall(r"""\binstall\(["'](\w+)["']\)""", text)}
    asked |= {
        name
        for text in _SOURCES.values()
        for names in re.findall(r"""\.\[([a-z,]+)\]["']""", text)
        for name in names.split(",")
    }
    assert asked == {"demos", "peers", "test"}
    assert asked <= extras


def test_only_one_file_words_the_hint() -> None:
    """All others call it."""
    worded = {path.name for path, text in _SOURCES.items() if path.suffix == ".py" and "install -e" in text}
    assert worded <= {"extras.py", "test_extras.py", "test_plugin.py"}
    assert install("demos") == 'pip install -e ".[demos]" in the folder of this project'
