"""The style and the script of the page, read from ``assets/`` without comments and extra spaces."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

__all__ = ["SCRIPT", "script_source", "style_source"]

#: The files of the script; at load time, each uses only definitions from earlier files.
SCRIPT: Final = (
    "ledger", "numbers", "words", "elements", "tiles", "flow", "predict", "moves", "choices", "layout", "boxes",
    "picture", "page",
)  # fmt: skip
#: A string, which keeps its spaces; a sign with spaces around it; any other redundant space.
_SPACES: Final = re.compile(r"('(?:\\.|[^'\\])*'|`[^`]*`)| ([-=!<>?:+*/&|]+) (?![-+])|(?<=[,:]) |(?<=\)) (?={)")


def style_source(*, arrays: bool = True) -> str:
    """The CSS rules of the page, which take colours from variables; those of tiles only in a page with arrays.

    >>> "background:var(--paper)" in style_source()
    True
    """
    return _asset("page.css") + (_asset("tiles.css") if arrays else "")


@cache
def script_source(*, arrays: bool = True) -> str:
    """The files of the script inside one function, so that their names stay private; without arrays, no tiles.

    >>> script_source()[:18]
    "'use strict';(()=>"
    """
    source = "".join(_asset(f"{name}.js") for name in SCRIPT if arrays or name != "tiles")
    return f"'use strict';(()=>{{{_SPACES.sub(lambda found: found[1] or found[2] or '', source)}}})()\n"


def _asset(name: str) -> str:
    """The text of a file without indentation and comments."""
    source = files("autodiff.draw.page").joinpath("assets", name).read_text(encoding="utf-8")
    return re.sub(r"(?m)^\s+|(?:^|\s+)// .*$", "", source)
