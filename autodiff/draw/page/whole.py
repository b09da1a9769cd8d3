"""A picture of a whole computation graph, without a flow, as a story and as a page."""

from __future__ import annotations

from html import escape
from typing import Final

from autodiff.draw.model.palette import DARK, FONTS, THEMES, checked_theme
from autodiff.draw.model.picture import Picture
from autodiff.draw.writers.frame import SLIDE
from autodiff.draw.writers.svg import svg
from autodiff.telling.story import Block, Listing, Paragraph, Story
from autodiff.telling.text import plain_text
from autodiff.words.phrases import say

__all__ = ["sheet", "story"]

#: Only styles are allowed: nothing is loaded, sent or run.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def story(what: Picture) -> Story:
    """The title, a line for every box with its numbers in full, starting at the output, and the captions.

    >>> from autodiff import Value
    >>> from autodiff.draw.views.computation import computation
    >>> a = Value(3.0, name="a")
    >>> story(computation(a * a)).blocks[0].lines
    ('a·a = multiply(…): 9.0', 'a: 3.0')
    """
    blocks: list[Block] = [Listing(say("graph.listing", what.language), tuple(box.hint for box in what.boxes))]
    return Story(what.title, (*blocks, *([Paragraph(what.captions)] if what.captions else [])), what.language)


def sheet(what: Picture, *, theme: str = "auto", width: float | None = SLIDE) -> str:
    """One self-contained HTML page with the picture and its story in words; the same text in every process.

    Raises:
        ValueError: if the theme is unknown.

    >>> from autodiff import Value
    >>> from autodiff.draw.views.computation import computation
    >>> sheet(computation(Value(3.0, name="a")))[:15]
    '<!doctype html>'
    """
    return (
        f'<!doctype html>\n<html lang="{what.language}" data-theme="{checked_theme(theme)}">\n<head>\n'
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(what.title)}</title>\n<style>{_style(theme)}</style>\n</head>\n<body>\n"
        f'<main>\n<figure tabindex="0">\n{svg(what, theme=theme, width=width)}</figure>\n'
        f"<pre>{escape(plain_text(story(what)))}</pre>\n</main>\n</body>\n</html>\n"
    )


def _style(theme: str) -> str:
    """The style of the page: a graph wider than the screen scrolls in its frame, separately from the text."""
    colours = "background:{paper};color:{ink}"
    light, dark = (colours.format(**palette) for palette in (THEMES[theme], DARK))
    css = (
        f"body{{margin:0;{light};font:16px/1.5 {FONTS}}}figure{{margin:0;overflow-x:auto}}"
        "pre{margin:16px;font:inherit;white-space:pre-wrap;overflow-wrap:anywhere}"
    )
    return css + (f"@media screen and (prefers-color-scheme:dark){{body{{{dark}}}}}" if theme == "auto" else "")
