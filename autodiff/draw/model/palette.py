"""The colours of all pictures: contrast at least 4.5 : 1, and distinguishable for colour-blind readers.

Forward is blue, error orange, a negative error purple, the parameter green; colour never shows the sign alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = [
    "CODE_FONTS", "DARK", "ERROR_COLOURS", "ERROR_FILLS", "FONTS", "LIGHT", "PRINT", "THEMES", "checked_theme",
    "stylesheet", "variables",
]  # fmt: skip

FONTS: Final = "Helvetica,Arial,Noto Sans CJK SC,PingFang SC,Microsoft YaHei,sans-serif"
CODE_FONTS: Final = "Menlo,Consolas,DejaVu Sans Mono,monospace"

LIGHT: Final = {
    "paper": "#ffffff", "ink": "#1f2933", "muted": "#5f6b78", "line": "#c3cbd3", "rest": "#f7f8f9", "zero": "#5f6b78",
    "forward": "#0072B2", "forward-fill": "#E6F1F8", "error": "#B84A00", "error-fill": "#FDEBDD",
    "negative": "#5B3FA0", "negative-fill": "#ECE7F6", "parameter": "#00785A", "parameter-fill": "#E3F4EE",
}  # fmt: skip

DARK: Final = {
    "paper": "#0f1720", "ink": "#e6edf3", "muted": "#9aa7b4", "line": "#3d4b59", "rest": "#17212b", "zero": "#9aa7b4",
    "forward": "#56B4E9", "forward-fill": "#132b3d", "error": "#FF9D5C", "error-fill": "#3a2415",
    "negative": "#B9A3F0", "negative-fill": "#2a2145", "parameter": "#4FD1A5", "parameter-fill": "#12332a",
}  # fmt: skip

#: For printing without colours: position distinguishes lanes, and dashes and minus signs distinguish signs.
PRINT: Final = {
    "paper": "#ffffff", "ink": "#000000", "muted": "#4d4d4d", "line": "#b3b3b3", "rest": "#ffffff", "zero": "#4d4d4d",
    "forward": "#4d4d4d", "forward-fill": "#ffffff", "error": "#000000", "error-fill": "#ededed",
    "negative": "#000000", "negative-fill": "#ededed", "parameter": "#000000", "parameter-fill": "#dedede",
}  # fmt: skip

#: The themes by name; "auto" follows the reader's system where possible and is light elsewhere.
THEMES: Final[Mapping[str, Mapping[str, str]]] = {"auto": LIGHT, "light": LIGHT, "dark": DARK, "print": PRINT}

#: By the sign of an error or a share.
ERROR_COLOURS: Final = {1: "error", -1: "negative", 0: "zero"}
ERROR_FILLS: Final = {1: "error-fill", -1: "negative-fill", 0: "rest"}


def checked_theme(theme: str) -> str:
    """``theme``, if there is a theme with that name.

    Raises:
        ValueError: if the theme is unknown.

    >>> checked_theme("dark")
    'dark'
    """
    if theme not in THEMES:
        raise ValueError(f"unknown theme {theme!r} (must be one of {', '.join(THEMES)})")
    return theme


def stylesheet(theme: str) -> str:
    """A theme as CSS: for each colour, a class for fills and, prefixed with ``s-``, one for strokes.

    "auto" is dark if the reader's system is dark, and "dark" is light on paper. The rules apply inside an element whose
    class is ``autodiff-`` plus the theme, so one page can show drawings with different themes.

    >>> stylesheet("light").partition("}")[0]
    '.autodiff-light .paper{fill:#ffffff'
    """
    css = _rules(theme, THEMES[checked_theme(theme)])
    if theme == "auto":
        css += f"@media screen and (prefers-color-scheme:dark){{{_rules(theme, DARK)}}}"
    if theme == "dark":
        css += f"@media print{{{_rules(theme, LIGHT)}}}"
    return css


def variables(colours: Mapping[str, str]) -> str:
    """Colours as CSS custom properties.

    >>> variables(LIGHT).partition(";")[0]
    '--error:#B84A00'
    """
    return ";".join(f"--{key}:{colour}" for key, colour in sorted(colours.items()))


def _rules(theme: str, colours: Mapping[str, str]) -> str:
    return "".join(
        f".autodiff-{theme} .{prefix}{key}{{{what}:{colour}}}"
        for prefix, what in (("", "fill"), ("s-", "stroke"))
        for key, colour in colours.items()
    )
