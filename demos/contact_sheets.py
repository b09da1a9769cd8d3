"""Contact sheets: the programs of ``demos/programs`` as on a slide, in a notebook and on a phone, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from programs import PROGRAMS, drawn_at

from autodiff.draw import Drawing
from autodiff.draw.model.palette import DARK, FONTS, LIGHT

__all__ = ["WIDTHS", "Size", "size_of", "write_sheets"]

#: In px: of a slide, of a cell of a notebook, and of a phone held upright.
WIDTHS: Final = {"slide": 1280.0, "notebook": 900.0, "phone": 390.0}
_THEMES: Final = {"light": LIGHT, "dark": DARK}
_THUMBNAIL: Final = 420.0  # px; three stand side by side on a slide
_TALLEST: Final = 640.0  # px of a thumbnail
_VIEW: Final = re.compile(r'viewBox="0 0 (\S+) (\S+)"')
_TEXT: Final = re.compile(r'<text [^>]*font-size="([^"]+)"')

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="{theme}">
<title>{title}</title>
<style>
body {{ margin: 0; padding: 16px; font: 13px/1.4 {fonts}; background: {palette[rest]}; color: {palette[ink]} }}
main {{ columns: {wide}px; column-gap: 16px }}
figure {{ margin: 0 0 16px; break-inside: avoid }}
img {{ display: block; max-width: 100%; height: auto }}
a {{ color: inherit }}
</style>
<h1>{title}</h1>
<p>{links}</p>
<main>
{figures}
</main>
</html>
"""


class Size(NamedTuple):
    """What a reader sees of a drawing at a width: its size and that of its smallest line of text, in px."""

    wide: float
    high: float
    smallest: float


def size_of(svg: str, width: float) -> Size:
    """The size of a drawing where there are ``width`` px for it; scripts are smaller than their line of text."""
    wide, high = (float(number) for number in _sought(_VIEW, svg))
    shrunk = min(1.0, width / wide)
    return Size(shrunk * wide, shrunk * high, shrunk * min(float(size) for size in _TEXT.findall(svg)))


def _sought(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found = pattern.search(text)
    if found is None:
        raise ValueError(f"expected an SVG of a drawing, but found no {pattern.pattern} in it")
    return found.groups()


def write_sheets(folder: Path, names: Iterable[str] = tuple(PROGRAMS)) -> list[Path]:
    """Draw the programs at every width in both themes, and return the paths of the sheets, one for each."""
    every = {name: drawn_at(name, WIDTHS.values()) for name in names}  # once for each width, whose view may differ
    paths = []
    for theme in _THEMES:
        for place, use in enumerate(WIDTHS):
            kind = f"{use}-{theme}"
            drawings = {name: made[place] for name, made in every.items()}
            (folder / kind).mkdir(parents=True, exist_ok=True)
            figures = "\n".join(_figures(drawings, folder, use, theme))
            path = folder / f"{kind}.html"
            path.write_text(_sheet(figures, use, theme), encoding="utf-8")
            paths.append(path)
    return paths


def _figures(drawings: dict[str, Drawing], folder: Path, use: str, theme: str) -> Iterator[str]:
    """Write each drawing into the folder of its sheet; the thumbnail leads to it."""
    for number, (name, drawing) in enumerate(drawings.items(), start=1):
        svg = replace(drawing, theme=theme).svg()
        file = f"{use}-{theme}/{number:02d}.svg"
        (folder / file).write_text(svg, encoding="utf-8")
        size = size_of(svg, WIDTHS[use])
        shown = min(1.0, _THUMBNAIL / size.wide, _TALLEST / size.high)
        yield (
            f'<figure><a href="{file}"><img src="{file}" alt="{escape(drawing.picture.title)}" '
            f'width="{shown * size.wide:.0f}" height="{shown * size.high:.0f}"></a>\n'
            f"<figcaption>{number}. {escape(name)}: {size.wide:.0f} × {size.high:.0f} px, "
            f"smallest text {size.smallest:.1f} px</figcaption></figure>"
        )


def _sheet(figures: str, use: str, theme: str) -> str:
    title = f"{use.capitalize()}, {WIDTHS[use]:.0f} px, {theme}"
    others = ((f"{other}-{look}", f"{other}, {look}") for look in _THEMES for other in WIDTHS)
    links = " · ".join(f'<a href="{kind}.html">{said}</a>' for kind, said in others)
    return _PAGE.format(
        title=title, theme=theme, fonts=FONTS, palette=_THEMES[theme], wide=_THUMBNAIL, links=links, figures=figures
    )
