"""The script of the page follows the house rules: a file for each idea, short lines, no unused code."""

from __future__ import annotations

import re

import pytest

from autodiff.draw.page.sources import SCRIPT, script_source
from tests.support.places import ROOT

ASSETS = ROOT / "autodiff" / "draw" / "page" / "assets"
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(ASSETS.glob("*.js"))}
EACH = pytest.mark.parametrize("name", FILES)

_LITERAL = re.compile(r"'(?:\\.|[^'\\\n])*'|`[^`]*`")
_DEFINED = re.compile(r"^(?:const|let|function) (\w+)", re.MULTILINE)


def code(source: str) -> str:
    """A file without its comments."""
    return re.sub(r"(?m)(?:^|\s+)// .*$", "", source)


def test_the_script_is_made_of_all_files() -> None:
    """Each once."""
    assert sorted(SCRIPT) == sorted(FILES)


@EACH
def test_a_file_begins_with_what_belongs_there(name: str) -> None:
    """A comment of one sentence, before an empty line."""
    first, second, _ = FILES[name].split("\n", 2)
    assert re.fullmatch(r"// [A-Z].*\.", first)
    assert second == ""


@EACH
def test_files_and_lines_are_short(name: str) -> None:
    """350 lines of 120 characters, without tabs, trailing spaces or redundant semicolons."""
    lines = FILES[name].splitlines()
    assert len(lines) <= 350
    for number, line in enumerate(lines, start=1):
        assert len(line) <= 120, f"{name}.js, line {number}"
        assert line == line.rstrip(), f"{name}.js, line {number}"
        assert "\t" not in line, f"{name}.js, line {number}"
        assert not re.search(r";(?: //.*)?$", line), f"{name}.js, line {number}"
    assert FILES[name].endswith("\n")


@EACH
def test_functions_are_short(name: str) -> None:
    """40 lines from a name at the start of a line to its closing brace."""
    for found in re.finditer(r"^(?:function|const) (\w+).*\{\n((?:[ \n].*\n|\n)*)", FILES[name], re.MULTILINE):
        assert found[2].count("\n") <= 40, f"{name}.js, {found[1]}"


def test_every_name_is_defined_once_and_used() -> None:
    """All files share one scope, and no name is unused."""
    whole = "".join(map(code, FILES.values()))
    names = _DEFINED.findall(whole)
    assert len(names) == len({*names}) > 100
    plain = re.sub(r"'(?:\\.|[^'\\\n])*'", "''", whole)
    assert [name for name in names if len(re.findall(rf"(?<!\w)(?<!(?<!\.)\.){name}\b", plain)) < 2] == []


@EACH
def test_nothing_is_made_of_text_but_text(name: str) -> None:
    """No markup from strings, no code from strings, no old declarations, no loose comparison."""
    plain = _LITERAL.sub("''", code(FILES[name]))
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bFunction\b", plain)
    assert not re.search(r"\bvar\b|[^=!]==[^=]|!=[^=]", plain)


@EACH
def test_spaces_that_say_something_are_in_strings(name: str) -> None:
    """The page drops spaces around signs, so regular expressions contain none, and templates are not nested."""
    source = code(FILES[name])
    for found in re.finditer(r"(?<=[(=,&] )/[^/\n]+/|(?<=\()/[^/\n]+/", source):
        assert " " not in found[0], found[0]
    assert not re.search(r"\$\{[^}]*`", source)


def test_the_page_has_the_files_in_one_strict_function() -> None:
    """Without comments and indentation, with every string unchanged."""
    script = script_source()
    assert script.startswith("'use strict';(()=>{")
    assert script.endswith("})()\n")
    assert "//" not in _LITERAL.sub("''", script)
    assert _LITERAL.findall(script)[1:] == [text for name in SCRIPT for text in _LITERAL.findall(code(FILES[name]))]
