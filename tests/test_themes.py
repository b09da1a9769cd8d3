"""Colours: light, dark, as the reader's system is, and on paper; text stands out, and greyscale tells the sign."""

from __future__ import annotations

import pytest

from autodiff.draw.palette import DARK, ERROR_COLOURS, LIGHT
from tests.flows import notes_flow
from tests.test_draw import SVG, parsed


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(palette):
    """At least 4.5 : 1, on paper and on its own fill."""
    pairs = [(name, "paper") for name in ("ink", "muted", "zero", "forward", "error", "negative", "parameter")]
    pairs += [(name, f"{name}-fill") for name in ("forward", "error", "negative", "parameter")]
    pairs += [("ink", "forward-fill"), ("ink", "parameter-fill"), ("muted", "rest"), ("zero", "rest")]
    for text_colour, ground in pairs:
        light, dark = sorted((luminance(palette[text_colour]), luminance(palette[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text_colour, ground)
    assert set(ERROR_COLOURS.values()) <= set(palette)


def test_the_svg_follows_the_readers_light_or_dark_mode():
    """One media query turns every colour into its dark counterpart."""
    style = parsed(notes_flow()).find(f"{SVG}style").text
    light, dark = style.split("@media screen and (prefers-color-scheme:dark)")
    assert all(colour in light for colour in LIGHT.values())
    assert all(colour in dark for colour in DARK.values())


