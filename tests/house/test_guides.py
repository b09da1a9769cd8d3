"""The guides for contributors are correct: quoted lines are in the sources, files and commands exist."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from importlib import import_module

import pytest

from autodiff.reference.names import PACKAGES
from tests.house.rooms import LAYERS
from tests.support.places import ROOT

CONTRIBUTING = (ROOT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / ".github" / "CHANGELOG.md").read_text(encoding="utf-8")


def quoted() -> Iterator[tuple[str, str]]:
    """Each run of added lines in the diffs, with its file."""
    for diff in re.findall(r"^```diff\n(.*?)^```$", CONTRIBUTING, flags=re.MULTILINE | re.DOTALL):
        for change in re.split(r"^--- ", diff, flags=re.MULTILINE)[1:]:
            head, _, body = change.partition("+++ b/")
            path, _, lines = body.partition("\n")
            assert head == f"a/{path}\n"
            for run in re.findall(r"(?:^\+.*\n)+", lines, flags=re.MULTILINE):
                yield path, re.sub(r"^\+", "", run, flags=re.MULTILINE)


@pytest.mark.parametrize(("path", "lines"), list(quoted()))
def test_quoted_lines_are_in_the_sources(path: str, lines: str) -> None:
    """Unchanged and consecutive; in the list of public names, in its order."""
    source = f"\n{(ROOT / path).read_text(encoding='utf-8')}"
    for line in [f"{each}\n" for each in lines.splitlines()] if path.endswith(".txt") else [lines]:
        assert f"\n{line}" in source, f"{path} has changed: quote it anew in .github/CONTRIBUTING.md"


def test_each_kind_of_change_is_shown() -> None:
    """An operation, a layer, an optimiser, a view, an oracle."""
    shown = re.findall(r"^## Add an? (\w+)\n(.*?)(?=^## )", CONTRIBUTING, flags=re.MULTILINE | re.DOTALL)
    assert [name for name, text in shown if "```diff" in text] == ["operation", "layer", "optimiser", "view", "oracle"]


def test_files_folders_and_modules_that_are_named_exist() -> None:
    """Paths from the root of the project, and modules run with ``python -m``."""
    names = re.findall(r"`((?:\.ci|\.github|autodiff|nn|tests|demos)/[\w./]*)", CONTRIBUTING + CHANGELOG)
    assert len(names) > 15
    assert [name for name in names if not (ROOT / name).exists()] == []
    for module in re.findall(r"python -m ((?:tests|autodiff)[\w.]*)", CONTRIBUTING):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists() or import_module(f"{module}.__main__")


def test_the_rooms_are_told_in_ten_lines() -> None:
    """Every folder of the package, from the ground up."""
    lines = re.findall(r"^\d+\. (.*)$", CONTRIBUTING, flags=re.MULTILINE)
    assert len(lines) == 10
    named = [re.sub(r"^autodiff/|/$", "", name) for line in lines for name in re.findall(r"`([a-z/]+/)`", line)]
    height = {room.split(".")[1]: k for k, rooms in enumerate(LAYERS) for room in rooms if room.startswith("autodiff.")}
    height["nn"] = next(k for k, rooms in enumerate(LAYERS) if "nn" in rooms)
    assert {*named} - {"table"} == {*height}


def test_the_check_before_a_commit_runs_what_it_says() -> None:
    """The git hook exists, is executable, and runs the linter and the check of layers."""
    hook = ROOT / ".ci" / "pre-commit"
    assert hook.stat().st_mode & 0o111
    text = hook.read_text(encoding="utf-8")
    assert "ruff check ." in text
    assert "tests.house check" in text
    subprocess.run(["bash", "-n", str(hook)], check=True)


def test_what_the_changelog_names_exists() -> None:
    """Public names, and commands of the program."""
    names = {*re.findall(r"`([a-z_]{4,})(?:\(\))?`", CHANGELOG)}
    public = {name for package in PACKAGES for name in import_module(package).__all__}
    assert sorted(names - public - {"backward", "check", "table", "gradients"}) == []
    assert len(names & public) > 20
