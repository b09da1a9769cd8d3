"""The page's style and script, read from the files in ``assets/`` without what nobody reads in a page."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["SCRIPT", "script_source", "style_source"]

#: The files of the script, in an order in which each uses at once only what stands before it.
SCRIPT: Final = (
    "ledger", "numbers", "words", "elements", "flow", "predict", "moves", "choices", "layout", "boxes", "picture",
    "page",
)  # fmt: skip
#: A string, which keeps its spaces; a sign with spaces around it; another space that says nothing.
_SPACES: Final = re.compile(r"('(?:\\.|[^'\\])*'|`[^`]*`)| ([-=!<>?:+*/&|]+) (?![-+])|(?<=[,:]) |(?<=\)) (?={)")


def style_source() -> str:
    """The rules of the page, which take its colours from variables.

    >>> "background:var(--paper)" in style_source()
    True
    """
    return _asset("page.css")


@cache
def script_source() -> str:
    """All files of the script in one function: their names are for each other, and for nobody else.

    >>> script_source()[:18]
    "'use strict';(()=>"
    """
    source = "".join(_asset(f"{name}.js") for name in SCRIPT)
    return f"'use strict';(()=>{{{_SPACES.sub(lambda found: found[1] or found[2] or '', source)}}})()\n"


def _asset(name: str) -> str:
    """The text of a file without indents and comments."""
    source = files("autodiff.draw.page").joinpath("assets", name).read_text(encoding="utf-8")
    return re.sub(r"(?m)^\s+|(?:^|\s+)// .*$", "", source)
